"""The core channel: what each procedure does, as steps that may wait. No I/O and no thread.

A procedure under way is a generator. It yields until when it may wait at most and is resumed whenever something may
have changed; what it returns is its result. Rules are cited from VXI-11 revision 1.0, section B.
"""

import itertools
from collections.abc import Callable, Generator, Sequence

from impairlab.sim_hardware.faults import ArmedFaults
from impairlab.sim_hardware.scpi.instrument import Instrument
from impairlab.sim_hardware.scpi.lock import LockAnswer
from impairlab.sim_hardware.transports.vxi11.client import Client
from impairlab.sim_hardware.transports.vxi11.interrupt import InterruptChannel
from impairlab.sim_hardware.transports.vxi11.link import Link
from impairlab.sim_hardware.transports.vxi11.protocol import (
    CreateInterruptChannel,
    CreateLink,
    DeviceError,
    DeviceErrorCode,
    EnableServiceRequest,
    Flag,
    Generic,
    Lock,
    Procedure,
    Read,
    Reason,
    Write,
)
from impairlab.sim_hardware.transports.vxi11.xdr import Reader, TooLongError, opaque, unsigned

MOST_READ = 1 << 20
"""Bytes that one device_read returns at most, whatever was requested; then no reason is given (rule on device_read)."""

_MS = 1_000_000
_CHANNEL_TIMEOUT_MS = 3000
_OK = unsigned(DeviceErrorCode.NONE)

Steps = Generator[int, None, bytes]
"""Yields the instant, in monotonic nanoseconds, that ends the wait at the latest; returns the result."""


Handler = Callable[[Client, Reader], bytes | Steps]
"""Does a procedure: its result, or steps where it may have to wait."""

_REST_OF_FAILURE: dict[int, bytes] = {
    Procedure.CREATE_LINK: unsigned(0, 0, 0),
    Procedure.WRITE: unsigned(0),
    Procedure.READ_STATUS_BYTE: unsigned(0),
    Procedure.DO_COMMAND: opaque(b""),
}
"""What follows the error in the result of a procedure that failed; device_read itself tells what it has read."""


