"""The interrupt channel: calls the client back when a link requests service. It never waits for an answer."""

import contextlib
import errno
import selectors
import socket
from collections.abc import Callable

from impairlab.sim_hardware.transports.reactor import Watch
from impairlab.sim_hardware.transports.vxi11 import rpc
from impairlab.sim_hardware.transports.vxi11.protocol import CreateInterruptChannel, Procedure
from impairlab.sim_hardware.transports.vxi11.xdr import opaque

_READ_SIZE = 4096
_HIGHEST_PORT = 65_535


class InterruptChannel:
    """A connection to a client that listens; it opens without waiting.

    Args:
        host: The client's host.
        asked: Where the client listens there, and for which program.
        watch: Has the server's thread wait for the socket.
        on_change: Called when it is established or has failed.

    Attributes:
        established: Whether it can be used.
        failed: Whether it cannot be used any more.
    """

    def __init__(self, host: str, asked: CreateInterruptChannel, watch: Watch, on_change: Callable[[], None]) -> None:
        self.established = False
        self.failed = False
        self._asked = asked
        self._watch = watch
        self._on_change = on_change
        self._xid = 0
        kind = socket.SOCK_DGRAM if asked.over_udp else socket.SOCK_STREAM
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
        self._socket.settimeout(0)
        self._connect(host)

    def send(self, handle: bytes) -> None:
        """Tell the client that the link with this handle requests service; lost where the client does not read."""
        if not self.established or self.failed:
            return
        self._xid += 1
        asked = self._asked
        call = rpc.call(self._xid, asked.program, asked.version, Procedure.INTERRUPT_SRQ, opaque(handle))
        message = call if asked.over_udp else rpc.marked(call)
        try:
            sent = self._socket.send(message)
        except OSError:
            sent = 0
        if sent != len(message):
            self._fail()

    def close(self) -> None:
        """Close it; a second call does nothing."""
        if self._socket.fileno() >= 0:
            self._watch(self._socket, 0, self._receive)
            self._socket.close()
        self.failed = True

    def _connect(self, host: str) -> None:
        if not 0 < self._asked.port <= _HIGHEST_PORT:
            self._fail()
            return
        outcome = self._socket.connect_ex((host, self._asked.port))
        if outcome == errno.EINPROGRESS:
            self._watch(self._socket, selectors.EVENT_WRITE, self._connected)
        elif outcome:
            self._fail()
        else:
            self._establish()

    def _connected(self, _: int) -> None:
        self._watch(self._socket, 0, self._connected)
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fail()
        else:
            self._establish()
        self._on_change()

    def _establish(self) -> None:
        self.established = True
        self._watch(self._socket, selectors.EVENT_READ, self._receive)

    def _receive(self, _: int) -> None:
        """Drop replies; notice the end."""
        data = b""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            data = self._socket.recv(_READ_SIZE)
        if not data and not self._asked.over_udp:
            self._fail()

    def _fail(self) -> None:
        self.close()
