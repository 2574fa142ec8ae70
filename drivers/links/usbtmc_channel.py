"""USBTMC through PyVISA-py's USB session: its device and endpoints are used, its reading and writing is not.

PyVISA-py 0.8 writes with pyusb's own time-out of a second whatever was asked for, forgets what it has read when one
passes, does not tell whether END came, and has neither device clear nor serial poll. A USB device knows no connection
either: what one session has left behind lies there for the next. So the transfers are made here, and a session begins
with a device clear.

Source: USBTMC 1.0, 3 and 4.2.1; USB488 1.0, 4.3.1.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic_ns, sleep
from typing import Protocol

from pyvisa.resources import MessageBasedResource

from impairlab.drivers.links.pyvisa_py import Session

_DATA, _REQUEST = 1, 2
_HEADER = struct.Struct("<BBBxIBBxx")
_END = 1
_ATTRIBUTES_AT = 8
_MOST_RESPONSE = 16_000
_MOST_READ = 16_384
"""What the kernel takes in one piece; of several, those that came are lost when the device goes before the last."""
_LAST_TAG = 255

_TO_INTERFACE, _TO_ENDPOINT = 0xA1, 0x02
_INITIATE_CLEAR, _CHECK_CLEAR, _READ_STATUS_BYTE = 5, 6, 128
_CLEAR_FEATURE, _ENDPOINT_HALT = 1, 0
_SUCCESS, _PENDING = 1, 2
_STILL_THERE = 1
"""bmClear D0: packets wait on Bulk-IN that the host is to read (USBTMC 1.0, table 31)."""
_MESSAGE_AVAILABLE = 16
_FIRST_STATUS_TAG, _LAST_STATUS_TAG = 2, 127

_MILLISECOND_NS = 1_000_000
_GLANCE_NS = 250 * _MILLISECOND_NS
_GOODBYE_NS = 1_000 * _MILLISECOND_NS
_POLL_S = 0.005


class _Endpoint(Protocol):
    wMaxPacketSize: int  # noqa: N815 - pyusb's
    bEndpointAddress: int  # noqa: N815 - pyusb's

    def read(self, size: int, timeout: int) -> Sequence[int]: ...

    def write(self, data: bytes, timeout: int) -> int: ...


class _Device(Protocol):
    def ctrl_transfer(  # noqa: PLR0917 - pyusb's
        self, kind: int, request: int, value: int, index: int, length: int | None, timeout: int
    ) -> Sequence[int]: ...


class UsbInterface(Protocol):
    """What is used of PyVISA-py's USB interface, which is not typed."""

    usb_dev: _Device
    usb_send_ep: _Endpoint
    usb_recv_ep: _Endpoint
    usb_intr_in: _Endpoint | None
    usb_intf: object


def usb_interface_of(session: Session | None) -> UsbInterface | None:
    """Return the USB interface below PyVISA-py's session; None where there is none."""
    interface = getattr(session, "interface", None)
    return interface if hasattr(interface, "usb_recv_ep") and hasattr(interface, "usb_intr_in") else None


