"""The raw socket server: bytes on a real connection, limits, and faults that strike it."""

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from impairlab.sim_hardware.faults import CloseMidReply, Garbage, LateReply, Mute, PartialReply, Reboot, Refuse
from impairlab.sim_hardware.scpi import Instrument, ScpiServer

DEADLINE_S = 5.0
SHORT_S = 0.05
MILLISECOND = 1_000_000


class Client:
    """A plain socket with a line reader."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=DEADLINE_S)
        self.lines = self.sock.makefile("rb")

    def send(self, message: str) -> None:
        self.sock.sendall(f"{message}\n".encode())

    def line(self) -> str:
        return self.lines.readline().decode("latin-1").rstrip("\n")

    def ask(self, message: str) -> str:
        self.send(message)
        return self.line()

    def hears_nothing(self) -> bool:
        self.sock.settimeout(SHORT_S)
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(DEADLINE_S)

    def close(self) -> None:
        self.lines.close()
        self.sock.close()


Connect = Callable[[], Client]


@pytest.fixture
def server(real_time_instrument: Instrument) -> Iterator[ScpiServer]:
    with ScpiServer(real_time_instrument, port=0) as serving:
        yield serving


@pytest.fixture
def connect(server: ScpiServer) -> Iterator[Connect]:
    clients: list[Client] = []

    def another() -> Client:
        clients.append(Client(server.address))
        return clients[-1]

    yield another
    for client in clients:
        client.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_two_clients_talk_to_one_instrument(connect: Connect) -> None:
    first, second = connect(), connect()
    assert first.ask("LAMP2:LEV 0.25;LEV?") == "0.25"
    assert second.ask("LAMP2:LEV?\r") == "0.25"


def test_messages_may_come_in_pieces_or_many_at_once(connect: Connect) -> None:
    client = connect()
    client.sock.sendall(b"LAMP:L")
    assert client.hears_nothing()
    client.sock.sendall(b"EV?\nSYST:VERS?\n*OPC?\n")
    assert [client.line() for _ in range(3)] == ["0.5", "1999.0", "1"]


def test_a_held_reply_comes_when_the_operation_is_done(connect: Connect) -> None:
    client = connect()
    began = time.monotonic_ns()
    assert client.ask("LAMP:GLOW 20 MS;*OPC?") == "1"
    assert time.monotonic_ns() - began >= 20 * MILLISECOND


def test_a_held_reply_comes_when_another_thread_ends_the_operation(connect: Connect, server: ScpiServer) -> None:
    operation = server.instrument.operations.start("outside")
    client = connect()
    client.send("*OPC?")
    assert client.hears_nothing()
    operation.complete()
    assert client.line() == "1"


def test_a_held_parser_stops_reading_and_resumes(connect: Connect, server: ScpiServer) -> None:
    operation = server.instrument.operations.start("outside")
    client = connect()
    queries = 30_000
    client.send("*WAI")
    flood = threading.Thread(target=client.sock.sendall, args=(b"*OPC?\n" * queries,))
    flood.start()
    assert client.hears_nothing()
    operation.complete()
    assert sum(client.line() == "1" for _ in range(queries)) == queries
    flood.join(DEADLINE_S)
    assert client.ask("SYST:ERR?") == '0,"No error"'


def test_a_client_that_does_not_read_is_not_read_from(connect: Connect, server: ScpiServer) -> None:
    client = connect()
    queries = 20_000
    client.sock.sendall(b"SYST:HELP:HEAD?\n" * queries)
    wait_until(lambda: server.connection_count == 1)
    (connection,) = server._connections.values()
    wait_until(lambda: not connection.wants_to_read and not connection.watched_events & selectors.EVENT_READ)
    assert connect().ask("*OPC?") == "1", "others are served meanwhile"
    one_reply = len(server.instrument.open_session("x").feed(b"SYST:HELP:HEAD?\n"))
    assert len(connection._unsent) < queries * one_reply / 2, "output is bounded"
    received = 0
    while received < queries * one_reply:
        received += len(client.sock.recv(1 << 20))
    assert client.ask("*OPC?") == "1"


def test_closing_the_connection_releases_the_lock(connect: Connect, server: ScpiServer) -> None:
    first, second = connect(), connect()
    assert first.ask("SYST:LOCK:REQ?") == "1"
    assert second.ask("SYST:LOCK:REQ?") == "0"
    first.close()
    wait_until(lambda: server.connection_count == 1)
    assert second.ask("SYST:LOCK:REQ?") == "1"


def test_connection_cap_closes_the_one_too_many(real_time_instrument: Instrument) -> None:
    with ScpiServer(real_time_instrument, port=0, max_connections=1) as server:
        first = Client(server.address)
        assert first.ask("*OPC?") == "1"
        second = Client(server.address)
        assert second.line() == ""
        second.close()
        first.close()
        wait_until(lambda: server.connection_count == 0)
        third = Client(server.address)
        assert third.ask("*OPC?") == "1"
        third.close()


def test_idle_connection_is_closed(real_time_instrument: Instrument) -> None:
    with ScpiServer(real_time_instrument, port=0, idle_close_ns=50 * MILLISECOND) as server:
        client = Client(server.address)
        assert client.ask("*OPC?") == "1"
        began = time.monotonic_ns()
        assert client.line() == ""
        assert time.monotonic_ns() - began > 20 * MILLISECOND
        client.close()


def test_no_thread_and_no_socket_is_left_after_close(real_time_instrument: Instrument) -> None:
    before = threading.active_count()
    server = ScpiServer(real_time_instrument, port=0)
    client = Client(server.address)
    assert client.ask("*OPC?") == "1"
    server.close()
    server.close()
    assert client.line() == ""
    client.close()
    assert threading.active_count() == before
    assert real_time_instrument.sessions == ()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address)


def test_late_reply_shifts_those_behind_it(connect: Connect, server: ScpiServer) -> None:
    client = connect()
    server.inject(LateReply(after_ns=60 * MILLISECOND, every=2))
    assert client.ask("SYST:VERS?") == "1999.0"
    client.send("LAMP:LEV?")
    client.send("LAMP:HOUR?")
    assert client.hears_nothing()
    assert [client.line(), client.line(), client.ask("*OPC?")] == ["0.5", "12", "1"]


def test_reply_that_is_late_by_years_stops_nobody_else(connect: Connect, server: ScpiServer) -> None:
    server.inject(LateReply(after_ns=10**18))
    connect().send("*OPC?")
    assert connect().ask("*OPC?") == "1"


def test_garbage_and_partial_replies_strike_as_often_as_told(connect: Connect, server: ScpiServer) -> None:
    client = connect()
    server.inject(Garbage(b"\xffjunk\n"), count=2)
    server.inject(PartialReply(keep=4))
    assert [client.ask("*IDN?"), client.ask("*IDN?")] == ["\xffjunk", "\xffjunk"]
    client.send("*IDN?")
    assert client.ask("SYST:VERS?") == "impa1999.0"


def test_fault_without_count_lasts_until_cleared(connect: Connect, server: ScpiServer) -> None:
    client = connect()
    server.inject(Garbage(b"?\n"), count=None)
    assert {client.ask("*OPC?") for _ in range(5)} == {"?"}
    server.clear_faults()
    assert client.ask("*OPC?") == "1"
    with pytest.raises(ValueError, match="at least once"):
        server.inject(Garbage(), count=0)


def test_connection_is_closed_in_the_middle_of_a_reply(connect: Connect, server: ScpiServer) -> None:
    client = connect()
    server.inject(CloseMidReply(keep=4))
    client.send("*IDN?")
    assert client.lines.read() == b"impa"
    assert connect().ask("*OPC?") == "1"


def test_mute_connection_executes_nothing(connect: Connect, server: ScpiServer) -> None:
    client, other = connect(), connect()
    server.inject(Mute())
    client.send("LAMP:LEV 0.25;LEV?")
    assert client.hears_nothing()
    assert other.ask("LAMP:LEV?") == "0.5"
    client.send("*IDN?")
    assert client.hears_nothing()


def test_refused_until_cleared(connect: Connect, server: ScpiServer) -> None:
    client = connect()
    assert client.ask("*OPC?") == "1"
    server.inject(Refuse())
    with pytest.raises(ConnectionRefusedError):
        connect()
    assert client.ask("*OPC?") == "1", "open connections stay"
    server.clear_faults()
    assert connect().ask("*OPC?") == "1"


def test_reboot_resets_connections_and_loses_state(connect: Connect, server: ScpiServer) -> None:
    client = connect()
    assert client.ask("*ESR?;*ESE 1;:LAMP:LEV 0.25;LEV?") == "128;0.25"
    server.inject(Reboot(boot_ns=50 * MILLISECOND))
    with pytest.raises(ConnectionResetError):
        client.line()
    with pytest.raises(ConnectionRefusedError):
        connect()
    wait_until(lambda: answers(connect))
    assert connect().ask("*ESR?;*ESE?;:LAMP:LEV?") == "128;0;0.5"


def answers(connect: Connect) -> bool:
    try:
        connect()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("wrong", [{"after_ns": -1}, {"after_ns": 1, "every": 0}])
def test_impossible_fault_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="late reply"):
        LateReply(**wrong)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_bug_in_a_handler_ends_every_connection(connect: Connect, server: ScpiServer) -> None:
    client = connect()
    server.instrument.device.levels.clear()
    client.send("LAMP:LEV?")
    assert client.line() == ""
    server.close()
    assert server.instrument.sessions == ()
