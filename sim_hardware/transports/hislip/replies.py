"""The responses of one client in pieces, and the faults that strike them."""

from collections import deque
from dataclasses import dataclass

from impairlab.sim_hardware.faults import ArmedFaults, CloseMidReply, Garbage, LateReply, PartialReply
from impairlab.sim_hardware.scpi.message_session import MessageSession

_FAULTS = (LateReply, Garbage, PartialReply, CloseMidReply)
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
        chunk = self._exchange.read(most)
        return None if chunk is None else Piece(chunk.data, chunk.end)

    def forget(self) -> None:
        """Drop what a fault holds back; the exchange drops its own."""
        self._struck.clear()

    def _strike(self, now_ns: int) -> None:
        while self._exchange.message_available:
            chunk = self._exchange.read(_WHOLE)
            if chunk is None:
                return
            self._struck.append(self._fate(chunk.data, chunk.end, now_ns))

    def _fate(self, data: bytes, end: bool, now_ns: int) -> Piece:  # noqa: FBT001 - as the chunk has it
        match self._faults.strike(*_FAULTS):
            case LateReply(after_ns=after):
                return Piece(data, end, now_ns + after)
            case Garbage(content=content):
                return Piece(content, end, now_ns)
            case PartialReply(keep=keep):
                return Piece(data[:keep], end=False, due_ns=now_ns)
            case CloseMidReply(keep=keep):
                return Piece(data, end, now_ns, cut_at=keep)
        return Piece(data, end, now_ns)

    def _next_struck(self, most: int, now_ns: int) -> Piece | None:
        first = self._struck[0]
        if first.due_ns > now_ns:
            return None
        self._struck.popleft()
        if len(first.data) <= most or first.cut_at is not None:
            return first
        self._struck.appendleft(Piece(first.data[most:], first.end, first.due_ns))
        return Piece(first.data[:most], end=False, due_ns=first.due_ns)
