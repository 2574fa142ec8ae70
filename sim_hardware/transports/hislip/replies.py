"""The responses of one client in pieces, and the faults that strike them."""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from impairlab.sim_hardware.faults import (
    ArmedFaults,
    Chatter,
    CloseMidReply,
    Fragments,
    Garbage,
    LateReply,
    PartialReply,
    Repeat,
    ReplyFault,
    Rewrite,
)
from impairlab.sim_hardware.scpi.message_session import MessageSession

_FAULTS: tuple[type[ReplyFault], ...] = (
    LateReply,
    Garbage,
    PartialReply,
    CloseMidReply,
    Fragments,
    Repeat,
    Chatter,
    Rewrite,
)
_WHOLE = 1 << 30


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a response.

    Attributes:
        data: Its bytes.
        end: Whether it is the last.
        due_ns: When it may be sent.
        cut_at: After how many bytes of it the connection ends; None for never.
    """

    data: bytes
    end: bool
    due_ns: int = 0
    cut_at: int | None = None


class Replies:
    """Takes responses out of a message exchange, one piece after the other.

    Args:
        exchange: Where they come from.
        faults: What strikes them.
    """

    def __init__(self, exchange: MessageSession, faults: ArmedFaults) -> None:
        self._exchange = exchange
        self._faults = faults
        self._struck: deque[Piece] = deque()

    @property
    def unsent(self) -> bool:
        """Whether a response, or the rest of one, waits or is still to come."""
        return bool(self._struck) or bool(self._exchange.session.output)

    @property
    def next_due_ns(self) -> int | None:
        """When the next late one is due; None when none is."""
        return self._struck[0].due_ns if self._struck else None

    def next_piece(self, most: int, now_ns: int) -> Piece | None:
        """Remove and return the next piece, of at most `most` bytes; None when none is ready."""
        if self._faults:
            self._strike(now_ns)
        if self._struck:
            return self._next_struck(most, now_ns)
        if not self._exchange.message_available:
            return None
        chunk = self._exchange.take(most)
        return None if chunk is None else Piece(chunk.data, chunk.end)

    def forget(self) -> None:
        """Drop what a fault holds back; the exchange drops its own."""
        self._struck.clear()

    def _strike(self, now_ns: int) -> None:
        while self._exchange.message_available:
            chunk = self._exchange.take(_WHOLE)
            if chunk is None:
                return
            self._struck.extend(_as_struck(Piece(chunk.data, chunk.end, now_ns), self._faults.strike(*_FAULTS)))

    def _next_struck(self, most: int, now_ns: int) -> Piece | None:
        first = self._struck[0]
        if first.due_ns > now_ns:
            return None
        self._struck.popleft()
        if len(first.data) <= most or first.cut_at is not None:
            return first
        self._struck.appendleft(Piece(first.data[most:], first.end, first.due_ns))
        return Piece(first.data[:most], end=False, due_ns=first.due_ns)


def _as_struck(reply: Piece, fault: ReplyFault | None) -> Iterable[Piece]:
    """Return what becomes of a reply."""
    data, now_ns = reply.data, reply.due_ns
    match fault:
        case LateReply(after_ns=after):
            yield replace(reply, due_ns=now_ns + after)
        case Garbage(content=content):
            yield replace(reply, data=content)
        case PartialReply(keep=keep):
            yield replace(reply, data=data[:keep], end=False)
        case CloseMidReply(keep=keep):
            yield replace(reply, cut_at=keep)
        case Fragments(size=size, pause_ns=pause):
            yield from _fragments(reply, size, pause)
        case Repeat(times=times):
            yield from [reply] * times
        case Chatter(content=content, pause_ns=pause):
            yield replace(reply, data=content)
            yield replace(reply, due_ns=now_ns + pause)
        case Rewrite(pattern=pattern, replacement=replacement):
            yield replace(reply, data=re.sub(pattern, replacement, data))
        case None:
            yield reply


def _fragments(reply: Piece, size: int, pause_ns: int) -> Iterable[Piece]:
    for number, at in enumerate(range(0, len(reply.data), size)):
        ends = reply.end and at + size >= len(reply.data)
        yield Piece(reply.data[at : at + size], ends, reply.due_ns + number * pause_ns)
