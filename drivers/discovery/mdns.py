"""mDNS: the services that LXI instruments advertise (RFC 6762, RFC 6763); needs the extra `discover`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from impairlab.drivers.discovery.found import Found, MeansUnavailable

if TYPE_CHECKING:
    from zeroconf import Zeroconf

RAW_SERVICE = "_scpi-raw._tcp.local."
HISLIP_SERVICE = "_hislip._tcp.local."
VXI11_SERVICE = "_vxi-11._tcp.local."
SERVICES = (RAW_SERVICE, HISLIP_SERVICE, VXI11_SERVICE)
"""Those that can be connected to; `_lxi` and `_http` are pages."""

_HISLIP_PORT = 4880
_MILLISECOND_NS = 1_000_000
_SECOND_NS = 1_000_000_000


def address_of(service: str, host: str, port: int) -> str:
    """Return a service's address, as `connect` takes it."""
    where = f"[{host}]" if ":" in host else host
    if service == RAW_SERVICE:
        return f"tcp://{where}:{port}"
    if service == VXI11_SERVICE:
        return f"TCPIP::{where}::inst0::INSTR"
    return f"TCPIP::{where}::hislip0{'' if port == _HISLIP_PORT else f',{port}'}::INSTR"


def found_of(service: str, host: str, port: int, properties: Mapping[bytes, bytes | None]) -> Found:
    """Return what a service with its TXT record tells. Keys in any case (RFC 6763, 6.4)."""
    told = {key.lower(): (value or b"").decode(errors="replace") for key, value in properties.items()}
    return Found(
        address_of(service, host, port),
        "mdns",
        manufacturer=told.get(b"manufacturer", ""),
        model=told.get(b"model", ""),
        serial=told.get(b"serialnumber", ""),
        firmware=told.get(b"firmwareversion", ""),
    )


def find(timeout_ns: int) -> list[Found]:
    """Listen for services during the time, then ask what is still missing of each.

    Args:
        timeout_ns: How long.

    Raises:
        MeansUnavailable: zeroconf is not installed, or the network does not let it.
    """
    try:
        from zeroconf import InterfaceChoice, IPVersion, ServiceBrowser, ServiceStateChange, Zeroconf  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MeansUnavailable("mDNS: needs zeroconf: pip install 'impairlab[discover]'") from error

    heard: dict[tuple[str, str], None] = {}

    def hear(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:  # noqa: ARG001
        if state_change is ServiceStateChange.Added:
            heard[service_type, name] = None

    try:
        zeroconf = Zeroconf(InterfaceChoice.All, ip_version=IPVersion.V4Only)
    except (OSError, RuntimeError) as error:  # RuntimeError: no interface has an address
        raise MeansUnavailable(f"mDNS: {error}") from error
    with zeroconf:
        browser = ServiceBrowser(zeroconf, list(SERVICES), handlers=[hear])
        time.sleep(timeout_ns / _SECOND_NS)
        browser.cancel()
        until_ns = time.monotonic_ns() + timeout_ns
        return [each for service, name in list(heard) for each in resolved(zeroconf, service, name, until_ns)]


def resolved(zeroconf: Zeroconf, service: str, name: str, until_ns: int) -> list[Found]:
    """Return where a service is, over IPv4 if it has that; nothing where it does not tell in time.

    Args:
        zeroconf: Where to ask.
        service: Its kind.
        name: Its full name.
        until_ns: How long to ask (monotonic).
    """
    left_ns = max(until_ns - time.monotonic_ns(), 0)
    info = zeroconf.get_service_info(service, name, left_ns // _MILLISECOND_NS)
    if info is None or not info.port:  # port 0: the name is taken, the service not offered
        return []
    hosts = info.parsed_scoped_addresses()
    best = [each for each in hosts if ":" not in each] or hosts
    return [found_of(service, host, info.port, info.properties) for host in best]
