"""Where on an NE-ONE: which virtual interfaces make the paths, and what an address says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from impairlab.drivers.links.address import Address
from impairlab.drivers.model.errors import ConnectError
from impairlab.drivers.model.flows import Direction, Target

EXAMPLE = "tcp://lab@192.0.2.1:8099?paths=wan:11/12"
SETTINGS: Mapping[str, str] = MappingProxyType({"paths": "", "emulation": "", "speed_unit": "bps"})
SPEED_UNITS: Mapping[str, int] = MappingProxyType({"bps": 1, "kbps": 1000, "Mbps": 1_000_000})

_PATH = re.compile(r"(?P<name>[A-Za-z0-9_.-]+):(?P<ab>\d{1,9})/(?P<ba>\d{1,9})")


@dataclass(frozen=True, slots=True)
class Site:
    """What an address says.

    Attributes:
        host: Name or address.
        port: TCP port.
        user: Who logs in.
        interfaces: Number of the virtual interface that impairs each direction, by path.
        emulation: Number of the emulation that is started when something is to be impaired; None: none is.
        speed_unit: Bit/s in one unit of Link_Speed.
    """

    host: str
    port: int
    user: str
    interfaces: Mapping[str, Mapping[Direction, int]]
    emulation: int | None
    speed_unit: int

    @classmethod
    def parse(cls, text: str, name: str) -> Site:
        """Read an address.

        Raises:
            ConnectError: It cannot be read; says what would be legal.
        """

        def wrong(problem: str) -> ConnectError:
            return ConnectError(f"{problem}; write it like {EXAMPLE}", appliance=name)

        address = Address.parse(text, schemes={"tcp": 0}, settings=SETTINGS, example=EXAMPLE, name=name)
        settings = address.settings
        if not address.port:
            raise wrong("the port is a setting of the appliance: give it")
        if not address.user:
            raise wrong("the address names no user")
        interfaces: dict[str, Mapping[Direction, int]] = {}
        for path in filter(None, settings["paths"].split(",")):
            found = _PATH.fullmatch(path)
            if found is None or found["name"] in interfaces:
                raise wrong(f"paths={settings['paths']}: {path!r} is not a name and the numbers of two interfaces")
            interfaces[found["name"]] = {"a-b": int(found["ab"]), "b-a": int(found["ba"])}
        used = [number for each in interfaces.values() for number in each.values()]
        if not interfaces or len(set(used)) < len(used):
            raise wrong("paths: at least one, each with two interfaces of its own")
        emulation = settings["emulation"]
        if emulation and not re.fullmatch(r"\d{1,9}", emulation):
            raise wrong(f"emulation={emulation}: it is a number")
        if settings["speed_unit"] not in SPEED_UNITS:
            raise wrong(f"speed_unit={settings['speed_unit']}: it is one of {', '.join(SPEED_UNITS)}")
        return cls(
            address.host, address.port, address.user, interfaces, int(emulation) if emulation else None,
            SPEED_UNITS[settings["speed_unit"]],
        )  # fmt: skip

    def interface(self, target: Target) -> int:
        """Return the virtual interface of a direction."""
        return self.interfaces[target.path][target.direction]
