"""One TCP or TLS connection whose arrivals are timed as they are read, and the pool that keeps idle ones."""

import asyncio
import ssl
import time
from collections import deque
from urllib.parse import urlsplit

from .spec import Connections


class Connection(asyncio.Protocol):
    """A connection to the service. Each piece of data carries the instant at which it was read from the kernel.

    A stream reader would hand the data over one pass of the loop later, when many streams are busy a noticeable while.
    """

    def __init__(self) -> None:
        self._arrived: deque[tuple[int, bytes]] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._failure: Exception | None = None
        self._closed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.uses = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.set_write_buffer_limits(high=0)  # so that "writable" means "all of it is in the kernel"

    def data_received(self, data: bytes) -> None:
        """asyncio: data was read."""
        self._arrived.append((time.monotonic_ns(), data))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone, with an error or by the peer's close."""
        self._failure = exc
        self._closed.set()
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        """asyncio: the kernel takes no more for now."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """asyncio: everything is in the kernel."""
        self._writable.set()

    @property
    def usable(self) -> bool:
        """Whether it stands and nothing unasked-for has arrived on it."""
        return not self._closed.is_set() and not self._arrived

    def address(self, end: str) -> tuple[str | None, int | None]:
        """Host and port of one end: `sockname` is ours, `peername` the service's."""
        pair = self._transport.get_extra_info(end) if self._transport else None
        return (str(pair[0]), int(pair[1])) if pair else (None, None)

    async def send(self, data: bytes) -> int:
        """Send; the monotonic instant at which the last byte was in the kernel.

        Raises:
            ConnectionError: The connection is gone.
        """
        if self._transport is None or self._closed.is_set():
            raise ConnectionResetError("the connection is closed")
        self._transport.write(data)
        await self._writable.wait()
        return time.monotonic_ns()

    async def receive(self) -> tuple[int, bytes]:
        """The next piece of data and its instant; empty data when the peer has closed in order.

        Raises:
            OSError: The connection was torn down.
        """
        while not self._arrived:
            if self._closed.is_set():
                if self._failure is not None:
                    raise self._failure
                return time.monotonic_ns(), b""
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        return self._arrived.popleft()

    def abort(self) -> None:
        """Drop the connection without waiting for anything."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed. `abort` first."""
        if self._transport is not None:
            await self._closed.wait()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class ConnectionPool:
    """Connections to one service: made when needed, and with the policy `pooled` kept and reused, last used first."""

    def __init__(self, url: str, policy: Connections) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        self._policy = policy
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()

    async def acquire(self) -> Connection:
        """An idle connection, or a new one. `uses` of it is 0 when it is new.

        Raises:
            OSError: No connection can be made.
        """
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            self._drop(connection)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self._host, self._port, ssl=self._ssl)
        self._open.add(connection)  # asyncio has set TCP_NODELAY on it
        return connection

    def release(self, connection: Connection, *, reusable: bool) -> None:
        """Give a connection back. One that is not `reusable` is dropped."""
        connection.uses += 1
        if reusable and connection.usable and self._policy == "pooled":
            self._idle.append(connection)
        else:
            self._drop(connection)

    async def close(self) -> None:
        """Drop every connection."""
        gone = tuple(self._open)
        for connection in gone:
            self._drop(connection)
        for connection in gone:
            await connection.wait_closed()

    def _drop(self, connection: Connection) -> None:
        connection.abort()
        self._open.discard(connection)
