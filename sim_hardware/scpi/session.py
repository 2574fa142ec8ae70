"""One connection to an instrument: bytes in, messages executed in order, response bytes out.

No I/O and no thread: a transport writes what it received and sends what it reads.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self

from impairlab.sim_hardware.scpi.commands import Entry, Node
from impairlab.sim_hardware.scpi.errors import ErrorEntry, ErrorQueue, ScpiError, is_command_error
from impairlab.sim_hardware.scpi.framing import Framer, Overrun
from impairlab.sim_hardware.scpi.output_queue import OutputQueue
from impairlab.sim_hardware.scpi.personality import AfterCommandError
from impairlab.sim_hardware.scpi.status import ServiceRequest, StatusByte
from impairlab.sim_hardware.scpi.syntax import Unit, units_of

if TYPE_CHECKING:
    from impairlab.sim_hardware.scpi.instrument import Instrument

_MOST_INPUT_BUFFERS = 2
"""How much a held parser lets pile up when a transport goes on writing; more is -363."""


class Session:
    """Made by `Instrument.open_session`; a context manager that gives back its locks.

    Every public method may be called from any thread: it takes the instrument's lock. As it is, it serves a byte
    stream; `MessageSession` adds what transports that know END and read requests need.

    Attributes:
        turn_units: How many units one call executes at most; the rest waits for the next call, see `is_ready`.
        watches_service: Whether a reason for service is noted that comes, or goes and comes again, in mid-message.
        control_port: Called by SYSTem:COMMunicate:TCPip:CONTrol?; a transport without a control socket answers 0.
    """

    def __init__(self, instrument: "Instrument", name: str, errors: ErrorQueue) -> None:
        self.instrument = instrument
        self.name = name
        self.errors = errors
        self.turn_units = sys.maxsize
        self.watches_service = False
        self.control_port: Callable[[], int] = lambda: 0
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
        self._units: Iterator[Unit | ErrorEntry] = iter(())
        self._next: Unit | ErrorEntry | None = None
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
            ready = self.read()
            while self.is_ready:
                self._run()
                ready += self.read()
            return b"".join(ready)

    def turn(self, data: bytes) -> bytes:
        """Do as `feed` does, but execute at most `turn_units`; `is_ready` tells whether there is more to do."""
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
        """Remove and return the response messages that are ready, each with its new line, in order.

        When the output queue is full, the last one may be the beginning of a message.
        """
        with self.instrument.guard:
            ready = self.output.take_messages()
            if self._output_is_full and (part := self.output.take(sys.maxsize)):
                ready.append(part[0])
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
    def input_is_full(self) -> bool:
        """Whether as much waits for a held parser as the input buffer holds."""
        return self._backlog_size >= self.instrument.personality.input_buffer

    @property
    def is_between_messages(self) -> bool:
        """Whether what was written last ended a message."""
        return self._framer.is_between_messages

    @property
    def is_executing(self) -> bool:
        """Whether a message is under way or waits for its turn, behind *WAI or a full output queue."""
        return self._next is not None or bool(self._backlog)

    @property
    def is_ready(self) -> bool:
        """Whether a call would execute something more, because the last one ended at `turn_units`."""
        return self.is_executing and not self._is_held

    @property
    def is_in_block(self) -> bool:
        """Whether bytes of a definite length block are still to come."""
        return self._framer.is_in_block

    @property
    def is_dropping(self) -> bool:
        """Whether the message under way is too long and what still comes of it is passed over."""
        return self._framer.is_dropping

    def give_up_block(self) -> None:
        """Forget the message whose block does not go on, -161; the next byte begins a new one."""
        with self.instrument.guard:
            if not self._framer.is_dropping:
                self.report(ScpiError(-161))
            self._framer.clear()

    def give_up_message(self) -> None:
        """Forget the message under way, which the client has taken back; the next byte begins a new one."""
        with self.instrument.guard:
            self._framer.clear()

    @property
    def service_requested(self) -> bool:
        """RQS: whether a new reason for service has come up since the last serial poll."""
        with self.instrument.guard:
            self._note_service()
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

    def _note_service(self) -> None:
        self._service.update(self.status_byte(), self.instrument.status.service_enable)

    def hold_parser(self) -> None:
        """*WAI: execute nothing more until no operation is pending."""
        self._parser_held = True

    def _keep(self, message: str | Overrun) -> None:
        if isinstance(message, Overrun):
            self._report(ScpiError(-363).entry)
            return
        if not self._has_room_for(message):
            self._run()
        if not self._has_room_for(message) and self._output_is_full:
            self._break_deadlock()
        if self._has_room_for(message):
            self._backlog.append(message)
            self._backlog_size += len(message)
        else:
            self._report(ScpiError(-363).entry)

    def _has_room_for(self, message: str) -> bool:
        most = _MOST_INPUT_BUFFERS * self.instrument.personality.input_buffer
        return len(message) + self._backlog_size <= most

    @property
    def _is_held(self) -> bool:
        """Whether the parser waits: for pending operations, or for somebody to read the responses."""
        return (self._parser_held and not self.instrument.operations.idle) or self._output_is_full

    @property
    def _output_is_full(self) -> bool:
        return self.output.size >= self.instrument.personality.output_queue

    def _break_deadlock(self) -> None:
        """Both buffers are full: drop the response of the message under way and go on (IEEE 488.2 6.3.1.7)."""
        self.output.clear()
        self._unheard = self._next is not None
        self._report(ScpiError(-430).entry)
        self._run()

    def _run(self) -> None:
        turn_units = self.turn_units
        while turn_units and not self._is_held:
            self._parser_held = False
            if self._next is not None:
                self._execute(self._next)
                self._next = next(self._units, None)
                turn_units -= 1
                if self.watches_service:
                    self._note_service()
                if self._next is None:
                    self._end_message()
            elif self._backlog:
                self._begin_message(self._backlog.popleft())
            else:
                return

    def _begin_message(self, message: str) -> None:
        self._backlog_size -= len(message)
        self._units = units_of(message, self.instrument.personality.longest_mnemonic)
        self._next = next(self._units, None)
        if self._next is not None and self._before_message is not None:
            self._before_message()

    def _end_message(self) -> None:
        self._indefinite = False
        self._unheard = False
        self.output.end_message()

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
            self._units = iter(())
