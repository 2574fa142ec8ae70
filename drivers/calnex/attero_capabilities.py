"""What an Attero-100G can do, as far as it is public, and what of that is a guess."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from impairlab.drivers.model.capabilities import Capabilities, Feature, Provenance, Range, Rule
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.schedule import PacketSchedule, Schedule

PATHS = ("1",)
PROFILES = 8
BURSTS = range(1, 10_001)

_SOURCE = "QuickCall library di_attero100G, github.com/Spirent/iTest-assets"
_RATE_STEP = Decimal("1e-7")
_MOST_SECONDS = 2**31 - 2
"""One less than what its clients can hold: with a burst that comes once goes a period that is longer by one."""
_SECOND_NS = 10**9
_TIMED = "; that a duration is in seconds is what one comment there says, its range is said nowhere"


def _count(low: int, high: int) -> Range:
    return Range(dimension="count", low=Decimal(low), high=Decimal(high), step=Decimal(1))


def _seconds(low: int) -> Range:
    return Range(dimension="time", low=Decimal(low * _SECOND_NS), high=Decimal(_MOST_SECONDS * _SECOND_NS),
                 step=Decimal(_SECOND_NS))  # fmt: skip


def _share(high: Decimal) -> Range:
    return Range(dimension="probability", low=_RATE_STEP, high=high, step=_RATE_STEP)


_SCHEDULE: Mapping[str, Range] = {
    "schedule.on": _seconds(1),
    "schedule.period": _seconds(0),
    "schedule.on_packets": _count(1, _MOST_SECONDS),
    "schedule.period_packets": _count(0, _MOST_SECONDS),
}
_BURST = _count(BURSTS.start, BURSTS.stop - 1)
_DEPTH = _count(1, 32)


def _documented(detail: str) -> Provenance:
    return Provenance(basis="documented", detail=f"{_SOURCE}: {detail}")


def _inferred(detail: str) -> Provenance:
    return Provenance(basis="inferred", detail=f"{detail}{_TIMED} ({_SOURCE})")


_FEATURES = (
    Feature(
        name="delay.constant",
        ranges={"mean": Range(dimension="time", low=Decimal(50_000), high=Decimal(20 * _SECOND_NS), step=Decimal(1))},
        provenance=_documented("an integer of 50000 to 20000000000 ns"),
    ),
    Feature(
        name="loss.random",
        ranges={"rate": _share(1 - _RATE_STEP), **_SCHEDULE},
        provenance=_inferred("lostpacket of type Rate, 1E-7 to 1; that a rate is random and not even is said nowhere"),
    ),
    Feature(name="loss.outage", ranges=_SCHEDULE, provenance=_inferred("lostpacket of type Rate at 100 %")),
    Feature(
        name="loss.single-burst",
        ranges={"packets": _BURST, **_SCHEDULE},
        provenance=_inferred("lostpacket of type Burst, 1 to 10000; that it acts when it is enabled is said nowhere"),
    ),
    Feature(
        name="corrupt",
        ranges={"rate": _share(Decimal(1)), **_SCHEDULE},
        choices={"damages": ("ethernet",)},
        provenance=_inferred("erroredpacket of type Rate; that the frame check sequence is wrong is said nowhere"),
    ),
    Feature(
        name="corrupt.single-burst",
        ranges={"pattern.packets": _BURST, **_SCHEDULE},
        choices={"damages": ("ethernet",)},
        provenance=_inferred("erroredpacket of type Burst; see corrupt and loss.single-burst"),
    ),
    Feature(
        name="duplicate",
        ranges={"rate": _share(Decimal(1)), **_SCHEDULE},
        provenance=_inferred("repeatedpacket of type Rate; that a packet comes once more is said nowhere"),
    ),
    Feature(
        name="duplicate.single-burst",
        ranges={"pattern.packets": _BURST, **_SCHEDULE},
        provenance=_inferred("repeatedpacket of type Burst; see duplicate and loss.single-burst"),
    ),
    Feature(
        name="reorder",
        ranges={"rate": _share(Decimal("0.5") - _RATE_STEP), "depth": _DEPTH, **_SCHEDULE},
        provenance=_inferred("misorderedpacket of type Rate; the range of the depth is that of the older Attero"),
    ),
    Feature(
        name="reorder.single-burst",
        ranges={"pattern.packets": _BURST, "depth": _DEPTH, **_SCHEDULE},
        provenance=_inferred("misorderedpacket of type Burst; see reorder and loss.single-burst"),
    ),
)


def _rate_leaves_room_for_its_depth(conditions: Conditions) -> bool:
    reorder = conditions.reorder
    return reorder is None or reorder.rate * (1 + reorder.depth) < 1


def _repeats_after_it_ended(conditions: Conditions) -> bool:
    for impairment in conditions:
        match getattr(impairment, "schedule", None):
            case Schedule(on=on, period=period) | PacketSchedule(on_packets=on, period_packets=period):
                if period and period <= on:
                    return False
    return True


_RULES = (
    Rule("reorder.rate", "a rate below 1 / (1 + depth)", _rate_leaves_room_for_its_depth),
    Rule("schedule.period", "a repeat interval greater than the duration", _repeats_after_it_ended),
)

CAPABILITIES = Capabilities(
    paths=PATHS,
    flows=PROFILES - 1,
    features={feature.name: feature for feature in _FEATURES},
    rules=_RULES,
    effect="immediate",
)
