"""What goes over the asynchronous channel: status, service requests, locks, remote and local."""

import time

from impairlab.sim_hardware.scpi import ScpiServer
from impairlab.sim_hardware.transports.hislip import HislipServer
from impairlab.sim_hardware.transports.hislip.session import Control

EAV, MAV, EVENT, SERVICE = 0x04, 0x10, 0x20, 0x40
IDENTITY = b"impairlab,Lamp,L1,1.0\n"


def wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_message_is_available_until_the_client_has_told_that_it_was_read(client) -> None:
    assert client.status() & MAV == 0
    client.write(b"*IDN?")
    assert client.receive(client.sync).payload == IDENTITY
    assert client.status(rmt=0) & MAV
    assert client.status(rmt=1) & MAV == 0
    assert client.status(rmt=0) & MAV == 0


def test_message_is_not_available_to_a_query_with_an_old_id_and_is_with_the_next_one(client) -> None:
    client.write(b"*CLS")
    used = client.write(b"*IDN?")
    assert client.receive(client.sync).payload == IDENTITY
    assert client.tell(21, 0, used - 2).control & MAV == 0
    assert client.tell(21, 0, used + 2).control & MAV
    assert client.tell(21, 0, used).control & MAV


def test_held_response_is_not_available(client) -> None:
    client.write(b"GLOW 50;*OPC?")
    assert client.status() & MAV == 0


def test_service_is_requested_once_and_again_after_a_status_query(client) -> None:
    client.write(b"*CLS;*ESE 32;*SRE 32")
    client.write(b"NONSENSE")
    request = client.receive(client.asynchronous)
    assert request == (20, SERVICE | EVENT | EAV, 0, b"")
    client.write(b"NONSENSE")
    assert client.is_quiet(client.asynchronous)
    assert client.status() & SERVICE
    assert client.status() & SERVICE == 0
    client.write(b"*CLS")
    client.write(b"NONSENSE")
    assert client.receive(client.asynchronous).kind == 20


def test_service_for_a_response_is_requested_although_it_is_sent_at_once(client) -> None:
    client.write(b"*SRE 16")
    client.write(b"*IDN?")
    request = client.receive(client.asynchronous)
    assert request[:2] == (20, SERVICE | MAV)
    assert client.status(rmt=0) == SERVICE | MAV
    assert client.read() == IDENTITY


def test_service_for_what_takes_time_is_requested_when_it_is_done(client) -> None:
    client.write(b"*CLS;*ESE 1;*SRE 32;GLOW 0.05;*OPC")
    assert client.receive(client.asynchronous)[:2] == (20, SERVICE | EVENT)


def test_exclusive_lock_keeps_others_waiting_and_their_messages_are_not_lost(server, open_client) -> None:
    first, second = open_client(server), open_client(server)
    assert first.lock() == 1
    assert first.tell(24)[:3] == (25, 1, 1)
    assert second.lock() == 0
    second.write(b"*IDN?")
    assert second.is_quiet(second.sync)
    assert second.status() & MAV == 0
    assert first.ask(b"*IDN?") == IDENTITY
    assert first.unlock() == 1
    assert second.read() == IDENTITY
    assert first.unlock() == 3


def test_lock_is_waited_for_and_given_when_its_holder_leaves(server, open_client) -> None:
    first, second = open_client(server), open_client(server)
    assert first.lock() == 1
    started = time.monotonic()
    assert second.lock(timeout_ms=60) == 0
    assert time.monotonic() - started >= 0.06
    second.send(second.asynchronous, 4, 1, 20_000)
    assert second.is_quiet(second.asynchronous, 0.02)
    first.close()
    assert second.receive(second.asynchronous)[:2] == (5, 1)


def test_shared_lock_is_for_those_who_know_the_key(server, open_client) -> None:
    first, second, third = (open_client(server) for _ in range(3))
    assert first.lock(key=b"k") == 1
    assert second.lock(key=b"wrong") == 0
    assert second.lock(key=b"k") == 1
    assert second.tell(24)[:3] == (25, 0, 2)
    assert (first.ask(b"*ESE?"), second.ask(b"*ESE?")) == (b"0\n", b"0\n")
    third.write(b"*ESE?")
    assert third.is_quiet(third.sync)
    assert first.lock() == 1
    assert first.tell(24)[:3] == (25, 1, 2)
    assert (first.unlock(), first.unlock(), second.unlock(), second.unlock()) == (1, 2, 2, 3)
    assert third.read() == b"0\n"


def test_release_comes_after_the_messages_sent_before_it(server, open_client) -> None:
    first, second = open_client(server), open_client(server)
    for number in range(1, 10):
        assert first.lock() == 1
        second.write(b"*ESE?")
        first.write(b"*ESE %d" % number)
        assert first.unlock() == 1
        assert second.read() == b"%d\n" % number


def test_lock_string_that_is_too_long_is_an_error(client) -> None:
    assert client.lock(key=bytes(257)) == 3


def test_lock_keeps_a_raw_socket_session_from_changing_anything(instrument, client) -> None:
    assert client.lock() == 1
    with ScpiServer(instrument, port=0) as raw, client.connect(raw.address) as sock:
        sock.sendall(b"*IDN?\n")
        assert sock.recv(100) == IDENTITY


def test_device_clear_works_for_one_who_is_locked_out(server, open_client) -> None:
    first, second = open_client(server), open_client(server)
    assert first.lock() == 1
    second.write(b"*IDN?")
    second.write(b"*IDN?")
    assert second.clear() == 0
    assert first.unlock() == 1
    assert second.ask(b"*ESE?") == b"0\n"


def test_remote_and_local_are_kept(server: HislipServer, client) -> None:
    states = []
    for code in (1, 3, 5, 6, 4, 0, 3, 2):
        assert client.tell(10, code, client.message_id) == (11, 0, 0, b"")
        states.append(server.sessions[0].control)
    enabled, remote, lockout = Control.ENABLED, Control.REMOTE, Control.LOCKOUT
    assert states == [
        enabled, enabled | remote, enabled | remote | lockout, enabled | lockout, enabled | lockout,
        Control.LOCAL, enabled | remote, Control.LOCAL,
    ]  # fmt: skip


def test_held_response_that_another_session_cancels_is_no_error(server, open_client) -> None:
    first, second = open_client(server), open_client(server)
    first.write(b"GLOW 50;*OPC?")
    second.write(b"*CLS")
    assert second.ask(b"SYST:ERR?") == b'0,"No error"\n'
    assert first.ask(b"*IDN?") == IDENTITY
    assert second.ask(b"SYST:ERR?") == b'0,"No error"\n'
