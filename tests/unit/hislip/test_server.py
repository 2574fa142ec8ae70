"""The server: how sessions begin and end, what it refuses, its faults, and that nothing is left of it."""

import socket
import struct
import threading
import time

import pytest

from impairlab.sim_hardware.faults import CloseMidReply, Garbage, LateReply, Mute, PartialReply, Reboot, Refuse
from impairlab.sim_hardware.scpi import Instrument
from impairlab.sim_hardware.transports.hislip import HislipServer

IDENTITY = b"impairlab,Lamp,L1,1.0\n"
MS = 1_000_000


def wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def answer_to(open_client_class, address, *message) -> tuple[int, int]:
    """Send one message on a new connection; return type and control code of the answer, after which it is closed."""
    with open_client_class.connect(address) as sock:
        open_client_class.send(sock, *message)
        answer = open_client_class.receive(sock)
        assert sock.recv(1) == b""
        return answer[:2]


def is_accepting(address) -> bool:
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ((7, 0, 0xFFFFFF00, b"*IDN?"), 3),
        ((17, 0, 999), 3),
        ((0, 0, 0x01000000, b"hislip9"), 0),
        ((28,), 3),
    ],
)
def test_bad_first_message_is_fatal(server, client, message, code) -> None:
    assert answer_to(type(client), server.address, *message) == (2, code)
    assert client.ask(b"*IDN?") == IDENTITY


def test_what_is_no_hislip_is_fatal(server, client) -> None:
    with client.connect(server.address) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.receive(sock)[:2] == (2, 1)
        assert sock.recv(1) == b""


def test_exabyte_of_sub_address_is_fatal_at_once(server, client) -> None:
    with client.connect(server.address) as sock:
        sock.sendall(struct.pack("!2sBBIQ", b"HS", 0, 0, 0x01000000, 1 << 60))
        assert client.receive(sock)[:2] == (2, 3)


def test_message_before_the_second_channel_is_fatal(server, client) -> None:
    with client.connect(server.address) as sock:
        client.send(sock, 0, 0, 0x01000000)
        assert client.receive(sock).kind == 1
        client.send(sock, 7, 0, 0xFFFFFF00, b"*IDN?")
        assert client.receive(sock)[:2] == (2, 2)


def test_second_initialization_is_fatal_and_ends_both_channels(client) -> None:
    client.send(client.sync, 0, 0, 0x01000000)
    assert client.receive(client.sync)[:2] == (2, 3)
    assert client.sync.recv(1) == b""
    assert client.asynchronous.recv(1) == b""


def test_session_cap_is_fatal_error_4_until_one_leaves(instrument: Instrument, open_client) -> None:
    with HislipServer(instrument, port=0, max_sessions=2) as server:
        first, _ = open_client(server), open_client(server)
        assert answer_to(type(first), server.address, 0, 0, 0x01000000) == (2, 4)
        first.close()
        wait_until(lambda: len(server.sessions) == 1)
        assert open_client(server).ask(b"*IDN?") == IDENTITY


@pytest.mark.parametrize("channel", ["sync", "asynchronous"])
def test_end_of_either_channel_ends_the_session(instrument: Instrument, server, client, channel) -> None:
    assert client.lock() == 1
    getattr(client, channel).close()
    wait_until(lambda: not server.sessions and not instrument.sessions)
    assert instrument.lock.owner is None


def test_sixteen_clients_are_told_apart(server, open_client) -> None:
    clients = [open_client(server) for _ in range(16)]
    assert len({client.number for client in clients}) == 16
    for number, client in enumerate(clients):
        client.write(b"LONG? %d" % (10 * number + 10))
    assert [len(client.read()) for client in clients] == [10 * n + 11 for n in range(16)]


def test_client_that_does_not_read_does_not_stop_the_others(server, open_client) -> None:
    lazy, other = open_client(server), open_client(server)
    lazy.write(b"LONG? 10000000")
    for _ in range(5):
        assert other.ask(b"*IDN?") == IDENTITY
    assert len(lazy.read()) == 10_000_001


def test_nothing_is_left_after_close(instrument: Instrument, open_client) -> None:
    before = set(threading.enumerate())
    server = HislipServer(instrument, port=0)
    client = open_client(server)
    server.close()
    server.close()
    assert set(threading.enumerate()) == before
    assert client.sync.recv(1) == client.asynchronous.recv(1) == b""
    assert not instrument.sessions
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address)


def test_port_that_is_taken_is_an_error_that_leaves_nothing(server, instrument) -> None:
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="in use"):
        HislipServer(instrument, port=server.address[1])
    assert set(threading.enumerate()) == before


def test_late_reply_comes_late(server, client) -> None:
    server.inject(LateReply(50 * MS))
    started = time.monotonic_ns()
    assert client.ask(b"*IDN?") == IDENTITY
    assert time.monotonic_ns() - started >= 50 * MS
    assert client.ask(b"SYST:ERR?") == b'0,"No error"\n'


def test_reply_that_is_late_is_interrupted_by_the_next_message(server, client) -> None:
    server.inject(LateReply(10_000 * MS))
    client.write(b"*IDN?")
    assert client.is_quiet(client.sync, 0.02)
    client.write(b"*ESE?")
    assert client.receive(client.sync).kind == 13
    assert client.read() == b"0\n"


def test_garbage_and_partial_replies(server, client) -> None:
    server.inject(Garbage(b"\xffrubbish"))
    assert client.ask(b"*IDN?") == b"\xffrubbish"
    server.inject(PartialReply(keep=4))
    client.write(b"*IDN?")
    assert client.receive(client.sync)[::3] == (6, b"impa")
    assert client.is_quiet(client.sync)


def test_connection_closed_in_the_middle_of_a_reply(server, client) -> None:
    server.inject(CloseMidReply(keep=4))
    client.write(b"*IDN?")
    with pytest.raises(EOFError) as raised:
        client.receive(client.sync)
    assert raised.value.args == (b"impa",)


def test_mute_session_is_never_answered_and_others_are(server, open_client) -> None:
    mute, other = open_client(server), open_client(server)
    server.inject(Mute())
    mute.write(b"*IDN?")
    assert mute.is_quiet(mute.sync)
    assert other.ask(b"*IDN?") == IDENTITY
    assert mute.is_quiet(mute.sync, 0.01)


def test_refused_connections_and_reboot(server, client, open_client) -> None:
    server.inject(Refuse())
    with pytest.raises(ConnectionRefusedError):
        client.connect(server.address)
    assert client.ask(b"*IDN?") == IDENTITY
    server.clear_faults()
    assert open_client(server).ask(b"*ESE 5;*ESE?") == b"5\n"
    server.inject(Reboot(boot_ns=30 * MS))
    with pytest.raises(ConnectionResetError):
        client.sync.recv(1)
    with pytest.raises(ConnectionRefusedError):
        client.connect(server.address)
    wait_until(lambda: is_accepting(server.address))
    assert open_client(server).ask(b"*ESR?;*ESE?") == b"128;0\n"


def test_box_that_boots_slowly_accepts_and_says_nothing(server, client) -> None:
    server.inject(Reboot(mute_ns=300 * MS))
    wait_until(lambda: is_accepting(server.address))
    with client.connect(server.address) as sock:
        client.send(sock, 0, 0, 0x01000000)
        assert client.is_quiet(sock, 0.05)
