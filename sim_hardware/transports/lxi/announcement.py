"""Advertise an instrument's services by mDNS (RFC 6762, RFC 6763), as LXI wants it; needs the extra `discover`."""

import asyncio
import contextlib
import errno
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from impairlab.sim_hardware.scpi.device import Identity

if TYPE_CHECKING:
    from zeroconf import ServiceInfo

LXI_SERVICE = "_lxi._tcp"
HTTP_SERVICE = "_http._tcp"
RAW_SERVICE = "_scpi-raw._tcp"
VXI11_SERVICE = "_vxi-11._tcp"
HISLIP_SERVICE = "_hislip._tcp"

_LONGEST_NAME = 63
"""Bytes of a label (RFC 1035, 2.3.4)."""

_PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of service, such as `_hislip._tcp`, and its port."""

    kind: str
    port: int


class Announcement:
    """Tells the network of an instrument, until `close`; a context manager.

    All services have the instance name that LXI suggests: manufacturer, model and serial number.

    Args:
        identity: Whose services.
        services: Which.
        host: Where they are reached; 0.0.0.0 is every address of this host but loopback, where there is another.

    Attributes:
        name: The instance name.

    Raises:
        ModuleNotFoundError: zeroconf is not installed.
        OSError: The network does not let it, or another instrument has the name.
    """

    def __init__(self, identity: Identity, services: Sequence[Service], host: str) -> None:
        from zeroconf import IPVersion, Zeroconf  # noqa: PLC0415 - an extra

        addresses = [host] if not ip_address(host).is_unspecified else _addresses()
        version = IPVersion.V6Only if ":" in addresses[0] else IPVersion.V4Only
        self.name = f"{identity.manufacturer} {identity.model} {identity.serial}"[:_LONGEST_NAME]
        self._zeroconf = Zeroconf(interfaces=addresses, ip_version=version)
        try:
            self._register([_info(self.name, service, identity, addresses) for service in services])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye and end. A second call does nothing."""
        with contextlib.suppress(OSError):  # the network may be gone: nobody is left to be told
            self._zeroconf.unregister_all_services()
        self._zeroconf.close()

    def _register(self, infos: Sequence["ServiceInfo"]) -> None:
        """Register all at once: each asks the network for about a second whether its name is free."""
        from zeroconf import NonUniqueNameException  # noqa: PLC0415 - an extra

        async def register() -> None:
            announced = await asyncio.gather(*map(self._zeroconf.async_register_service, infos))
            await asyncio.gather(*announced)

        loop = self._zeroconf.loop
        assert loop is not None, "runs from the beginning"  # noqa: S101 - tells the type
        try:
            asyncio.run_coroutine_threadsafe(register(), loop).result(_PATIENCE_S)
        except NonUniqueNameException as error:
            raise OSError(errno.EADDRINUSE, f"another instrument is called {self.name}") from error


def _info(name: str, service: Service, identity: Identity, addresses: Sequence[str]) -> "ServiceInfo":
    from zeroconf import ServiceInfo  # noqa: PLC0415 - an extra

    kind = f"{service.kind}.local."
    return ServiceInfo(
        kind,
        f"{name}.{kind}",
        port=service.port,
        parsed_addresses=list(addresses),
        server=f"{_host_name(identity)}.local.",
        properties={
            "txtvers": "1",
            "Manufacturer": identity.manufacturer,
            "Model": identity.model,
            "SerialNumber": identity.serial,
            "FirmwareVersion": identity.firmware,
        },
    )


def _host_name(identity: Identity) -> str:
    text = f"{identity.model}-{identity.serial}".lower()
    return "".join(each if each.isalnum() else "-" for each in text).strip("-") or "instrument"


def _addresses() -> list[str]:
    """Return the IPv4 addresses of this host."""
    import ifaddr  # noqa: PLC0415 - comes with zeroconf

    found = [str(each.ip) for adapter in ifaddr.get_adapters() for each in adapter.ips if each.is_IPv4]
    return [each for each in found if not ip_address(each).is_loopback] or found or ["127.0.0.1"]
