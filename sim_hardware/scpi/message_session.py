"""IEEE 488.2 message exchange for transports that know END and read requests: VXI-11, HiSLIP, USBTMC.

A message ends at a new line or at END. Whoever sends a new message before the response to the last one has been read
has INTERRUPTED it; whoever reads without having asked has left the query UNTERMINATED. A byte stream knows neither, so
the raw socket and the serial port use `Session` itself.
"""

from dataclasses import dataclass

from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.session import Session
from impairlab.sim_hardware.scpi.status import StatusByte

_TRIGGER = b"*TRG\n"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a response message; `end` where its last byte carries END."""

    data: bytes
    end: bool


class MessageSession:
    """The message exchange protocol on a session (IEEE 488.2, 6).

    Every method may be called from any thread. What a call leaves waiting may become ready later, because time passes,
    an operation ends or another session acts: `Instrument.listen` tells when to look again.

    Args:
        session: Used by nobody else; whoever opened it closes it.
        overlapped: Whether responses queue up and nothing is INTERRUPTED, as in HiSLIP's overlapped mode
            (IVI-6.1 3.2).

    Attributes:
        session: As given.
        overlapped: As given; may be changed between two device clears.
    """

    def __init__(self, session: Session, *, overlapped: bool = False) -> None:
        self.session = session
        self.overlapped = overlapped
        self._asked_in_vain = False
        session.watches_service = True
        session.exchange_messages(before_message=self._interrupt_if_unread)

    def write(self, data: bytes, *, end: bool) -> None:
        """Take program message bytes in and execute the messages that they complete.

        -410 when they begin a message while a response is unread: the response is dropped. -430 when both the output
        queue and the input buffer are full: the response is dropped. -363 when a message is longer than the input
        buffer: it is dropped.

        Args:
            data: Program message bytes.
            end: Whether END came with the last byte. It ends the message, with or without a new line before it.
        """
        with self.session.instrument.guard:
            self._asked_in_vain = False
            if data.strip() and self.session.is_between_messages and not self.session.is_executing:
                self._interrupt_if_unread()
            self.session.write(data, end=end)
            self._note_service()

    def read(self, most: int, stop_at: bytes = b"") -> Chunk | None:
        """Remove and return up to `most` bytes of the response.

        Args:
            most: At least 1.
            stop_at: A byte; if it comes among them it is the last one returned. None without.

        Returns:
            None while it is not ready, and when nothing was asked. The latter is -420, once until something is written.
        """
        with self.session.instrument.guard:
            chunk = self.take(most, stop_at)
            if chunk is None and not self.expects_response and not self._asked_in_vain:
                self._asked_in_vain = True
                self.session.report(ScpiError(-420))
                self._note_service()
            return chunk

    def take(self, most: int, stop_at: bytes = b"") -> Chunk | None:
        """Remove and return as `read` does, for a transport that sends unasked: that nothing is there is no error."""
        with self.session.instrument.guard:
            self.session.write(b"")
            taken = self.session.output.take(most, stop_at.decode("latin-1"))
            if taken is not None:
                self.session.write(b"")  # there is room in the output queue again
            self._note_service()
            return None if taken is None else Chunk(*taken)

    def trigger(self) -> None:
        """Group execute trigger: *TRG in its turn. -105 in the middle of a message."""
        with self.session.instrument.guard:
            if self.session.is_between_messages:
                self.write(_TRIGGER, end=True)
            else:
                self.session.report(ScpiError(-105))
                self._note_service()

    def interrupt(self) -> None:
        """Report -410 and drop the response, for a transport whose own rules tell (IVI-6.1 3.1.1)."""
        with self.session.instrument.guard:
            self.session.output.clear()
            self.session.report(ScpiError(-410))
            self._note_service()

    def clear(self) -> None:
        """Device clear: forget input, output and what waits; settings, status and errors stay (IEEE 488.2 5.8)."""
        with self.session.instrument.guard:
            self._asked_in_vain = False
            self.session.clear()
            self._note_service()

    @property
    def expects_response(self) -> bool:
        """Whether a response is there or may still come: reading is worth waiting for."""
        with self.session.instrument.guard:
            return bool(self.session.output) or self.session.is_executing

    @property
    def message_available(self) -> bool:
        """MAV: whether a response byte can be read now."""
        with self.session.instrument.guard:
            self.session.write(b"")
            return self.session.output.ready

    @property
    def service_requested(self) -> bool:
        """RQS: whether a new reason for service has come up since the last serial poll."""
        with self.session.instrument.guard:
            self.session.write(b"")
            return self.session.service_requested

    def serial_poll(self) -> StatusByte:
        """Return the status byte with bit 6 as RQS, and clear RQS (IEEE 488.2 11.3.3.1)."""
        with self.session.instrument.guard:
            self.session.write(b"")
            return self.session.serial_poll()

    def _interrupt_if_unread(self) -> None:
        if not self.overlapped and self.session.output:
            self.session.output.clear()
            self.session.report(ScpiError(-410))

    def _note_service(self) -> None:
        """Look at the status byte now: a reason that comes and goes between two looks would be lost."""
        self.session.service_requested  # noqa: B018