class Core:
    """The procedures of the core program, on one instrument.

    Args:
        instrument: What is served.
        faults: What strikes responses.
        clock: Monotonic nanoseconds.
        devices: Device names that create_link accepts, in small letters.
        max_receive: maxRecvSize, which a device_write may hold.
        max_links: Links that may be open at once, of all clients.
        abort_port: Where the abort channel listens.
        open_interrupt: Starts to open an interrupt channel to a client's host.

    Attributes:
        remote: Whether device_remote was called last, and not device_local.
    """

    def __init__(
        self,
        instrument: Instrument,
        faults: ArmedFaults,
        clock: Callable[[], int],
        *,
        devices: Sequence[bytes],
        max_receive: int,
        max_links: int,
        abort_port: int,
        open_interrupt: Callable[[str, CreateInterruptChannel], InterruptChannel],
    ) -> None:
        self._instrument = instrument
        self._faults = faults
        self._clock = clock
        self._devices = frozenset(devices)
        self._max_receive = max_receive
        self._max_links = max_links
        self._abort_port = abort_port
        self._open_interrupt = open_interrupt
        self._links: dict[int, Link] = {}
        self.remote = False
        self._procedures: dict[int, Handler] = {
            Procedure.CREATE_LINK: self._create_link,
            Procedure.WRITE: self._write,
            Procedure.READ: self._read,
            Procedure.READ_STATUS_BYTE: self._operation(self._status_byte),
            Procedure.TRIGGER: self._operation(self._trigger),
            Procedure.CLEAR: self._operation(self._clear),
            Procedure.REMOTE: self._operation(self._go_remote),
            Procedure.LOCAL: self._operation(self._go_local),
            Procedure.LOCK: self._lock,
            Procedure.UNLOCK: self._unlock,
            Procedure.ENABLE_SERVICE_REQUEST: self._enable_service_request,
            Procedure.DO_COMMAND: self._do_command,
            Procedure.DESTROY_LINK: self._destroy_link,
            Procedure.CREATE_INTERRUPT_CHANNEL: self._create_interrupt_channel,
            Procedure.DESTROY_INTERRUPT_CHANNEL: self._destroy_interrupt_channel,
        }

    def begin(self, client: Client, procedure: int, arguments: Reader) -> Steps | None:
        """Return the steps of a procedure; None when there is no such procedure.

        `XdrError` is raised by the steps, when the arguments are not those of the procedure.
        """
        handle = self._procedures.get(procedure)
        return None if handle is None else self._steps(handle, client, arguments, _REST_OF_FAILURE.get(procedure, b""))

    def abort(self, number: int) -> DeviceErrorCode:
        """device_abort: have what is under way on a link end with an error."""
        link = self._links.get(number)
        if link is None:
            return DeviceErrorCode.INVALID_LINK
        link.aborted = True
        return DeviceErrorCode.NONE

    def forget(self, client: Client) -> None:
        """End all that a client has."""
        for number in client.links:
            self._links.pop(number, None)
        client.close()

    def _operation(self, act: Callable[[Link], bytes]) -> Handler:
        """Return the procedure that has generic arguments and does `act` as soon as no lock is in the way."""

        def operate(client: Client, arguments: Reader) -> Steps:
            asked = Generic.read(arguments)
            link = self._idle_link(client, asked.link)
            yield from self._until_unlocked(link, asked.flags, asked.lock_timeout_ms)
            return _OK + act(link)

        return operate

    @staticmethod
    def _steps(handle: Handler, client: Client, arguments: Reader, rest_of_failure: bytes) -> Steps:
        try:
            outcome = handle(client, arguments)
            return outcome if isinstance(outcome, bytes) else (yield from outcome)
        except DeviceError as error:
            return unsigned(error.code) + rest_of_failure

    def _create_link(self, client: Client, arguments: Reader) -> Steps:
        asked = CreateLink.read(arguments)
        if not asked.device.isascii():
            raise DeviceError(DeviceErrorCode.SYNTAX)
        if asked.device.lower() not in self._devices:
            raise DeviceError(DeviceErrorCode.NOT_ACCESSIBLE)
        if len(self._links) >= self._max_links:
            raise DeviceError(DeviceErrorCode.OUT_OF_RESOURCES)
        number = next(each for each in itertools.count() if each not in self._links)
        session = self._instrument.open_session(f"VXI11{client.host}:{client.port}")
        link = self._links[number] = client.links[number] = Link(number, session, self._faults, self._clock)
        if asked.lock:
            try:
                yield from self._take_lock(link, self._deadline(asked.lock_timeout_ms))
            except DeviceError:
                self._end_link(client, link)
                raise
        return _OK + unsigned(number, self._abort_port, self._max_receive)

    def _destroy_link(self, client: Client, arguments: Reader) -> bytes:
        self._end_link(client, client.link(arguments.signed()))
        return _OK

    def _end_link(self, client: Client, link: Link) -> None:
        del self._links[link.number], client.links[link.number]
        link.close()

    def _write(self, client: Client, arguments: Reader) -> Steps:
        asked = Write.read(arguments)
        link = self._idle_link(client, asked.link)
        try:
            data = arguments.opaque(self._max_receive)
        except TooLongError as error:
            raise DeviceError(DeviceErrorCode.PARAMETER) from error
        yield from self._until_unlocked(link, asked.flags, asked.lock_timeout_ms)
        deadline = self._deadline(asked.io_timeout_ms)
        while link.input_is_full:
            yield from self._wait(link, deadline, DeviceErrorCode.IO_TIMEOUT)
        if data:
            link.write(data, end=bool(asked.flags & Flag.END))
        while link.execute_more():
            yield self._clock()
        return _OK + unsigned(len(data))

    def _read(self, client: Client, arguments: Reader) -> Steps:
        asked = Read.read(arguments)
        data = bytearray()
        try:
            link = self._idle_link(client, asked.link)
            yield from self._until_unlocked(link, asked.flags, asked.lock_timeout_ms)
            reason = yield from self._read_into(data, link, asked)
        except DeviceError as error:
            return unsigned(error.code, 0) + opaque(bytes(data))
        return _OK + unsigned(reason) + opaque(bytes(data))

    def _read_into(self, data: bytearray, link: Link, asked: Read) -> Generator[int, None, Reason]:
        deadline = self._deadline(asked.io_timeout_ms)
        by_character = asked.flags & Flag.TERMINATION_CHARACTER
        stop_at = bytes([asked.termination_character]) if by_character else b""
        most = min(asked.request_size, MOST_READ)
        reason = Reason(0)
        while len(data) < most and not reason:
            chunk = link.read(most - len(data), stop_at)
            if chunk is None:
                yield from self._wait(link, deadline, DeviceErrorCode.IO_TIMEOUT)
                continue
            data += chunk.data
            reason |= Reason.END * chunk.end
            reason |= Reason.CHARACTER * bool(stop_at and chunk.data.endswith(stop_at))
        return reason | Reason.REQUEST_COUNT * (len(data) == asked.request_size)

    @staticmethod
    def _status_byte(link: Link) -> bytes:
        return unsigned(link.status_byte())

    @staticmethod
    def _trigger(link: Link) -> bytes:
        link.trigger()
        return b""

    @staticmethod
    def _clear(link: Link) -> bytes:
        link.clear()
        return b""

    def _go_remote(self, _: Link) -> bytes:
        self.remote = True
        return b""

    def _go_local(self, _: Link) -> bytes:
        self.remote = False
        return b""

    def _lock(self, client: Client, arguments: Reader) -> Steps:
        asked = Lock.read(arguments)
        link = self._idle_link(client, asked.link)
        yield from self._take_lock(link, self._lock_deadline(asked.flags, asked.lock_timeout_ms))
        return _OK

    def _unlock(self, client: Client, arguments: Reader) -> bytes:
        link = client.link(arguments.signed())
        if self._instrument.lock.unlock(link.session) is LockAnswer.ERROR:
            raise DeviceError(DeviceErrorCode.NO_LOCK_HELD)
        return _OK

    def _take_lock(self, link: Link, deadline: int) -> Generator[int, None, None]:
        """Take the lock; a link that has it already is refused at once (rule on device_lock)."""
        while (answer := self._instrument.lock.lock_exclusive(link.session)) is not LockAnswer.SUCCESS:
            if answer is LockAnswer.ERROR:
                raise DeviceError(DeviceErrorCode.LOCKED_BY_ANOTHER)
            yield from self._wait(link, deadline, DeviceErrorCode.LOCKED_BY_ANOTHER)

    @staticmethod
    def _enable_service_request(client: Client, arguments: Reader) -> bytes:
        asked = EnableServiceRequest.read(arguments)
        client.link(asked.link).handle = asked.handle if asked.enable else None
        return _OK

    @staticmethod
    def _do_command(client: Client, arguments: Reader) -> bytes:
        """Refuse: docmd drives the buses of a gateway, and this is an instrument."""
        client.link(arguments.signed())
        raise DeviceError(DeviceErrorCode.NOT_SUPPORTED)

    def _create_interrupt_channel(self, client: Client, arguments: Reader) -> Steps:
        asked = CreateInterruptChannel.read(arguments)
        if client.interrupt is not None and not client.interrupt.failed:
            raise DeviceError(DeviceErrorCode.CHANNEL_ALREADY_ESTABLISHED)
        try:
            channel = client.interrupt = self._open_interrupt(client.host, asked)
        except OSError as error:  # no file descriptor is left
            raise DeviceError(DeviceErrorCode.OUT_OF_RESOURCES) from error
        deadline = self._deadline(_CHANNEL_TIMEOUT_MS)
        while not channel.established:
            if channel.failed or self._clock() >= deadline:
                channel.close()
                client.interrupt = None
                raise DeviceError(DeviceErrorCode.CHANNEL_NOT_ESTABLISHED)
            yield deadline
        return _OK

    @staticmethod
    def _destroy_interrupt_channel(client: Client, _: Reader) -> bytes:
        if client.interrupt is None:
            raise DeviceError(DeviceErrorCode.CHANNEL_NOT_ESTABLISHED)
        client.interrupt.close()
        client.interrupt = None
        return _OK

    def _idle_link(self, client: Client, number: int) -> Link:
        link = client.link(number)
        link.aborted = False
        return link

    def _until_unlocked(self, link: Link, flags: int, timeout_ms: int) -> Generator[int, None, None]:
        deadline = self._lock_deadline(flags, timeout_ms)
        while self._instrument.lock.bars(link.session):
            yield from self._wait(link, deadline, DeviceErrorCode.LOCKED_BY_ANOTHER)

    def _wait(self, link: Link, deadline: int, late: DeviceErrorCode) -> Generator[int, None, None]:
        now = self._clock()
        if now >= deadline:
            raise DeviceError(late)
        yield min(deadline, link.not_before_ns) if link.not_before_ns > now else deadline
        if link.aborted:
            raise DeviceError(DeviceErrorCode.ABORTED)

    def _lock_deadline(self, flags: int, timeout_ms: int) -> int:
        return self._deadline(timeout_ms if flags & Flag.WAIT_LOCK else 0)

    def _deadline(self, timeout_ms: int) -> int:
        return self._clock() + timeout_ms * _MS