class UsbtmcChannel:
    """A `Channel` over a USBTMC device; owns the VISA resource. The device is cleared on construction.

    Args:
        resource: What to close in the end.
        interface: The device and its endpoints.
        until_ns: When the device must have been cleared.

    Raises:
        OSError: The device has gone, is in use, or does not let itself be cleared.
    """

    def __init__(self, resource: MessageBasedResource, interface: UsbInterface, until_ns: int) -> None:
        self._resource = resource
        self._device = interface.usb_dev
        self._out = interface.usb_send_ep
        self._in = interface.usb_recv_ep
        self._interrupt = interface.usb_intr_in
        self._number = int(getattr(interface.usb_intf, "bInterfaceNumber", 0))
        self._tag = 0
        self._status_tag = _FIRST_STATUS_TAG
        self._owed = False
        self._held = b""
        self._clear(until_ns)

    def send(self, content: bytes, until_ns: int) -> bool:
        """Send everything as one message; False when `until_ns` came first."""
        self._owed = True
        self._held = b""
        header = _HEADER.pack(_DATA, *self._next_tag(), len(content), _END, 0)
        return self._write(header + content + bytes(-len(content) % 4), until_ns)

    def receive(self, until_ns: int) -> bytes | None:
        """Return what arrives next; None when `until_ns` came first. END ends a line, with or without a new line."""
        while monotonic_ns() < until_ns:
            content, ended = self._read_response(until_ns)
            content = self._held + content
            self._held = b""
            if ended:
                self._owed = False
                return content if content.endswith(b"\n") else content + b"\n"
            if content.endswith(b"\n"):
                content, self._held = content[:-1], b"\n"  # END alone says whether this line is the last
            if content:
                return content
        return None

    def waiting(self) -> bytes | None:
        """Return what lies there unasked, as the status byte tells it; None where nothing does."""
        until_ns = monotonic_ns() + _GLANCE_NS
        self._owed = True
        available = self._status_byte(until_ns) & _MESSAGE_AVAILABLE
        self._owed = False
        return (self._read_response(until_ns)[0] or None) if available else None

    def close(self) -> None:
        """Close the session; a device that owes an answer is cleared, for whoever comes next."""
        if self._owed:
            with suppress(OSError):  # the device may have gone
                self._clear(monotonic_ns() + _GOODBYE_NS)
        with suppress(Exception):  # whatever a VISA says now, the session is over
            self._resource.close()

    def _next_tag(self) -> tuple[int, int]:
        self._tag = self._tag % _LAST_TAG + 1
        return self._tag, ~self._tag & 0xFF

    def _write(self, transfer: bytes, until_ns: int) -> bool:
        try:
            return self._out.write(transfer, _left_ms(until_ns)) == len(transfer)
        except OSError as error:
            if error.errno != errno.ETIMEDOUT:
                raise
            return False

    def _read_response(self, until_ns: int) -> tuple[bytes, bool]:
        """Ask for the next transfer of the response; return what came of it in time, and whether END came with it."""
        tag = self._next_tag()
        if not self._write(_HEADER.pack(_REQUEST, *tag, _MOST_RESPONSE, 0, 0), until_ns):
            return b"", False
        transfer, size = b"", 0
        ended = False
        while not ended:  # also when all is there: a packet of no bytes may follow
            packets, ended = self._read_packets(until_ns)
            transfer += packets
            if len(transfer) >= _HEADER.size:
                size = self._announced(transfer, tag)
        whole = len(transfer) >= _HEADER.size + size > _HEADER.size
        return transfer[_HEADER.size : _HEADER.size + size], whole and bool(transfer[_ATTRIBUTES_AT] & _END)

    @staticmethod
    def _announced(transfer: bytes, tag: tuple[int, int]) -> int:
        """Return the size of the response in a transfer."""
        kind, *echoed, size, _, _ = _HEADER.unpack_from(transfer)
        if (kind, tuple(echoed)) != (_REQUEST, tag) or size > _MOST_RESPONSE:
            raise OSError(errno.EPROTO, f"answered with a transfer of another: {transfer[: _HEADER.size].hex(' ')}")
        return int(size)

    def _read_packets(self, until_ns: int) -> tuple[bytes, bool]:
        """Return what the device sends next, and whether the transfer ended with it, or `until_ns` came first."""
        packet = self._in.wMaxPacketSize
        try:
            got = bytes(self._in.read(_MOST_READ, _left_ms(until_ns)))
        except OSError as error:
            if error.errno != errno.ETIMEDOUT:
                raise
            return b"", True
        return got, len(got) % packet != 0 or not got

    def _clear(self, until_ns: int) -> None:
        """Device clear (USBTMC 1.0, 4.2.1.6): input and output of the device are empty after it."""
        if self._ask(_INITIATE_CLEAR, 0, 1, until_ns)[0] != _SUCCESS:
            raise OSError(errno.EPROTO, "the device refuses to be cleared")
        while (told := self._ask(_CHECK_CLEAR, 0, 2, until_ns))[0] == _PENDING:
            if monotonic_ns() >= until_ns:
                raise OSError(errno.ETIMEDOUT, "the device is not clear in time")
            if told[1] & _STILL_THERE:
                self._read_packets(until_ns)
            sleep(_POLL_S)
        address = self._out.bEndpointAddress
        self._device.ctrl_transfer(_TO_ENDPOINT, _CLEAR_FEATURE, _ENDPOINT_HALT, address, None, _left_ms(until_ns))

    def _status_byte(self, until_ns: int) -> int:
        """Poll the device; 0 where it cannot be. A service request in between is passed over."""
        if self._interrupt is None:
            answer = self._ask(_READ_STATUS_BYTE, self._status_tag, 3, until_ns)
            return answer[2] if answer[0] == _SUCCESS else 0
        self._status_tag += 1
        if self._status_tag > _LAST_STATUS_TAG:
            self._status_tag = _FIRST_STATUS_TAG
        while self._ask(_READ_STATUS_BYTE, self._status_tag, 3, until_ns)[0] != _SUCCESS:
            self._interrupt.read(self._interrupt.wMaxPacketSize, _left_ms(until_ns))  # it is full: make room
        while True:
            tag, status = self._interrupt.read(self._interrupt.wMaxPacketSize, _left_ms(until_ns))[:2]
            if tag & 0x7F == self._status_tag:
                return status

    def _ask(self, request: int, value: int, length: int, until_ns: int) -> Sequence[int]:
        answer = self._device.ctrl_transfer(_TO_INTERFACE, request, value, self._number, length, _left_ms(until_ns))
        if len(answer) != length:
            raise OSError(errno.EPROTO, f"answered control request {request} with {len(answer)} bytes")
        return answer


def _left_ms(until_ns: int) -> int:
    """Return how long a transfer may take; at least a millisecond, because 0 would be for ever."""
    return max(1, -((monotonic_ns() - until_ns) // _MILLISECOND_NS))
