"""One host on the bus: what its transfers and control requests do, and what they are answered. No I/O.

Source: USBTMC 1.0, 3 and 4.2.1; USB488 1.0, 3 and 4.3.
"""

from collections.abc import Callable
from typing import Protocol

from impairlab.sim_hardware.faults import ArmedFaults, CloseMidReply, Mute
from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.session import Session
from impairlab.sim_hardware.scpi.status import StatusByte
from impairlab.sim_hardware.transports.asked_exchange import AskedExchange
from impairlab.sim_hardware.transports.usbtmc.codec import (
    HEADER_SIZE,
    BadTransferError,
    BulkOut,
    Data,
    Part,
    Request,
    Trigger,
    response_transfer,
)
from impairlab.sim_hardware.transports.usbtmc.requests import CAPABILITIES, RequestCode, Setup, Status

MOST_RESPONSE = 16_384
"""Bytes of response in one Bulk-IN transfer at most; the host asks again for what is left (USBTMC 1.0, 3.3)."""

_TURN_UNITS = 50
"""What is executed before the host has its turn: it gives up a packet that is not taken in for a second."""
_READ_WITHIN_NS = 100_000_000
"""How long the beginning of a response is left to be read: a controller's FIFO takes it before the host does."""
_NOTIFIES = 0x80
_SERVICE_REQUEST = 0x81
_FIRST_STATUS_TAG, _LAST_STATUS_TAG = 2, 127


class Pipes(Protocol):
    """The endpoints, as a session uses them."""

    @property
    def in_busy(self) -> bool:
        """Whether a transfer waits on Bulk-IN for the host to read it."""

    @property
    def interrupt_busy(self) -> bool:
        """Whether a packet waits on Interrupt-IN."""

    def send(self, transfer: bytes) -> None:
        """Have the host find a transfer on Bulk-IN, ended by a packet that is not full."""

    def take_back(self) -> None:
        """Take back what waits on Bulk-IN."""

    def notify(self, packet: bytes) -> None:
        """Have the host find a packet on Interrupt-IN."""

    def halt_out(self) -> None:
        """Stall Bulk-OUT until the host clears that."""

    def unplug(self) -> None:
        """Vanish from the bus for a moment."""


