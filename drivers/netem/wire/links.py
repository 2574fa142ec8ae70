"""Devices: the few things about them that traffic control needs (rtnetlink(7); linux/if_link.h, linux/if_addr.h)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from .attributes import fields, nest, pack_text, pack_u32, text_of, unpack
from .messages import (
    ACK,
    CREATE,
    DELETE_LINK,
    DUMP,
    EXCLUSIVE,
    GET_ADDRESS,
    GET_LINK,
    NEW_LINK,
    Message,
    Request,
)
from .route import Route

_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBi")
_NAME, _MTU, _INFO, _GSO_SEGMENTS = 3, 4, 18, 40
_INFO_KIND = 1
_LOCAL, _ADDRESS_OF_PEER = 2, 1
_UP = 1


@dataclass(frozen=True)
class Link:
    """A network device.

    Attributes:
        index: Its number.
        name: Its name.
        up: Whether it is.
        mtu: Bytes, of layer 3.
        gso_segments: Most segments in one super-packet that is handed to it; 1 means none is.
        kind: "veth", "ifb" and so on; "" for hardware.
    """

    index: int
    name: str
    up: bool
    mtu: int
    gso_segments: int
    kind: str


def links(route: Route) -> dict[str, Link]:
    """Return the devices of the namespace by name."""
    found = (_read_link(message) for message in route.ask(Request(GET_LINK, DUMP, _LINK.pack(0, 0, 0, 0, 0))))
    return {link.name: link for link in found}


def addresses(route: Route) -> Iterator[tuple[int, str]]:
    """Yield index of device and address, IPv4 and IPv6."""
    for message in route.ask(Request(GET_ADDRESS, DUMP, _ADDRESS.pack(0, 0, 0, 0, 0))):
        family, _, _, _, index = fields(_ADDRESS, message.body, "an address")
        told = unpack(message.body[_ADDRESS.size :])
        address = told.get(_LOCAL, told.get(_ADDRESS_OF_PEER))
        if address is not None and family in {socket.AF_INET, socket.AF_INET6}:
            yield index, str(ip_address(address))


def add_link(name: str, kind: str) -> Request:
    """Make a virtual device."""
    body = _LINK.pack(0, 0, 0, 0, 0) + pack_text(_NAME, name) + nest(_INFO, [pack_text(_INFO_KIND, kind)])
    return Request(NEW_LINK, ACK | CREATE | EXCLUSIVE, body)


def set_up(index: int) -> Request:
    """Bring a device up."""
    return Request(NEW_LINK, ACK, _LINK.pack(0, 0, index, _UP, _UP))


def set_gso_segments(index: int, segments: int) -> Request:
    """Say how many segments a super-packet that is handed to a device may have."""
    return Request(NEW_LINK, ACK, _LINK.pack(0, 0, index, 0, 0) + pack_u32(_GSO_SEGMENTS, segments))


def delete_link(index: int) -> Request:
    """Remove a virtual device."""
    return Request(DELETE_LINK, ACK, _LINK.pack(0, 0, index, 0, 0))


def _read_link(message: Message) -> Link:
    _, _, index, flags, _ = fields(_LINK, message.body, "a device")
    told = unpack(message.body[_LINK.size :])
    number = struct.Struct("=I")
    (mtu,) = fields(number, told.get(_MTU, bytes(4)), "an MTU")
    (segments,) = fields(number, told.get(_GSO_SEGMENTS, bytes(4)), "a number of segments")
    kind = text_of(unpack(told.get(_INFO, b"")).get(_INFO_KIND, b""))
    return Link(index, text_of(told.get(_NAME, b"")), bool(flags & _UP), mtu, segments, kind)
