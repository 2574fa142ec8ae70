"""From what is programmed on a profile of an Attero-100G to what shall be: which resources to write, in which order.

Nothing is armed or committed on this appliance, each write acts by itself. So that nothing in between is worse than
before or after: what is to go is disabled first, in all profiles; what is to change in more than one resource is
disabled, written and enabled again; what changes in one is written in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from impairlab.drivers.calnex.attero_codec import KINDS, Body, Corruption, write_rate
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import Delay

_OFF: Body = {"Enable": False}
_ON: Body = {"Enable": True}


@dataclass(frozen=True, slots=True)
class Write:
    """One PUT.

    Attributes:
        group: "delay" or "corruption/lostpacket" and its like; comes before port and profile in the path.
        leaf: What comes after them; may be empty.
        body: What is put.
    """

    group: str
    leaf: str
    body: Body


@dataclass(frozen=True, slots=True)
class Programmed:
    """What is programmed on one profile: a delay in ns, None when disabled, and what corrupts, by kind."""

    delay: int | None = None
    corruptions: Mapping[str, Corruption] = field(default_factory=dict)

    @classmethod
    def of(cls, conditions: Conditions) -> Programmed:
        """Return what programs the conditions, which are legal."""
        delay = conditions.delay.mean if isinstance(conditions.delay, Delay) else None
        return cls(delay, {each.kind: Corruption.of(each) for each in conditions if each.kind in KINDS})

    def as_conditions(self) -> Conditions:
        """Return the conditions that it is."""
        delays = () if self.delay is None else (Delay.model_validate({"mean": f"{self.delay} ns"}),)
        return Conditions.of(*delays, *(each.as_impairment(kind) for kind, each in self.corruptions.items()))


@dataclass(slots=True)
class Plan:
    """Writes in the order in which they are made: first all of `off`, then `change`, then `on`."""

    off: list[Write] = field(default_factory=list)
    change: list[Write] = field(default_factory=list)
    on: list[Write] = field(default_factory=list)


class Stored(NamedTuple):
    """What a profile holds for misordered packets, in use or not: the appliance wants rate < 1 / (1 + depth) of it."""

    rate: Decimal
    depth: int


NOTHING_STORED = Stored(Decimal(0), 0)

_LEAST_RATE = Decimal("1e-7")


def plan(before: Programmed, after: Programmed, stored: Stored) -> Plan:
    """Return the writes that lead from one to the other on one profile.

    Args:
        before: What is programmed.
        after: What shall be.
        stored: Of misordered packets; only looked at where these change.
    """
    made = Plan()
    if after.delay is None and before.delay is not None:
        made.off.append(Write("delay", "enable", _OFF))
    elif after.delay is not None and after.delay != before.delay:
        made.change.append(Write("delay", "", {"Delay": after.delay}))
        if before.delay is None:
            made.on.append(Write("delay", "enable", _ON))
    for kind, resource in KINDS.items():
        _plan_corruption(
            made, f"corruption/{resource}", before.corruptions.get(kind), after.corruptions.get(kind), stored
        )
    return made


def _plan_corruption(
    made: Plan, group: str, before: Corruption | None, after: Corruption | None, stored: Stored
) -> None:
    if after == before:
        return
    if after is None:
        made.off.append(Write(group, "enable", _OFF))
        return
    bodies = after.resources()
    if after.depth is not None and after.depth > stored.depth:
        bodies["depth"] = bodies.pop("depth")  # last
    if after.depth is not None and after.rate is None and stored.rate * (1 + after.depth) >= 1:
        bodies = {"rate": {"Rate": write_rate(_LEAST_RATE)}, **bodies}  # of no use to a burst, and in its way
    if before is None:
        made.change += [Write(group, leaf, body) for leaf, body in bodies.items()]
        made.on.append(Write(group, "enable", _ON))
        return
    present = before.resources()
    changed = [Write(group, leaf, body) for leaf, body in bodies.items() if present.get(leaf) != body]
    if len(changed) > 1:
        made.off.append(Write(group, "enable", _OFF))
        made.on.append(Write(group, "enable", _ON))
    made.change += changed
