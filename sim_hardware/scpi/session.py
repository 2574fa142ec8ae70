"""One connection to an instrument: bytes in, messages executed in order, response bytes out.

No I/O and no thread: a transport writes what it received and sends what it reads.
"""

from collections import deque
from typing import TYPE_CHECKING, Self

from impairlab.sim_hardware.scpi.commands import Entry, Node
from impairlab.sim_hardware.scpi.errors import ErrorEntry, ErrorQueue, ScpiError, is_command_error
from impairlab.sim_hardware.scpi.framing import Framer, Overrun
from impairlab.sim_hardware.scpi.operations import Later
from impairlab.sim_hardware.scpi.personality import AfterCommandError
from impairlab.sim_hardware.scpi.status import ServiceRequest, StatusByte
from impairlab.sim_hardware.scpi.syntax import Unit, parse_message

if TYPE_CHECKING:
    from impairlab.sim_hardware.scpi.instrument import Instrument

_MOST_INPUT_BUFFERS = 2
"""How much a held parser lets pile up when a transport goes on writing; more is -363."""

Part = str | Later
"""One unit's response: there, or held until the pending operations are done."""


class Session:
    """Made by `Instrument.open_session`; a context manager that releases what it holds.

    Every public method may be called from any thread: it takes the instrument's lock.
    """

    def __init__(self, instrument: "Instrument", name: str, errors: ErrorQueue) -> None:
        self.instrument = instrument
        self.name = name
        self.errors = errors
        self._service = ServiceRequest()
        self._framer = Framer(instrument.personality.input_buffer, instrument.personality.new_line_in_string)
        self._start_over()

    def _start_over(self) -> None:
        self._framer.clear()
        self._backlog: deque[str] = deque()
        self._backlog_size = 0
        self._units: deque[Unit | ErrorEntry] = deque()
        self._response: list[Part] = []
        self._responses: deque[list[Part]] = deque()
        self._responses_size = 0
        self._parser_held = False
        self._indefinite = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def feed(self, data: bytes) -> bytes:
        """Take bytes in, execute what they complete, and return all response bytes that are ready."""
        with self.instrument.guard:
            self.write(data)
            return b"".join(self.read())

    def poll(self) -> bytes:
        """Return response bytes that became ready since, because time passed or an operation ended."""
        return self.feed(b"")

    def write(self, data: bytes) -> None:
        """Take bytes in and execute what they complete; the responses are left for `read`."""
        with self.instrument.guard:
            self.instrument.operations.advance()
            for message in self._framer.push(data):
                self._keep(message)
            self._run()

    def read(self) -> list[bytes]:
        """Remove and return the response messages that are ready, each with its new line, in order."""
        with self.instrument.guard:
            ready = []
            while self._responses and all(map(_settled, self._responses[0])):
                parts = self._responses.popleft()
                self._responses_size -= _size(parts)
                present = [text for text in map(_text, parts) if text is not None]
                if present:
                    ready.append(f"{';'.join(present)}\n".encode("latin-1"))
            return ready

    def clear(self) -> None:
        """Device clear: forget input, output and what waits; settings, status and errors stay (IEEE 488.2 5.8)."""
        with self.instrument.guard:
            self._start_over()
            self.instrument.operations.disarm()

    def close(self) -> None:
        """End the session: its lock is released. A second call does nothing."""
        with self.instrument.guard:
            self._start_over()
            self.instrument.forget_session(self)

    @property
    def accepts_input(self) -> bool:
        """Whether a transport should go on reading; False while whole messages wait for a held parser."""
        return not self._backlog

    @property
    def service_requested(self) -> bool:
        """RQS: whether a new reason for service has come up since the last serial poll."""
        with self.instrument.guard:
            self._service.update(self.status_byte(), self.instrument.status.service_enable)
            return self._service.requested

    def serial_poll(self) -> StatusByte:
        """Return the status byte with bit 6 as RQS, and clear RQS (IEEE 488.2 11.3.3.1)."""
        with self.instrument.guard:
            status_byte = self.status_byte()
            self._service.update(status_byte, self.instrument.status.service_enable)
            return self._service.poll(status_byte)

    def status_byte(self) -> StatusByte:
        """Return the status byte with bit 6 as MSS, as *STB? does."""
        return self.instrument.status.status_byte(
            error_available=bool(self.errors), message_available=bool(self._response or self._responses)
        )

    def hold_parser(self) -> None:
        """*WAI: execute nothing more until no operation is pending."""
        self._parser_held = True

    def _keep(self, message: str | Overrun) -> None:
        most = _MOST_INPUT_BUFFERS * self.instrument.personality.input_buffer
        if isinstance(message, Overrun) or len(message) + self._backlog_size > most:
            self._report(ScpiError(-363).entry)
        else:
            self._backlog.append(message)
            self._backlog_size += len(message)

    def _run(self) -> None:
        operations = self.instrument.operations
        while not (self._parser_held and operations.pending):
            self._parser_held = False
            if self._units:
                self._execute(self._units.popleft())
                continue
            self._end_message()
            if not self._backlog:
                return
            message = self._backlog.popleft()
            self._backlog_size -= len(message)
            self._units.extend(parse_message(message))

    def _end_message(self) -> None:
        self._indefinite = False
        if not self._response:
            return
        self._responses.append(self._response)
        self._responses_size += _size(self._response)
        self._response = []
        held = not all(map(_settled, self._responses[0]))
        if held and self._responses_size > self.instrument.personality.output_queue:
            self._responses.clear()
            self._responses_size = 0
            self._report(ScpiError(-430).entry)

    def _execute(self, unit: Unit | ErrorEntry) -> None:
        if isinstance(unit, ErrorEntry):
            self._report(unit)
            return
        try:
            entry, suffixes = self.instrument.table.find(unit.header)
            self._check(entry)
            reply = entry.run(Node(suffixes, self), unit.data)
        except ScpiError as error:
            self._report(error.entry)
            return
        self._indefinite = self._indefinite or entry.indefinite
        if reply is not None:
            self._response.append(reply)

    def _check(self, entry: Entry) -> None:
        if self._indefinite and entry.pattern.is_query:
            raise ScpiError(-440)
        if entry.guarded and self.instrument.lock.refuses(self):
            raise ScpiError(-203, "locked by another session")

    def _report(self, error: ErrorEntry) -> None:
        self.instrument.report(error, self.errors)
        skips = self.instrument.personality.after_command_error is AfterCommandError.SKIP_REST
        if skips and is_command_error(error.code):
            self._units.clear()


def _settled(part: Part) -> bool:
    return not isinstance(part, Later) or part.settled


def _text(part: Part) -> str | None:
    return part.text if isinstance(part, Later) else part


def _size(parts: list[Part]) -> int:
    """Return what a response message counts for, the same before and after a held part is settled."""
    return sum(1 if isinstance(part, Later) else len(part) + 1 for part in parts)
