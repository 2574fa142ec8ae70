"""The endpoints of a gadget: one packet at a time comes in, one transfer at a time goes out."""

import errno
import fcntl
import os
import struct
from collections.abc import Callable

from impairlab.sim_hardware.transports.usbtmc.aio import Completion, KernelAio
from impairlab.sim_hardware.transports.usbtmc.gadget import Gadget

_ENDPOINT_DESCRIPTOR = struct.Struct("<BBBBHBBB")
_GET_DESCRIPTOR = 2 << 30 | _ENDPOINT_DESCRIPTOR.size << 16 | ord("g") << 8 | 130
"""FUNCTIONFS_ENDPOINT_DESC (linux/usb/functionfs.h)."""

_HALTED = errno.EBADMSG
"""What a transfer against an endpoint's direction returns, which halts the endpoint (the kernel's functionfs.rst)."""


class Endpoints:
    """`Pipes` over a gadget that a host has configured.

    Args:
        gadget: Whose endpoints.
        aio: Where their transfers are submitted.
        unplug: Takes the gadget off the bus for a moment.

    Attributes:
        packet_size: wMaxPacketSize of the bulk endpoints at the speed of the bus.
    """

    def __init__(self, gadget: Gadget, aio: KernelAio, unplug: Callable[[], None]) -> None:
        self._gadget = gadget
        self._aio = aio
        self.unplug = unplug
        self.packet_size = _packet_size(gadget.bulk_out)
        self._reading: int | None = None
        self._sending: list[int] = []
        self._notifying: list[int] = []

    @property
    def in_busy(self) -> bool:
        """Whether a transfer waits on Bulk-IN for the host to read it."""
        return bool(self._sending)

    @property
    def interrupt_busy(self) -> bool:
        """Whether a packet waits on Interrupt-IN, behind one that the host may have read a moment ago."""
        return len(self._notifying) > 1

    def send(self, transfer: bytes) -> None:
        """Have the host find a transfer on Bulk-IN, ended by a packet that is not full."""
        self._sending.append(self._aio.write(self._gadget.bulk_in, transfer))
        if transfer and not len(transfer) % self.packet_size:
            self._sending.append(self._aio.write(self._gadget.bulk_in, b""))

    def take_back(self) -> None:
        """Take back what waits on Bulk-IN, the last first, so that none follows in its place."""
        for token in reversed(self._sending):
            self._aio.cancel(token)
        self._sending.clear()

    def notify(self, packet: bytes) -> None:
        """Have the host find a packet on Interrupt-IN."""
        self._notifying.append(self._aio.write(self._gadget.interrupt_in, packet))

    def halt_out(self) -> None:
        """Stall Bulk-OUT until the host clears that."""
        try:
            os.write(self._gadget.bulk_out, b"")
        except OSError as error:
            if error.errno != _HALTED:
                raise

    def listen(self) -> None:
        """Let one packet of Bulk-OUT come in, unless that is so already."""
        if self._reading is None:
            self._reading = self._aio.read(self._gadget.bulk_out, self.packet_size)

    def completed(self, done: Completion) -> bytes | None:
        """Take note that a transfer is over; return the packet where one came in."""
        if done.token in self._notifying:
            self._notifying.remove(done.token)
        elif done.token in self._sending:
            self._sending.remove(done.token)
        elif done.token == self._reading:
            self._reading = None
            return done.content if done.result >= 0 else None
        return None


def _packet_size(fd: int) -> int:
    descriptor = bytearray(_ENDPOINT_DESCRIPTOR.size)
    fcntl.ioctl(fd, _GET_DESCRIPTOR, descriptor)
    size: int = _ENDPOINT_DESCRIPTOR.unpack(descriptor)[4]
    return size & 0x7FF
