"""Where on a Netropy: engine, paths and ports, and the commands for them.

Source of the commands: com/apposite/api/Netropy.java in github.com/Neotys-Partner-Solutions/Netropy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from impairlab.drivers.apposite.numbers import bit_rate
from impairlab.drivers.apposite.show import Side
from impairlab.drivers.apposite.words import delay_words, duplication_words, loss_words, outage_words
from impairlab.drivers.links.address import Address
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import ConnectError
from impairlab.drivers.model.flows import Direction, Target
from impairlab.drivers.model.units import UnitError, parse_rate

EXAMPLE = "ssh://admin@192.0.2.1?engine=1&paths=1,2&line=1Gbps"

SETTINGS: Mapping[str, str] = MappingProxyType(
    {"engine": "1", "paths": "1", "ports": "1,2", "line": "", "access": "out", "emulation": "on"}
)

_NUMBER = re.compile(r"[1-9]\d{0,3}")


@dataclass(frozen=True, slots=True)
class Site:
    """What the settings of an address say.

    Attributes:
        engine: Number of the engine.
        paths: Numbers of its paths.
        ports: Ports a and b.
        line: Bandwidth that counts as no limit, in bit/s; None where bandwidths are left alone.
        access: Which side of an access link is limited for a direction: "out" of its first port, "in" at its last.
        emulation: "on": the engine is switched on when something is to be impaired. "leave": it is left as it is.
    """

    engine: str
    paths: tuple[str, ...]
    ports: tuple[str, str]
    line: int | None
    access: Side
    emulation: Literal["on", "leave"]

    @classmethod
    def of(cls, address: Address, name: str) -> Site:
        """Read the settings.

        Raises:
            ConnectError: One of them cannot be read; says which, and what would be legal.
        """
        settings = address.settings
        engine, *more = _numbers(settings, "engine", name)
        paths = _numbers(settings, "paths", name)
        ports = _numbers(settings, "ports", name)
        if more or len(ports) != 2 or len(set(ports)) != 2 or len(set(paths)) != len(paths):
            problem = "engine is one number, ports are two, and no path is named twice"
            raise ConnectError(f"{problem}; write it like {EXAMPLE}", appliance=name)
        return cls(
            engine, paths, (ports[0], ports[1]), _line(settings["line"], name),
            "in" if _one_of(settings, "access", ("out", "in"), name) == "in" else "out",
            "leave" if _one_of(settings, "emulation", ("on", "leave"), name) == "leave" else "on",
        )  # fmt: skip

    def ends(self, direction: Direction) -> tuple[str, str]:
        """Return the ports from and to which a direction leads."""
        a, b = self.ports
        return (a, b) if direction == "a-b" else (b, a)

    def limited_at(self, direction: Direction) -> tuple[str, Side]:
        """Return port and side of the access link at which a direction is limited."""
        source, destination = self.ends(direction)
        return (source, "out") if self.access == "out" else (destination, "in")

    def show(self, path: str) -> str:
        """Return the command that shows a path."""
        return f"engine {self.engine} path {path} show"

    def help(self, subject: str) -> str:
        """Return the command that lists what can be set."""
        return f"engine {self.engine} path {self.paths[0]} set {subject} ?"

    def emulate(self, state: Literal["on", "off"]) -> str:
        """Return the command that switches the engine on or off."""
        return f"engine {self.engine} emulation {state}"

    def statistics(self, what: Literal["total", "interval", "cumulative", "reset"]) -> str:
        """Return the command for statistics, or for their reset."""
        return f"engine {self.engine} statistics {what}"

    def changes(self, target: Target, before: Conditions, after: Conditions) -> Iterator[str]:
        """Yield the commands that make one state of a flow out of another; both are legal."""
        path = f"engine {self.engine} path {target.path} set"
        source, destination = self.ends(target.direction)
        there = f"port {source} to port {destination}"
        if before.rate != after.rate and self.line is not None:
            port, side = self.limited_at(target.direction)
            rate = self.line if after.rate is None else after.rate.rate
            yield f"{path} bw fixed {bit_rate(rate)} port {port} {side}"
        if before.delay != after.delay:
            yield f"{path} delay {delay_words(after.delay)} {there}"
        if before.loss != after.loss:
            yield f"{path} loss {loss_words(after.loss)} {there}"
        if before.link != after.link:
            yield f"{path} network-outage {outage_words(after.link)} {there}"
        if before.duplicate != after.duplicate:
            yield f"{path} duplication {duplication_words(after.duplicate)} {there}"


def _numbers(settings: Mapping[str, str], key: str, name: str) -> tuple[str, ...]:
    numbers = tuple(settings[key].split(","))
    for number in numbers:
        if not _NUMBER.fullmatch(number):
            problem = f"{key}={settings[key]}: {number!r} is not a number from 1"
            raise ConnectError(f"{problem}; write it like {EXAMPLE}", appliance=name)
    return numbers


def _one_of(settings: Mapping[str, str], key: str, legal: tuple[str, ...], name: str) -> str:
    if settings[key] not in legal:
        raise ConnectError(f"{key}={settings[key]}: it is {' or '.join(legal)}", appliance=name)
    return settings[key]


def _line(text: str, name: str) -> int | None:
    if not text:
        return None
    try:
        rate = parse_rate(text)
    except UnitError as error:
        raise ConnectError(f"line={text}: {error}", appliance=name) from error
    if rate <= 0:
        raise ConnectError(f"line={text}: a line has a rate above 0", appliance=name)
    return rate
