"""Filters: which class a packet goes to (flower), and what comes in sent through an ifb (matchall with mirred).

linux/pkt_cls.h, linux/tc_act/tc_mirred.h; net/sched/cls_flower.c.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .attributes import WireError, fields, nest, pack, pack_text, pack_u32, text_of, unpack
from .messages import (
    ACK,
    CREATE,
    DELETE_FILTER,
    DUMP,
    EXCLUSIVE,
    GET_FILTER,
    INGRESS,
    INGRESS_HANDLE,
    KIND,
    NEW_FILTER,
    OPTIONS,
    Message,
    Place,
    Request,
    add_qdisc,
)

ALL, IPV4, IPV6, VLAN = 0x0003, 0x0800, 0x86DD, 0x8100

_CLASS_ID, _ETH_TYPE, _IP_PROTOCOL = 1, 8, 9
_SOURCE, _DESTINATION = {4: 10, 16: 14}, {4: 12, 16: 16}
_PORTS = {6: (18, 19), 17: (20, 21)}
_VLAN_ID, _VLAN_ETH_TYPE, _TOS, _TOS_MASK = 23, 25, 73, 74
_DSCP_MASK = 0xFC

_MATCHALL_ACT, _ACT_KIND, _ACT_OPTIONS, _MIRRED_PARAMETERS = 2, 1, 2, 2
_MIRRED = struct.Struct("=IIiiiiI")
_STOLEN, _EGRESS_REDIRECT = 4, 1
_TC = struct.Struct("=BxxxiIII")

Prefix = tuple[bytes, bytes]
"""An address and its mask, 4 or 16 bytes each."""


@dataclass(frozen=True)
class Match:
    """What one flower filter matches; None is anything.

    Attributes:
        protocol: EtherType of the frame: ALL, IPV4, IPV6 or VLAN.
        vlan: Identifier; only with protocol VLAN.
        inner: EtherType behind the tag; only with protocol VLAN.
        ip_protocol: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
        dscp: 0 .. 63.
        source: Address of the sender.
        destination: Address of the receiver.
        source_port: With TCP or UDP.
        destination_port: With TCP or UDP.
    """

    protocol: int = ALL
    vlan: int | None = None
    inner: int | None = None
    ip_protocol: int | None = None
    dscp: int | None = None
    source: Prefix | None = None
    destination: Prefix | None = None
    source_port: int | None = None
    destination_port: int | None = None


@dataclass(frozen=True)
class FlowerFilter:
    """A filter in its place.

    Attributes:
        priority: Lower is asked first.
        class_id: Where packets that match go.
        match: What they are.
    """

    priority: int
    class_id: int
    match: Match


def add_filter(index: int, parent: int, filter_: FlowerFilter) -> Request:
    """Add a flower filter to a discipline."""
    place = Place(index, 0, parent, _info(filter_.priority, filter_.match.protocol))
    options = nest(OPTIONS, [pack_u32(_CLASS_ID, filter_.class_id), *_keys(filter_.match)])
    return Request(NEW_FILTER, ACK | CREATE | EXCLUSIVE, place.encode() + pack_text(KIND, "flower") + options)


def delete_filter(index: int, parent: int, priority: int, protocol: int) -> Request:
    """Remove all filters of one priority."""
    return Request(DELETE_FILTER, ACK, Place(index, 0, parent, _info(priority, protocol)).encode())


def list_filters(index: int, parent: int) -> Request:
    """Ask for the filters of a discipline."""
    return Request(GET_FILTER, DUMP, Place(index, 0, parent).encode())


def read_filter(message: Message) -> FlowerFilter | None:
    """Read an answer to `list_filters`; None for the head of a list and for what is no flower."""
    _, _, handle, _, info = fields(_TC, message.body, "a filter")
    told = unpack(message.body[_TC.size :])
    if text_of(told.get(KIND, b"")) != "flower" or not handle:
        return None
    keys = unpack(told.get(OPTIONS, b""))
    (class_id,) = fields(struct.Struct("=I"), keys.get(_CLASS_ID, bytes(4)), "a class")
    return FlowerFilter(info >> 16, class_id, _match(socket.ntohs(info & 0xFFFF), keys))


def add_ingress(index: int) -> Request:
    """Add the discipline that lets filters see what comes in."""
    return add_qdisc(Place(index, INGRESS_HANDLE, INGRESS), "ingress", b"")


def redirect_ingress(index: int, to: int) -> Request:
    """Send all that comes in at one device out through another, an ifb."""
    parameters = _MIRRED.pack(0, 0, _STOLEN, 0, 0, _EGRESS_REDIRECT, to)
    action = nest(1, [pack_text(_ACT_KIND, "mirred"), nest(_ACT_OPTIONS, [pack(_MIRRED_PARAMETERS, parameters)])])
    place = Place(index, 0, INGRESS_HANDLE, _info(1, ALL))
    options = nest(OPTIONS, [nest(_MATCHALL_ACT, [action])])
    return Request(NEW_FILTER, ACK | CREATE | EXCLUSIVE, place.encode() + pack_text(KIND, "matchall") + options)


def _info(priority: int, protocol: int) -> int:
    return priority << 16 | socket.htons(protocol)


def _keys(match: Match) -> Iterator[bytes]:
    if match.protocol != ALL:
        yield pack(_ETH_TYPE, struct.pack("!H", match.protocol))
    if match.vlan is not None:
        yield pack(_VLAN_ID, struct.pack("!H", match.vlan))
    if match.inner is not None:
        yield pack(_VLAN_ETH_TYPE, struct.pack("!H", match.inner))
    if match.ip_protocol is not None:
        yield pack(_IP_PROTOCOL, bytes([match.ip_protocol]))
    if match.dscp is not None:
        yield pack(_TOS, bytes([match.dscp << 2])) + pack(_TOS_MASK, bytes([_DSCP_MASK]))
    for prefix, kinds in ((match.source, _SOURCE), (match.destination, _DESTINATION)):
        if prefix is not None:
            kind = kinds[len(prefix[0])]
            yield pack(kind, prefix[0]) + pack(kind + 1, prefix[1])
    yield from _ports(match)


def _ports(match: Match) -> Iterator[bytes]:
    for port, at in ((match.source_port, 0), (match.destination_port, 1)):
        if port is not None:
            if match.ip_protocol not in _PORTS:
                raise WireError("a port wants TCP or UDP")
            yield pack(_PORTS[match.ip_protocol][at], struct.pack("!H", port))


def _match(protocol: int, keys: dict[int, bytes]) -> Match:
    def number(kind: int) -> int | None:
        return int.from_bytes(keys[kind], "big") if kind in keys else None

    def prefix(kinds: dict[int, int]) -> Prefix | None:
        return next(((keys[kind], keys[kind + 1]) for kind in kinds.values() if kind in keys), None)

    ip_protocol = number(_IP_PROTOCOL)
    source_port, destination_port = _PORTS.get(ip_protocol or 0, (None, None))
    tos = number(_TOS)
    return Match(
        protocol=protocol,
        vlan=number(_VLAN_ID),
        inner=number(_VLAN_ETH_TYPE),
        ip_protocol=ip_protocol,
        dscp=None if tos is None else tos >> 2,
        source=prefix(_SOURCE),
        destination=prefix(_DESTINATION),
        source_port=None if source_port is None else number(source_port),
        destination_port=None if destination_port is None else number(destination_port),
    )
