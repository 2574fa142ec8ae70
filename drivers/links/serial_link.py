"""The serial link: an instrument's console, opened for this process alone, and brought in step with it."""

from __future__ import annotations

import os
import select
import termios
from contextlib import suppress
from time import monotonic_ns
from typing import Unpack

import serial

from impairlab.drivers.links.in_step import bring_in_step
from impairlab.drivers.links.line_link import SECOND_NS, Channel, LineLink
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.serial_settings import SerialSettings
from impairlab.drivers.links.serial_text import SerialText
from impairlab.drivers.model.errors import ConnectError

_READ_SIZE = 4096
_MILLISECOND_NS = 1_000_000

_PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class SerialLink(LineLink):
    """A `Link` over a serial port.

    On opening, a line feed ends whatever the instrument has half received, and boot messages or answers that came too
    late are dropped; see `impairlab.drivers.links.in_step`. Only with a `marker` in the options is an answer that comes
    later still told from the next one.

    Args:
        device: The port, e.g. "/dev/lab/imp1-console"; best a name that stays the same when it is plugged in again.
        settings: Rate, character, flow control, ends of lines, echo.
        options: See `LineLink`. `connect_timeout_ns` bounds the draining and the wait for the mark too.

    Raises:
        ConnectError: There is no such port, it belongs to another process, it cannot be set so, it echoes unasked, or
            it does not stop talking.
        NoResponse: The marker's question was not answered.
    """

    def __init__(self, device: str, settings: SerialSettings | None = None, **options: Unpack[LinkOptions]) -> None:
        self._device = device
        self._settings = settings or SerialSettings()
        super().__init__(f"serial://{device}?{self._settings.query}", **options)

    def _open(self, timeout_ns: int) -> Channel:
        until_ns = monotonic_ns() + timeout_ns
        channel = SerialChannel(self._open_port(), SerialText(self._settings))
        character_ns = self._settings.character_bits * SECOND_NS // self._settings.baud
        try:
            bring_in_step(
                channel, self._marker, name=self.name, character_ns=character_ns, until_ns=until_ns, record=self._record
            )
        except BaseException:
            channel.close()
            raise
        return channel

    def _open_port(self) -> serial.Serial:
        settings = self._settings
        try:
            return serial.Serial(
                self._device, settings.baud, settings.bits, _PARITIES[settings.parity], settings.stop,
                timeout=0, write_timeout=0, xonxoff=settings.flow == "xonxoff", rtscts=settings.flow == "rtscts",
                exclusive=True,
            )  # fmt: skip
        except (OSError, ValueError, termios.error) as error:
            raise ConnectError(f"cannot open {self._device}: {error}", appliance=self.name, retryable=True) from error


class SerialChannel:
    """An open port as a `Channel`; owns it. An unplugged one is the end of the stream."""

    def __init__(self, port: serial.Serial, text: SerialText) -> None:
        self._port = port
        self._text = text
        self._descriptor = port.fileno()
        self._readable = select.poll()
        self._readable.register(self._descriptor, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(self._descriptor, select.POLLOUT)

    def send(self, content: bytes, until_ns: int) -> bool:
        """Send everything; False when `until_ns` came first."""
        content = self._text.outgoing(content)
        while content:
            try:
                content = content[os.write(self._descriptor, content) :]
            except BlockingIOError:
                if not self._writable.poll(max((until_ns - monotonic_ns()) / _MILLISECOND_NS, 0)):
                    return False
        return True

    def receive(self, until_ns: int) -> bytes | None:
        """Return what arrives next; b"" at the end of the stream, None when `until_ns` came first."""
        while True:
            while not self._readable.poll(max((until_ns - monotonic_ns()) / _MILLISECOND_NS, 0)):
                if monotonic_ns() >= until_ns:
                    return None
            if (content := self._read()) is not None:
                return content

    def waiting(self) -> bytes | None:
        """Return what has arrived already; b"" at the end of the stream, None when there is nothing."""
        while self._readable.poll(0):
            if (content := self._read()) is not None:
                return content
        return None

    def close(self) -> None:
        """Close the port; what is not sent yet is dropped, for a halted line would never let it go."""
        with suppress(OSError, termios.error):  # a port that was unplugged
            self._port.reset_output_buffer()
        with suppress(OSError, termios.error):
            self._port.close()

    def _read(self) -> bytes | None:
        """Return what is there; None where all of it was an echo."""
        try:
            arrived = os.read(self._descriptor, _READ_SIZE)
        except OSError:
            return b""  # a port that was unplugged: EIO
        return (self._text.incoming(arrived) or None) if arrived else b""
