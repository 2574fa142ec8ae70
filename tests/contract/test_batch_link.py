"""Several lines in one exchange: what the link contract promises for a line holds for a batch."""

import time

import pytest

from impairlab.drivers import ConnectionLost, MalformedResponse, NoResponse, PartialResponse, UnexpectedOutput, WireLog
from impairlab.drivers.links.batch import BatchLink, EndMark
from impairlab.drivers.links.wire_log import read_wire_log
from impairlab.drivers.testing.peers import Script, Wire, tcp_peer

MS = 1_000_000
END = EndMark("SYNC", "<SYNC>")


def _echoing(_number: int, wire: Wire) -> None:
    """Answer SYNC by the mark, and each other line by as many lines as it has words."""
    while (line := wire.read_line()) is not None:
        wire.send(b"<SYNC>\n" if line == "SYNC" else "".join(f"{word}\n" for word in line.split()).encode())


def _answering(reply: bytes) -> Script:
    """Answer the first batch by `reply`, and what comes later as it should be."""

    def serve(number: int, wire: Wire) -> None:
        while number == 1 and (line := wire.read_line()) is not None:
            if line == "SYNC":
                wire.send(reply)
        _echoing(number, wire)

    return serve


def test_all_lines_of_all_answers_come_without_the_mark(tmp_path) -> None:
    with (
        tcp_peer(_echoing) as (host, port),
        WireLog(tmp_path / "wire") as log,
        BatchLink(host, port, end=END, wire_log=log, secrets=["two"]) as link,
    ):
        assert link.query_batch(["one two", "", "three"]) == ["one", "two", "three"]
        before = time.monotonic_ns()
        done = link.exchange_batch(["four"])
        assert (done.replies, before <= done.sent_ns <= done.acknowledged_ns) == (["four"], True)
        assert link.query("five") == "five", "single lines go on as on every link"
    sent = [record.text for record in read_wire_log(tmp_path / "wire") if record.direction == "sent"]
    assert sent == ["one ***", "", "three", "SYNC", "four", "SYNC", "five"]


def test_answers_may_come_in_pieces_and_with_carriage_returns() -> None:
    def serve(_number: int, wire: Wire) -> None:
        while wire.read_line() != "SYNC":
            continue
        for byte in b"a\r\nb <SYNC>\r\n<SYNC>\r\n":
            wire.send(bytes([byte]))
        wire.read_line()

    with tcp_peer(serve) as (host, port), BatchLink(host, port, end=END) as link:
        assert link.query_batch(["x", "y"]) == ["a", "b <SYNC>"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"", NoResponse),
        (b"a\n<SYN", PartialResponse),
        (b"a\n", PartialResponse),
        (b"a\n<SYNC>\nmore\n", UnexpectedOutput),
        (b"\xff\n<SYNC>\n", MalformedResponse),
        (b"a" * 2_000, MalformedResponse),
    ],
)
@pytest.mark.parametrize("harmless", [True, False])
def test_what_is_no_answer_has_its_error_and_the_next_batch_its_own_connection(reply, error, harmless) -> None:
    with (
        tcp_peer(_answering(reply)) as (host, port),
        BatchLink(host, port, end=END, timeout_ns=150 * MS, longest_line=1_000) as link,
    ):
        with pytest.raises(error) as raised:
            (link.query_batch if harmless else link.exchange_batch)(["set it", "and more"])
        assert (raised.value.state_known, raised.value.retryable) == (harmless, harmless)
        assert "set it and 1 more" in raised.value.command
        assert link.query_batch(["x"], 10_000 * MS) == ["x"]


def test_peer_that_closes_is_known_at_once() -> None:
    def serve(number: int, wire: Wire) -> None:
        if number == 1:
            wire.read_line()
            wire.send(b"half")
        else:
            _echoing(number, wire)

    with tcp_peer(serve) as (host, port), BatchLink(host, port, end=END, timeout_ns=60_000 * MS) as link:
        started = time.monotonic_ns()
        with pytest.raises(ConnectionLost) as raised:
            link.exchange_batch(["x"])
        assert time.monotonic_ns() - started < 30_000 * MS
        assert raised.value.seen == b"half"
        assert not raised.value.state_known
        assert link.exchange_batch(["y"]).replies == ["y"]
