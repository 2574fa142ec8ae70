"""A listening socket on a reactor that can refuse connections for a while, as a box that boots does."""

import socket
import time
from collections.abc import Callable
from selectors import EVENT_READ

from impairlab.sim_hardware.transports.reactor import Reactor, bound_socket

_BACKLOG = 16


class Listener:
    """Accepts connections from construction on; used in the reactor's thread but for construction.

    Args:
        reactor: What waits for connections.
        sock: From `bound_socket`; owned from here on.
        on_connection: Called with each new connection, non-blocking, Nagle's algorithm off, and its peer's address.
    """

    def __init__(
        self, reactor: Reactor, sock: socket.socket, on_connection: Callable[[socket.socket, tuple[str, int]], None]
    ) -> None:
        self._reactor = reactor
        self._on_connection = on_connection
        self._sock = sock
        self.address: tuple[str, int] = self._sock.getsockname()[:2]
        self._accepting = False
        self.reopens_at_ns: int | None = None
        self.open()

    def open(self) -> None:
        """Accept connections from now on."""
        self.reopens_at_ns = None
        if not self._accepting:
            self._sock.listen(_BACKLOG)
            self._reactor.watch(self._sock, EVENT_READ, self._accept)
            self._accepting = True

    def refuse(self, for_ns: int | None) -> None:
        """Refuse connections, for `for_ns` or until `open`: what is bound but does not listen keeps the port."""
        if self._accepting:
            self._reactor.watch(self._sock, 0, self._accept)
            self._sock.close()
            self._sock = bound_socket(*self.address)
            self._accepting = False
        self.reopens_at_ns = None if for_ns is None else time.monotonic_ns() + for_ns

    def advance(self, now_ns: int) -> None:
        """Accept again when that is due."""
        if self.reopens_at_ns is not None and now_ns >= self.reopens_at_ns:
            self.open()

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def _accept(self, _: int) -> None:
        try:
            sock, peer = self._sock.accept()
        except OSError:
            return  # it has gone again, or this process has no file left for it
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._on_connection(sock, (str(peer[0]), int(peer[1])))
