"""The control socket of a raw-socket connection: device clear and service requests, over real sockets."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from impairlab.sim_hardware.faults import LateReply
from impairlab.sim_hardware.scpi import Instrument, Personality, ScpiServer

DEADLINE_S = 5.0
SHORT_S = 0.05
SECOND_NS = 1_000_000_000


class Client:
    def __init__(self, sock: socket.socket, lines) -> None:
        self.sock = sock
        self._lines = lines

    def send(self, message: str) -> None:
        self.sock.sendall(f"{message}\n".encode())

    def line(self) -> str:
        return self._lines.readline().decode().rstrip("\n")

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


@pytest.fixture
def server(real_time_instrument: Instrument) -> Iterator[ScpiServer]:
    with ScpiServer(real_time_instrument, port=0) as serving:
        yield serving


@pytest.fixture
def connect(server: ScpiServer):
    with ExitStack() as open_sockets:

        def connect(port: int = server.address[1]) -> Client:
            sock = open_sockets.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE_S))
            return Client(sock, open_sockets.enter_context(sock.makefile("rb")))

        yield connect


@pytest.fixture
def data(connect) -> Client:
    return connect()


@pytest.fixture
def control(connect, data: Client) -> Client:
    return connect(int(data.ask("SYST:COMM:TCP:CONT?")))


def test_each_connection_has_its_own_port_and_it_stays(connect, data: Client) -> None:
    port = data.ask("SYST:COMM:TCP:CONT?")
    assert data.ask("SYST:COMM:TCP:CONT?") == port
    assert connect().ask("SYST:COMM:TCP:CONT?") != port


def test_session_without_a_control_socket_answers_zero(real_time_instrument: Instrument) -> None:
    with real_time_instrument.open_session("elsewhere") as session:
        assert session.feed(b"SYST:COMM:TCP:CONT?\n") == b"0\n"


def test_device_clear_frees_a_held_parser_and_is_echoed(server: ScpiServer, data: Client, control: Client) -> None:
    operation = server.instrument.operations.start("outside")
    data.send("*CLS;LAMP:LEV 0.25;*WAI")
    data.send("*OPC?")
    data.send("SYST:VERS?")
    assert data.hears_nothing()
    assert control.ask("DCL") == "DCL"
    assert data.ask("LAMP:LEV?;:SYST:ERR:CODE?") == "0.25;0", "settings stay and the rest is forgotten"
    operation.complete()
    assert data.ask("*ESR?") == "0"


def test_device_clear_forgets_half_a_message_and_late_answers(
    server: ScpiServer, data: Client, control: Client
) -> None:
    server.inject(LateReply(10 * SECOND_NS))
    data.send("*IDN?")
    data.sock.sendall(b"LAMP:LEV #9999")
    assert data.hears_nothing()
    assert control.ask(" dcl\r") == "DCL"
    assert data.ask("LAMP:HOUR?") == "12"


def test_service_request_is_pushed_once_a_reason(data: Client, control: Client) -> None:
    assert data.ask("*CLS;*SRE 4;*OPC?") == "1"
    data.send("NONSENSE")
    assert control.line() == "SRQ +68"
    data.send("NONSENSE")
    assert data.ask("*OPC?") == "1"
    assert control.hears_nothing()
    data.send("*CLS;NONSENSE")
    assert control.line() == "SRQ +68"


def test_operation_complete_requests_service(server: ScpiServer, data: Client, control: Client) -> None:
    operation = server.instrument.operations.start("outside")
    assert data.ask("*CLS;*ESE 1;*SRE 32;*OPC;:LAMP:HOUR?") == "12"
    assert control.hears_nothing()
    operation.complete()
    assert control.line() == "SRQ +96"


def test_condition_that_another_thread_raises_requests_service(
    server: ScpiServer, data: Client, control: Client
) -> None:
    assert data.ask("*CLS;*SRE 8;:STAT:QUES:ENAB 512;:LAMP:HOUR?") == "12"
    with server.instrument.guard:
        server.instrument.status.questionable.raise_bits(512)
    assert control.line() == "SRQ +72"


def test_one_controller_at_a_time_and_the_next_one_after_it(connect, data: Client, control: Client) -> None:
    assert control.ask("DCL") == "DCL"
    port = int(data.ask("SYST:COMM:TCP:CONT?"))
    second = connect(port)
    assert second.line() == ""
    control.sock.shutdown(socket.SHUT_RDWR)
    assert data.ask("*OPC?") == "1"
    third = connect(port)
    assert third.ask("DCL") == "DCL"


def test_nonsense_on_the_control_socket_is_passed_over(data: Client, control: Client) -> None:
    control.sock.sendall(b"x" * 10_000 + b"\n\nFOO\n")
    assert control.ask("DCL") == "DCL"
    assert data.ask("*OPC?") == "1"


def test_port_closes_with_the_connection(data: Client, control: Client) -> None:
    port = int(data.ask("SYST:COMM:TCP:CONT?"))
    data.sock.shutdown(socket.SHUT_RDWR)
    assert control.line() == ""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), DEADLINE_S)


def test_nothing_is_left_after_close(real_time_instrument: Instrument) -> None:
    before = threading.active_count()
    with (
        ScpiServer(real_time_instrument, port=0) as server,
        socket.create_connection(server.address, DEADLINE_S) as sock,
        sock.makefile("rb") as lines,
    ):
        sock.sendall(b"SYST:COMM:TCP:CONT?\n")
        port = int(lines.readline())
        server.close()
        assert lines.readline() == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), DEADLINE_S)
    assert threading.active_count() == before


def test_block_that_pauses_is_given_up(lamp_with) -> None:
    instrument = lamp_with(Personality(block_pause_ns=50_000_000))
    with (
        ScpiServer(instrument, port=0) as server,
        socket.create_connection(server.address, DEADLINE_S) as sock,
        sock.makefile("rb") as lines,
    ):
        sock.sendall(b"LAMP:LEV #510000ab")
        with instrument.open_session("inspector") as inspector:
            deadline = time.monotonic() + DEADLINE_S
            while inspector.feed(b"SYST:ERR:CODE?\n") != b"-161\n":
                assert time.monotonic() < deadline
                time.sleep(0.001)
        sock.sendall(b"LAMP:HOUR?\n")
        assert lines.readline() == b"12\n"
