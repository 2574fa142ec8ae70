"""The filter of a flow: its registers, in a shadow and a working copy, and what it selects in terms of the model.

Sources: xoa-cli reference, PEF_ commands; PyPI tdl-xoa-driver 1.11.0 for defaults, and for the words of protocols.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from itertools import accumulate
from typing import Any

from pydantic import ValidationError

from impairlab.drivers.model import Filter
from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.parameters import Coded, HexBytes, Integer, Ipv4, Ipv6, Many, Parameter, Values
from impairlab.sim_hardware.chimera.status import Status, StatusError

OFF_ON = {"OFF": 0, "ON": 1}
_USE = {"OFF": 0, "AND": 1}
_ACTION = {"EXCLUDE": 0, "INCLUDE": 1}
_BASIC, _EXTENDED = 0, 1
_VLAN_ONE, _IP4, _IP6 = 1, 1, 2
_OFF = 0
MOST_SEGMENT_BYTES = 128

_ORDERED = """
ETHERNET VLAN ARP IP IPV6 UDP TCP LLC SNAP GTP ICMP RTP RTCP STP SCTP MACCTRL MPLS PBBTAG FCOE FC FCOETAIL IGMPV3L0
IGMPV3L1 UDPCHECK IGMPV2 MPLS_TP_OAM GRE_NOCHECK GRE_CHECK TCPCHECK GTPV1L0 GTPV1L1 GTPV2L0 GTPV2L1 IGMPV1 PWETHCTRL
VXLAN ETHERNET_8023 NVGRE DHCPV4 GENEVE XENA_TPLD XENA_TPLD_PI XENA_MICROTPLD ETHERNET_FCS MACCTRLPFC ECPRI ROE
ETHERTYPE
"""
_LONGEST_RAW = 150
PROTOCOLS = {name: code for code, name in enumerate(_ORDERED.split(), start=1)}
PROTOCOLS |= {f"RAW_{length}": 256 - length for length in range(1, _LONGEST_RAW + 1)}
_LENGTHS = {"ETHERNET": 12, "ETHERTYPE": 2, "VLAN": 4, "ARP": 28, "IP": 20, "IPV6": 40, "UDP": 8, "TCP": 20, "MPLS": 4}
_LENGTHS |= {"ECPRI": 8}
_LENGTH_OF = {PROTOCOLS[name]: length for name, length in _LENGTHS.items()}
_LENGTH_OF |= {256 - length: length for length in range(1, _LONGEST_RAW + 1)}


def _on_off(name: str = "use") -> Coded:
    return Coded(name, OFF_ON)


def _use_and_action() -> tuple[Parameter, ...]:
    return Coded("use", _USE), Coded("action", _ACTION)


REGISTERS: Mapping[str, tuple[tuple[Parameter, ...], Values]] = {
    "ENABLE": ((_on_off("state"),), (0,)),
    "ETHSETTINGS": (_use_and_action(), (0, 1)),
    "ETHSRCADDR": ((_on_off(), HexBytes("value", 6), HexBytes("mask", 6)), (0, bytes(6), b"\xff" * 6)),
    "ETHDESTADDR": ((_on_off(), HexBytes("value", 6), HexBytes("mask", 6)), (0, bytes(6), b"\xff" * 6)),
    "L2PUSE": ((Coded("use", {"NA": 0, "VLAN1": 1, "VLAN2": 2, "MPLS": 3}),), (0,)),
    "VLANSETTINGS": (_use_and_action(), (0, 1)),
    "VLANTAG": ((_on_off(), Integer("value", 0, 4095), HexBytes("mask", 2)), (0, 0, b"\x0f\xff")),
    "VLANPCP": ((_on_off(), Integer("value", 0, 7, size=1), HexBytes("mask", 1)), (0, 0, b"\x07")),
    "MPLSSETTINGS": (_use_and_action(), (0, 1)),
    "MPLSLABEL": ((_on_off(), Integer("value", 0, 2**20 - 1), HexBytes("mask", 3)), (0, 0, b"\x0f\xff\xff")),
    "MPLSTOC": ((_on_off(), Integer("value", 0, 7, size=1), HexBytes("mask", 1)), (0, 0, b"\x07")),
    "L3USE": ((Coded("use", {"NA": 0, "IP4": 1, "IP6": 2}),), (0,)),
    "IPV4SETTINGS": (_use_and_action(), (0, 1)),
    "IPV4SRCADDR": ((_on_off(), Ipv4("value"), HexBytes("mask", 4)), (0, bytes(4), b"\xff" * 4)),
    "IPV4DESTADDR": ((_on_off(), Ipv4("value"), HexBytes("mask", 4)), (0, bytes(4), b"\xff" * 4)),
    "IPV4DSCP": ((_on_off(), Integer("value", 0, 255, size=1), HexBytes("mask", 1)), (0, 0, b"\xfc")),
    "IPV6SETTINGS": (_use_and_action(), (0, 1)),
    "IPV6SRCADDR": ((_on_off(), Ipv6("value"), HexBytes("mask", 16)), (0, bytes(16), b"\xff" * 16)),
    "IPV6DESTADDR": ((_on_off(), Ipv6("value"), HexBytes("mask", 16)), (0, bytes(16), b"\xff" * 16)),
    "IPV6TC": ((_on_off(), Integer("value", 0, 255, size=1), HexBytes("mask", 1)), (0, 0, b"\xfc")),
    "UDPSETTINGS": (_use_and_action(), (0, 1)),
    "UDPSRCPORT": ((_on_off(), Integer("value", 0, 65535), HexBytes("mask", 2)), (0, 0, b"\xff\xff")),
    "UDPDESTPORT": ((_on_off(), Integer("value", 0, 65535), HexBytes("mask", 2)), (0, 0, b"\xff\xff")),
    "TCPSETTINGS": (_use_and_action(), (0, 1)),
    "TCPSRCPORT": ((_on_off(), Integer("value", 0, 65535), HexBytes("mask", 2)), (0, 0, b"\xff\xff")),
    "TCPDESTPORT": ((_on_off(), Integer("value", 0, 65535), HexBytes("mask", 2)), (0, 0, b"\xff\xff")),
    "ANYSETTINGS": (_use_and_action(), (0, 1)),
    "ANYCONFIG": (
        (Integer("position", 0, 127, size=1), HexBytes("value", 6), HexBytes("mask", 6)),
        (0, bytes(6), b"\xff" * 6),
    ),
    "TPLDSETTINGS": ((Coded("action", _ACTION),), (1,)),
    "TPLDCONFIG": ((_on_off(), Integer("id", 0, 2015)), (0, 0)),
    "MODE": ((Coded("mode", {"BASIC": 0, "EXTENDED": 1}),), (0,)),
    "PROTOCOL": ((Many("segment_list", Coded("segment", PROTOCOLS), 64),), ((1,),)),
    "VALUE": ((HexBytes("value", None, most=MOST_SEGMENT_BYTES),), (b"",)),
    "MASK": ((HexBytes("masks", None, most=MOST_SEGMENT_BYTES),), (b"",)),
}
"""The registers: their parameters, and their values before anything is written."""

SUB_INDICES: Mapping[str, int] = {"VLANTAG": 2, "VLANPCP": 2, "TPLDCONFIG": 16, "VALUE": 64, "MASK": 64}
"""Registers that there are several of in a copy, and how many."""

Registers = Mapping[tuple[str, int], Values]
"""What has been written; everything else is at its default."""

Bytes = Mapping[str, bytes]


def register(registers: Registers, name: str, index: int = 0) -> Values:
    """Return the values of a register."""
    if name in {"VALUE", "MASK"}:
        return (_segment_bytes(registers, name, index),)
    return registers.get((name, index), REGISTERS[name][1])


def written(registers: Registers, name: str, index: int, values: Values) -> Registers:
    """Return the registers with one written. Raises StatusError."""
    if name == "PROTOCOL":
        return _with_protocol(registers, values)
    if name in {"VALUE", "MASK"}:
        return _with_segment(registers, name, index, values)
    others = {key: kept for key, kept in registers.items() if key != (name, index)}
    return others if values == REGISTERS[name][1] else {**others, (name, index): values}


def _spans(registers: Registers) -> list[tuple[int, int]]:
    """Return where each segment begins and ends; the first is all of them."""
    (codes,) = register(registers, "PROTOCOL")
    lengths = [_LENGTH_OF.get(code, 0) for code in codes] if isinstance(codes, tuple) else []
    ends = list(accumulate(lengths))
    return [(0, ends[-1] if ends else 0), *((end - length, end) for end, length in zip(ends, lengths, strict=True))]


def _whole(registers: Registers, name: str) -> bytes:
    stored = registers.get((name, 0), (b"",))[0]
    length = _spans(registers)[0][1]
    return (stored if isinstance(stored, bytes) else b"")[:length].ljust(length, b"\0")


def _segment_bytes(registers: Registers, name: str, index: int) -> bytes:
    spans = _spans(registers)
    if index >= len(spans):
        raise StatusError(Status.BADINDEX)
    begin, end = spans[index]
    return _whole(registers, name)[begin:end]


def _with_segment(registers: Registers, name: str, index: int, values: Values) -> Registers:
    spans = _spans(registers)
    if index >= len(spans):
        raise StatusError(Status.BADINDEX)
    begin, end = spans[index]
    (content,) = values
    if not isinstance(content, bytes) or len(content) > end - begin:
        raise StatusError(Status.BADSIZE)
    whole = _whole(registers, name)
    return {**registers, (name, 0): (whole[:begin] + content.ljust(end - begin, b"\0") + whole[end:],)}


def _with_protocol(registers: Registers, values: Values) -> Registers:
    (codes,) = values
    if not isinstance(codes, tuple) or not codes or codes[0] != PROTOCOLS["ETHERNET"]:
        raise StatusError(Status.BADVALUE)
    if any(code not in _LENGTH_OF for code in codes):
        raise house.FILTER_BEYOND_MODEL.error()
    changed = {**registers, ("PROTOCOL", 0): values}
    if _spans(changed)[0][1] > MOST_SEGMENT_BYTES:
        raise StatusError(Status.BADVALUE)
    return {**changed, ("VALUE", 0): (_whole(changed, "VALUE"),), ("MASK", 0): (_whole(changed, "MASK"),)}


def selection(registers: Registers) -> Filter | None:
    """Return what the registers select in terms of the model; None for nothing.

    Raises:
        StatusError: <NOTSUPPORTED>, for what the data plane cannot tell.
    """
    if register(registers, "ENABLE") == (_OFF,):
        return None
    if register(registers, "MODE") == (_EXTENDED,):
        if any(_whole(registers, "MASK")):
            raise house.FILTER_BEYOND_MODEL.error()
        return Filter()
    fields: dict[str, Any] = {}
    for name, value in _basic(registers):
        if fields.setdefault(name, value) != value:
            raise house.FILTER_BEYOND_MODEL.error()
    try:
        return Filter(**fields)
    except ValidationError:
        raise house.FILTER_BEYOND_MODEL.error() from None


def _basic(registers: Registers) -> Iterator[tuple[str, object]]:
    for name in ("ETH", "MPLS", "ANY"):
        if _is_used(registers, name) and (name != "ETH" or _fields_on(registers, "ETHSRCADDR", "ETHDESTADDR")):
            raise house.FILTER_BEYOND_MODEL.error()
    if any(register(registers, "TPLDCONFIG", index)[0] for index in range(SUB_INDICES["TPLDCONFIG"])):
        raise house.FILTER_BEYOND_MODEL.error()
    if _is_used(registers, "VLAN"):
        yield "vlan", _vlan(registers)
    for name, version, dscp in (("IPV4", _IP4, "IPV4DSCP"), ("IPV6", _IP6, "IPV6TC")):
        if _is_used(registers, name):
            if register(registers, "L3USE") != (version,):
                raise house.FILTER_BEYOND_MODEL.error()
            yield from _addresses(registers, name)
            yield from _exact(registers, dscp, "dscp", b"\xfc", shift=2)
    for name in ("UDP", "TCP"):
        if _is_used(registers, name):
            yield "protocol", name.lower()
            yield from _exact(registers, f"{name}SRCPORT", "source_port", b"\xff\xff")
            yield from _exact(registers, f"{name}DESTPORT", "destination_port", b"\xff\xff")


def _is_used(registers: Registers, name: str) -> bool:
    use, action = register(registers, f"{name}SETTINGS")
    if use and not action:
        raise house.FILTER_BEYOND_MODEL.error()
    return bool(use)


def _fields_on(registers: Registers, *names: str) -> bool:
    return any(register(registers, name)[0] for name in names)


def _vlan(registers: Registers) -> int:
    on, tag, mask = register(registers, "VLANTAG")
    others = _fields_on(registers, "VLANPCP") or any(register(registers, name, 1)[0] for name in ("VLANTAG", "VLANPCP"))
    if register(registers, "L2PUSE") != (_VLAN_ONE,) or not on or mask != b"\x0f\xff" or others:
        raise house.FILTER_BEYOND_MODEL.error()
    return tag if isinstance(tag, int) else 0


def _exact(registers: Registers, name: str, field: str, full: bytes, *, shift: int = 0) -> Iterator[tuple[str, object]]:
    on, value, mask = register(registers, name)
    if on and isinstance(mask, bytes) and isinstance(value, int) and any(mask):
        if mask != full:
            raise house.FILTER_BEYOND_MODEL.error()
        yield field, value >> shift


def _addresses(registers: Registers, family: str) -> Iterator[tuple[str, object]]:
    """Yield networks; without any, that the packet is of this family at all."""
    everywhere = "0.0.0.0/0" if family == "IPV4" else "::/0"
    ends = {"source": f"{family}SRCADDR", "destination": f"{family}DESTADDR"}
    used = {field: register(registers, name) for field, name in ends.items() if register(registers, name)[0]}
    if not used:
        yield "source", ip_network(everywhere)
    for field, (_, address, mask) in used.items():
        if not isinstance(address, bytes) or not isinstance(mask, bytes):
            raise TypeError(f"{field}: {address!r} {mask!r}")
        bits = f"{int.from_bytes(mask, 'big'):0{len(mask) * 8}b}"
        if "01" in bits:
            raise house.FILTER_BEYOND_MODEL.error()
        yield field, ip_network((address, bits.count("1")), strict=False)
