"""Serve an instrument as a USBTMC device, where the kernel has a USB device controller. One thread."""

import errno
import os
import struct
import time
from collections import deque
from selectors import EVENT_READ
from typing import Self

from impairlab.sim_hardware.faults import ArmedFaults, Fault, Reboot, Refuse
from impairlab.sim_hardware.scpi.instrument import Instrument
from impairlab.sim_hardware.transports.reactor import Reactor
from impairlab.sim_hardware.transports.usbtmc.aio import KernelAio
from impairlab.sim_hardware.transports.usbtmc.endpoints import Endpoints
from impairlab.sim_hardware.transports.usbtmc.gadget import Gadget, UsbIdentity
from impairlab.sim_hardware.transports.usbtmc.requests import SETUP_SIZE, Setup
from impairlab.sim_hardware.transports.usbtmc.session import UsbtmcSession

VENDOR, PRODUCT = 0x1D6B, 0x0104
"""The Linux Foundation's "multifunction composite gadget", which is what gadgets without an ID of their own use."""

_UNBIND, _ENABLE, _DISABLE, _SETUP = 1, 2, 3, 4
"""Types of FunctionFS events (linux/usb/functionfs.h)."""
_EVENT = struct.Struct(f"<{SETUP_SIZE}sB3x")
_MOST_EVENTS = 4
_REPLUG_NS = 50_000_000
_GONE = {errno.ESHUTDOWN, errno.ENODEV, errno.EIDRM, errno.ECONNRESET, errno.EL2HLT, errno.EINTR}


class UsbtmcServer:
    """A USB device and its thread; on the bus from construction until `close`. Needs root.

    Args:
        instrument: What is served; its clock must be `time.monotonic_ns` for timed operations to end on their own.
        identity: What the device tells the host.
        controller: Which USB device controller; a free one.

    Raises:
        OSError: The kernel has no controller that is free, or does not let us have it.
    """

    def __init__(self, instrument: Instrument, identity: UsbIdentity, controller: str | None = None) -> None:
        self.instrument = instrument
        self.identity = identity
        self._faults = ArmedFaults()
        self._gadget = Gadget(identity, controller)
        try:
            self._aio = KernelAio()
        except OSError:
            self._gadget.close()
            raise
        self._endpoints: Endpoints | None = None
        self._session: UsbtmcSession | None = None
        self._held: deque[bytes] = deque()
        self._plug_at_ns: int | None = None
        self._reactor = Reactor(
            f"usbtmc-{identity.serial}", on_turn=self._turn, next_due_ns=self._next_due_ns, on_end=self._end
        )
        self._reactor.watch(self._gadget.control, EVENT_READ, lambda _: self._heed_events())
        self._reactor.watch(self._aio.eventfd, EVENT_READ, lambda _: self._complete())
        self._stop_listening = instrument.listen(self._reactor.wake)
        try:
            self._gadget.attach()
        except OSError:
            self._stop_listening()
            self._reactor.close()
            raise
        self._reactor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the device off the bus, for good. A second call does nothing."""
        if not self._reactor.closed:
            self._reactor.close()
            self._stop_listening()

    @property
    def resource_name(self) -> str:
        """The VISA resource name."""
        return f"USB0::{self.identity.vendor:#06x}::{self.identity.product:#06x}::{self.identity.serial}::0::INSTR"

    def unplug(self) -> None:
        """Take the device off the bus, until `plug`; the instrument stays on."""
        self._reactor.request(lambda: self._unplug(None))

    def plug(self) -> None:
        """Put the device on the bus again."""
        self._reactor.request(self._plug)

    def inject(self, fault: Fault, count: int | None = 1) -> None:
        """Let something go wrong, see `ScpiServer.inject`.

        `Refuse` unplugs the device for its time, `Reboot` while it boots, `CloseMidReply` for a moment once the host
        has read so many bytes of a response; `Mute` lasts until a device clear or the next plugging. `Fragments` and
        `DropHurried` never strike.

        Raises:
            ValueError: When `count` is not positive.
            TimeoutError: When the server's thread is gone.
        """
        match fault:
            case Refuse(for_ns=for_ns):
                self._reactor.request(lambda: self._unplug(for_ns))
            case Reboot(boot_ns=boot_ns, mute_ns=mute_ns):
                self._reactor.request(lambda: self._reboot(boot_ns + mute_ns))
            case _:
                self._faults.arm(fault, count)

    def clear_faults(self) -> None:
        """Disarm every fault and plug the device in; what was muted stays so."""
        self._faults.clear()
        self._reactor.request(self._plug)

    def _heed_events(self) -> None:
        try:
            events = os.read(self._gadget.control, _EVENT.size * _MOST_EVENTS)
        except OSError as error:
            if error.errno in _GONE | {errno.EAGAIN}:
                return
            raise
        for setup, kind in _EVENT.iter_unpack(events):
            match kind:
                case _ if kind == _ENABLE:
                    self._begin()
                case _ if kind in {_DISABLE, _UNBIND}:
                    self._forget_host()
                case _ if kind == _SETUP:
                    self._answer(Setup.unpack(setup))

    def _begin(self) -> None:
        """A host has configured the device."""
        self._forget_host()
        self._endpoints = Endpoints(self._gadget, self._aio, lambda: self._unplug(_REPLUG_NS))
        self._session = UsbtmcSession(
            self.instrument.open_session(self.resource_name), self._endpoints,
            packet_size=self._endpoints.packet_size, faults=self._faults, clock=time.monotonic_ns,
        )  # fmt: skip

    def _forget_host(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = self._endpoints = None
        self._held.clear()

    def _answer(self, setup: Setup) -> None:
        answer = None if self._session is None else self._session.control(setup)
        try:
            if answer is not None:
                os.write(self._gadget.control, answer)
            elif setup.is_from_device:
                os.read(self._gadget.control, 0)  # against its direction: a stall
            else:
                os.write(self._gadget.control, b"")
        except OSError as error:  # the stall itself, or a host that has gone or given up meanwhile
            if error.errno not in _GONE:
                raise

    def _complete(self) -> None:
        for done in self._aio.done():
            packet = self._endpoints.completed(done) if self._endpoints is not None else None
            if packet is not None:
                self._held.append(packet)

    def _turn(self, now_ns: int) -> None:
        if self._plug_at_ns is not None and now_ns >= self._plug_at_ns:
            self._plug()
        self.instrument.operations.advance()
        session, endpoints = self._session, self._endpoints
        if session is None or endpoints is None:
            return
        try:
            if self._held and session.wants_input:
                session.receive(self._held.popleft())
            session.advance()
            if not self._held and self._endpoints is endpoints:
                endpoints.listen()
        except OSError as error:  # the host is on its way out; its event comes next
            if error.errno not in _GONE:
                raise

    def _next_due_ns(self) -> int | None:
        due = [self.instrument.operations.next_due_ns, self._plug_at_ns]
        if self._session is not None:
            due.append(self._session.next_due_ns)
        return min((each for each in due if each is not None), default=None)

    def _unplug(self, for_ns: int | None) -> None:
        self._plug_at_ns = None if for_ns is None else time.monotonic_ns() + for_ns
        self._gadget.detach()
        self._forget_host()

    def _plug(self) -> None:
        self._plug_at_ns = None
        self._gadget.attach()

    def _reboot(self, boot_ns: int) -> None:
        self._unplug(boot_ns)
        self.instrument.power_cycle()

    def _end(self) -> None:
        self._gadget.detach()
        self._forget_host()
        self._aio.close()
        self._gadget.close()
