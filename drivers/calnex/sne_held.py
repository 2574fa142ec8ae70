"""What the map of an SNE holds in one direction and not in the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from impairlab.drivers.calnex.sne_map import KINDS
from impairlab.drivers.model.capabilities import PlaceRule, Violation
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import Delay, RampDelay, SineDelay
from impairlab.drivers.model.flows import Direction, Target
from impairlab.drivers.model.impairments import Impairment, LinkState, RandomFlap

_MOST_JITTER_NS = 500_000_000

Held = Mapping[Direction, Mapping[str, str]]
"""Of each direction the impairments of the map: resource and name."""


def held_rule(held: Held) -> PlaceRule:
    """Return the rule that each direction has what the map holds in it."""
    ways = "; ".join(f"{direction}: {_names(found)}" for direction, found in held.items())

    def violations(target: Target, conditions: Conditions) -> Iterator[Violation]:
        for impairment in conditions:
            yield from _missing(held, target.direction, impairment)

    return PlaceRule("map", f"each direction has what the map holds in it: {ways}", violations)


def _missing(held: Held, direction: Direction, impairment: Impairment) -> Iterator[Violation]:
    found, everywhere = held[direction], {resource for each in held.values() for resource in each}
    if isinstance(impairment, LinkState | RandomFlap) or impairment.kind not in {KINDS[word] for word in everywhere}:
        return  # what no direction holds is not among the features
    if impairment.kind not in {KINDS[resource] for resource in found}:
        problem = "the map holds none that acts in this direction"
        yield Violation(field=impairment.kind, problem=problem, legal=f"what it holds: {_names(found)}")
    elif isinstance(impairment, Delay | RampDelay | SineDelay) and "delay" not in found:
        if not _can_be_jitter(impairment):
            yield Violation(
                field="delay", problem="the map holds a jitter here and no delay",
                legal="uniform with mean = spread, up to 500 ms, in order and without a schedule",
            )  # fmt: skip
    elif _can_be_jitter(impairment) and "jitter" in everywhere:
        yield Violation(field="delay.spread", problem="the map holds a delay here", legal="0.01 ms <= mean - spread")


def _names(found: Mapping[str, str]) -> str:
    return ", ".join(map(repr, found.values())) or "nothing"


def _can_be_jitter(impairment: Impairment) -> bool:
    if not isinstance(impairment, Delay) or impairment.distribution != "uniform":
        return False
    is_plain = impairment.keep_order and impairment.schedule is None
    return is_plain and impairment.mean == impairment.spread <= _MOST_JITTER_NS
