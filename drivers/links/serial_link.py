"""The serial link: an instrument's console, opened for this process alone, drained of what it said before."""

from __future__ import annotations

import os
import select
import termios
from contextlib import suppress
from time import monotonic_ns
from typing import Unpack

import serial

from impairlab.drivers.links.line_link import SECOND_NS, Channel, LineLink
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.model.errors import ConnectError

DEFAULT_BAUD = 9600

_READ_SIZE = 4096
_MILLISECOND_NS = 1_000_000
_QUIET_NS = 30 * _MILLISECOND_NS
_MOST_DRAINED = 1 << 16


class SerialLink(LineLink):
    """A `Link` over a serial port, 8N1 without a handshake.

    On opening, a line feed ends whatever the instrument has half received, and what it says is dropped until it has
    been quiet for 30 ms, or two characters' time where that is longer: boot messages, or an answer that came too late.
    An answer later than that would meet the next question.

    Args:
        device: The port, e.g. "/dev/lab/imp1-console"; best a name that stays the same when it is plugged in again.
        baud: Bits per second.
        options: See `LineLink`. `connect_timeout_ns` bounds the draining too.

    Raises:
        ConnectError: There is no such port, it belongs to another process, or it does not stop talking.
    """

    def __init__(self, device: str, *, baud: int = DEFAULT_BAUD, **options: Unpack[LinkOptions]) -> None:
        self._device = device
        self._baud = baud
        super().__init__(f"serial://{device}?baud={baud}", **options)

    def _open(self, timeout_ns: int) -> Channel:
        until_ns = monotonic_ns() + timeout_ns
        try:
            port = serial.Serial(self._device, self._baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise ConnectError(f"cannot open {self._device}: {error}", appliance=self.name, retryable=True) from error
        channel = SerialChannel(port)
        try:
            quiet = channel.send(b"\n", until_ns) and self._drain(channel, until_ns)
        except OSError as error:
            channel.close()
            raise ConnectError(f"{self._device} went away: {error}", appliance=self.name, retryable=True) from error
        if not quiet:
            channel.close()
            raise ConnectError(f"{self._device} does not stop talking", appliance=self.name, retryable=True)
        return channel

    def _drain(self, channel: SerialChannel, until_ns: int) -> bool:
        """Drop what arrives until nothing does; False when that takes too long."""
        quiet_ns = max(_QUIET_NS, 20 * SECOND_NS // self._baud)
        drained = 0
        while (said := channel.receive(min(monotonic_ns() + quiet_ns, until_ns))) is not None:
            if not said:
                raise OSError("unplugged")
            drained += len(said)
            if drained > _MOST_DRAINED:
                return False
        return monotonic_ns() < until_ns


class SerialChannel:
    """An open port as a `Channel`; owns it. An unplugged one is the end of the stream."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._descriptor = port.fileno()
        self._readable = select.poll()
        self._readable.register(self._descriptor, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(self._descriptor, select.POLLOUT)

    def send(self, content: bytes, until_ns: int) -> bool:
        """Send everything; False when `until_ns` came first."""
        while content:
            try:
                content = content[os.write(self._descriptor, content) :]
            except BlockingIOError:
                if not self._writable.poll(max((until_ns - monotonic_ns()) / _MILLISECOND_NS, 0)):
                    return False
        return True

    def receive(self, until_ns: int) -> bytes | None:
        """Return what arrives next; b"" at the end of the stream, None when `until_ns` came first."""
        while not self._readable.poll(max((until_ns - monotonic_ns()) / _MILLISECOND_NS, 0)):
            if monotonic_ns() >= until_ns:
                return None
        return self._read()

    def waiting(self) -> bytes | None:
        """Return what has arrived already; b"" at the end of the stream, None when there is nothing."""
        return self._read() if self._readable.poll(0) else None

    def close(self) -> None:
        """Close the port."""
        with suppress(OSError, termios.error):  # a port that was unplugged
            self._port.close()

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _READ_SIZE)
        except OSError:
            return b""  # a port that was unplugged: EIO
