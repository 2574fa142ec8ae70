"""Serve an instrument on a raw TCP socket, one thread for all connections, with faults on demand.

Line feed ends a message in both directions; a carriage return before it is white space. A raw socket is a byte stream:
answers queue up, and no query is ever INTERRUPTED or UNTERMINATED. What a byte stream cannot carry, device clear and
service requests, goes over a control socket that a connection gets when it asks for its port.
"""

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread
from typing import Self

from impairlab.sim_hardware.faults import ArmedFaults, DropHurried, Fault, Mute, Reboot, Refuse, ReplyFault
from impairlab.sim_hardware.scpi.connection import Connection, Gone
from impairlab.sim_hardware.scpi.control_socket import ControlSocket
from impairlab.sim_hardware.scpi.instrument import Instrument

RAW_SCPI_PORT = 5025
"""Registered with IANA as scpi-raw."""

_BACKLOG = 128
_REQUEST_TIMEOUT_S = 10.0
_ACCEPT_REST_NS = 50_000_000
_LONGEST_WAIT_NS = 3_600_000_000_000
"""epoll takes no more than 24 days."""


class ScpiServer:
    """A listening socket and its thread; serves from construction until `close`.

    Args:
        instrument: What is served; its clock must be `time.monotonic_ns` for timed operations to end on their own.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        max_connections: A connection beyond these is closed as soon as it is accepted; None sets no cap.
        idle_close_ns: A connection that has sent nothing for so long is closed; None never closes.

    Raises:
        OSError: When the address cannot be had.
    """

    def __init__(
        self,
        instrument: Instrument,
        host: str = "127.0.0.1",
        port: int = RAW_SCPI_PORT,
        *,
        max_connections: int | None = None,
        idle_close_ns: int | None = None,
    ) -> None:
        self.instrument = instrument
        self._max_connections = max_connections
        self._idle_close_ns = idle_close_ns
        self._faults = ArmedFaults()
        self._connections: dict[socket.socket, Connection] = {}
        self._controls: dict[Connection, ControlSocket] = {}
        self._timed: set[Connection] = set()
        self._requests: deque[tuple[Callable[[], None], Event]] = deque()
        self._reopen_at_ns: int | None = None
        self._mute_until_ns = 0
        self._closing = False
        self._accepting = True
        self._listener = _bound_socket((host, port))
        self._listener.listen(_BACKLOG)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._awake, self._waker = socket.socketpair()
        self._awake.settimeout(0)
        self._waker.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._awake, selectors.EVENT_READ)
        self._stop_listening = instrument.listen(self._wake)
        self._thread = Thread(target=self._run, name=f"scpi-{self.address[1]}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and end the thread. A second call does nothing."""
        if self._closing:
            return
        self._closing = True
        self._wake()
        self._thread.join()
        self._stop_listening()
        self._waker.close()
        self._awake.close()

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def inject(self, fault: Fault, count: int | None = 1) -> None:
        """Let something go wrong, from the next occasion on.

        Args:
            fault: What. `Refuse` and `Reboot` happen at once, before this returns, and ignore `count`.
            count: How many replies (or, for `Mute`, connections) it strikes; None until `clear_faults`.

        Raises:
            ValueError: When `count` is not positive.
            TimeoutError: When the server's thread is gone.
        """
        match fault:
            case Refuse(for_ns=for_ns):
                self._request(lambda: self._stop_accepting(for_ns))
            case Reboot(boot_ns=boot_ns, mute_ns=mute_ns):
                self._request(lambda: self._reboot(boot_ns, mute_ns))
            case _:
                self._arm(fault, count)

    def clear_faults(self) -> None:
        """Disarm every fault and accept connections again; what was muted or scheduled stays so."""
        self._faults.clear()
        self._request(self._accept_again)

    def _arm(self, fault: ReplyFault | DropHurried | Mute, count: int | None) -> None:
        self._faults.arm(fault, count)

    def _request(self, action: Callable[[], None]) -> None:
        done = Event()
        self._requests.append((action, done))
        self._wake()
        if not done.wait(_REQUEST_TIMEOUT_S):
            raise TimeoutError("the server's thread did not answer")

    def _wake(self) -> None:
        try:
            self._waker.send(b"\0")
        except BlockingIOError:
            return  # as many wake-ups as the pipe holds are already on their way

    def _run(self) -> None:
        try:
            while not self._closing:
                self._turn()
        finally:
            for connection in tuple(self._connections.values()):
                self._drop(connection)
            self._selector.close()
            self._listener.close()

    def _turn(self) -> None:
        for key, events in self._selector.select(self._timeout_s()):
            if key.fileobj is self._awake:
                self._answer_wake()
            elif key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.data, Connection):
                self._serve(key.data, events)
            elif isinstance(key.data, ControlSocket):
                key.data.serve()
                self._look_after(key.data.data)
        self._act_on_time()

    def _serve(self, connection: Connection, events: int) -> None:
        if connection.sock not in self._connections:
            return  # closed by something that happened earlier in this turn
        try:
            if events & selectors.EVENT_WRITE:
                connection.send_unsent()
            if events & selectors.EVENT_READ:
                now = time.monotonic_ns()
                if now >= self._mute_until_ns:
                    connection.receive(now)
                else:
                    connection.receive_in_vain(now)
        except Gone:
            self._drop(connection)
        else:
            self._look_after(connection)

    def _poll(self, connection: Connection, now_ns: int) -> None:
        try:
            connection.poll(now_ns)
        except Gone:
            self._drop(connection)
        else:
            self._look_after(connection)

    def _look_after(self, connection: Connection) -> None:
        if connection.sock not in self._connections:
            return
        self._watch(connection)
        if connection.next_due_ns is not None:
            self._timed.add(connection)
        else:
            self._timed.discard(connection)
        if self._controls and connection in self._controls:
            self._controls[connection].tell_service_request()

    def _control_port(self, connection: Connection) -> int:
        """Return the port of the connection's control socket, which is opened now; 0 when none can be had."""
        if connection not in self._controls:
            try:
                self._controls[connection] = ControlSocket(self.address[0], self._selector, connection)
            except OSError:
                return 0
        return self._controls[connection].port

    def _answer_wake(self) -> None:
        self._awake.recv(4096)
        while self._requests:
            action, done = self._requests.popleft()
            action()
            done.set()
        now = time.monotonic_ns()
        for connection in tuple(self._connections.values()):
            if connection.waits or connection in self._controls:
                self._poll(connection, now)

    def _accept(self) -> None:
        try:
            sock, peer = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no file descriptor is left; one may be soon
            self._rest_from_accepting()
            return
        if self._max_connections is not None and len(self._connections) >= self._max_connections:
            sock.close()
            return
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = self.instrument.open_session(f"LAN{peer[0]}:{peer[1]}")
        connection = Connection(sock, session, self._faults, time.monotonic_ns())
        session.control_port = lambda: self._control_port(connection)
        self._connections[sock] = connection
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Have the selector wait for what the connection can do, if that has changed."""
        wanted = selectors.EVENT_READ * connection.wants_to_read | selectors.EVENT_WRITE * connection.wants_to_write
        watched = connection.watched_events
        if wanted == watched:
            return
        if not wanted:
            self._selector.unregister(connection.sock)
        elif watched:
            self._selector.modify(connection.sock, wanted, connection)
        else:
            self._selector.register(connection.sock, wanted, connection)
        connection.watched_events = wanted

    def _drop(self, connection: Connection) -> None:
        self._forget(connection)
        connection.close()

    def _forget(self, connection: Connection) -> None:
        del self._connections[connection.sock]
        self._timed.discard(connection)
        if control := self._controls.pop(connection, None):
            control.close()
        if connection.watched_events:
            self._selector.unregister(connection.sock)

    def _timeout_s(self) -> float | None:
        due = [self.instrument.operations.next_due_ns, self._reopen_at_ns]
        due.extend(connection.next_due_ns for connection in self._timed)
        if self._idle_close_ns is not None:
            due.extend(each.last_heard_ns + self._idle_close_ns for each in self._connections.values())
        earliest = min((each for each in due if each is not None), default=None)
        return None if earliest is None else min(max(0, earliest - time.monotonic_ns()), _LONGEST_WAIT_NS) / 1e9

    def _act_on_time(self) -> None:
        now = time.monotonic_ns()
        if self._reopen_at_ns is not None and now >= self._reopen_at_ns:
            self._accept_again()
        self.instrument.operations.advance()
        for connection in tuple(self._timed):
            if connection.next_due_ns is not None and now >= connection.next_due_ns:
                self._poll(connection, now)
        if self._idle_close_ns is not None:
            for connection in tuple(self._connections.values()):
                if now - connection.last_heard_ns >= self._idle_close_ns:
                    self._drop(connection)

    def _reboot(self, boot_ns: int, mute_ns: int) -> None:
        self._stop_accepting(boot_ns)
        self._mute_until_ns = time.monotonic_ns() + boot_ns + mute_ns
        for connection in tuple(self._connections.values()):
            self._forget(connection)
            connection.reset()
        self.instrument.power_cycle()

    def _stop_accepting(self, for_ns: int | None) -> None:
        """Refuse connections: a socket that is bound but does not listen keeps the port meanwhile."""
        if self._accepting:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = _bound_socket(self.address)
            self._accepting = False
        self._reopen_at_ns = None if for_ns is None else time.monotonic_ns() + for_ns

    def _rest_from_accepting(self) -> None:
        self._selector.unregister(self._listener)
        self._accepting = False
        self._reopen_at_ns = time.monotonic_ns() + _ACCEPT_REST_NS

    def _accept_again(self) -> None:
        self._reopen_at_ns = None
        if not self._accepting:
            self._listener.listen(_BACKLOG)
            self._selector.register(self._listener, selectors.EVENT_READ)
            self._accepting = True


def _bound_socket(address: tuple[str, int]) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(0)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
