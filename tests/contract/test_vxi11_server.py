"""Every procedure of VXI-11, called with PyVISA-py's RPC client; the rules are those of VXI-11 revision 1.0, B."""

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pyvisa_py.protocols import rpc, vxi11
from pyvisa_py.tcpip import Vxi11CoreClient

from impairlab.sim_hardware.faults import (
    DECIMAL_COMMAS,
    Chatter,
    CloseMidReply,
    Garbage,
    LateReply,
    Mute,
    PartialReply,
    Reboot,
    Refuse,
    Repeat,
)
from impairlab.sim_hardware.scpi import Action, Device, Identity, Instrument, Integer, Personality, Query, ScpiError
from impairlab.sim_hardware.transports.vxi11 import Vxi11Server

MS = 1_000_000
END, WAIT_LOCK, TERMINATION = 8, 1, 0x80
REQUEST_COUNT, CHARACTER, END_READ = 1, 2, 4
INVALID_LINK, PARAMETER, NO_CHANNEL, NOT_SUPPORTED, NO_RESOURCES = 4, 5, 6, 8, 9
LOCKED, NO_LOCK, TIMEOUT, ABORTED, CHANNEL_THERE = 11, 12, 15, 23, 29


class Bench(Device):
    """Answers blocks of any size, and waits for a while or for a trigger."""

    identity = Identity("impairlab", "Bench", "B1", "1.0")
    triggers = 0

    def commands(self):
        return [
            Query(":BLOCk?", lambda _, size: bytes(range(256)) * (size // 256), Integer(minimum=0, maximum=2**20)),
            Query(":TRIGgers?", lambda _: self.triggers),
            Action(":WAIT", self.wait, Integer(minimum=0, maximum=60_000)),
        ]

    def wait(self, at, ms):
        at.instrument.operations.start("wait", ms * MS)

    def trigger(self):
        if self.triggers > 8:
            raise ScpiError(-211)
        self.triggers += 1


class Client(Vxi11CoreClient):
    """A core connection; its calls return the error first."""

    def link(self, name: str = "inst0", *, lock: bool = False, lock_timeout: int = 0) -> int:
        error, link, *_ = self.create_link(1, lock, lock_timeout, name)
        assert error == 0
        return link

    def say(self, link: int, message: bytes, flags: int = END, lock_timeout: int = 0) -> int:
        return self.device_write(link, 5000, lock_timeout, flags, message)[0]

    def hear(self, link: int, size: int = 1 << 20, timeout: int = 5000, flags: int = 0, termination: int = 0):
        return self.device_read(link, size, timeout, 0, flags, termination)

    def ask(self, link: int, message: bytes) -> bytes:
        assert self.say(link, message) == 0
        error, reason, data = self.hear(link)
        assert (error, reason & END_READ) == (0, END_READ)
        return data


@pytest.fixture
def instrument() -> Instrument:
    return Instrument(Bench(), Personality(output_queue=1 << 20))


@pytest.fixture
def server(instrument: Instrument) -> Iterator[Vxi11Server]:
    with Vxi11Server(instrument, portmapper_port=0) as server:
        yield server
    assert not [each for each in threading.enumerate() if each.name == "vxi11"]


@pytest.fixture
def connect(server: Vxi11Server) -> Iterator[Callable[[], Client]]:
    clients = []

    def connect() -> Client:
        clients.append(Client("127.0.0.1", server.address.core))
        return clients[-1]

    yield connect
    for each in clients:
        each.close()


@pytest.fixture
def client(connect) -> Client:
    return connect()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def raw_call(port: int, program: int, procedure: int, arguments: bytes = b"", version: int = 1) -> bytes:
    """One call on a connection of its own; the reply behind its xid."""
    packer = rpc.Packer()
    packer.pack_callheader(7, program, version, procedure, (0, b""), (0, b""))
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        rpc._sendrecord(sock, packer.get_buf() + arguments)
        return rpc._recvrecord(sock, 10)[4:]


def numbers(*values: int) -> bytes:
    return b"".join(each.to_bytes(4, "big") for each in values)


def test_the_first_link_is_0_and_tells_abort_port_and_size(client, server):
    assert client.create_link(1, False, 0, "inst0") == (0, 0, server.address.abort, 16_384)
    assert client.create_link(1, False, 0, "INST0")[:2] == (0, 1)


def test_unknown_and_illegal_device_names(client):
    assert client.create_link(1, False, 0, "gpib0,5")[0] == 3
    client.packer.pack_string = lambda _: rpc.Packer.pack_string(client.packer, b"inst\xff")
    assert client.create_link(1, False, 0, "x")[0] == 1


@pytest.mark.parametrize("message", [b"*IDN?", b"*IDN?\n", b"*idn?\r\n"])
def test_end_terminates_with_or_without_line_feed(client, message):
    assert client.ask(client.link(), message) == b"impairlab,Bench,B1,1.0\n"


def test_a_message_in_many_writes(client):
    link = client.link()
    for part in (b"*ID", b"N", b"?"):
        assert client.device_write(link, 1000, 0, 0, part) == (0, len(part))
    assert client.device_write(link, 1000, 0, END, b"") == (0, 0), "nothing is done with no data"
    assert client.hear(link, timeout=0)[0] == TIMEOUT
    assert client.ask(link, b";") == b"impairlab,Bench,B1,1.0\n"


def test_reasons_of_a_read(client):
    link = client.link()
    client.say(link, b"*IDN?")
    assert client.hear(link, 0) == (0, REQUEST_COUNT, b"")
    assert client.hear(link, 4) == (0, REQUEST_COUNT, b"impa")
    assert client.hear(link, 99, flags=TERMINATION, termination=ord(",")) == (0, CHARACTER, b"irlab,")
    assert client.hear(link, 6, flags=TERMINATION, termination=ord(",")) == (0, REQUEST_COUNT | CHARACTER, b"Bench,")
    assert client.hear(link, 7, flags=TERMINATION, termination=10) == (0, 7, b"B1,1.0\n")


def test_big_blocks_out_in_pieces(client):
    link = client.link()
    client.say(link, b"BLOC? 200000")
    data = b""
    while not data.endswith(b"\n") or len(data) < 100_000:
        error, _, piece = client.hear(link, 999)
        assert error == 0
        data += piece
    assert data == b"#6199936" + bytes(range(256)) * 781 + b"\n"


def test_more_than_a_read_may_return_comes_without_reason(client, monkeypatch):
    monkeypatch.setattr("impairlab.sim_hardware.transports.vxi11.core.MOST_READ", 1000)
    link = client.link()
    client.say(link, b"BLOC? 1024")
    assert [len(client.hear(link)[2]), client.hear(link)[1]] == [1000, END_READ]


def test_a_write_beyond_the_maximum_is_refused_and_the_connection_lives(client):
    link = client.link()
    assert client.device_write(link, 1000, 0, END, bytes(16_385)) == (PARAMETER, 0)
    assert client.device_write(link, 1000, 0, END, bytes(5_000_000)) == (PARAMETER, 0)
    assert client.device_write(link, 1000, 0, 0, b" " * 16_384) == (0, 16_384)
    assert client.ask(link, b"*OPC?") == b"1\n"


def test_a_read_without_a_question_times_out(client):
    link = client.link()
    started = time.monotonic()
    assert client.hear(link, timeout=150) == (TIMEOUT, 0, b"")
    assert 0.15 <= time.monotonic() - started < 5
    assert client.ask(link, b"SYST:ERR?") == b'-420,"Query UNTERMINATED"\n'


def test_an_unread_response_is_interrupted(client):
    link = client.link()
    client.say(link, b"*IDN?")
    assert client.ask(link, b"SYST:ERR?") == b'-410,"Query INTERRUPTED"\n'


def test_a_read_waits_for_an_operation(client):
    link = client.link()
    client.say(link, b"WAIT 60000;*OPC?")
    assert client.hear(link, timeout=20) == (TIMEOUT, 0, b"")
    assert client.device_clear(link, 0, 0, 1000) == 0
    assert client.ask(link, b"SYST:VERS?") == b"1999.0\n"
    client.say(link, b"*RST;WAIT 100;*OPC?")
    started = time.monotonic()
    assert client.hear(link) == (0, END_READ, b"1\n")
    assert time.monotonic() - started > 0.05


def test_a_part_that_is_ready_is_returned_with_the_timeout(client):
    link = client.link()
    client.say(link, b"SYST:VERS?;:WAIT 60000;*OPC?")
    assert client.hear(link, timeout=50) == (TIMEOUT, 0, b"1999.0")


def test_a_write_waits_while_the_input_buffer_is_full(connect, instrument):
    client = connect()
    link = client.link()
    client.say(link, b"WAIT 60000;*WAI")
    for _ in range(4):
        assert client.device_write(link, 0, 0, END, b"*CLS;" * 3276 + b"*CLS")[0] == 0
    assert client.device_write(link, 30, 0, END, b"*CLS") == (TIMEOUT, 0)
    instrument.operations.abort_all()
    assert client.device_write(link, 5000, 0, END, b"*CLS") == (0, 4)


def test_status_byte_trigger_clear_remote_local(client, server, instrument):
    link = client.link()
    client.say(link, b"*CLS;*SRE 16")
    client.say(link, b"*IDN?")
    assert client.device_read_stb(link, 0, 0, 1000) == (0, 80)
    assert client.device_read_stb(link, 0, 0, 1000) == (0, 16)
    assert client.device_clear(link, 0, 0, 1000) == 0
    assert client.device_read_stb(link, 0, 0, 1000) == (0, 0)
    assert client.device_trigger(link, 0, 0, 1000) == 0
    assert client.ask(link, b"TRIG?") == b"1\n"
    assert client.device_remote(link, 0, 0, 1000) == 0
    assert server.remote
    assert client.device_local(link, 0, 0, 1000) == 0
    assert not server.remote


def test_docmd_is_for_gateways(client):
    assert client.device_docmd(client.link(), 0, 0, 0, 0x20000, True, 1, b"") == (NOT_SUPPORTED, b"")


def test_every_procedure_refuses_a_link_that_is_not_there(client, connect):
    other = connect().link()
    for link in (77, -1, other):
        assert client.say(link, b"*CLS") == INVALID_LINK
        assert client.hear(link) == (INVALID_LINK, 0, b"")
        assert client.device_read_stb(link, 0, 0, 0) == (INVALID_LINK, 0)
        for operation in (client.device_trigger, client.device_clear, client.device_remote, client.device_local):
            assert operation(link, 0, 0, 0) == INVALID_LINK
        assert client.device_lock(link, 0, 0) == INVALID_LINK
        assert client.device_unlock(link) == INVALID_LINK
        assert client.device_enable_srq(link, True, b"") == INVALID_LINK
        assert client.device_docmd(link, 0, 0, 0, 0, True, 0, b"")[0] == INVALID_LINK
        assert client.destroy_link(link) == INVALID_LINK


def test_a_destroyed_link_is_gone(client):
    link = client.link()
    assert client.destroy_link(link) == 0
    assert client.destroy_link(link) == INVALID_LINK


def test_links_are_limited(server, instrument):
    with Vxi11Server(instrument, portmapper_port=None, max_links=2) as small:
        client = Client("127.0.0.1", small.address.core)
        links = [client.link(), client.link()]
        assert client.create_link(1, False, 0, "inst0")[0] == NO_RESOURCES
        client.destroy_link(links[0])
        assert client.create_link(1, False, 0, "inst0")[0] == 0
        client.close()


def test_a_lock_keeps_all_others_out(client, connect):
    other = connect()
    mine, theirs = client.link(), other.link()
    assert client.device_lock(mine, 0, 0) == 0
    assert client.device_lock(mine, 0, 0) == LOCKED, "not nested (rule on device_lock)"
    assert other.say(theirs, b"*CLS") == LOCKED
    assert other.hear(theirs) == (LOCKED, 0, b"")
    assert other.device_read_stb(theirs, 0, 0, 1000) == (LOCKED, 0)
    for operation in (other.device_trigger, other.device_clear, other.device_remote, other.device_local):
        assert operation(theirs, 0, 0, 1000) == LOCKED
    assert other.device_lock(theirs, 0, 0) == LOCKED
    assert other.device_unlock(theirs) == NO_LOCK
    assert other.create_link(1, True, 30, "inst0")[0] == LOCKED
    assert other.destroy_link(other.link()) == 0, "links come and go whatever is locked"
    assert client.ask(mine, b"*OPC?") == b"1\n"
    assert client.device_unlock(mine) == 0
    assert client.device_unlock(mine) == NO_LOCK
    assert other.ask(theirs, b"*OPC?") == b"1\n"


def test_waiting_for_a_lock(client, connect):
    other = connect()
    mine, theirs = client.link(lock=True), other.link()
    started = time.monotonic()
    assert other.say(theirs, b"*CLS", END | WAIT_LOCK, lock_timeout=120) == LOCKED
    assert time.monotonic() - started >= 0.12
    outcome = []
    waiting = threading.Thread(target=lambda: outcome.append(other.device_lock(theirs, WAIT_LOCK, 10_000)))
    waiting.start()
    time.sleep(0.05)
    assert not outcome
    assert client.destroy_link(mine) == 0, "the end of a link gives its lock back"
    waiting.join(10)
    assert outcome == [0]
    assert client.say(client.link(), b"*CLS") == LOCKED


def test_a_broken_connection_gives_its_lock_back(client, connect, server):
    other = connect()
    other.link(lock=True)
    link = client.link()
    assert client.say(link, b"*CLS") == LOCKED
    other.close()
    assert client.say(link, b"*CLS", END | WAIT_LOCK, lock_timeout=10_000) == 0
    until(lambda: server.connection_count == 1)


def test_the_settings_lock_and_the_device_lock_know_each_other(client, connect):
    other = connect()
    mine, theirs = client.link(), other.link()
    assert client.ask(mine, b"SYST:LOCK:REQ?") == b"1\n"
    assert other.device_lock(theirs, 0, 0) == LOCKED
    assert other.ask(theirs, b"*IDN?").startswith(b"impairlab"), "who is kept from setting may ask"


def test_abort_ends_what_waits(client, server):
    link = client.link()
    client.say(link, b"WAIT 60000;*OPC?")
    outcome = []
    waiting = threading.Thread(target=lambda: outcome.append(client.hear(link, timeout=20_000)))
    waiting.start()
    time.sleep(0.05)
    abort = lambda number: raw_call(server.address.abort, 0x0607B0, 1, numbers(number))  # noqa: E731
    success = numbers(1, 0, 0, 0, 0)
    assert abort(link) == success + numbers(0)
    waiting.join(10)
    assert outcome == [(ABORTED, 0, b"")]
    assert abort(99) == success + numbers(INVALID_LINK)
    assert abort(link) == success + numbers(0), "nothing is under way, and nothing will be aborted"
    assert client.hear(link, timeout=20)[0] == TIMEOUT


class Interrupted:
    """What a client listens with for service requests."""

    def __init__(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
        self.listener = socket.socket(socket.AF_INET, kind)
        self.listener.settimeout(10)
        self.listener.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            self.listener.listen()
        self.port = self.listener.getsockname()[1]

    def accept(self) -> socket.socket:
        sock = self.listener.accept()[0]
        sock.settimeout(10)
        return sock

    @staticmethod
    def handle(record: bytes) -> bytes:
        unpacker = rpc.Unpacker(record)
        assert unpacker.unpack_callheader()[1:4] == (0x0607B1, 1, 30)
        return unpacker.unpack_opaque()


def create_channel(client: Client, port: int, family: int = 0) -> int:
    where = (0x7F000001, port, 0x0607B1, 1, family)
    return client.make_call(25, where, client.packer.pack_device_remote_func_parms, client.unpacker.unpack_device_error)


def test_service_requests_reach_the_client(client):
    listening = Interrupted()
    link = client.link()
    assert client.destroy_intr_chan() == NO_CHANNEL
    assert create_channel(client, listening.port) == 0
    channel = listening.accept()
    assert create_channel(client, listening.port) == CHANNEL_THERE
    client.say(link, b"*CLS;*SRE 16")
    client.ask(link, b"*IDN?")
    assert client.device_read_stb(link, 0, 0, 1000)[0] == 0
    assert client.device_enable_srq(link, True, b"handle 1") == 0
    client.say(link, b"WAIT 50;*OPC?")
    assert Interrupted.handle(rpc._recvrecord(channel, 10)) == b"handle 1"
    assert client.device_read_stb(link, 0, 0, 1000) == (0, 80)
    client.hear(link)
    client.say(link, b"*IDN?")
    assert Interrupted.handle(rpc._recvrecord(channel, 10)) == b"handle 1", "a new reason"
    client.hear(link)
    assert client.device_enable_srq(link, False, b"") == 0
    client.ask(link, b"*IDN?")
    assert client.destroy_intr_chan() == 0
    assert channel.recv(1) == b"", "nothing came after that"
    channel.close()
    listening.listener.close()


def test_service_requests_by_datagram(client):
    listening = Interrupted(socket.SOCK_DGRAM)
    link = client.link()
    assert create_channel(client, listening.port, family=1) == 0
    client.device_enable_srq(link, True, b"x" * 40)
    client.say(link, b"*SRE 16")
    client.say(link, b"*IDN?")
    assert Interrupted.handle(listening.listener.recv(1000)) == b"x" * 40
    listening.listener.close()


def test_an_interrupt_channel_that_nobody_listens_for(client):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert create_channel(client, closed.getsockname()[1]) == NO_CHANNEL
    assert create_channel(client, 70_000) == NO_CHANNEL
    assert client.ask(client.link(), b"*OPC?") == b"1\n"


def test_a_lost_interrupt_channel_can_be_made_anew(client):
    for _ in range(2):
        listening = Interrupted()
        until(lambda port=listening.port: create_channel(client, port) == 0)
        listening.accept().close()
        listening.listener.close()


def test_rpc_refusals(server, client):
    accepted = numbers(1, 0, 0, 0)
    core, abort = server.address.core, server.address.abort
    for port, program in ((core, 0x0607AF), (abort, 0x0607B0)):
        assert raw_call(port, program, 0) == accepted + numbers(0)
        assert raw_call(port, program, 99) == accepted + numbers(3)
        assert raw_call(port, program, 0, version=2) == accepted + numbers(2, 1, 1)
        assert raw_call(port, 100_003, 0) == accepted + numbers(1)
    assert raw_call(core, 0x0607AF, 11, b"abc") == accepted + numbers(4)
    assert raw_call(abort, 0x0607B0, 1) == accepted + numbers(4)


def test_the_port_mapper_by_stream_and_datagram(server):
    where = server.address
    asked = (0x0607AF, 1, 6, 0)

    class Tcp(rpc.PartialPortMapperClient, rpc.RawTCPClient):
        def __init__(self):
            rpc.RawTCPClient.__init__(self, "127.0.0.1", 100000, 2, where.portmapper)
            rpc.PartialPortMapperClient.__init__(self)

    class Udp(rpc.PartialPortMapperClient, rpc.RawUDPClient):
        def __init__(self):
            rpc.RawUDPClient.__init__(self, "127.0.0.1", 100000, 2, where.portmapper)
            rpc.PartialPortMapperClient.__init__(self)

    for mapper in (Tcp(), Udp()):
        assert mapper.get_port(asked) == where.core
        assert mapper.get_port((0x0607B0, 1, 6, 0)) == where.abort
        assert mapper.get_port((0x0607B1, 1, 6, 0)) == 0
        assert (0x0607AF, 1, 6, where.core) in mapper.dump()
        mapper.call_0()
        mapper.close()


def test_four_clients_at_once(connect):
    clients = [connect() for _ in range(4)]
    outcomes = []

    def work(client: Client, size: int) -> None:
        link = client.link()
        outcomes.extend(len(client.ask(link, b"BLOC? %d" % size)) for _ in range(50))

    sizes = [256, 512, 768, 9984]
    threads = [threading.Thread(target=work, args=each) for each in zip(clients, sizes, strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert sorted(outcomes) == sorted(50 * [size + len(f"#{len(str(size))}{size}") + 1 for size in sizes])


def test_a_waiting_client_keeps_nobody_else_waiting(connect):
    waiting, quick = connect(), connect()
    link = waiting.link()
    waiting.say(link, b"WAIT 60000;*OPC?")
    thread = threading.Thread(target=lambda: waiting.hear(link, timeout=500))
    thread.start()
    started = time.monotonic()
    assert quick.ask(quick.link(), b"SYST:VERS?") == b"1999.0\n"
    assert time.monotonic() - started < 0.4
    thread.join(10)


def test_a_long_message_keeps_nobody_else_waiting(connect):
    busy, quick = connect(), connect()
    slow, link = busy.link(), quick.link()
    message = b"*ESE 1;" * 9000
    for at in range(0, len(message), 16_000):
        assert busy.say(slow, message[at : at + 16_000], flags=0) == 0
    ended = []
    thread = threading.Thread(target=lambda: ended.append(busy.ask(slow, b"*ESE?")))
    thread.start()
    answered = 0
    while not ended:
        answered += quick.ask(link, b"SYST:VERS?") == b"1999.0\n"
    thread.join(10)
    assert ended == [b"1\n"]
    assert answered > 3, "as many as come in between, not one before and one after"


def test_connections_are_limited(instrument):
    with Vxi11Server(instrument, portmapper_port=None, max_connections=1) as small:
        first = Client("127.0.0.1", small.address.core)
        first.link()
        with socket.create_connection(("127.0.0.1", small.address.core), 10) as second:
            assert second.recv(1) == b""
        first.close()


def test_the_least_size_of_a_write(instrument):
    with pytest.raises(ValueError, match="at least 1024, not 1023"):
        Vxi11Server(instrument, portmapper_port=None, max_receive=1023)


def test_an_address_that_is_taken(instrument, server):
    threads = threading.active_count()
    with pytest.raises(OSError, match="in use"):
        Vxi11Server(instrument, port=server.address.core, portmapper_port=None)
    assert threading.active_count() == threads


def test_a_late_response_is_there_at_a_later_read(client, server):
    link = client.link()
    server.inject(LateReply(200 * MS))
    client.say(link, b"SYST:VERS?")
    assert client.hear(link, timeout=50) == (TIMEOUT, 0, b"")
    assert client.hear(link) == (0, END_READ, b"1999.0\n")
    assert client.ask(link, b"*OPC?") == b"1\n"


def test_a_late_response_is_interrupted_by_the_next_message(client, server):
    link = client.link()
    server.inject(LateReply(60_000 * MS))
    client.say(link, b"SYST:VERS?")
    assert client.hear(link, timeout=0)[0] == TIMEOUT
    assert client.ask(link, b"SYST:ERR?") == b'-410,"Query INTERRUPTED"\n'


def test_garbage_and_a_partial_response(client, server):
    link = client.link()
    server.inject(Garbage(b"#!garbage"))
    assert client.ask(link, b"*IDN?") == b"#!garbage"
    server.inject(PartialReply(4))
    client.say(link, b"*IDN?")
    assert client.hear(link, timeout=50) == (TIMEOUT, 0, b"impa")
    assert client.hear(link, timeout=0) == (TIMEOUT, 0, b"")
    assert client.ask(link, b"*OPC?") == b"1\n"


def test_responses_that_are_repeated_rewritten_or_led_by_chatter(client, server):
    link = client.link()
    for fault, seen in (
        (Repeat(2), b"1999.0\n1999.0\n"),
        (DECIMAL_COMMAS, b"1999,0\n"),
        (Chatter(b"OK\n", 30 * MS), b"OK\n1999.0\n"),
    ):
        server.inject(fault)
        assert client.ask(link, b"SYST:VERS?") == seen
        assert client.ask(link, b"SYST:VERS?") == b"1999.0\n"


def test_a_connection_that_ends_in_the_middle_of_a_reply(server):
    with socket.create_connection(("127.0.0.1", server.address.core), 10) as sock:
        server.inject(CloseMidReply(10))
        packer = rpc.Packer()
        packer.pack_callheader(7, 0x0607AF, 1, 12, (0, b""), (0, b""))
        rpc._sendrecord(sock, packer.get_buf() + numbers(0, 1, 0, 0, 0, 0))
        assert sock.makefile("rb").read() == numbers(0x80000024, 7)[:10] + numbers(1)[:2]


def test_a_mute_connection(client, connect, server):
    link = client.link()
    server.inject(Mute())
    client.lastxid += 1
    packer = vxi11.Vxi11Packer()
    packer.pack_callheader(50, 0x0607AF, 1, 13, (0, b""), (0, b""))
    client.sock.settimeout(0.2)
    rpc._sendrecord(client.sock, packer.get_buf() + numbers(link, 0, 0, 0))
    with pytest.raises(TimeoutError):
        client.sock.recv(1)
    other = connect()
    assert other.ask(other.link(), b"*OPC?") == b"1\n"


def test_refused_connections_and_a_reboot(client, server, instrument):
    link = client.link()
    client.say(link, b"*ESE 12")
    server.inject(Refuse())
    for port in (server.address.core, server.address.abort, server.address.portmapper):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 10)
    assert client.ask(link, b"*ESE?") == b"12\n"
    server.clear_faults()
    server.inject(Reboot(50 * MS, 50 * MS))
    with pytest.raises(ConnectionResetError):
        client.sock.recv(1)
    until(lambda: Client("127.0.0.1", server.address.core).sock.close() is None and server._reopen_at_ns is None)
    until(lambda: not server._is_deaf())
    again = Client("127.0.0.1", server.address.core)
    assert again.ask(again.link(), b"*ESE?;*ESR?") == b"0;128\n"
    again.close()


def test_it_outlives_the_want_of_file_descriptors(server, client):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    link = client.link()
    with socket.socket() as waiting:
        resource.setrlimit(resource.RLIMIT_NOFILE, (waiting.fileno(), limits[1]))
        try:
            waiting.settimeout(10)
            waiting.connect(("127.0.0.1", server.address.core))
            until(lambda: any(each.due_ns for each in server._listeners))
            assert client.ask(link, b"*OPC?") == b"1\n"
            assert create_channel(client, server.address.core) == NO_RESOURCES
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        until(lambda: server.connection_count == 2)
