"""Filters of flows. A filter is edited in its shadow copy and acts once that is applied to the working copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from pydantic import ValidationError

from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.flows import Filter
from impairlab.drivers.xena.reading import optional
from impairlab.drivers.xena.text import Answer, Line, Value, asking, setting

SHADOW, WORKING = 0, 1
"""The copies, as the second index of PEF commands counts them."""

FIELDS = frozenset({"vlan", "dscp", "protocol", "source", "destination", "source_port", "destination_port"})

_INNER_TAG = 0
_DSCP_SHIFT = 2
"""DSCP stands in the upper six bits of its byte."""

Version = Literal[4, 6]


@dataclass(frozen=True, slots=True)
class _Words:
    """What an IP version calls the parts of its header, and how wide an address is."""

    present: str
    settings: str
    source: str
    destination: str
    dscp: str
    bits: int


_IP: Mapping[Version, _Words] = {
    4: _Words("IP4", "PEF_IPV4SETTINGS", "PEF_IPV4SRCADDR", "PEF_IPV4DESTADDR", "PEF_IPV4DSCP", 32),
    6: _Words("IP6", "PEF_IPV6SETTINGS", "PEF_IPV6SRCADDR", "PEF_IPV6DESTADDR", "PEF_IPV6TC", 128),
}
_NOT_IN_THE_MODEL = ("PEF_ETHSETTINGS", "PEF_MPLSSETTINGS", "PEF_ANYSETTINGS")


def violations(selector: Filter, where: str) -> Iterator[Violation]:
    """Yield what the appliance cannot select although it has a word for each field."""
    if selector.protocol == "icmp":
        yield Violation(where=where, field="filter.protocol", problem="icmp cannot be matched on", legal="tcp, udp")
    versions = {network.version for network in (selector.source, selector.destination) if network is not None}
    if len(versions) > 1:
        yield Violation(where=where, field="filter.destination", problem="IPv4 and IPv6 in one filter", legal="one")
    if not versions and (selector.dscp is not None or selector.protocol is not None):
        yield Violation(
            where=where, field="filter", problem="selects IPv4 or IPv6, not both, and this does not say which",
            legal="a source or destination as well; 0.0.0.0/0 is all of IPv4, ::/0 all of IPv6",
        )  # fmt: skip


def write_filter(port: str, flow: int, selector: Filter | None) -> Iterator[Line]:
    """Yield the lines that edit the shadow copy; `PEF_APPLY` follows when none of them was refused."""
    yield setting("PEF_INIT", port, (flow,))
    if selector is None:
        yield _shadow("PEF_ENABLE", port, flow, "OFF")
        return
    if selector.vlan is not None:
        yield _shadow("PEF_L2PUSE", port, flow, "VLAN1")
        yield _shadow("PEF_VLANSETTINGS", port, flow, "AND", "INCLUDE")
        yield setting("PEF_VLANTAG", port, (flow, SHADOW, _INNER_TAG), "ON", selector.vlan, "0x0FFF")
    for network in (selector.source, selector.destination):
        if network is not None:
            yield from _write_ip(port, flow, selector, _IP[network.version])
            break
    if selector.protocol in {"tcp", "udp"}:
        yield from _write_ports(port, flow, selector, str(selector.protocol).upper())
    yield _shadow("PEF_ENABLE", port, flow, "ON")


def _write_ip(port: str, flow: int, selector: Filter, words: _Words) -> Iterator[Line]:
    yield _shadow("PEF_L3USE", port, flow, words.present)
    yield _shadow(words.settings, port, flow, "AND", "INCLUDE")
    for name, network in ((words.source, selector.source), (words.destination, selector.destination)):
        if network is not None:
            mask = f"0x{int(network.netmask):0{words.bits // 4}X}"
            yield _shadow(name, port, flow, "ON", int(network.network_address), mask)
    if selector.dscp is not None:
        yield _shadow(words.dscp, port, flow, "ON", selector.dscp << _DSCP_SHIFT, "0xFC")


def _write_ports(port: str, flow: int, selector: Filter, protocol: str) -> Iterator[Line]:
    yield _shadow(f"PEF_{protocol}SETTINGS", port, flow, "AND", "INCLUDE")
    for end, number in (("SRC", selector.source_port), ("DEST", selector.destination_port)):
        if number is not None:
            yield _shadow(f"PEF_{protocol}{end}PORT", port, flow, "ON", number, "0xFFFF")


def _shadow(name: str, port: str, flow: int, *values: Value) -> Line:
    return setting(name, port, (flow, SHADOW), *values)


def filter_queries(port: str, flow: int) -> list[Line]:
    """Return the queries for all of a working copy that is on."""
    names = [
        "PEF_MODE", *_NOT_IN_THE_MODEL, "PEF_L2PUSE", "PEF_VLANSETTINGS", "PEF_L3USE",
        *(name for words in _IP.values() for name in (words.settings, words.source, words.destination, words.dscp)),
        *(f"PEF_{protocol}{part}" for protocol in ("TCP", "UDP") for part in ("SETTINGS", "SRCPORT", "DESTPORT")),
    ]  # fmt: skip
    return [
        *(optional(asking(name, port, flow, WORKING)) for name in names),
        optional(asking("PEF_VLANTAG", port, flow, WORKING, _INNER_TAG)),
    ]


def read_filter(answers: Sequence[Answer]) -> Filter:
    """Return the filter that the answers to `filter_queries` make.

    Raises:
        ValueError: It selects by what the model has no word for.
    """
    return _Reader({answer.line.command.name: answer.values for answer in answers if not answer.error}).filter()


class _Reader:
    """Reads a working copy, given as the values of each command; a command that is not there is off."""

    def __init__(self, values: Mapping[str, tuple[Value, ...]]) -> None:
        self._values = values

    def filter(self) -> Filter:
        if self._values.get("PEF_MODE", ("BASIC",)) != ("BASIC",):
            raise ValueError("a filter in extended mode cannot be said")
        for name in _NOT_IN_THE_MODEL:
            if self._is_used(name):
                raise ValueError(f"a filter with {name} cannot be said")
        fields: dict[str, object] = {**self._vlan(), **self._ip(), **self._ports()}
        try:
            return Filter.model_validate(fields)
        except ValidationError as error:
            raise ValueError(f"the filter cannot be said: {error}") from error

    def _vlan(self) -> dict[str, object]:
        if not self._is_used("PEF_VLANSETTINGS"):
            return {}
        if self._values.get("PEF_L2PUSE") != ("VLAN1",):
            raise ValueError("a filter by two VLAN tags or MPLS cannot be said")
        return {"vlan": self._exactly("PEF_VLANTAG", 0xFFF)}

    def _ip(self) -> dict[str, object]:
        used = [version for version, words in _IP.items() if self._is_used(words.settings)]
        if len(used) > 1:
            raise ValueError("a filter by IPv4 and IPv6 cannot be said")
        if not used:
            return {}
        words = _IP[used[0]]
        dscp = self._exactly(words.dscp, 0xFC)
        fields = {
            "source": self._network(words.source, used[0]),
            "destination": self._network(words.destination, used[0]),
            "dscp": None if dscp is None else dscp >> _DSCP_SHIFT,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _ports(self) -> dict[str, object]:
        used = [protocol for protocol in ("TCP", "UDP") if self._is_used(f"PEF_{protocol}SETTINGS")]
        if len(used) > 1:
            raise ValueError("a filter by TCP and UDP cannot be said")
        if not used:
            return {}
        source, destination = (self._exactly(f"PEF_{used[0]}{end}PORT", 0xFFFF) for end in ("SRC", "DEST"))
        return {"protocol": used[0].lower(), "source_port": source, "destination_port": destination}

    def _is_used(self, name: str) -> bool:
        use, action = self._values.get(name, ("OFF", "INCLUDE"))
        if use == "AND" and action != "INCLUDE":
            raise ValueError(f"a filter that excludes by {name} cannot be said")
        return use == "AND"

    def _exactly(self, name: str, mask: int) -> int | None:
        """Return the value of a field that is matched on as a whole; None where it is not."""
        use, value, used_mask = self._values.get(name, ("OFF", 0, mask))
        if use != "ON":
            return None
        if used_mask != mask:
            raise ValueError(f"a filter by a part of {name} cannot be said")
        return int(value)

    def _network(self, name: str, version: Version) -> IPv4Network | IPv6Network | None:
        use, value, mask = self._values.get(name, ("OFF", 0, 0))
        if use != "ON":
            return None
        bits = _IP[version].bits
        prefix = bits - (~int(mask) & (2**bits - 1)).bit_length()
        if int(mask) != (2**bits - 1) ^ (2 ** (bits - prefix) - 1):
            raise ValueError(f"the mask of {name} has gaps and cannot be said")
        base = int(value) & int(mask)
        return IPv4Network((base, prefix)) if version == 4 else IPv6Network((base, prefix))
