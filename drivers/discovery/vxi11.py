"""VXI-11: every port mapper on the network is asked where the instruments' program listens (RFC 1833, 3)."""

from __future__ import annotations

import fcntl
import select
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import monotonic_ns

from impairlab.drivers.discovery import asking
from impairlab.drivers.discovery.found import Found, MeansUnavailable

PORTMAPPER_PORT = 111
CORE_PROGRAM = 0x0607AF

_CALL, _REPLY = 0, 1
_RPC_VERSION = 2
_PORTMAPPER, _PORTMAPPER_VERSION, _GET_PORT = 100_000, 2, 3
_CORE_VERSION = 1
_TCP = 6
_NO_AUTHENTICATOR = (0, 0)
_SECOND_NS = 1_000_000_000
_REPLY_SIZE = 1024
_XID = 0x494C4142
_GET_BROADCAST_ADDRESS = 0x8919
"""SIOCGIFBRDADDR (Linux, netdevice(7))."""


def question(xid: int) -> bytes:
    """Return the call that asks for the TCP port of the instruments' program."""
    header = (xid, _CALL, _RPC_VERSION, _PORTMAPPER, _PORTMAPPER_VERSION, _GET_PORT)
    arguments = (CORE_PROGRAM, _CORE_VERSION, _TCP, 0)
    return struct.pack(">14I", *header, *_NO_AUTHENTICATOR, *_NO_AUTHENTICATOR, *arguments)


def port_told(reply: bytes, xid: int) -> int | None:
    """Return the port that a reply tells; None where it tells none, or is no reply to this call."""
    try:
        told_xid, kind, denied, _, verifier = struct.unpack_from(">5I", reply)
        status, port = struct.unpack_from(">2I", reply, 20 + (verifier + 3) // 4 * 4)
    except struct.error:
        return None
    answered = (told_xid, kind, denied, status) == (xid, _REPLY, 0, 0)
    return port if answered and 0 < port <= 0xFFFF else None


def broadcast_addresses() -> list[str]:
    """Return the IPv4 broadcast address of each network that this machine is on."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # an interface without an IPv4 address
                told = fcntl.ioctl(sock, _GET_BROADCAST_ADDRESS, struct.pack("256s", name.encode()))
                found.append(socket.inet_ntoa(told[20:24]))
    return [each for each in dict.fromkeys(found) if each != "0.0.0.0"]  # noqa: S104 - loopback has none


def find(timeout_ns: int, targets: Sequence[str] | None = None, port: int = PORTMAPPER_PORT) -> list[Found]:
    """Ask, and wait for answers.

    Args:
        timeout_ns: How long to wait.
        targets: Whom to ask, addresses or broadcast addresses; None is everybody on this machine's networks, and this
            machine.
        port: Where port mappers listen.

    Raises:
        MeansUnavailable: Nobody can be asked.
    """
    until_ns = monotonic_ns() + timeout_ns
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        _ask(sock, [*broadcast_addresses(), "127.0.0.1"] if targets is None else targets, port)
        hosts = dict.fromkeys(_answering(sock, until_ns))
    return [Found(f"TCPIP::{host}::inst0::INSTR", "vxi11") for host in hosts]


def identified(found: Found, timeout_ns: int) -> Found:
    """Return it with the answer to *IDN?, for which a VXI-11 link is made; as it was where no such answer comes.

    A host whose port mapper accepts connections and then says nothing takes PyVISA-py's own 5 s.
    """
    return asking.identified(found, found.address, timeout_ns) or found


def _ask(sock: socket.socket, targets: Sequence[str], port: int) -> None:
    refused: OSError | None = None
    asked = 0
    for target in targets:
        try:
            sock.sendto(question(_XID), (target, port))
            asked += 1
        except OSError as error:  # one network of several may be down
            refused = error
    if not asked:
        raise MeansUnavailable(f"VXI-11: nobody can be asked: {refused or 'no network'}")


def _answering(sock: socket.socket, until_ns: int) -> Iterator[str]:
    while (left_ns := until_ns - monotonic_ns()) > 0:
        if not select.select([sock], [], [], left_ns / _SECOND_NS)[0]:
            return
        try:
            reply, (host, _) = sock.recvfrom(_REPLY_SIZE)
        except OSError:  # a host without port mapper says so by ICMP
            continue
        if port_told(reply, _XID) is not None:
            yield host
