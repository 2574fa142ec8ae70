"""Claims on devices: one driver at a time, by sockets that the kernel closes when their process ends.

An abstract Unix socket belongs to a network namespace, as devices do, and leaves no file behind.
"""

from __future__ import annotations

import errno
import socket
import struct


def claim(device: str) -> socket.socket | None:
    """Return what holds a device until it is closed; None where somebody else has it. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(_where(device))
    except OSError as error:
        sock.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
    sock.listen()
    return sock


def holder(device: str) -> str | None:
    """Return who has a claim on a device; None where nobody has. Claims nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1)
        try:
            asking.connect(_where(device))
        except ConnectionRefusedError:
            return None
        except OSError:
            return f"another process, which drives {device}"
        pid, _, _ = struct.unpack("iII", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return f"process {pid}, which drives {device}"


def _where(device: str) -> str:
    return f"\0impairlab-netem-{device}"
