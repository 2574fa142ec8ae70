"""Offloads that hide loss: what is lost as one super-packet of 45 segments is 45 losses, and is drawn for once.

A box between two ports must not have its hardware or driver merge what comes in (GRO, LRO); a host must not be handed
super-packets to send (gso_max_segs of the device, which unlike `ethtool -K gso off` acts above its discipline).
ioctl(2) with SIOCETHTOOL; linux/ethtool.h.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from array import array
from dataclasses import dataclass

_SIOCETHTOOL = 0x8946
_GET_GRO, _SET_GRO, _GET_FLAGS, _SET_FLAGS = 0x2B, 0x2C, 0x25, 0x26
_LRO = 1 << 15
_UNSUPPORTED = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENODEV}


@dataclass(frozen=True)
class Offloads:
    """What a device merges or hands on merged.

    Attributes:
        gro: Whether the kernel merges what comes in; None where the device cannot say.
        lro: Whether the hardware does.
        gso_segments: Most segments of a super-packet that is handed to it.
    """

    gro: bool | None
    lro: bool | None
    gso_segments: int


def merging(device: str) -> tuple[bool | None, bool | None]:
    """Return whether GRO and LRO are on; None where the device cannot say."""
    gro, flags = _get(device, _GET_GRO), _get(device, _GET_FLAGS)
    return None if gro is None else bool(gro), None if flags is None else bool(flags & _LRO)


def set_gro(device: str, *, on: bool) -> None:
    """Have what comes in merged by the kernel, or not. Raises OSError."""
    _ethtool(device, _SET_GRO, int(on))


def set_lro(device: str, *, on: bool) -> None:
    """Have what comes in merged by the hardware, or not. Raises OSError."""
    flags = _ethtool(device, _GET_FLAGS, 0)
    _ethtool(device, _SET_FLAGS, flags | _LRO if on else flags & ~_LRO)


def _get(device: str, command: int) -> int | None:
    try:
        return _ethtool(device, command, 0)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return None
        raise


def _ethtool(device: str, command: int, value: int) -> int:
    """Set or get one number. The kernel is handed the address of a structure, so it must not move meanwhile."""
    asked = array("I", [command, value])
    address, _ = asked.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCETHTOOL, struct.pack("16sP16x", device.encode(), address))
    return asked[1]
