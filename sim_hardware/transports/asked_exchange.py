"""The message exchange of a transport on which the client asks for each response, and the faults that strike those."""

import re
from collections.abc import Callable

from impairlab.sim_hardware.faults import ArmedFaults, Chatter, Garbage, LateReply, PartialReply, Repeat, Rewrite
from impairlab.sim_hardware.scpi.message_session import Chunk, MessageSession
from impairlab.sim_hardware.scpi.session import Session

_ALL = 1 << 20


class AskedExchange:
    """A message exchange in which responses are read, as VXI-11 and USBTMC do, and not sent unasked.

    Args:
        session: Owned from here on.
        faults: What strikes its responses.
        clock: Monotonic nanoseconds.

    Attributes:
        session: As given.
        not_before_ns: Until when a late response is held back; 0 when none is.
    """

    def __init__(self, session: Session, faults: ArmedFaults, clock: Callable[[], int]) -> None:
        self.session = session
        self._exchange = MessageSession(session)
        self._faults = faults
        self._clock = clock
        self._forget_response()

    def write(self, data: bytes, *, end: bool) -> None:
        """Take program message bytes in; see `MessageSession.write`."""
        if data.strip():
            self._forget_response()
        self._exchange.write(data, end=end)

    def read(self, most: int, stop_at: bytes) -> Chunk | None:
        """Return up to `most` bytes of the response, and none behind `stop_at`; None while there are none."""
        if not self._begun and self._exchange.message_available:
            self._begin_response()
        if self._clock() < self.not_before_ns:
            return None
        if self._substitute is not None:
            return self._read_substitute(self._substitute, most)
        chunk = self._exchange.read(most, stop_at)
        if chunk is not None and chunk.end:
            self._forget_response()
        return chunk

    def execute_more(self) -> bool:
        """Execute a turn's worth of what was written; tell whether there was something to do."""
        ready = self.session.is_ready
        if ready:
            self.session.write(b"")
        return ready

    @property
    def input_is_full(self) -> bool:
        """Whether the instrument cannot take more in for the moment."""
        self.session.write(b"")
        return self.session.input_is_full

    def trigger(self) -> None:
        """Group execute trigger."""
        self._exchange.trigger()

    def clear(self) -> None:
        """Device clear."""
        self._forget_response()
        self._exchange.clear()

    def status_byte(self) -> int:
        """Return the status byte as a serial poll does."""
        return int(self._exchange.serial_poll())

    @property
    def service_requested(self) -> bool:
        """Whether a new reason for service has come up since the last serial poll."""
        return self._exchange.service_requested

    def interrupt(self) -> None:
        """Drop the response, -410."""
        self._forget_response()
        self._exchange.interrupt()

    def close(self) -> None:
        """End the session, which gives its locks back."""
        self.session.close()

    def _forget_response(self) -> None:
        self._begun = False
        self._substitute: bytes | None = None
        self._substitute_ends = False
        self.not_before_ns = 0

    def _begin_response(self) -> None:
        self._begun = True
        match self._faults.strike(LateReply, Garbage, PartialReply, Repeat, Chatter, Rewrite):
            case LateReply(after_ns=after):
                self.not_before_ns = self._clock() + after
            case Garbage(content=content):
                self._take_response()
                self._substitute, self._substitute_ends = content, True
            case Repeat(times=times):
                self._substitute, self._substitute_ends = self._take_response() * times, True
            case Chatter(content=content, pause_ns=pause):
                self._substitute, self._substitute_ends = content + self._take_response(), True
                self.not_before_ns = self._clock() + pause
            case Rewrite(pattern=pattern, replacement=replacement):
                rewritten = re.sub(pattern, replacement, self._take_response())
                self._substitute, self._substitute_ends = rewritten, True
            case PartialReply(keep=keep):
                self._substitute = self._take_response()[:keep]

    def _take_response(self) -> bytes:
        response = b""
        while (chunk := self._exchange.read(_ALL)) is not None:
            response += chunk.data
            if chunk.end:
                break
        return response

    def _read_substitute(self, substitute: bytes, most: int) -> Chunk | None:
        data, self._substitute = substitute[:most], substitute[most:]
        end = self._substitute_ends and not self._substitute
        if end:
            self._forget_response()
        return Chunk(data, end=end) if data or end else None
