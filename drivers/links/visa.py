"""The VISA link: HiSLIP, VXI-11, USBTMC, GPIB and serial ports through PyVISA, with the contract of every link on top.

VISA's own error codes and time-outs say too little: PyVISA-py takes a peer that has gone for a slow one, and an answer
that comes late for the answer to the next question. So nothing is asked on a session after a failure: the link opens a
new one and greets the appliance again.
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic_ns, sleep
from typing import Literal, Unpack

import pyvisa
from pyvisa.constants import ResourceAttribute, StatusCode
from pyvisa.errors import VisaIOError
from pyvisa.resources import MessageBasedResource

from impairlab.drivers.links.in_step import bring_in_step
from impairlab.drivers.links.line_link import SECOND_NS, Channel, LineLink
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.pyvisa_py import (
    bytes_arrived,
    causes,
    close_leftovers,
    is_hislip,
    is_serial,
    read_some,
    session_of,
    watch_sockets,
)
from impairlab.drivers.links.usbtmc_channel import UsbtmcChannel, usb_interface_of
from impairlab.drivers.model.errors import ConnectError, ImpairlabError, SessionLimit

Backend = Literal["py", "ivi"]
"""PyVISA-py, or the VISA library that is installed on the system."""

_MILLISECOND_NS = 1_000_000
_GOODBYE_NS = SECOND_NS
_REPLUG_NS = SECOND_NS // 20
_GLANCE_NS = SECOND_NS // 4
_MESSAGE_AVAILABLE = 16
_LARGEST_PIECE = 65_536
_SINGLE_BYTES = 256
"""PyVISA-py forgets what it has read of a HiSLIP answer that does not end in time. So the first bytes are read one at a
time, to have them for the error; then pieces grow, because each read costs some 10 µs."""

_SERIAL = re.compile("ASRL", re.IGNORECASE)
_CHARACTER_NS = 10 * SECOND_NS // 9600
"""A serial port through VISA is 9600 8N1: its name cannot say otherwise."""

_LINK_REFUSED = re.compile(r"error creating link: (\d+)")
_OUT_OF_RESOURCES = 9
_FATAL = re.compile(r"received 'FatalError(?:: bytearray\(b['\"](.*)['\"]\))?")
_NO_SESSION_LEFT = re.compile(r"session|client|maximum", re.IGNORECASE)


class VisaLink(LineLink):
    """A `Link` through PyVISA.

    A USB device that was there and has gone is waited for, as long as making a connection may take.

    A deadline is kept to the millisecond, but for VXI-11 through PyVISA-py: a server that does not answer at all is
    given up one second after it. PyVISA-py waits 5 s for a HiSLIP connection, whatever `connect_timeout_ns` says. A
    serial port is set to 9600 8N1, and brought in step as by `SerialLink`.

    Args:
        resource_name: As VISA writes it, e.g. "TCPIP::192.0.2.7::hislip0::INSTR".
        backend: Which VISA: PyVISA-py, or the system's.
        options: See `LineLink`.

    Raises:
        ConnectError: Nobody answers there, or there is no such VISA.
        SessionLimit: The appliance has no session left.
    """

    def __init__(self, resource_name: str, *, backend: Backend = "py", **options: Unpack[LinkOptions]) -> None:
        self._resource_name = resource_name
        self._backend = backend
        self._had_session = False
        super().__init__(resource_name, **options)

    def _open(self, timeout_ns: int) -> Channel:
        until_ns = monotonic_ns() + timeout_ns
        while True:
            try:
                channel = self._open_once(timeout_ns)
            except ConnectError:
                if not (self._had_session and self._is_usb) or monotonic_ns() + _REPLUG_NS >= until_ns:
                    raise
            else:
                self._had_session = True
                return channel
            sleep(_REPLUG_NS / SECOND_NS)  # a USB device that comes back is not on the bus at once

    @property
    def _is_usb(self) -> bool:
        return self._resource_name.upper().startswith("USB")

    def _open_once(self, timeout_ns: int) -> Channel:
        until_ns = monotonic_ns() + timeout_ns
        try:
            manager = pyvisa.ResourceManager(f"@{self._backend}")
        except (OSError, ImportError, ValueError) as error:
            raise ConnectError(f"there is no VISA @{self._backend} here: {error}", appliance=self.name) from error
        try:
            resource = manager.open_resource(
                self._resource_name,
                open_timeout=-(-timeout_ns // _MILLISECOND_NS),
                resource_pyclass=MessageBasedResource,
            )
        except Exception as error:
            close_leftovers(error)
            raise self._no_way(error, timeout_ns) from error
        if not isinstance(resource, MessageBasedResource):
            raise ConnectError(f"{self._resource_name} takes no messages", appliance=self.name)
        usb = usb_interface_of(session_of(resource))
        if usb is None:
            return self._in_step(VisaChannel(resource), until_ns)
        try:
            return UsbtmcChannel(resource, usb, until_ns)
        except OSError as error:
            resource.close()
            raise self._no_way(error, timeout_ns) from error

    def _in_step(self, channel: VisaChannel, until_ns: int) -> VisaChannel:
        """Bring a serial port in step; every other interface is."""
        if _SERIAL.match(self._resource_name):
            try:
                bring_in_step(
                    channel,
                    self._marker,
                    name=self.name,
                    character_ns=_CHARACTER_NS,
                    until_ns=until_ns,
                    record=self._record,
                )
            except BaseException:
                channel.close()
                raise
        return channel

    def _no_way(self, error: Exception, timeout_ns: int) -> ImpairlabError:
        """Return what keeps the session from being opened, in the words of every link."""
        place = self._resource_name
        for cause in causes(error):
            match cause:
                case socket.gaierror():
                    return ConnectError(f"{place} does not resolve: {cause.strerror}", appliance=self.name)
                case ConnectionRefusedError():
                    return ConnectError(f"{place} refused the connection", appliance=self.name, retryable=True)
                case TimeoutError():
                    return ConnectError(f"no session at {place} in time", appliance=self.name, retryable=True)
                case OSError(errno=errno.EBUSY):
                    return SessionLimit(f"{place} is in use by another program", appliance=self.name, retryable=True)
                case OSError():
                    problem = f"{place} is unreachable: {cause.strerror or cause}"
                    return ConnectError(problem, appliance=self.name, retryable=True)
        text = " ".join(str(cause) for cause in causes(error))
        refusal, fatal = _LINK_REFUSED.search(text), _FATAL.search(text)
        if (refusal and int(refusal.group(1)) == _OUT_OF_RESOURCES) or (
            fatal and _NO_SESSION_LEFT.search(fatal.group(1) or "")
        ):
            return SessionLimit(f"{place} has no session left", appliance=self.name, retryable=True)
        return ConnectError(
            f"no session at {place} within {timeout_ns / SECOND_NS:g} s: {error}", appliance=self.name, retryable=True
        )


class VisaChannel:
    """An open VISA session as a `Channel`; owns it.

    END ends an answer, with or without a new line before it, so that a line always comes out.
    """

    def __init__(self, resource: MessageBasedResource) -> None:
        self._resource = resource
        self._py = session_of(resource)
        self._sockets = watch_sockets(self._py)
        self._piecemeal = is_hislip(self._py)
        self._timeout_ms = 0
        self._pieces = 0
        self._held = b""
        self._owed = False

    def send(self, content: bytes, until_ns: int) -> bool:
        """Send everything; False when `until_ns` came first."""
        self._owed = True
        self._pieces = 0
        self._held = b""
        with _as_oserror():
            self._keep_to(until_ns)
            try:
                self._resource.visalib.write(self._resource.session, content)
            except (VisaIOError, TimeoutError) as error:
                if not _is_timeout(error):
                    raise
                return False
        return True

    def receive(self, until_ns: int) -> bytes | None:
        """Return what arrives next; None when `until_ns` came first. The end of the stream is an OSError."""
        while monotonic_ns() < until_ns:
            with _as_oserror():
                self._keep_to(until_ns)
                content, ended = self._read(until_ns)
            if monotonic_ns() > until_ns and not ended and not content:
                break
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
        """Return what has arrived unasked, where PyVISA-py lets us look: b"" when the peer has gone.

        On the synchronous channel of HiSLIP and at a serial port that is what the peer has pushed. A VXI-11 server
        pushes nothing: its status byte tells whether a message is available.
        """
        if self._py is not None and is_serial(self._py):
            with _as_oserror():
                return self._read(monotonic_ns() + _GLANCE_NS)[0] if bytes_arrived(self._py) else None
        if not self._sockets or self._py is None:
            return None
        arrived = self._sockets[0].waiting()
        if arrived is not None or self._piecemeal:
            return arrived
        with _as_oserror():
            until_ns = monotonic_ns() + _GLANCE_NS
            self._keep_to(until_ns)
            self._owed = True
            status_byte, status = self._py.read_stb()
            self._owed = False
            if status < 0 or not status_byte & _MESSAGE_AVAILABLE:
                return None
            return self._read(until_ns)[0] or None

    def close(self) -> None:
        """Close the session. One that owes an answer is not talked to any more."""
        for sock in self._sockets:
            sock.until_ns = monotonic_ns() + _GOODBYE_NS
            if self._owed:
                with suppress(OSError):  # the peer was first
                    sock.shutdown(socket.SHUT_RDWR)
        with suppress(Exception):  # whatever a VISA says now, the session is over
            self._resource.close()

    def _keep_to(self, until_ns: int) -> None:
        left_ms = max(1, -((monotonic_ns() - until_ns) // _MILLISECOND_NS))
        if left_ms != self._timeout_ms:
            self._timeout_ms = left_ms
            self._resource.set_visa_attribute(ResourceAttribute.timeout_value, left_ms)
        for sock in self._sockets:
            sock.until_ns = until_ns

    def _read(self, until_ns: int) -> tuple[bytes, bool]:
        """Return the next piece, and whether END came with it; (b"", False) at a time-out."""
        most = _LARGEST_PIECE
        if self._piecemeal:
            self._pieces += 1
            most = min(1 << max(0, self._pieces - _SINGLE_BYTES), _LARGEST_PIECE)
        elif self._py is not None and is_serial(self._py):
            most = max(1, bytes_arrived(self._py))  # PyVISA-py counts the time-out anew for each byte that it waits for
        if self._py is not None:
            return read_some(self._py, most, until_ns)
        try:
            with self._resource.ignore_warning(StatusCode.success_max_count_read):
                content, status = self._resource.visalib.read(self._resource.session, most)
        except VisaIOError as error:
            if not _is_timeout(error):
                raise
            return b"", False
        return content, status in {StatusCode.success, StatusCode.success_termination_character_read}


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or (
        isinstance(error, VisaIOError) and error.error_code == StatusCode.error_timeout
    )


@contextmanager
def _as_oserror() -> Iterator[None]:
    """Turn whatever a VISA raises into what a `Channel` may raise; PyVISA-py lets out any exception of its insides."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error) or type(error).__name__) from error
