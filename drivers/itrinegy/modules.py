"""Conditions to modules of a virtual interface, and back: `Default:Random_Delay;50;Min_Delay;10.0;Max_Delay;10.1;`.

Source: itrinegy.py in github.com/nijokarively/itrinegy-api. What is said nowhere is in `capabilities`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import AnyDelay, Delay
from impairlab.drivers.model.effects import effect
from impairlab.drivers.model.impairments import Corrupt, Duplicate, RateLimit, Reorder
from impairlab.drivers.model.losses import AnyLoss, Outage, RandomBurstLoss, RandomLoss

MS = 1_000_000
OVERHEADS: Mapping[str, int] = {"l2": 14, "l1": 38}
"""What is added to a packet of layer 3: the Ethernet header; and besides it FCS, preamble and gap."""

_KINDS: Mapping[int, str] = {30: "loss", 40: "corrupt", 50: "delay", 62: "duplicate", 65: "reorder", 70: "rate"}
OURS = frozenset(_KINDS)
"""Numbers of the modules that conditions are made of."""

DEFAULT_QUEUE, DEFAULT_OVERHEAD = 64_000, 18
_MODULE = re.compile(r"(?:Default:)?(?P<name>[^;]*);(?P<number>\d+);(?P<fields>.*)", re.DOTALL)


class NotInOurWordsError(ValueError):
    """What is set has no place in conditions."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module.

    Attributes:
        name: What it does.
        number: Its place in the chain; a module replaces another of its number.
        fields: Its settings.
    """

    name: str
    number: int
    fields: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> Module:
        """Read the value of one `--procModule`. Raises ValueError."""
        found = _MODULE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no module")
        words = found["fields"].split(";")
        if words and words[-1] == "":
            words.pop()
        if len(words) % 2:
            raise ValueError(f"{text!r} has a field without a value")
        return cls(found["name"], int(found["number"]), dict(zip(words[::2], words[1::2], strict=True)))

    def __str__(self) -> str:
        """As the value of `--procModule`."""
        fields = "".join(f"{key};{value};" for key, value in self.fields.items())
        return f"Default:{self.name};{self.number};{fields}"


def changes(conditions: Conditions, present: Mapping[int, Module], speed_unit: int) -> list[Module]:
    """Return the modules to send so that an interface does what conditions say; none where it does so already.

    Args:
        conditions: What is wanted.
        present: What it has, by number.
        speed_unit: Bit/s in one unit of Link_Speed.

    Raises:
        NotInOurWordsError: It has what conditions have no place for.
        ValueError: It has what cannot be read.
    """
    now = read_conditions(present, speed_unit)
    differ = {
        number for number, kind in _KINDS.items() if effect(getattr(now, kind)) != effect(getattr(conditions, kind))
    }
    kept = {"TTL_Cost": present[70].fields.get("TTL_Cost", "0")} if 70 in present else {}
    return [
        replace(each, fields={**each.fields, **kept}) if each.number == 70 else each  # routing has its say there, too
        for each in modules_of(conditions, speed_unit)
        if each.number in differ
    ]


def modules_of(conditions: Conditions, speed_unit: int) -> Iterator[Module]:
    """Yield one module of each number that impairs, neutral where nothing is wanted."""
    yield _loss(conditions.loss)
    corrupt, duplicate, reorder = conditions.corrupt, conditions.duplicate, conditions.reorder
    yield Module(
        "Random_Packet_Corrupt", 40, {"Packet_Corruption_Percent": _percent(corrupt.rate if corrupt else None)}
    )
    yield _delay(conditions.delay)
    yield Module(
        "Packet_Move_and_Duplicate",
        62,
        {
            "Selection_Percent": _percent(duplicate.rate if duplicate else None),
            "Duplicate_Packet": "1" if duplicate else "0",
            "Minimum_Move": "0",
            "Maximum_Move": "0",
        },
    )
    yield Module(
        "Random_Packet_Move_Offset",
        65,
        {
            "Move_Percent": _percent(reorder.rate if reorder else None),
            "Minimum_Move": str(reorder.depth if reorder else 1),
            "Maximum_Move": str(max(reorder.depth, reorder.depth_most) if reorder else 1),
        },
    )
    yield _speed(conditions.rate, speed_unit)


def read_conditions(modules: Mapping[int, Module], speed_unit: int) -> Conditions:
    """Return what modules amount to.

    Args:
        modules: By number.
        speed_unit: Bit/s in one unit of Link_Speed.

    Raises:
        NotInOurWordsError: One does what conditions have no place for.
        ValueError: One cannot be read.
    """
    return Conditions(
        loss=_read_loss(modules.get(30)),
        corrupt=_read_corrupt(modules.get(40)),
        delay=_read_delay(modules.get(50)),
        duplicate=_read_duplicate(modules.get(62)),
        reorder=_read_reorder(modules.get(65)),
        rate=_read_speed(modules.get(70), speed_unit),
    )


def _percent(share: Decimal | None) -> str:
    value = (share or Decimal(0)) * 100
    return f"{value.normalize():f}" if value else "0.0"


def _loss(loss: AnyLoss | None) -> Module:
    if isinstance(loss, RandomBurstLoss):
        rate, least, most = loss.rate, loss.shortest, loss.longest
    elif isinstance(loss, Outage):
        rate, least, most = Decimal(1), 1, 1
    else:
        rate, least, most = loss.rate if isinstance(loss, RandomLoss) else Decimal(0), 1, 1
    if (least, most) == (1, 1) and rate:
        return Module("Random_Drop", 30, {"Loss_Percent": _percent(rate)})
    fields = {"Minimum_Packets_to_Drop": str(least), "Maximum_Packets_to_Drop": str(most)}
    return Module("Random_Drop_with_Burst", 30, {"Loss_Percent": _percent(rate), **fields})


def _delay(delay: AnyDelay | None) -> Module:
    if isinstance(delay, Delay) and delay.spread:
        low, high = (
            f"{(Decimal(ns) / MS).normalize():f}" for ns in (delay.mean - delay.spread, delay.mean + delay.spread)
        )
        return Module("Random_Delay", 50, {"Min_Delay": low, "Max_Delay": high})
    mean = str(delay.mean if isinstance(delay, Delay) else 0)
    fields = {"Min_Delay": mean, "Max_Delay": mean, "Step_Delay": "0"}
    return Module("Step_Delay_Packet_Nanoseconds", 50, fields)


def _speed(rate: RateLimit | None, speed_unit: int) -> Module:
    speed = 0 if rate is None else rate.rate // speed_unit
    queue = DEFAULT_QUEUE if rate is None else rate.queue
    overhead = DEFAULT_OVERHEAD if rate is None else OVERHEADS[rate.layer]
    fields = {"Link_Type": "Manual", "Link_Speed": speed, "Queue_Length": queue, "Overhead": overhead}
    rest = {"Congestion_PCT": "0.0", "TTL_Cost": "0"}
    return Module("Linkspeed_and_FIFO_Queue_Bytes", 70, {**{key: str(value) for key, value in fields.items()}, **rest})


def _number(module: Module, field: str, default: str | None = None) -> Decimal:
    text = module.fields.get(field, default)
    if text is None:
        raise ValueError(f"{module.name} has no {field}")
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{field} of {module.name} is {text!r}") from error
    if not value.is_finite() or value < 0:
        raise ValueError(f"{field} of {module.name} is {text}")
    return value


def _whole(module: Module, field: str, default: str | None = None) -> int:
    value = _number(module, field, default)
    if value != value.to_integral_value():
        raise ValueError(f"{field} of {module.name} is {value}, not a whole number")
    return int(value)


def _share(module: Module, field: str) -> Decimal:
    share = _number(module, field) / 100
    if share > 1:
        raise ValueError(f"{field} of {module.name} is more than 100")
    return share


def _only(module: Module, *names: str) -> None:
    if module.name not in names:
        raise NotInOurWordsError(f"the module {module.name} of number {module.number}")


def _read_loss(module: Module | None) -> AnyLoss | None:
    if module is None:
        return None
    _only(module, "Random_Drop", "Random_Drop_with_Burst")
    rate = _share(module, "Loss_Percent")
    least = _whole(module, "Minimum_Packets_to_Drop", "1")
    most = _whole(module, "Maximum_Packets_to_Drop", "1")
    if not rate:
        return None
    if (least, most) != (1, 1):
        return RandomBurstLoss(rate=rate, shortest=least, longest=most)
    return Outage() if rate == 1 else RandomLoss(rate=rate)


def _read_corrupt(module: Module | None) -> Corrupt | None:
    if module is None:
        return None
    _only(module, "Random_Packet_Corrupt")
    rate = _share(module, "Packet_Corruption_Percent")
    return Corrupt(rate=rate) if rate else None


def _read_delay(module: Module | None) -> Delay | None:
    if module is None:
        return None
    _only(module, "Random_Delay", "Step_Delay_Packet_Nanoseconds")
    unit = MS if module.name == "Random_Delay" else 1
    low, high = (_number(module, field) * unit for field in ("Min_Delay", "Max_Delay"))
    if unit == 1 and low != high:
        raise NotInOurWordsError(f"a delay that goes from {low} to {high} ns in steps")
    if high < low:
        raise ValueError(f"Max_Delay is below Min_Delay in {module}")
    half = (high - low) / 2
    mean = (low + half) / 10**9
    if not half:
        return Delay(mean=mean) if mean else None
    return Delay(mean=mean, spread=half / 10**9, distribution="uniform")


def _read_duplicate(module: Module | None) -> Duplicate | None:
    if module is None:
        return None
    _only(module, "Packet_Move_and_Duplicate")
    rate = _share(module, "Selection_Percent")
    copies = _whole(module, "Duplicate_Packet")
    moved = _whole(module, "Maximum_Move")
    if not rate or not (copies or moved):
        return None
    if moved or copies != 1:
        raise NotInOurWordsError(f"{module}: packets that are moved when they are sent again, or many times")
    return Duplicate(rate=rate)


def _read_reorder(module: Module | None) -> Reorder | None:
    if module is None:
        return None
    _only(module, "Random_Packet_Move_Offset")
    rate = _share(module, "Move_Percent")
    least, most = _whole(module, "Minimum_Move"), _whole(module, "Maximum_Move")
    if not rate or not most:
        return None
    if not 1 <= least <= most:
        raise NotInOurWordsError(f"{module}: packets that are moved by {least} to {most}")
    return Reorder(rate=rate, depth=least, depth_most=most if most > least else 0)


def _read_speed(module: Module | None, speed_unit: int) -> RateLimit | None:
    if module is None:
        return None
    _only(module, "Linkspeed_and_FIFO_Queue_Bytes")
    speed = _number(module, "Link_Speed") * speed_unit
    if _number(module, "Congestion_PCT", "0"):
        raise NotInOurWordsError(f"{module}: congestion")
    if not speed:
        return None
    if module.fields.get("Link_Type", "Manual") != "Manual":
        raise NotInOurWordsError(f"{module}: a kind of link that is not Manual")
    overhead = _whole(module, "Overhead")
    if overhead not in OVERHEADS.values() or speed != speed.to_integral_value():
        raise NotInOurWordsError(f"a link speed that counts {overhead} bytes more of each packet")
    layer = "l1" if overhead == OVERHEADS["l1"] else "l2"
    return RateLimit.model_validate(
        {"rate": int(speed), "mode": "link", "queue": _whole(module, "Queue_Length"), "layer": layer}
    )
