"""A network namespace that is thrown away, in which things can be tried out where no packet passes."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from threading import Thread
from time import sleep, time_ns

from .socket import RouteSocket

_CLONE_NEWNET = 0x40000000
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 32, 33, 35
_BUFFER = 64 * 1024 * 1024
_PAYLOAD = struct.Struct("=qq")
_TIMESPEC = struct.Struct("@ll")
_MARK = -1
_LONGEST, _ANCILLARY = 2048, 64
_BUNCH, _PAUSE_S = 100, 0.005
_PATIENCE_S = 1.0

SMALLEST_PROBE = _PAYLOAD.size
"""Bytes of payload."""


class Spare:
    """A namespace of its own; its sockets keep it, and it ends when they are closed. A context manager.

    Attributes:
        route: To the kernel, in the namespace.

    Raises:
        PermissionError: This process may not make one.
    """

    def __init__(self) -> None:
        failures: list[OSError] = []

        def enter() -> None:
            try:
                self._unshare()
                self.route = RouteSocket()
                self._receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            except OSError as failure:
                failures.append(failure)

        thread = Thread(target=enter, name="netem-spare", daemon=True)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        self._is_listening = False

    def __enter__(self) -> Spare:  # noqa: PYI034 - as of `Host`
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it. A second call does nothing."""
        for each in (self.route, self._receiver, self._sender):
            each.close()

    def send_probes(self, count: int, size: int) -> None:
        """Send numbered packets to its loopback device, which is up, in bunches, so that no stop hits them all."""
        self._listen()
        for number in range(count):
            self._sender.send(_PAYLOAD.pack(number, time_ns()).ljust(size))
            if number % _BUNCH == _BUNCH - 1:
                sleep(_PAUSE_S)

    def receive_probes(self) -> list[tuple[int, int, int]]:
        """Return what came, up to a last packet that is sent now; without it, what comes before a second has passed.

        Returns:
            Of each packet, in the order in which they came: its number, how long it took, and when it came (ns).
        """
        self._listen()
        self._sender.send(_PAYLOAD.pack(_MARK, 0))
        came: list[tuple[int, int, int]] = []
        while True:
            try:
                data, told, _, _ = self._receiver.recvmsg(_LONGEST, _ANCILLARY)
            except socket.timeout:  # noqa: UP041 - its own class before Python 3.10, which a remote host may have
                return came
            number, sent_ns = _PAYLOAD.unpack_from(data)
            if number == _MARK:
                return came
            seconds, rest = _TIMESPEC.unpack(told[0][2])
            came_ns = seconds * 1_000_000_000 + rest
            came.append((number, came_ns - sent_ns, came_ns))

    def _listen(self) -> None:
        if self._is_listening:
            return
        self._receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._receiver.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._receiver.settimeout(_PATIENCE_S)
        self._receiver.bind(("127.0.0.1", 0))
        self._sender.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER)
        self._sender.connect(self._receiver.getsockname())
        self._is_listening = True

    @staticmethod
    def _unshare() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(ctypes.c_int(_CLONE_NEWNET)):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
