"""What a frame says about itself: VLAN, IP addresses, ports, DSCP; which filter it matches; ECN marks.

Ethernet II with up to two VLAN tags (IEEE 802.1Q), IPv4 (RFC 791) and IPv6 (RFC 8200). Frames carry no FCS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from impairlab.drivers.model import Filter

_VLAN_TYPES = {0x8100, 0x88A8}
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP, _UDP = 6, 17
_PROTOCOLS = {"tcp": {_TCP}, "udp": {_UDP}, "icmp": {1, 58}}
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION_OPTIONS = 0, 43, 44, 51, 60
_EXTENSIONS = {_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION_OPTIONS}
_CONGESTION_EXPERIENCED = 3


@dataclass(slots=True)
class Headers:
    """What the headers of one frame say; None where the frame has no such field.

    Attributes:
        layer3: Offset of the layer-3 header.
        length: Layer-3 length in bytes, padding left out where the IP header tells.
        payload: Offset behind the IP header and its extensions; for other frames that of layer 3.
        vlan: VLAN id of the outermost tag.
    """

    layer3: int
    length: int
    payload: int
    vlan: int | None = None
    version: int | None = None
    dscp: int | None = None
    protocol: int | None = None
    source: int | None = None
    destination: int | None = None
    source_port: int | None = None
    destination_port: int | None = None


def parse(frame: bytes) -> Headers:
    """Read the headers of a frame; a frame that ends too early or lies about its lengths is not IP to us."""
    offset, vlan = 12, None
    ethertype = int.from_bytes(frame[offset : offset + 2], "big")
    while ethertype in _VLAN_TYPES and len(frame) >= offset + 6:
        vlan = int.from_bytes(frame[offset + 2 : offset + 4], "big") & 0xFFF if vlan is None else vlan
        offset += 4
        ethertype = int.from_bytes(frame[offset : offset + 2], "big")
    layer3 = min(offset + 2, len(frame))
    headers = Headers(layer3, len(frame) - layer3, layer3, vlan)
    if ethertype == _IPV4:
        _read_ipv4(frame, headers)
    elif ethertype == _IPV6:
        _read_ipv6(frame, headers)
    return headers


def _read_ipv4(frame: bytes, headers: Headers) -> None:
    packet = frame[headers.layer3 :]
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return
    header_length, total = (packet[0] & 0xF) * 4, int.from_bytes(packet[2:4], "big")
    if not 20 <= header_length <= total <= len(packet):
        return
    headers.version, headers.length, headers.payload = 4, total, headers.layer3 + header_length
    headers.dscp, headers.protocol = packet[1] >> 2, packet[9]
    headers.source, headers.destination = int.from_bytes(packet[12:16], "big"), int.from_bytes(packet[16:20], "big")
    if not int.from_bytes(packet[6:8], "big") & 0x1FFF:
        _read_ports(frame, headers)


def _read_ipv6(frame: bytes, headers: Headers) -> None:
    packet = frame[headers.layer3 :]
    if len(packet) < 40 or packet[0] >> 4 != 6:
        return
    total = 40 + int.from_bytes(packet[4:6], "big")
    if total > len(packet):
        return
    headers.version, headers.length = 6, total
    headers.dscp = (int.from_bytes(packet[:2], "big") >> 6) & 0x3F
    headers.source, headers.destination = int.from_bytes(packet[8:24], "big"), int.from_bytes(packet[24:40], "big")
    protocol, offset, first_fragment = packet[6], 40, True
    while protocol in _EXTENSIONS and offset + 8 <= total:
        if protocol == _FRAGMENT:
            first_fragment = not int.from_bytes(packet[offset + 2 : offset + 4], "big") >> 3
            length = 8
        else:
            length = (packet[offset + 1] + 2) * 4 if protocol == _AUTHENTICATION else (packet[offset + 1] + 1) * 8
        protocol, offset = packet[offset], offset + length
        if not first_fragment:
            break
    headers.protocol, headers.payload = protocol, headers.layer3 + min(offset, total)
    if first_fragment:
        _read_ports(frame, headers)


def _read_ports(frame: bytes, headers: Headers) -> None:
    ports = frame[headers.payload : headers.payload + 4]
    if headers.protocol in {_TCP, _UDP} and len(ports) == 4:
        headers.source_port = int.from_bytes(ports[:2], "big")
        headers.destination_port = int.from_bytes(ports[2:], "big")


def matcher(wanted: Filter) -> Callable[[Headers], bool]:
    """Return the test that tells whether a frame with these headers belongs to the filter's flow."""
    tests: list[Callable[[Headers], bool]] = []
    exact = {
        "vlan": wanted.vlan,
        "dscp": wanted.dscp,
        "source_port": wanted.source_port,
        "destination_port": wanted.destination_port,
    }
    tests.extend(_equals(name, value) for name, value in exact.items() if value is not None)
    if wanted.protocol is not None:
        numbers = _PROTOCOLS[wanted.protocol]
        tests.append(lambda headers: headers.protocol in numbers)
    for name, network in (("source", wanted.source), ("destination", wanted.destination)):
        if network is not None:
            tests.append(_inside(name, network))
    return lambda headers: all(test(headers) for test in tests)


def _equals(name: str, value: int) -> Callable[[Headers], bool]:
    return lambda headers: getattr(headers, name) == value


def _inside(name: str, network: IPv4Network | IPv6Network) -> Callable[[Headers], bool]:
    version, mask, prefix = network.version, int(network.netmask), int(network.network_address)
    return lambda headers: headers.version == version and getattr(headers, name) & mask == prefix


def mark_congestion(frame: bytes) -> bytes | None:
    """Return the frame with "congestion experienced" set (RFC 3168); None if its sender is not ECN-capable.

    A frame that already bears the mark is not ECN-capable in this sense: there is nothing left to mark. The IPv4
    header checksum is updated, not recomputed, so that an error in it stays visible (RFC 1624).
    """
    headers = parse(frame)
    if headers.version is None:
        return None
    at = headers.layer3
    word = int.from_bytes(frame[at : at + 2], "big")
    shift = 0 if headers.version == 4 else 4
    if (word >> shift) & 3 in {0, _CONGESTION_EXPERIENCED}:
        return None
    marked = word | _CONGESTION_EXPERIENCED << shift
    changed = bytearray(frame)
    changed[at : at + 2] = marked.to_bytes(2, "big")
    if headers.version == 4:
        total = (int.from_bytes(frame[at + 10 : at + 12], "big") ^ 0xFFFF) + (word ^ 0xFFFF) + marked
        while total > 0xFFFF:
            total = (total & 0xFFFF) + (total >> 16)
        changed[at + 10 : at + 12] = (total ^ 0xFFFF).to_bytes(2, "big")
    return bytes(changed)
