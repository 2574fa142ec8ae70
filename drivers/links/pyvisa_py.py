"""What PyVISA-py keeps to itself: the sockets below a session, and the bytes that came before a time-out.

PyVISA-py 0.8 takes the end of a VXI-11 stream for silence, counts its time-outs anew with every packet, and drops what
it has read when one passes. Its sockets are replaced by ones that end at a deadline and say so when the peer has gone.
Where the attributes used here are missing, as with every other VISA, nothing is replaced.
"""

from __future__ import annotations

import select
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping
from time import monotonic_ns
from typing import Protocol

from pyvisa.constants import StatusCode
from pyvisa.resources import Resource

_SECOND_NS = 1_000_000_000
_READ_SIZE = 65_536
_VXI11_IO_TIMEOUT = 15
_VXI11_IO_ERROR = 17
_VXI11_END = 4
_VXI11_MARGIN_MS = 20
_PACKAGE = "pyvisa_py"
_SOCKETS = ("_sync", "_async", "sock")
"""Attributes of a session's interface; the first that is there carries answers."""


class Session(Protocol):
    """What is used of PyVISA-py's sessions, which are not typed."""

    interface: object

    def read(self, count: int) -> tuple[bytes | bytearray, StatusCode]:
        """Return up to `count` bytes, and with a time-out what came before it."""

    def read_stb(self) -> tuple[int, StatusCode]:
        """Return the status byte."""


class WatchedSocket(socket.socket):
    """A TCP socket whose every wait ends at one deadline; the end of the stream is an error.

    Attributes:
        until_ns: The deadline (monotonic); None for PyVISA-py's own time-outs.
    """

    until_ns: int | None = None

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive as a socket does.

        Raises:
            ConnectionResetError: At the end of the stream.
            TimeoutError: At the deadline.
        """
        self._hurry()
        content = super().recv(size, flags)
        if size and not content:
            raise ConnectionResetError("the peer closed the connection")
        return content

    def recv_into(self, buffer: bytearray | memoryview, nbytes: int = 0, flags: int = 0) -> int:  # type: ignore[override]
        """Receive as a socket does; see `recv`."""
        self._hurry()
        count = super().recv_into(buffer, nbytes, flags)
        if not count and (nbytes or len(buffer)):
            raise ConnectionResetError("the peer closed the connection")
        return count

    def waiting(self) -> bytes | None:
        """Return what has arrived, without waiting; b"" at the end of the stream, None when there is nothing."""
        readable = select.poll()
        readable.register(self, select.POLLIN)
        return super().recv(_READ_SIZE) if readable.poll(0) else None

    def _hurry(self) -> None:
        if self.until_ns is None:
            return
        left_ns = self.until_ns - monotonic_ns()
        if left_ns <= 0:
            raise TimeoutError("the deadline has passed")
        self.settimeout(left_ns / _SECOND_NS)


def session_of(resource: Resource) -> Session | None:
    """Return PyVISA-py's session below a resource; None where another VISA is below it."""
    library = resource.visalib
    if type(library).__module__.partition(".")[0] != _PACKAGE:
        return None
    sessions: Mapping[int, Session] = getattr(library, "sessions", {})
    return sessions.get(resource.session)


def is_hislip(session: Session | None) -> bool:
    """Say whether it is a HiSLIP session: one with two channels."""
    return hasattr(getattr(session, "interface", None), "_sync")


def is_serial(session: Session) -> bool:
    """Say whether it is the session of a serial port."""
    return hasattr(session.interface, "in_waiting")


def bytes_arrived(session: Session) -> int:
    """Return how many bytes wait at a serial port. Raises OSError when it was unplugged."""
    return int(getattr(session.interface, "in_waiting", 0))


def watch_sockets(session: Session | None) -> tuple[WatchedSocket, ...]:
    """Replace the sockets of a session by watched ones; return them, the one that carries answers first."""
    interface = getattr(session, "interface", None)
    watched = []
    for name in _SOCKETS:
        plain = getattr(interface, name, None)
        if isinstance(plain, socket.socket) and plain.type is socket.SOCK_STREAM:
            timeout = plain.gettimeout()
            replacement = WatchedSocket(fileno=plain.detach())
            replacement.settimeout(timeout)
            setattr(interface, name, replacement)
            watched.append(replacement)
    return tuple(watched)


def read_some(session: Session, most: int, until_ns: int) -> tuple[bytes, bool]:
    """Read up to `most` bytes, and whether END came with them; without END what came before a time-out.

    Raises:
        OSError: The session is of no use any more.
    """
    if hasattr(session.interface, "device_read"):
        return _read_vxi11(session, most, until_ns)
    content, status = session.read(most)
    if status < 0 and status != StatusCode.error_timeout:
        raise OSError(f"VISA status {status}")
    return bytes(content), status in {StatusCode.success, StatusCode.success_termination_character_read}


def _read_vxi11(session: Session, most: int, until_ns: int) -> tuple[bytes, bool]:
    """Make one device_read call: the session's own loop forgets what it has when a later call fails."""
    device_read: Callable[..., tuple[int, int, bytes | str]] = getattr(session.interface, "device_read")  # noqa: B009
    link, lock_timeout = getattr(session, "link", 0), getattr(session, "lock_timeout", 0)
    left_ms = max(0, (until_ns - monotonic_ns()) // 1_000_000)
    left_ms -= min(left_ms // 4, _VXI11_MARGIN_MS)  # so that what the server has by then comes before the deadline
    error, reason, content = device_read(link, most, left_ms, lock_timeout, 0, 0)
    if error == _VXI11_IO_ERROR and monotonic_ns() >= until_ns:
        return b"", False  # what PyVISA-py makes of the socket's own deadline
    if error not in {0, _VXI11_IO_TIMEOUT} or isinstance(content, str):
        raise OSError(f"VXI-11 error {int(error)}")
    return content, not error and bool(reason & _VXI11_END)


def close_leftovers(error: BaseException) -> None:
    """Close the sockets that PyVISA-py left open when it failed to open a session."""
    for each in causes(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if str(frame.f_globals.get("__name__", "")).startswith(_PACKAGE):
                for value in tuple(vars(frame.f_locals.get("self", None) or _Nothing()).values()):
                    if isinstance(value, socket.socket):
                        value.close()


class _Nothing:
    """Has no attributes."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, then what caused it, and so on."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
