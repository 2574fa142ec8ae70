"""Scripted peers: the far end of a link, doing exactly what a test says, well or badly."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from typing import Protocol

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire(Protocol):
    """The peer's end of one connection."""

    def read_line(self) -> str | None:
        """Return the next line without its LF; None when the other side has gone."""

    def send(self, content: bytes) -> None:
        """Send bytes; nothing when the other side has gone."""

    def close(self) -> None:
        """End the connection in the ordinary way."""


Script = Callable[[int, Wire], None]
"""Serve one connection, given its number from 1; the connection is closed when it returns."""


class SocketWire:
    """A `Wire` over a connected socket; owns it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._lines = sock.makefile("rb")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read_line(self) -> str | None:
        """Return the next line without its LF; None when the other side has gone."""
        try:
            line = self._lines.readline()
        except OSError:
            return None
        return line[:-1].decode() if line.endswith(b"\n") else None

    def read(self, size: int) -> bytes | None:
        """Return exactly `size` bytes; None when the other side has gone."""
        try:
            content = self._lines.read(size)
        except OSError:
            return None
        return content if len(content) == size else None

    def send(self, content: bytes) -> None:
        """Send bytes; nothing when the other side has gone."""
        try:
            self._socket.sendall(content)
        except OSError:
            return

    def hang_up(self) -> None:
        """End the connection from another thread; the one that serves it then finds the end of the stream."""
        with suppress(OSError):  # it has ended by itself
            self._socket.shutdown(socket.SHUT_RDWR)

    def encrypted(self, context: ssl.SSLContext) -> SocketWire | None:
        """Return this connection behind TLS, as its server; None when the other side refuses."""
        try:
            return SocketWire(context.wrap_socket(self._socket, server_side=True))
        except OSError:
            return None

    def close(self) -> None:
        """Close the socket, in the ordinary way."""
        self._lines.close()
        with suppress(OSError):  # the other side was first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def reset(self) -> None:
        """Have the other side see a reset, as from a host that has lost its state."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._lines.close()
        self._socket.close()


class _TcpPeer:
    def __init__(self, script: Callable[[int, SocketWire], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._lock = Lock()
        self._sockets: list[socket.socket] = []
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        # A listening socket that is only closed leaves accept() waiting; shut down, it returns.
        self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for sock in self._sockets:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # closed by the script already
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            with self._lock:
                self._sockets.append(sock)
            thread = Thread(target=self._serve, args=(number, SocketWire(sock)))
            self._threads.append(thread)
            thread.start()

    def _serve(self, number: int, wire: SocketWire) -> None:
        self._script(number, wire)
        wire.close()


@contextmanager
def tcp_peer(script: Callable[[int, SocketWire], None]) -> Iterator[tuple[str, int]]:
    """Serve connections on a free local TCP port by a script, each in a thread of its own; yields (host, port)."""
    peer = _TcpPeer(script)
    try:
        yield peer.address
    finally:
        peer.close()


def answering(answer: Callable[[str], str]) -> Script:
    """Return the script of a well-behaved peer that answers every line with a line."""

    def serve(_number: int, wire: Wire) -> None:
        while (line := wire.read_line()) is not None:
            wire.send(answer(line).encode() + b"\n")

    return serve
