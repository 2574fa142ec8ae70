"""Where on a CMW: which entries of its list of impairments make a path, and the units of its numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from impairlab.drivers.links.address import is_visa_address, read_settings
from impairlab.drivers.model.errors import ConnectError
from impairlab.drivers.model.flows import Direction, Target

EXAMPLE = "tcp://192.0.2.1:5025?paths=1-2 or TCPIP::192.0.2.1::INSTR?paths=1-2"

SETTINGS: Mapping[str, str] = MappingProxyType(
    {"measurement": "1", "paths": "1", "time_unit": "s", "rate_unit": "percent"}
)

TIME_UNITS: Mapping[str, Decimal] = {"s": Decimal(10) ** 9, "ms": Decimal(10) ** 6, "us": Decimal(10) ** 3}
RATE_UNITS: Mapping[str, Decimal] = {"percent": Decimal("0.01"), "one": Decimal(1), "ppm": Decimal("0.000001")}

_PATH = re.compile(r"(?P<ab>[1-9]\d?)(?:-(?P<ba>[1-9]\d?))?")


@dataclass(frozen=True, slots=True)
class Units:
    """What the bare numbers of the commands count. Nobody says it in public.

    Attributes:
        time: Nanoseconds in one unit of DELay and JITTer.
        rate: Share of the packets in one unit of the rates.
        words: As errors and capabilities name them.
    """

    time: Decimal
    rate: Decimal
    words: str


@dataclass(frozen=True, slots=True)
class Site:
    """What an address says.

    Attributes:
        link: Address of the link.
        measurement: Number of the measurement instance.
        entries: Index of the entry of the list for each direction of each path, by path.
        units: Of the numbers.
    """

    link: str
    measurement: int
    entries: Mapping[str, Mapping[Direction, int]]
    units: Units

    @classmethod
    def parse(cls, address: str, name: str) -> Site:
        """Read an address: that of a link, and settings behind a "?".

        Raises:
            ConnectError: It cannot be read; says what would be legal.
        """
        link, _, query = address.partition("?")

        def wrong(problem: str) -> ConnectError:
            legal = f"write it like {EXAMPLE}; settings are {', '.join(SETTINGS)}"
            return ConnectError(f"{address} {problem}; {legal}", appliance=name)

        if not link.startswith("tcp://") and not is_visa_address(link):
            raise wrong("is not an address of this driver")
        settings = read_settings(query, SETTINGS, wrong)
        if not re.fullmatch(r"[1-9]\d?", settings["measurement"]):
            raise wrong(f"has measurement={settings['measurement']}: it is a number from 1 to 99")
        for key, legal in (("time_unit", TIME_UNITS), ("rate_unit", RATE_UNITS)):
            if settings[key] not in legal:
                raise wrong(f"has {key}={settings[key]}: it is one of {', '.join(legal)}")
        entries: dict[str, Mapping[Direction, int]] = {}
        for path in settings["paths"].split(","):
            found = _PATH.fullmatch(path)
            if found is None:
                raise wrong(f"has the path {path!r}: it is the index of an entry, or that of a-b and that of b-a: 1-2")
            both: Mapping[Direction, int] = {"a-b": int(found["ab"]), "b-a": int(found["ba"] or found["ab"])}
            entries[path] = both if found["ba"] else {"a-b": both["a-b"]}
        used = [index for each in entries.values() for index in each.values()]
        if len(used) != len(set(used)) or len(entries) != len(settings["paths"].split(",")):
            raise wrong("names an entry twice")
        words = f"times in {settings['time_unit']}, rates in {settings['rate_unit']}"
        units = Units(TIME_UNITS[settings["time_unit"]], RATE_UNITS[settings["rate_unit"]], words)
        return cls(link, int(settings["measurement"]), entries, units)

    def node(self, target: Target) -> str:
        """Return the node of the entry that a direction has; it has one."""
        index = self.entries[target.path][target.direction]
        return f":CONFigure:DATA:MEASurement{self.measurement}:NIMPairments{index}"

    def has(self, target: Target) -> bool:
        """Whether a direction has an entry."""
        return target.direction in self.entries[target.path]
