"""One connection to an instrument: bytes in, messages executed in order, response bytes out.

No I/O and no thread: a transport writes what it received and sends what it reads.
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from impairlab.sim_hardware.scpi.commands import Entry, Node
from impairlab.sim_hardware.scpi.errors import ErrorEntry, ErrorQueue, ScpiError, is_command_error
from impairlab.sim_hardware.scpi.framing import Framer, Overrun
from impairlab.sim_hardware.scpi.output_queue import OutputQueue
from impairlab.sim_hardware.scpi.personality import AfterCommandError
from impairlab.sim_hardware.scpi.status import ServiceRequest, StatusByte
from impairlab.sim_hardware.scpi.syntax import Unit, parse_message

if TYPE_CHECKING:
    from impairlab.sim_hardware.scpi.instrument import Instrument

_MOST_INPUT_BUFFERS = 2
"""How much a held parser lets pile up when a transport goes on writing; more is -363."""


class Session:
    """Made by `Instrument.open_session`; a context manager that releases what it holds.

    Every public method may be called from any thread: it takes the instrument's lock. As it is, it serves a byte
    stream; `MessageSession` adds what transports that know END and read requests need.
    """

    def __init__(self, instrument: "Instrument", name: str, errors: ErrorQueue) -> None:
        self.instrument = instrument
        self.name = name
        self.errors = errors
        self._service = ServiceRequest()
        self._framer = Framer(instrument.personality.input_buffer, instrument.personality.new_line_in_string)
        self._before_message: Callable[[], None] | None = None
        self._start_over()

    def exchange_messages(self, before_message: Callable[[], None]) -> None:
        """Follow the message exchange protocol: END counts, and a full output queue stops the parser.

        Args:
            before_message: Called before the first unit of each message is executed.
        """
        self._framer.end_is_known = True
        self._before_message = before_message

    def _start_over(self) -> None:
        self._framer.clear()
        self._backlog: deque[str] = deque()
        self._backlog_size = 0
        self._units: deque[Unit | ErrorEntry] = deque()
        self.output = OutputQueue()
        self._parser_held = False
        self._indefinite = False
        self._unheard = False

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

    def write(self, data: bytes, *, end: bool = False) -> None:
        """Take bytes in and execute what they complete; the responses are left for `read`.

        Args:
            data: Program message bytes.
            end: Whether END came with the last byte, on a transport that has END.
        """
        with self.instrument.guard:
            self.instrument.operations.advance()
            for message in self._framer.push(data):
                self._keep(message)
            if end and (last := self._framer.end()) is not None:
                self._keep(last)
            self._run()

    def read(self) -> list[bytes]:
        """Remove and return the response messages that are ready, each with its new line, in order."""
        with self.instrument.guard:
            return self.output.take_messages()

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
    def is_between_messages(self) -> bool:
        """Whether what was written last ended a message."""
        return self._framer.is_between_messages

    @property
    def is_executing(self) -> bool:
        """Whether a message is under way or waits for its turn, behind *WAI or a full output queue."""
        return bool(self._units or self._backlog)

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
            error_available=bool(self.errors), message_available=self.output.ready
        )

    def report(self, error: ScpiError) -> None:
        """Put an error that the transport has found into the queue, and set its bit in the event register."""
        self.instrument.report(error, self.errors)

    def hold_parser(self) -> None:
        """*WAI: execute nothing more until no operation is pending."""
        self._parser_held = True

    def _keep(self, message: str | Overrun) -> None:
        most = _MOST_INPUT_BUFFERS * self.instrument.personality.input_buffer
        if isinstance(message, Overrun):
            self._report(ScpiError(-363).entry)
            return
        if len(message) + self._backlog_size > most and self._waits_for_reader:
            self._break_deadlock()
        if len(message) + self._backlog_size > most:
            self._report(ScpiError(-363).entry)
        else:
            self._backlog.append(message)
            self._backlog_size += len(message)

    @property
    def _waits_for_reader(self) -> bool:
        return self._before_message is not None and self._output_is_full

    @property
    def _output_is_full(self) -> bool:
        return self.output.size > self.instrument.personality.output_queue

    def _break_deadlock(self) -> None:
        """Both buffers are full: drop the response of the message under way and go on (IEEE 488.2 6.3.1.7)."""
        self.output.clear()
        self._unheard = True
        self._report(ScpiError(-430).entry)
        self._run()

    def _run(self) -> None:
        operations = self.instrument.operations
        while not (self._parser_held and operations.pending) and not self._waits_for_reader:
            self._parser_held = False
            if self._units:
                self._execute(self._units.popleft())
                continue
            self._end_message()
            if not self._backlog:
                return
            message = self._backlog.popleft()
            self._backlog_size -= len(message)
            units = parse_message(message)
            if units and self._before_message is not None:
                self._before_message()
            self._units.extend(units)

    def _end_message(self) -> None:
        self._indefinite = False
        self._unheard = False
        self.output.end_message()
        if self._output_is_full and not self.output.ready:
            self.output.clear()
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
        if reply is not None and not self._unheard:
            self.output.put(reply)

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
