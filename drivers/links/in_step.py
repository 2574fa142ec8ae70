"""In step with a peer whose line was there before: what it says to nobody, or too late, is not taken for an answer."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns

from impairlab.drivers.links.mark import MOST_DROPPED, Marker, MarkNotFoundError, Stream, find_mark
from impairlab.drivers.links.wire_log import WireDirection
from impairlab.drivers.model.errors import ConnectError, NoResponse

_MILLISECOND_NS = 1_000_000
_QUIET_NS = 30 * _MILLISECOND_NS
_PATIENCE_NS = 500 * _MILLISECOND_NS
_MARK_CHARACTERS = 300
"""Longest question and answer of a marker, about."""


def bring_in_step(
    stream: Stream,
    marker: Marker | None,
    *,
    name: str,
    character_ns: int,
    until_ns: int,
    record: Callable[[WireDirection, bytes], None],
) -> None:
    """Drop what a peer says until it is quiet; with a marker, until it answers that.

    A line feed is sent first: it ends what the peer may have received half. Quiet is 30 ms, or two characters' time
    where that is longer. Without a marker, what comes after it meets the next question.

    Args:
        stream: Just opened.
        marker: What to ask; None asks nothing.
        name: What errors call the peer.
        character_ns: Time of one character.
        until_ns: When to give up (monotonic).
        record: Told of each line, "sent" or "received".

    Raises:
        ConnectError: The peer does not stop talking, echoes what it is sent, or has gone.
        NoResponse: The marker's question was not answered.
    """
    try:
        quiet = stream.send(b"\n", until_ns) and _is_quiet(stream, max(_QUIET_NS, 2 * character_ns), until_ns)
        if quiet and marker is not None:
            find_mark(stream, marker, max(_PATIENCE_NS, _MARK_CHARACTERS * character_ns), until_ns, record)
    except OSError as error:
        raise ConnectError(f"went away: {error}", appliance=name, retryable=True) from error
    except MarkNotFoundError as missed:
        if missed.echoed:
            problem = "echoes what it is sent: add echo=on to its address"
            raise ConnectError(problem, appliance=name, command=missed.question) from missed
        raise NoResponse(
            "did not tell which answer is whose", appliance=name, command=missed.question, retryable=True
        ) from missed
    if not quiet:
        raise ConnectError("does not stop talking", appliance=name, retryable=True)


def _is_quiet(stream: Stream, quiet_ns: int, until_ns: int) -> bool:
    """Drop what arrives until nothing does; False when that takes too long."""
    dropped = 0
    while (said := stream.receive(min(monotonic_ns() + quiet_ns, until_ns))) is not None:
        if not said:
            raise OSError("the peer closed the connection")
        dropped += len(said)
        if dropped > MOST_DROPPED:
            return False
    return monotonic_ns() < until_ns
