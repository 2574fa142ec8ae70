"""Where on a LANforge: which WanLinks make the paths, and what an address says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from impairlab.drivers.links.address import Address
from impairlab.drivers.model.errors import ConnectError
from impairlab.drivers.model.flows import Direction, Target
from impairlab.drivers.model.units import UnitError, parse_rate

CLI_PORT = 4001
EXAMPLE = "tcp://192.0.2.1:4001?paths=t1&line=1Gbps"
SETTINGS: Mapping[str, str] = MappingProxyType({"paths": "", "line": "", "start": "yes"})

_NAME = r"[A-Za-z0-9_.-]+"
_PATH = re.compile(rf"(?P<cx>{_NAME})(?::(?P<ab>{_NAME})/(?P<ba>{_NAME}))?")


@dataclass(frozen=True, slots=True)
class WanLink:
    """A cross-connect and its endpoints.

    Attributes:
        cx: Name of the cross-connect.
        endpoints: Name of the endpoint that impairs each direction.
    """

    cx: str
    endpoints: Mapping[Direction, str]


@dataclass(frozen=True, slots=True)
class Site:
    """What an address says.

    Attributes:
        host: Name or address.
        port: TCP port.
        wanlinks: By path.
        line: Bit/s that count as no limit; None where speeds are left alone.
        start: "yes": a WanLink that does not run is started when something is to be impaired.
    """

    host: str
    port: int
    wanlinks: Mapping[str, WanLink]
    line: int | None
    start: Literal["yes", "no"]

    @classmethod
    def parse(cls, text: str, name: str) -> Site:
        """Read an address.

        Raises:
            ConnectError: It cannot be read; says what would be legal.
        """
        address = Address.parse(text, schemes={"tcp": CLI_PORT}, settings=SETTINGS, example=EXAMPLE, name=name)
        settings = address.settings
        wanlinks: dict[str, WanLink] = {}
        for path in filter(None, settings["paths"].split(",")):
            found = _PATH.fullmatch(path)
            if found is None:
                raise _wrong(f"paths={settings['paths']}: {path!r} is neither t1 nor t1:left/right", name)
            cx = found["cx"]
            ends: Mapping[Direction, str] = {"a-b": found["ab"] or f"{cx}-A", "b-a": found["ba"] or f"{cx}-B"}
            if cx in wanlinks:
                raise _wrong(f"paths={settings['paths']}: {cx} is there twice", name)
            wanlinks[cx] = WanLink(cx, ends)
        used = [end for each in wanlinks.values() for end in each.endpoints.values()]
        if not wanlinks or len(set(used)) < len(used):
            raise _wrong("paths: at least one WanLink, each with endpoints of its own", name)
        if settings["start"] not in {"yes", "no"}:
            raise _wrong(f"start={settings['start']}: it is yes or no", name)
        line = _line(settings["line"], name)
        return cls(address.host, address.port, wanlinks, line, "no" if settings["start"] == "no" else "yes")

    def endpoint(self, target: Target) -> str:
        """Return the endpoint that impairs a direction."""
        return self.wanlinks[target.path].endpoints[target.direction]


def _line(text: str, name: str) -> int | None:
    if not text:
        return None
    try:
        rate = parse_rate(text)
    except UnitError as error:
        raise _wrong(f"line={text}: {error}", name) from error
    if rate <= 1:
        raise _wrong(f"line={text}: a line has a rate above 1 bit/s", name)
    return rate


def _wrong(problem: str, name: str) -> ConnectError:
    return ConnectError(f"{problem}; write it like {EXAMPLE}", appliance=name)
