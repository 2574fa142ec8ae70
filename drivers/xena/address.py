"""Where a Chimera module is: the chassis, the module, and its ports, pair by pair."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from impairlab.drivers.links.address import Address
from impairlab.drivers.model.errors import ConnectError
from impairlab.drivers.model.flows import Target
from impairlab.drivers.xena.reading import Place
from impairlab.drivers.xena.translation import MILLISECOND_NS

TEXT_PORT = 22_611
"""Of the text CLI."""

UNITS_NS: Mapping[str, int] = {"10ms": 10 * MILLISECOND_NS, "ms": MILLISECOND_NS}
"""In which schedules may count: sources conflict."""

SETTINGS: Mapping[str, str] = {"module": "0", "ports": "0-1", "schedule_unit": "10ms", "owner": "impair"}
"""What an address may set, and what holds without it."""

EXAMPLE = "tcp://192.0.2.1:22611?module=0&ports=0-1,2-3&owner=lab1"

LONGEST_OWNER = 8
"""Characters: "up to eight", says the definition of C_OWNER, and further on "maximum 32"."""

_PAIR = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class ModuleAddress:
    """A module of a chassis.

    Attributes:
        host: Of the chassis.
        port: Of its text CLI.
        module: Its slot.
        pairs: The two ports of each path, which is named by its number from 1.
        unit_ns: In which schedules count.
        owner: In whose name ports are reserved.
    """

    host: str
    port: int
    module: int
    pairs: tuple[tuple[int, int], ...]
    unit_ns: int
    owner: str

    @classmethod
    def parse(cls, text: str, name: str) -> ModuleAddress:
        """Read e.g. "tcp://192.0.2.1:22611?module=0&ports=0-1,2-3&schedule_unit=10ms&owner=lab1".

        Args:
            text: Of the user.
            name: What errors call the appliance.

        Raises:
            ConnectError: It cannot be read; says where, and what would be legal.
        """
        address = Address.parse(text, schemes={"tcp": TEXT_PORT}, settings=SETTINGS, example=EXAMPLE, name=name)
        settings = address.settings
        try:
            return cls(
                address.host, address.port,
                module=_read_slot(settings["module"]), pairs=_read_pairs(settings["ports"]),
                unit_ns=_read_unit(settings["schedule_unit"]), owner=_read_owner(address.user, settings["owner"]),
            )  # fmt: skip
        except ValueError as error:
            raise ConnectError(f"{text}: {error}; write it like {EXAMPLE}", appliance=name) from error

    @property
    def paths(self) -> tuple[str, ...]:
        """Names of the paths."""
        return tuple(str(number + 1) for number in range(len(self.pairs)))

    @property
    def ports(self) -> tuple[str, ...]:
        """All ports, as commands name them."""
        return tuple(f"{self.module}/{port}" for pair in self.pairs for port in pair)

    def place(self, target: Target) -> Place:
        """Return the flow of the port at which a target is programmed: that by which its packets come in."""
        pair = self.pairs[int(target.path) - 1]
        port = pair[0] if target.direction == "a-b" else pair[1]
        return Place(f"{self.module}/{port}", target.flow)

    def both_ports(self, target: Target) -> tuple[str, ...]:
        """Return the ports of a target's path."""
        return tuple(f"{self.module}/{port}" for port in self.pairs[int(target.path) - 1])


def _read_slot(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"module is the number of a slot, not {text!r}")
    return int(text)


def _read_unit(text: str) -> int:
    if text not in UNITS_NS:
        raise ValueError(f"schedule_unit is one of {', '.join(UNITS_NS)}, not {text!r}")
    return UNITS_NS[text]


def _read_owner(user: str | None, text: str) -> str:
    if user is not None:
        raise ValueError(f"a chassis has no users: put {user!r} as the owner")
    if not 0 < len(text) <= LONGEST_OWNER or not text.isascii() or not text.isalnum():
        raise ValueError(f"owner is 1 to {LONGEST_OWNER} letters and digits, not {text!r}")
    return text


def _read_pairs(text: str) -> tuple[tuple[int, int], ...]:
    pairs = []
    for each in text.split(","):
        pair = _PAIR.fullmatch(each)
        if pair is None:
            raise ValueError(f"ports are pairs like 0-1,2-3, not {text!r}")
        pairs.append((int(pair[1]), int(pair[2])))
    numbers = [port for pair in pairs for port in pair]
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"ports has one twice: {text!r}")
    return tuple(pairs)
