"""Where a server is reached, for connections and for datagrams; both can pause as in a reboot."""

import contextlib
import selectors
import socket
import time
from collections.abc import Callable

from impairlab.sim_hardware.transports.reactor import Watch, bound_socket

_BACKLOG = 64
_REST_NS = 50_000_000
_LARGEST_DATAGRAM = 65_535


class Listener:
    """Accepts connections.

    Args:
        sock: Bound; owned from here on.
        watch: Has the server's thread wait for the socket.
        accept: Called with each connection, non-blocking and without delay, and the peer's host and port.

    Attributes:
        port: Where it listens.
        due_ns: When `go_on` is due; None while it is not.
    """

    def __init__(
        self, sock: socket.socket, watch: Watch, accept: Callable[[socket.socket, tuple[str, int]], None]
    ) -> None:
        name: tuple[str, int] = sock.getsockname()[:2]
        self._host, self.port = name
        self._socket = sock
        self._watch = watch
        self._accept = accept
        self._listening = False
        self.due_ns: int | None = None
        self.resume()

    def resume(self) -> None:
        """Accept connections; again, after a pause."""
        if not self._listening:
            self._socket.listen(_BACKLOG)
            self._watch(self._socket, selectors.EVENT_READ, self._on_events)
            self._listening = True

    def pause(self) -> None:
        """Refuse connections: a socket that is bound but does not listen keeps the port meanwhile."""
        if self._listening:
            self.close()
            self.due_ns = None
            self._socket = bound_socket(self._host, self.port)
            self._listening = False

    def go_on(self, now_ns: int) -> None:
        """Accept again if it has rested long enough."""
        if self.due_ns is not None and now_ns >= self.due_ns:
            self.due_ns = None
            self._watch(self._socket, selectors.EVENT_READ, self._on_events)

    def close(self) -> None:
        """Close the socket."""
        self._watch(self._socket, 0, self._on_events)
        self._socket.close()

    def _on_events(self, _: int) -> None:
        try:
            sock, peer = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no file descriptor is left; one may be soon
            self._watch(self._socket, 0, self._on_events)
            self.due_ns = time.monotonic_ns() + _REST_NS
            return
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accept(sock, peer[:2])


class Datagrams:
    """Answers datagrams.

    Args:
        sock: Bound; owned from here on.
        watch: Has the server's thread wait for the socket.
        answer: Returns what is answered to a datagram; None where nothing is.
    """

    def __init__(self, sock: socket.socket, watch: Watch, answer: Callable[[bytes], bytes | None]) -> None:
        self._socket = sock
        self._watch = watch
        self._answer = answer
        self._paused = False
        self.resume()

    def resume(self) -> None:
        """Answer; again, after a pause."""
        self._paused = False
        self._watch(self._socket, selectors.EVENT_READ, self._on_events)

    def pause(self) -> None:
        """Take datagrams in and answer none, as a host does that is starting."""
        self._paused = True

    def close(self) -> None:
        """Close the socket."""
        self._watch(self._socket, 0, self._on_events)
        self._socket.close()

    def _on_events(self, _: int) -> None:
        try:
            datagram, peer = self._socket.recvfrom(_LARGEST_DATAGRAM)
        except OSError:
            return  # told late that an answer could not be delivered
        answer = None if self._paused else self._answer(datagram)
        if answer is not None:
            with contextlib.suppress(OSError):  # nobody is there any more, or no room: a datagram may get lost
                self._socket.sendto(answer, peer)
