"""The one thread of a server: it waits for its sockets, for instants, and for those who wake it."""

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread

_LONGEST_WAIT_NS = 3_600_000_000_000
"""epoll takes no more than 24 days, and a client may name any time."""
_REQUEST_TIMEOUT_S = 10.0
_READ_SIZE = 4096

OnEvents = Callable[[int], None]
"""Called with what a socket is ready for: `selectors.EVENT_READ`, `EVENT_WRITE` or both."""

Watch = Callable[[socket.socket, int, OnEvents], None]
"""`Reactor.watch`, for those who own a socket."""


class Reactor:
    """Calls back from a thread of its own, from `start` until `close`.

    Args:
        name: Of the thread.
        on_turn: Called after every round of events, wake-ups included, with the time in monotonic nanoseconds.
        next_due_ns: Tells when `on_turn` is due next, whatever happens; None leaves it to events.
        on_end: Called as the last thing of the thread, to close sockets.
    """

    def __init__(
        self,
        name: str,
        *,
        on_turn: Callable[[int], None],
        next_due_ns: Callable[[], int | None],
        on_end: Callable[[], None],
    ) -> None:
        self._on_turn = on_turn
        self._next_due_ns = next_due_ns
        self._on_end = on_end
        self._requests: deque[tuple[Callable[[], None], Event]] = deque()
        self._closing = False
        self._awake, self._waker = socket.socketpair()
        self._awake.settimeout(0)
        self._waker.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._awake, selectors.EVENT_READ, self._answer_wake)
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; sockets may be watched before."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and wait for it. A second call does nothing."""
        if self._closing:
            return
        self._closing = True
        if self._thread.ident is None:
            self._end()
        else:
            self.wake()
            self._thread.join()
        self._waker.close()
        self._awake.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing

    def wake(self) -> None:
        """Have a round soon; from any thread."""
        try:
            self._waker.send(b"\0")
        except BlockingIOError:
            return  # as many wake-ups as the pipe holds are already on their way

    def request(self, action: Callable[[], None]) -> None:
        """Have the thread do `action` and wait until it is done; from any other thread.

        Raises:
            TimeoutError: When the thread is gone.
        """
        done = Event()
        self._requests.append((action, done))
        self.wake()
        if not done.wait(_REQUEST_TIMEOUT_S):
            raise TimeoutError("the server's thread did not answer")

    def watch(self, sock: socket.socket | int, events: int, on_events: OnEvents) -> None:
        """Have `on_events` called when a socket or descriptor is ready for one of `events`; 0 ends that."""
        watched = self._selector.get_map().get(sock)
        if watched is None:
            if events:
                self._selector.register(sock, events, on_events)
        elif not events:
            self._selector.unregister(sock)
        elif watched.events != events:
            self._selector.modify(sock, events, on_events)

    def _run(self) -> None:
        try:
            while not self._closing:
                self._turn()
        finally:
            self._end()

    def _end(self) -> None:
        self._on_end()
        self._selector.close()

    def _turn(self) -> None:
        due = self._next_due_ns()
        timeout_s = None if due is None else min(max(0, due - time.monotonic_ns()), _LONGEST_WAIT_NS) / 1e9
        for key, events in self._selector.select(timeout_s):
            current = self._selector.get_map().get(key.fd)
            if current is not None and current.data is key.data:  # not closed earlier in this turn
                key.data(events)
        self._on_turn(time.monotonic_ns())

    def _answer_wake(self, _: int) -> None:
        self._awake.recv(_READ_SIZE)
        while self._requests:
            action, done = self._requests.popleft()
            action()
            done.set()


def bound_socket(host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Return a non-blocking socket bound to an address that was just in use or not. Raises `OSError`."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(0)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
