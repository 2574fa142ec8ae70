"""The control socket beside a raw-socket connection: device clear and service requests, which a byte stream has not.

SYSTem:COMMunicate:TCPip:CONTrol? tells its port. `DCL` clears the data connection and is echoed when that is done;
`SRQ +<status byte>` comes unasked when a new reason for service comes up (Keysight, socket connections of LXI
instruments).
"""

import selectors
import socket

from impairlab.sim_hardware.scpi.connection import Connection

_LONGEST_LINE = 64
_DEVICE_CLEAR = b"DCL"


class ControlSocket:
    """Listens on a port of its own for one controller at a time; served by the thread of the data connection.

    Args:
        host: Address to listen on.
        selector: Where its sockets are registered, with this object as data.
        data: The data connection.

    Attributes:
        data: As given.

    Raises:
        OSError: When no port can be had.
    """

    def __init__(self, host: str, selector: selectors.BaseSelector, data: Connection) -> None:
        self._selector = selector
        self.data = data
        data.session.watches_service = True
        self._peer: socket.socket | None = None
        self._line = b""
        self._is_open = True
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=1)
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]
        selector.register(self._listener, selectors.EVENT_READ, self)

    def close(self) -> None:
        """Close the port and the connection to it."""
        self._selector.unregister(self._listener)
        self._listener.close()
        self._is_open = False
        self._drop_peer()

    def serve(self) -> None:
        """Take in whoever connects and what arrives, as far as there is something."""
        if self._is_open:
            self._accept()
            self._receive()

    def tell_service_request(self) -> None:
        """Tell the controller of a new reason for service, once."""
        if self._peer is not None and self.data.session.service_requested:
            self._send(f"SRQ +{self.data.session.serial_poll():d}\n".encode("ascii"))

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # as a rule that nobody is there
            return
        if self._peer is not None:
            sock.close()
            return
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer = sock
        self._selector.register(sock, selectors.EVENT_READ, self)

    def _receive(self) -> None:
        if self._peer is None:
            return
        try:
            content = self._peer.recv(_LONGEST_LINE)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if not content:
            self._drop_peer()
            return
        *lines, rest = (self._line + content).split(b"\n")
        self._line = rest[:_LONGEST_LINE]
        for line in lines:
            if line.strip().upper() == _DEVICE_CLEAR:
                self.data.device_clear()
                self._send(_DEVICE_CLEAR + b"\n")

    def _send(self, line: bytes) -> None:
        try:
            sent = self._peer.send(line) if self._peer is not None else 0
        except OSError:
            sent = 0
        if sent < len(line):
            self._drop_peer()  # it does not read, or it is gone

    def _drop_peer(self) -> None:
        if self._peer is not None:
            self._selector.unregister(self._peer)
            self._peer.close()
        self._peer, self._line = None, b""
