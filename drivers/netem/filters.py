"""Filters of flows to flower filters, and back.

A field that is left out matches everything, so a filter on IP fields becomes up to four: IPv4 and IPv6, untagged and
behind a VLAN tag. Flower is asked in the order of priorities: those of flow 1 come before those of flow 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from impairlab.drivers.model.flows import Filter
from impairlab.drivers.netem.wire.filters import ALL, IPV4, IPV6, VLAN, FlowerFilter, Match, Prefix

FIELDS = frozenset({"vlan", "dscp", "protocol", "source", "destination", "source_port", "destination_port"})
MOST_MATCHES = 8
"""Priorities set aside for each flow."""

_VERSIONS = {4: IPV4, 6: IPV6}
_PROTOCOLS = {("tcp", 4): 6, ("tcp", 6): 6, ("udp", 4): 17, ("udp", 6): 17, ("icmp", 4): 1, ("icmp", 6): 58}
_NAMES = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}


def flower_filters(flow: int, class_id: int, selector: Filter) -> list[FlowerFilter]:
    """Return the filters that send what a flow selects to its class; none when nothing can match."""
    first = flow * MOST_MATCHES
    return [FlowerFilter(first + at, class_id, match) for at, match in enumerate(matches(selector))]


def flow_of(filter_: FlowerFilter) -> int:
    """Return the flow to which a filter belongs."""
    return filter_.priority // MOST_MATCHES


def matches(selector: Filter) -> list[Match]:
    """Return what a filter selects, frame type by frame type."""
    wants_ip = selector.model_copy(update={"vlan": None}) != Filter()
    if not wants_ip:
        return [Match(ALL)] if selector.vlan is None else [Match(VLAN, vlan=selector.vlan)]
    found = []
    for version in _versions(selector):
        inner = _ip_match(selector, version)
        if selector.vlan is None:
            found.append(inner)
        found.append(_tagged(inner, selector.vlan))
    return found


def selector_of(found: Sequence[FlowerFilter]) -> Filter | None:
    """Return the filter that these amount to; None for none.

    Raises:
        ValueError: They are none that `flower_filters` makes.
    """
    if not found:
        return None
    present = [each.match for each in sorted(found, key=lambda each: each.priority)]
    head = present[0]
    selector = Filter.model_validate(
        {
            "vlan": head.vlan,
            "dscp": head.dscp,
            "protocol": _NAMES.get(head.ip_protocol or 0),
            "source": _network(head.source),
            "destination": _network(head.destination),
            "source_port": head.source_port,
            "destination_port": head.destination_port,
        }
    )
    if matches(selector) != present:
        raise ValueError(f"filters that are not of this driver: {present}")
    return selector


def _versions(selector: Filter) -> list[int]:
    given = {network.version for network in (selector.source, selector.destination) if network is not None}
    return [version for version in (4, 6) if given <= {version}]


def _ip_match(selector: Filter, version: int) -> Match:
    protocol = None if selector.protocol is None else _PROTOCOLS[selector.protocol, version]
    return Match(
        protocol=_VERSIONS[version],
        ip_protocol=protocol,
        dscp=selector.dscp,
        source=_prefix(selector.source),
        destination=_prefix(selector.destination),
        source_port=selector.source_port,
        destination_port=selector.destination_port,
    )


def _tagged(inner: Match, vlan: int | None) -> Match:
    return Match(
        VLAN, vlan, inner.protocol, inner.ip_protocol, inner.dscp, inner.source, inner.destination,
        inner.source_port, inner.destination_port,
    )  # fmt: skip


def _prefix(network: IPv4Network | IPv6Network | None) -> Prefix | None:
    return None if network is None else (network.network_address.packed, network.netmask.packed)


def _network(prefix: Prefix | None) -> IPv4Network | IPv6Network | None:
    if prefix is None:
        return None
    address, mask = prefix
    length = bin(int.from_bytes(mask, "big")).count("1")
    return ip_network((address, length))


def flows_of(found: Iterable[FlowerFilter]) -> dict[int, list[FlowerFilter]]:
    """Return the filters by flow."""
    by_flow: dict[int, list[FlowerFilter]] = {}
    for each in found:
        by_flow.setdefault(flow_of(each), []).append(each)
    return by_flow
