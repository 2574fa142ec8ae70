"""A claim on devices: one driver at a time, by sockets that the kernel closes when their process ends.

An abstract Unix socket belongs to a network namespace, as devices do, and leaves no file behind.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable

from impairlab.drivers.model.errors import LockedByOther


class Claim:
    """Holds devices until it is closed.

    Args:
        devices: Their names.
        name: What errors call the appliance.

    Raises:
        LockedByOther: Another process, or another driver in this one, has one of them.
    """

    def __init__(self, devices: Iterable[str], name: str) -> None:
        self._sockets: list[socket.socket] = []
        try:
            for device in devices:
                self._sockets.append(_claimed(device, name))
        except LockedByOther:
            self.close()
            raise

    def close(self) -> None:
        """Let them go. A second call does nothing."""
        while self._sockets:
            self._sockets.pop().close()


def _claimed(device: str, name: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    where = f"\0impairlab-netem-{device}"
    try:
        sock.bind(where)
    except OSError as error:
        sock.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise LockedByOther(holder(device) or f"another process, which drives {device}", appliance=name) from error
    sock.listen()
    return sock


def holder(device: str) -> str | None:
    """Return who has a claim on a device; None where nobody has. Claims nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1)
        try:
            asking.connect(f"\0impairlab-netem-{device}")
        except ConnectionRefusedError:
            return None
        except OSError:
            return f"another process, which drives {device}"
        pid, _, _ = struct.unpack("iII", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return f"process {pid}, which drives {device}"
