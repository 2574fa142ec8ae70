"""One direction of a connection, between two socket pairs and on a model clock."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from impairlab.drivers.model import Conditions
from impairlab.drivers.model.factories import delay, rate
from impairlab.sim_hardware.engine import FlowProgram
from impairlab.sim_hardware.planes.relay_process import _Relay, _Watch
from impairlab.sim_hardware.planes.stream import Stream
from impairlab.sim_hardware.planes.stream_law import StreamLaw

MS = 1_000_000


class Line:
    """A stream with a sender before it and a receiver behind it."""

    def __init__(self, stack: ExitStack) -> None:
        self.law = StreamLaw("seed")
        self.sender, source = (stack.enter_context(end) for end in socket.socketpair())
        sink, self.receiver = (stack.enter_context(end) for end in socket.socketpair())
        for end in (self.sender, source, sink, self.receiver):
            end.settimeout(0)
        self.stream = Stream(source, sink, self.law)

    def impair(self, *impairments: object) -> None:
        self.law.switch(0, [FlowProgram(conditions=Conditions.of(*impairments))])

    def arrived(self) -> bytes | None:
        try:
            return self.receiver.recv(1 << 20)
        except BlockingIOError:
            return None


@pytest.fixture
def line() -> Iterator[Line]:
    with ExitStack() as stack:
        yield Line(stack)


def test_bytes_wait_for_their_time_and_the_end_behind_them(line: Line) -> None:
    line.impair(delay("5 ms"))
    line.sender.sendall(b"token")
    line.stream.take_in(1 * MS)
    line.sender.shutdown(socket.SHUT_WR)
    line.stream.take_in(2 * MS)
    line.stream.let_out(6 * MS - 1)
    assert line.arrived() is None
    line.stream.let_out(6 * MS)
    assert (line.arrived(), line.stream.done, line.stream.next_release()) == (b"token", False, 7 * MS)
    line.stream.let_out(7 * MS)
    assert (line.arrived(), line.stream.done, line.stream.was_reset) == (b"", True, False)


def test_a_shorter_delay_does_not_let_later_bytes_overtake(line: Line) -> None:
    line.impair(delay("50 ms"))
    line.sender.sendall(b"first")
    line.stream.take_in(0)
    line.impair(delay("1 ms"))
    line.sender.sendall(b"second")
    line.stream.take_in(1 * MS)
    line.stream.let_out(49 * MS)
    assert line.arrived() is None
    line.stream.let_out(50 * MS)
    assert line.arrived() == b"firstsecond"


def test_a_reset_comes_out_behind_the_bytes_before_it(line: Line) -> None:
    line.impair(delay("5 ms"))
    line.sender.sendall(b"token")
    line.stream.take_in(0)
    line.stream.take_reset(1 * MS)
    line.stream.let_out(5 * MS)
    assert (line.arrived(), line.stream.was_reset) == (b"token", False)
    line.stream.let_out(6 * MS)
    assert line.stream.was_reset
    assert line.stream.takes_in_at(6 * MS) is None


def test_a_receiver_that_does_not_read_blocks_the_stream_until_it_does(line: Line) -> None:
    sent = 0
    while sent < 8_000_000:
        try:
            sent += line.sender.send(bytes(100_000))
        except BlockingIOError:
            if line.stream.takes_in_at(0) is None:
                break
            line.stream.take_in(0)
            line.stream.let_out(0)
    assert line.stream.blocked
    assert line.stream.next_release() is None
    assert sent < 8_000_000
    received = 0
    while line.stream.blocked or received < sent:
        received += len(line.arrived() or b"")
        if line.stream.takes_in_at(0) == 0:
            line.stream.take_in(0)
        line.stream.let_out(0)
    assert received == sent == line.law.forwarded_bytes


def test_a_receiver_that_is_gone_ends_the_stream(line: Line) -> None:
    line.sender.sendall(b"token")
    line.stream.take_in(0)
    line.receiver.close()
    line.stream.let_out(0)
    assert line.stream.sink_gone
    assert line.stream.done


def watched(line: Line, now_ns: int) -> _Watch:
    watch = _Watch([], [], 10**12)
    _Relay._watch_stream(line.stream, now_ns, watch)
    return watch


def test_the_loop_does_not_sleep_over_what_became_due_while_it_was_busy(line: Line) -> None:
    line.impair(delay("5 ms"))
    line.sender.sendall(b"token")
    line.stream.take_in(0)
    assert watched(line, 1 * MS).until_ns == 5 * MS
    assert watched(line, 6 * MS).until_ns <= 6 * MS


def test_the_loop_looks_at_a_full_queue_again_when_it_has_room(line: Line) -> None:
    line.impair(rate("8 Mbit/s", mode="link", queue=0))
    line.law.release(0, 2000)
    watch = watched(line, 1 * MS)
    assert (watch.readable, watch.until_ns) == ([], 2 * MS)
    assert watched(line, 2 * MS).readable == [line.stream.source.fileno()]
