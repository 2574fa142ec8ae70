"""Modules of a virtual interface, `Default:Random_Delay;50;Min_Delay;10.0;Max_Delay;10.1;`, and what these do.

Source: nijokarively/itrinegy-api @4f00b7a, itrinegy.py. What that leaves open is in `house`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from impairlab.drivers.model import (
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    Impairment,
    RandomBurstLoss,
    RandomLoss,
    RateLimit,
    Reorder,
)
from impairlab.drivers.model.units import format_time
from impairlab.sim_hardware.itrinegy import house

_MS = 1_000_000
_MOST_NS = 10_000_000_000
_MOST_COUNT = 1_000_000
_LAYERS = {14: "l2", 38: "l1"}
_WITHOUT_EFFECT = frozenset(
    {"", "Debug", "Generic_Filter", "Generic_Routing", "Symmetric_Routing", "IPv4_Routing"}
)  # fmt: skip

_NO_LIMIT = (
    "Default:Linkspeed_and_FIFO_Queue_Bytes;70;Link_Type;Manual;Link_Speed;0;Queue_Length;64000;Overhead;18;"
    "Congestion_PCT;0.0;TTL_Cost;0;"
)
MANDATORY = (
    "Default:Debug;10;Dump_Packet;0;Bytes_to_Dump;80;",
    "Default:Generic_Filter;20;",
    "Default:Random_Drop_with_Burst;30;Loss_Percent;0.0;Minimum_Packets_to_Drop;1;Maximum_Packets_to_Drop;1;",
    "Default:Random_Packet_Corrupt;40;Packet_Corruption_Percent;0.0;",
    "Default:Step_Delay_Packet_Nanoseconds;50;Min_Delay;0;Max_Delay;0;Step_Delay;0;",
    "Default:Fragment_MTU;55;MTU_Limit;0;Dont_Fragment_Flag_Option;Fragment Anyway;",
    "Default:Packet_Move_and_Duplicate;62;Selection_Percent;0.0;Duplicate_Packet;0;Minimum_Move;0;Maximum_Move;0;",
    "Default:Random_Packet_Move_Offset;65;Move_Percent;0.0;Minimum_Move;1;Maximum_Move;1;",
    _NO_LIMIT,
)
"""Those that the published client gives every interface."""


class BadModule(Exception):  # noqa: N818 - what is answered
    """A module that cannot be, and why."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module.

    Attributes:
        text: As it was given.
        name: What it does.
        number: Its place.
        fields: Its settings.
    """

    text: str
    name: str
    number: int
    fields: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> "Module":
        """Read one. Raises `BadModule`."""
        kind, colon, rest = text.partition(":")
        name, _, rest = rest.partition(";")
        number, _, rest = rest.partition(";")
        words = rest.split(";")
        if kind != "Default" or not colon or not number.isdecimal() or words.pop() or len(words) % 2:
            raise BadModule(f"{text!r} is no module: Default:NAME;NUMBER;FIELD;VALUE;")
        made = cls(text, name, int(number), dict(zip(words[::2], words[1::2], strict=True)))
        if name not in _MEANINGS and name not in _WITHOUT_EFFECT:
            raise BadModule(f"there is no module {name!r}")
        made.meaning()
        return made

    def meaning(self) -> Impairment | None:
        """Return what it does to packets. Raises `BadModule`."""
        meaning = _MEANINGS.get(self.name)
        try:
            return None if meaning is None else meaning(self)
        except ValueError as error:
            raise BadModule(f"{self.name}: these do not go together") from error

    def number_of(self, field: str, high: int) -> Decimal:
        """Return a number among its fields. Raises `BadModule`."""
        try:
            value = Decimal(self.fields[field])
        except (KeyError, InvalidOperation) as error:
            raise BadModule(f"{self.name}: {field} is {self.fields.get(field)!r}, no number") from error
        if not value.is_finite() or not 0 <= value <= high:
            raise BadModule(f"{self.name}: {field} is {value}, not within 0 and {high}")
        return value

    def whole(self, field: str, high: int = _MOST_COUNT) -> int:
        """Return a whole number among its fields. Raises `BadModule`."""
        value = self.number_of(field, high)
        if value != value.to_integral_value():
            raise BadModule(f"{self.name}: {field} is {value}, no whole number")
        return int(value)

    def share(self, field: str) -> Decimal:
        """Return a percentage among its fields, of one. Raises `BadModule`."""
        return self.number_of(field, 100) / 100


def conditions_of(modules: Iterable[Module]) -> Conditions:
    """Return what packets suffer of the modules of an interface."""
    found: Iterator[Impairment | None] = (module.meaning() for module in modules)
    return Conditions.of(*(each for each in found if each is not None))


def _drop(module: Module) -> Impairment | None:
    rate = module.share("Loss_Percent")
    return RandomLoss(rate=rate) if rate else None


def _drop_in_bursts(module: Module) -> Impairment | None:
    rate = module.share("Loss_Percent")
    least, most = module.whole("Minimum_Packets_to_Drop"), module.whole("Maximum_Packets_to_Drop")
    if not rate:
        return None
    if (least, most) == (1, 1):
        return RandomLoss(rate=rate)
    return RandomBurstLoss(rate=rate, shortest=least, longest=most)


def _corrupt(module: Module) -> Impairment | None:
    rate = module.share("Packet_Corruption_Percent")
    return Corrupt(rate=rate) if rate else None


def _random_delay(module: Module) -> Impairment | None:
    most = _MOST_NS // _MS
    low, high = (int(module.number_of(field, most) * _MS) for field in ("Min_Delay", "Max_Delay"))
    if high < low:
        raise BadModule(f"Random_Delay: from {low} ns to {high} ns")
    if high == low:
        return Delay(mean=format_time(low)) if low else None
    half = (high - low) // 2
    return Delay(mean=format_time(low + half), spread=format_time(half), distribution="uniform")


def _step_delay(module: Module) -> Impairment | None:
    low, high = module.whole("Min_Delay", _MOST_NS), module.whole("Max_Delay", _MOST_NS)
    module.whole("Step_Delay", _MOST_NS)
    if low != high:
        raise BadModule("Step_Delay_Packet_Nanoseconds: steps are not simulated")
    return Delay(mean=format_time(low)) if low else None


def _fragment(module: Module) -> Impairment | None:
    if module.whole("MTU_Limit"):
        raise BadModule("Fragment_MTU: fragments are not simulated")
    return None


def _duplicate(module: Module) -> Impairment | None:
    rate, copies = module.share("Selection_Percent"), module.whole("Duplicate_Packet")
    if rate and module.whole("Maximum_Move"):
        raise BadModule("Packet_Move_and_Duplicate: moves are not simulated")
    return Duplicate(rate=rate, copies=copies) if rate and copies else None


def _move(module: Module) -> Impairment | None:
    rate = module.share("Move_Percent")
    least, most = module.whole("Minimum_Move"), module.whole("Maximum_Move")
    if least > most:
        raise BadModule(f"Random_Packet_Move_Offset: from {least} to {most}")
    if not rate or not most:
        return None
    return Reorder(rate=rate, depth=least, depth_most=most if most > least else 0, hold=f"{house.HOLD_MS} ms")


def _link_speed(module: Module) -> Impairment | None:
    speed, queue = module.whole("Link_Speed", 10**12), module.whole("Queue_Length", 10**9)
    overhead = module.whole("Overhead")
    if not speed:
        return None
    if overhead not in _LAYERS:
        raise BadModule(f"Linkspeed_and_FIFO_Queue_Bytes: an overhead of {overhead} is not simulated, only 14 and 38")
    if module.number_of("Congestion_PCT", 100) or module.whole("TTL_Cost"):
        raise BadModule("Linkspeed_and_FIFO_Queue_Bytes: congestion and a cost of time to live are not simulated")
    return RateLimit.model_validate({"rate": speed, "mode": "link", "queue": queue, "layer": _LAYERS[overhead]})


_MEANINGS: Mapping[str, Callable[[Module], Impairment | None]] = {
    "Random_Drop": _drop,
    "Random_Drop_with_Burst": _drop_in_bursts,
    "Random_Packet_Corrupt": _corrupt,
    "Random_Delay": _random_delay,
    "Step_Delay_Packet_Nanoseconds": _step_delay,
    "Fragment_MTU": _fragment,
    "Packet_Move_and_Duplicate": _duplicate,
    "Random_Packet_Move_Offset": _move,
    "Linkspeed_and_FIFO_Queue_Bytes": _link_speed,
}
