"""The server of conversations over real sockets, with every fault that it knows."""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import pytest

from impairlab.sim_hardware.faults import (
    CloseMidReply,
    DropHurried,
    Fragments,
    Garbage,
    LateReply,
    Mute,
    PartialReply,
    Reboot,
    Refuse,
)
from impairlab.sim_hardware.transports.conversations import ConversationServer
from impairlab.sim_hardware.transports.lines import LineCutter

MS = 1_000_000


class Shout:
    """Says hello, and each line again in capitals; "bye" ends it."""

    def __init__(self, peer: str) -> None:
        self.is_over = False
        self.idle_close_ns: int | None = 5_000 * MS
        self.closed = False
        self._lines = LineCutter(100)

    def greet(self) -> bytes:
        return b"hello\n"

    def receive(self, data: bytes) -> Iterable[bytes]:
        for line in self._lines.feed(data):
            yield b"too long\n" if line is None else line.upper().encode() + b"\n"
            self.is_over |= line == "bye"

    def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cycles() -> list[str]:
    return []


@pytest.fixture
def server(clock: Clock, cycles: list[str]) -> Iterator[ConversationServer]:
    with ConversationServer(Shout, max_connections=2, clock=clock, power_cycle=lambda: cycles.append("cycle")) as made:
        yield made


@pytest.fixture
def dial(server: ConversationServer) -> Iterator[Callable[[], socket.socket]]:
    dialled: list[socket.socket] = []

    def connect() -> socket.socket:
        sock = socket.create_connection(server.address, 5)
        dialled.append(sock)
        return sock

    yield connect
    for each in dialled:
        each.close()


def read(sock: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size and (more := sock.recv(size - len(got))):
        got += more
    return got


def greeted(dial: Callable[[], socket.socket]) -> socket.socket:
    sock = dial()
    assert read(sock, 6) == b"hello\n"
    return sock


def test_lines_arrive_in_any_pieces_and_are_answered_in_order(dial: Callable[[], socket.socket]) -> None:
    sock = greeted(dial)
    for piece in (b"on", b"e\ntw", b"o\r\nthree\n"):
        sock.sendall(piece)
    assert read(sock, 14) == b"ONE\nTWO\nTHREE\n"


def test_a_line_without_end_is_dropped_with_one_answer(dial: Callable[[], socket.socket]) -> None:
    sock = greeted(dial)
    sock.sendall(b"x" * 50_000)
    sock.sendall(b"x" * 50_000 + b"\nok\n")
    assert read(sock, 12) == b"too long\nOK\n"


def test_the_appliance_closes_after_its_last_word(
    server: ConversationServer, dial: Callable[[], socket.socket]
) -> None:
    sock = greeted(dial)
    sock.sendall(b"bye\n")
    assert read(sock, 100) == b"BYE\n"


def test_silence_is_measured_on_the_given_clock(
    server: ConversationServer, dial: Callable[[], socket.socket], clock: Clock
) -> None:
    sock = greeted(dial)
    clock.now_ns += 4_999 * MS
    server.wake()
    sock.sendall(b"still here\n")
    assert read(sock, 11) == b"STILL HERE\n"
    clock.now_ns += 5_000 * MS
    server.wake()
    assert sock.recv(1) == b""


def test_a_connection_too_many_is_closed(dial: Callable[[], socket.socket]) -> None:
    greeted(dial)
    greeted(dial)
    assert dial().recv(10) == b""


def test_replies_that_faults_strike(server: ConversationServer, dial: Callable[[], socket.socket]) -> None:
    sock = greeted(dial)
    server.inject(Garbage(b"?!\n"))
    server.inject(PartialReply(2))
    server.inject(Fragments(1, MS))
    sock.sendall(b"first\nsecond\nthird\n")
    assert read(sock, 11) == b"?!\nSETHIRD\n"
    server.inject(LateReply(50 * MS))
    begun_ns = time.monotonic_ns()
    sock.sendall(b"late\n")
    assert read(sock, 5) == b"LATE\n"
    assert time.monotonic_ns() - begun_ns >= 50 * MS
    server.inject(CloseMidReply(3))
    sock.sendall(b"closes\nnever\n")
    assert read(sock, 100) == b"CLO"


def test_a_hurried_line_is_lost(server: ConversationServer, dial: Callable[[], socket.socket]) -> None:
    sock = greeted(dial)
    server.inject(DropHurried(60_000 * MS))
    sock.sendall(b"lost\n")
    sock.settimeout(0.05)
    deadline, answer = time.monotonic() + 10, b""
    while not answer:  # one that arrives together with the first is lost with it
        assert time.monotonic() < deadline
        sock.sendall(b"heard\n")
        with suppress(TimeoutError):
            answer = sock.recv(6)
    assert b"HEARD\n".startswith(answer)


def test_a_muted_connection_is_never_answered(server: ConversationServer, dial: Callable[[], socket.socket]) -> None:
    sock, other = greeted(dial), greeted(dial)
    server.inject(Mute())
    sock.sendall(b"anybody?\n")
    sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        sock.recv(1)
    other.sendall(b"here\n")
    assert read(other, 5) == b"HERE\n"


def test_refuse_until_cleared(server: ConversationServer, dial: Callable[[], socket.socket]) -> None:
    server.inject(Refuse())
    with pytest.raises(ConnectionRefusedError):
        dial()
    server.clear_faults()
    greeted(dial)


def test_a_reboot_resets_connections_and_cycles_the_power(
    server: ConversationServer, dial: Callable[[], socket.socket], cycles: list[str]
) -> None:
    sock = greeted(dial)
    server.inject(Reboot(boot_ns=20 * MS))
    with pytest.raises(ConnectionResetError):
        sock.recv(1)
    assert cycles == ["cycle"]
    deadline = time.monotonic() + 10
    while True:
        try:
            greeted(dial)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_a_client_that_does_not_read_is_not_read_from(dial: Callable[[], socket.socket]) -> None:
    sock = greeted(dial)
    sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        sock.sendall((b"x" * 99 + b"\n") * 400_000)
