"""Network namespaces with TAP ports, made by the process that will carry their packets; with or without root.

Linux only, from the standard library: unshare(2), user_namespaces(7), netdevice(7), arp(7) and the kernel's
Documentation/networking/tuntap.rst. A TAP without TUNSETOFFLOAD hands out whole, checksummed frames.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_SIOCSIFMTU, _SIOCSIFHWADDR, _SIOCSARP = 0x8922, 0x8924, 0x8955
_RTM_NEWLINK, _NLM_F_REQUEST_ACK, _IFLA_TXQLEN = 16, 0x1 | 0x4, 13
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_ARPHRD_ETHER, _ATF_COMPLETE_PERMANENT = 1, 0x02 | 0x04
_MTU = 1500
_QUEUED_FRAMES = 10_000
"""Frames that the kernel keeps while the engine is busy; its default of 1000 is 12 ms at 1 Gbit/s."""

TUN_DEVICE = Path("/dev/net/tun")


@dataclass(frozen=True, slots=True)
class Port:
    """A TAP to be: its name, its address and its hardware address, and those of its neighbour."""

    name: str
    interface: IPv4Interface
    hardware: bytes
    neighbour: IPv4Interface
    neighbour_hardware: bytes


def unshare_network() -> None:
    """Move this process into a network namespace of its own; where that needs rights, into a user namespace first.

    Raises:
        OSError: The kernel allows neither.
    """
    try:
        _unshare(_CLONE_NEWNET)
    except PermissionError:
        uid, gid = os.geteuid(), os.getegid()
        _unshare(_CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
        _unshare(_CLONE_NEWNET)


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(ctypes.c_int(flags)):
        code = ctypes.get_errno()
        what = "user" if flags == _CLONE_NEWUSER else "network"
        raise OSError(code, f"a {what} namespace: {os.strerror(code)}")


def open_network_namespace() -> int:
    """Return a descriptor that names the current network namespace and keeps it alive."""
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def prepare_namespace() -> None:
    """Bring up the loopback of the current namespace and keep IPv6 from talking on its ports by itself."""
    for scope in ("all", "default"):
        # A read-only /proc (some containers) leaves neighbour discovery on: noise in the counters, no harm.
        with contextlib.suppress(OSError):
            Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        _set(handle, _SIOCSIFFLAGS, "lo", struct.pack("H", _IFF_UP | _IFF_RUNNING))


def open_tap(port: Port) -> int:
    """Create a TAP in the current namespace, configured and up; return its non-blocking descriptor.

    Raises:
        OSError: TUN_DEVICE is missing or forbidden, or a setting is refused.
    """
    descriptor = os.open(TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", port.name.encode(), _IFF_TAP | _IFF_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
            _set(handle, _SIOCSIFHWADDR, port.name, struct.pack("H6s", _ARPHRD_ETHER, port.hardware))
            _set(handle, _SIOCSIFMTU, port.name, struct.pack("i", _MTU))
            _set(handle, _SIOCSIFADDR, port.name, _address(port.interface.ip.packed))
            _set(handle, _SIOCSIFNETMASK, port.name, _address(port.interface.netmask.packed))
            _set(handle, _SIOCSIFFLAGS, port.name, struct.pack("H", _IFF_UP | _IFF_RUNNING))
            _set_neighbour(handle, port)
        _set_queue_length(port.name, _QUEUED_FRAMES)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _set(handle: socket.socket, request: int, name: str, value: bytes) -> None:
    fcntl.ioctl(handle, request, struct.pack("16s24s", name.encode(), value))


def _address(packed: bytes) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, packed)


def _set_neighbour(handle: socket.socket, port: Port) -> None:
    """Without it the first packet would pay for an ARP exchange, impaired as well."""
    hardware = struct.pack("H6s8x", _ARPHRD_ETHER, port.neighbour_hardware)
    entry = _address(port.neighbour.ip.packed) + hardware + struct.pack("i16x", _ATF_COMPLETE_PERMANENT)
    fcntl.ioctl(handle, _SIOCSARP, entry + port.name.encode().ljust(16, b"\0"))


def _set_queue_length(name: str, frames: int) -> None:
    """By rtnetlink(7): the ioctl for it wants rights over the whole machine."""
    link = struct.pack("BxHiII", socket.AF_UNSPEC, 0, socket.if_nametoindex(name), 0, 0)
    body = link + struct.pack("HHI", 8, _IFLA_TXQLEN, frames)
    header = struct.pack("IHHII", 16 + len(body), _RTM_NEWLINK, _NLM_F_REQUEST_ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as route:
        route.send(header + body)
        code = -struct.unpack_from("i", route.recv(4096), 16)[0]
    if code:
        raise OSError(code, f"queue length of {name}: {os.strerror(code)}")