class UsbtmcSession:
    """The protocol from one configuration of the device to the next.

    Args:
        session: Its session with the instrument; owned from here on.
        pipes: The endpoints.
        packet_size: wMaxPacketSize of Bulk-OUT.
        faults: What strikes its responses.
        clock: Monotonic nanoseconds.

    Attributes:
        remote: Whether REN is asserted; the instrument may have a front panel.
        lockout: Whether the front panel's way back to local is locked.
    """

    def __init__(
        self, session: Session, pipes: Pipes, *, packet_size: int, faults: ArmedFaults, clock: Callable[[], int]
    ) -> None:
        self.remote = False
        self.lockout = False
        session.turn_units = _TURN_UNITS
        self._session = session
        self._pipes = pipes
        self._faults = faults
        self._exchange = AskedExchange(session, faults, clock)
        self._bulk_out = BulkOut(packet_size)
        self._request: Request | None = None
        self._sending: int | None = None
        self._sent_size = 0
        self._muted = False
        self._vanish_at_ns: int | None = None
        self._clock = clock
        self._requests: dict[RequestCode, Callable[[int], bytes]] = {
            RequestCode.GET_CAPABILITIES: lambda _: CAPABILITIES,
            RequestCode.INITIATE_CLEAR: self._clear,
            RequestCode.CHECK_CLEAR_STATUS: lambda _: bytes([Status.SUCCESS, 0]),
            RequestCode.INITIATE_ABORT_BULK_OUT: self._abort_out,
            RequestCode.CHECK_ABORT_BULK_OUT_STATUS: self._check_abort_out,
            RequestCode.INITIATE_ABORT_BULK_IN: self._abort_in,
            RequestCode.CHECK_ABORT_BULK_IN_STATUS: self._check_abort_in,
            RequestCode.READ_STATUS_BYTE: self._read_status,
            RequestCode.REN_CONTROL: self._enable_remote,
            RequestCode.GO_TO_LOCAL: self._go_to_local,
            RequestCode.LOCAL_LOCKOUT: self._lock_out_local,
        }
        """What each class request does, given the low byte of wValue."""

    @property
    def wants_input(self) -> bool:
        """Whether Bulk-OUT should be read. Not while another has the lock: the host's messages wait then."""
        return not self._session.instrument.lock.bars(self._session)

    @property
    def next_due_ns(self) -> int | None:
        """When `advance` is due whatever happens; None leaves it to events."""
        if self._session.is_ready:
            return 0
        if self._vanish_at_ns is not None and not self._pipes.in_busy:
            return self._vanish_at_ns
        waits = self._request is not None and not self._pipes.in_busy
        return self._exchange.not_before_ns or None if waits else None

    def close(self) -> None:
        """End it: locks are given back."""
        self._exchange.close()

    def receive(self, packet: bytes) -> None:
        """Take in a packet of Bulk-OUT and act on it; `advance` answers."""
        try:
            for part in self._bulk_out.feed(packet):
                self._act_on(part)
        except BadTransferError:
            self._lose_message()
            self._pipes.halt_out()

    def _act_on(self, part: Part) -> None:
        if not self._muted and self._faults.strike(Mute) is not None:
            self._muted = True
        if self._muted:
            return
        match part:
            case Data(content=content, end=end):
                self._interrupt(content)
                self._exchange.write(content, end=end)
            case Trigger():
                self._exchange.trigger()
            case Request():
                self._request = part

    def _interrupt(self, content: bytes) -> None:
        """Take the response back that the host does not wait for: it sends a message instead."""
        if self._request is None and self._sending is None:
            return
        self._request = None
        if self._pipes.in_busy and content.strip():
            self._sending = None
            self._pipes.take_back()
            self._exchange.interrupt()

    def _lose_message(self) -> None:
        """Forget the message that a broken transfer was part of."""
        if self._session.is_in_block:
            self._session.give_up_block()
        elif not self._session.is_between_messages:
            self._session.give_up_message()
            self._session.report(ScpiError(-360))

    def advance(self) -> None:
        """Execute a turn's worth of input, tell of service, and answer the request to read, as far as that goes now."""
        self._exchange.execute_more()
        if not self._pipes.interrupt_busy and self._exchange.service_requested:
            status = self._exchange.status_byte() | StatusByte.MASTER_SUMMARY
            self._pipes.notify(bytes([_SERVICE_REQUEST, status]))
        self._respond()  # last: to look at the status executes, too, and nobody comes back when all is executed

    def _respond(self) -> None:
        """Send what there is, but not while more is on its way: hosts take a transfer that is not full for the last."""
        if self._pipes.in_busy or self._session.is_ready:
            return
        self._sending = None
        if self._vanish_at_ns is not None:
            if self._clock() >= self._vanish_at_ns:
                self._vanish_at_ns = None
                self._pipes.unplug()
            return
        request = self._request
        if request is None:
            return
        chunk = self._exchange.read(min(request.most, MOST_RESPONSE), request.stop_at)
        if chunk is None:
            return
        transfer = response_transfer(request, chunk.data, end=chunk.end)
        if (fault := self._faults.strike(CloseMidReply)) is not None:
            self._vanish_at_ns = self._clock() + _READ_WITHIN_NS
            transfer = transfer[: HEADER_SIZE + fault.keep]
        self._request, self._sending, self._sent_size = None, request.tag, len(chunk.data)
        self._pipes.send(transfer)

    def control(self, setup: Setup) -> bytes | None:
        """Return the answer to a control request; None where the device stalls it."""
        code = setup.request()
        act = None if code is None else self._requests[code]
        return None if act is None else act(setup.value & 0xFF)[: setup.length]

    def _clear(self, _: int) -> bytes:
        """INITIATE_CLEAR: the host clears the halt of Bulk-OUT when all is done (USBTMC 1.0, 4.2.1.6)."""
        self._pipes.halt_out()
        self._forget_transfers()
        self._bulk_out.forget()
        self._exchange.clear()
        self._muted = False
        return bytes([Status.SUCCESS])

    def _forget_transfers(self) -> None:
        self._request = self._sending = None
        if self._pipes.in_busy:
            self._pipes.take_back()

    def _abort_out(self, tag: int) -> bytes:
        """INITIATE_ABORT_BULK_OUT: the message that the transfer is part of is lost (USBTMC 1.0, 4.2.1.2)."""
        if self._bulk_out.tag != tag:
            return _not_aborted(self._bulk_out.tag, tag)
        self._bulk_out.forget()
        self._session.give_up_message()
        self._pipes.halt_out()
        return bytes([Status.SUCCESS, tag])

    def _check_abort_out(self, _: int) -> bytes:
        return bytes([Status.SUCCESS, 0, 0, 0]) + self._bulk_out.received.to_bytes(4, "little")

    def _abort_in(self, tag: int) -> bytes:
        """INITIATE_ABORT_BULK_IN: a packet that is not full ends the transfer (USBTMC 1.0, 4.2.1.4).

        A response that is not ready yet stays to be asked for again.
        """
        in_progress = self._request.tag if self._request is not None else self._sending
        if in_progress != tag:
            return _not_aborted(in_progress, tag)
        if self._request is not None:
            self._sent_size = 0
        self._forget_transfers()
        self._pipes.send(b"")
        return bytes([Status.SUCCESS, tag])

    def _check_abort_in(self, _: int) -> bytes:
        waits = self._pipes.in_busy
        status = Status.PENDING if waits else Status.SUCCESS
        return bytes([status, waits, 0, 0]) + self._sent_size.to_bytes(4, "little")

    def _read_status(self, tag: int) -> bytes:
        """READ_STATUS_BYTE: the status byte itself comes on Interrupt-IN (USB488 1.0, 4.3.1)."""
        if not _FIRST_STATUS_TAG <= tag <= _LAST_STATUS_TAG:
            return bytes([Status.FAILED, tag, 0])
        if self._pipes.interrupt_busy:
            return bytes([Status.INTERRUPT_IN_BUSY, tag, 0])
        self._pipes.notify(bytes([_NOTIFIES | tag, self._exchange.status_byte()]))
        return bytes([Status.SUCCESS, tag, 0])

    def _enable_remote(self, enable: int) -> bytes:
        self.remote = bool(enable)
        self.lockout = self.lockout and self.remote
        return bytes([Status.SUCCESS])

    def _go_to_local(self, _: int) -> bytes:
        self.remote = False
        return bytes([Status.SUCCESS])

    def _lock_out_local(self, _: int) -> bytes:
        self.lockout = True
        return bytes([Status.SUCCESS])


def _not_aborted(in_progress: int | None, tag: int) -> bytes:
    status = Status.FAILED if in_progress is None else Status.TRANSFER_NOT_IN_PROGRESS
    return bytes([status, tag])
