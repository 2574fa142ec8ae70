"""What the targets of network protocols share: a hostile connection that leaves nothing behind on this machine."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

DEADLINE_S = 8.0
"""Less than what counts as a hang, so that a server that says nothing is seen as that."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@contextmanager
def connection(address: tuple[str, int]) -> Iterator[socket.socket]:
    """Yield a socket that is reset in the end: thousands of closed ones would use up the ports."""
    with socket.create_connection(address, DEADLINE_S) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


def pour(sock: socket.socket, content: bytes, size: int) -> None:
    """Send `content` in pieces; the peer may have gone, which is its right."""
    try:
        for at in range(0, len(content), size):
            sock.sendall(content[at : at + size])
    except (BrokenPipeError, ConnectionResetError):
        return


def receive(sock: socket.socket, size: int) -> bytes:
    """Return exactly `size` bytes."""
    content = b""
    while len(content) < size:
        piece = sock.recv(size - len(content))
        assert piece, "the server has closed the connection of a client that did nothing wrong"
        content += piece
    return content


def drain(sock: socket.socket) -> None:
    """Take what has come unasked."""
    sock.setblocking(False)
    try:
        while sock.recv(65_536):
            continue
    except BlockingIOError:
        sock.settimeout(DEADLINE_S)
