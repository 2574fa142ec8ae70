"""Which devices make a path, as an address says it: `netem://local?paths=wan:eth1-eth2`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from impairlab.drivers.links.address import Address
from impairlab.drivers.model.errors import ConnectError
from impairlab.drivers.model.flows import Direction
from impairlab.drivers.netem.wire.prio import MOST_BANDS

EXAMPLE = "netem://local?paths=wan:eth1-eth2"
SETTINGS: Mapping[str, str] = {
    "paths": "", "flows": "0", "chain": "separate", "foreign": "refuse", "ssh": "refuse", "check": "once",
    "seed": "",
}  # fmt: skip
MOST_FLOWS = MOST_BANDS - 1

WhenToCheck = Literal["once", "always", "never"]
WHEN: tuple[WhenToCheck, ...] = ("once", "always", "never")
_CHOICES = {
    "chain": ("separate", "single"),
    "foreign": ("refuse", "replace"),
    "ssh": ("refuse", "allow"),
    "check": WHEN,
}
_PATH = re.compile(r"(?P<name>[A-Za-z0-9_.-]+):(?P<devices>[^,:]+)")
_DEVICE = re.compile(r"[^\s/]{1,15}")

Wrong = Callable[[str], ConnectError]


@dataclass(frozen=True, slots=True)
class PathPorts:
    """The devices of a path.

    Attributes:
        name: Of the path.
        a: Where packets of direction a-b come in, and those of b-a leave.
        b: The other port; None for a host with one: then a-b is what it sends, and b-a is what it receives.
    """

    name: str
    a: str
    b: str | None = None

    @property
    def devices(self) -> tuple[str, ...]:
        """All of them."""
        return (self.a,) if self.b is None else (self.a, self.b)

    def leaves_by(self, direction: Direction) -> str | None:
        """Return the device by which packets leave in a direction; None where they come in at the only one."""
        if self.b is None:
            return self.a if direction == "a-b" else None
        return self.b if direction == "a-b" else self.a


@dataclass(frozen=True, slots=True)
class NetemAddress:
    """What an address says.

    Attributes:
        paths: In their order.
        flows: Flows with a filter in each direction, 0 .. 15.
        separate: Whether loss has a netem of its own, which a change of delay leaves alone.
        replace_foreign: Whether somebody else's queueing discipline may be replaced, and is put back at the end.
        allow_ssh: Whether the device that carries this SSH session may be impaired.
        seed: Of the random numbers; None: the kernel's own.
        check: When packets are sent to see that the kernel does what it says.
    """

    paths: tuple[PathPorts, ...]
    flows: int = 0
    separate: bool = True
    replace_foreign: bool = False
    allow_ssh: bool = False
    seed: int | None = None
    check: WhenToCheck = "once"

    @classmethod
    def parse(cls, text: str, name: str | None = None) -> Self:
        """Read it.

        Raises:
            ConnectError: It cannot be read; says what would be legal.
        """
        address = Address.parse(text, schemes={"netem": 0}, settings=SETTINGS, example=EXAMPLE, name=name)

        def wrong(problem: str) -> ConnectError:
            return ConnectError(f"{problem}; write it like {EXAMPLE}", appliance=name or text)

        if address.host != "local" or address.port or address.user:
            raise wrong(f"{text}: this driver works on the machine it runs on, which is called 'local'")
        settings = address.settings
        for key, legal in _CHOICES.items():
            if settings[key] not in legal:
                raise wrong(f"{key}={settings[key]}: legal are {', '.join(legal)}")
        if not (settings["flows"].isascii() and settings["flows"].isdecimal() and int(settings["flows"]) <= MOST_FLOWS):
            raise wrong(f"flows={settings['flows']}: legal are 0 .. {MOST_FLOWS}")
        seed = settings["seed"]
        if seed and not (seed.isascii() and seed.isdecimal() and int(seed) < 2**64):
            raise wrong(f"seed={seed}: legal are 0 .. 2^64-1")
        paths = tuple(_read_path(each, wrong) for each in settings["paths"].split(",")) if settings["paths"] else ()
        devices = [device for path in paths for device in path.devices]
        if not paths or len({path.name for path in paths}) < len(paths) or len(set(devices)) < len(devices):
            raise wrong("paths: at least one, each with a name and devices of its own")
        return cls(
            paths, int(settings["flows"]), settings["chain"] == "separate", settings["foreign"] == "replace",
            settings["ssh"] == "allow", int(seed) if seed else None, next(w for w in WHEN if w == settings["check"]),
        )  # fmt: skip


def _read_path(text: str, wrong: Wrong) -> PathPorts:
    """Read `wan:eth1-eth2` or `wan:eth0`; with a hyphen in a name `wan:br-a/br-b` or `wan:br-a/`."""
    match = _PATH.fullmatch(text)
    if match is None:
        raise wrong(f"paths: {text!r} is not a path")
    separator = "/" if "/" in match["devices"] else "-"
    devices = match["devices"].removesuffix("/").split(separator)
    if len(devices) > 2 or not all(_DEVICE.fullmatch(device) for device in devices):
        raise wrong(f"paths: {match['devices']!r} is neither one device nor two; with hyphens in a name: br-a/br-b")
    return PathPorts(match["name"], *devices)
