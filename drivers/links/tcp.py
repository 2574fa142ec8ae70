"""The raw-socket link (SCPI port 5025 and its like): a refused, closed or vanished peer is known at once."""

from __future__ import annotations

import select
import socket
import struct
from time import monotonic_ns
from typing import Unpack

from impairlab.drivers.links.line_link import SECOND_NS, Channel, LineLink
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.model.errors import ConnectError

_READ_SIZE = 65_536
_WITHOUT_WAITING = int(socket.MSG_DONTWAIT)
_MILLISECOND_NS = 1_000_000
_TIMEVAL = struct.Struct("@ll")
_KEEPALIVE_IDLE_S = 10
_KEEPALIVE_INTERVAL_S = 5
_KEEPALIVE_PROBES = 3
_VANISHED_AFTER_MS = 20_000


def connect_tcp(host: str, port: int, timeout_ns: int, name: str) -> socket.socket:
    """Return a connected socket that hurries and that notices a vanished peer, see `TcpLink`.

    Args:
        host: Name or address.
        port: TCP port.
        timeout_ns: How long it may take.
        name: What errors call the appliance.

    Raises:
        ConnectError: Refused, unreachable, not in time, or the name does not resolve.
    """
    place = f"{host} port {port}"
    try:
        sock = socket.create_connection((host, port), timeout_ns / SECOND_NS)
    except socket.gaierror as error:
        raise ConnectError(f"{host!r} does not resolve: {error.strerror}", appliance=name) from error
    except ConnectionRefusedError as error:
        raise ConnectError(f"{place} refused the connection", appliance=name, retryable=True) from error
    except TimeoutError as error:
        problem = f"no connection within {timeout_ns / SECOND_NS:g} s to {place}"
        raise ConnectError(problem, appliance=name, retryable=True) from error
    except OSError as error:
        problem = f"{place} is unreachable: {error.strerror or error}"
        raise ConnectError(problem, appliance=name, retryable=True) from error
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _watch_for_a_vanished_peer(sock)
    return sock


class TcpLink(LineLink):
    """A `Link` over TCP.

    Nagle's algorithm is off (with it a write followed by a query waits out the peer's delayed acknowledgement). A peer
    that vanishes without a word is given up after 20 s to 25 s, by keepalive probes and TCP_USER_TIMEOUT (RFC 5482).

    Args:
        host: Name or address.
        port: TCP port.
        options: See `LineLink`.

    Raises:
        ConnectError: Refused, unreachable, or the name does not resolve.
    """

    def __init__(self, host: str, port: int, **options: Unpack[LinkOptions]) -> None:
        self._host = host
        self._port = port
        super().__init__(f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}", **options)

    def _open(self, timeout_ns: int) -> Channel:
        return TcpChannel(connect_tcp(self._host, self._port, timeout_ns, self.name))


class TcpChannel:
    """A socket of `connect_tcp` as a `Channel`; owns the socket.

    How long to wait for an answer is told to the kernel (SO_RCVTIMEO, in whole milliseconds, rounded up, and only when
    it has changed), so that an exchange is two system calls and a look for stray bytes.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(sock, select.POLLOUT)
        self._be_patient(1)

    def send(self, content: bytes, until_ns: int) -> bool:
        """Send everything; False when `until_ns` came first."""
        while True:
            try:
                sent = self._socket.send(content, _WITHOUT_WAITING)
            except BlockingIOError:
                if not self._writable.poll(max((until_ns - monotonic_ns()) / _MILLISECOND_NS, 0)):
                    return False
                continue
            if sent == len(content):
                return True
            content = content[sent:]

    def receive(self, until_ns: int) -> bytes | None:
        """Return what arrives next; b"" at the end of the stream, None when `until_ns` came first."""
        left_ms = (until_ns - monotonic_ns()) // _MILLISECOND_NS + 1
        if left_ms != self._patience_ms:
            self._be_patient(left_ms)
        try:
            return self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return None

    def waiting(self) -> bytes | None:
        """Return what has arrived already; b"" at the end of the stream, None when there is nothing."""
        return self._socket.recv(_READ_SIZE) if self._readable.poll(0) else None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _be_patient(self, wait_ms: int) -> None:
        seconds, milliseconds = divmod(max(wait_ms, 1), 1000)  # 0 would be for ever
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL.pack(seconds, 1000 * milliseconds))
        self._patience_ms = wait_ms


def _watch_for_a_vanished_peer(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _KEEPALIVE_IDLE_S),
        ("TCP_KEEPINTVL", _KEEPALIVE_INTERVAL_S),
        ("TCP_KEEPCNT", _KEEPALIVE_PROBES),
        ("TCP_USER_TIMEOUT", _VANISHED_AFTER_MS),
    ):
        option = getattr(socket, name, None)
        if option is not None:  # not every platform has them all
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
