"""A scenario as a frozen value: roles, traffic, phases with what happens inside them, and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from impairlab.controller.plan.traffic import TrafficSpec
from impairlab.controller.plan.verdicts import VerdictSpec
from impairlab.controller.plan.yaml import KeyPath, Located
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.flows import Direction

Anchor = Literal["scenario", "traffic start", "traffic stop"]
ANCHORS: tuple[Anchor, ...] = ("scenario", "traffic start", "traffic stop")


@dataclass(frozen=True)
class Setting:
    """What one direction of one role's path suffers.

    Attributes:
        role: The scenario's word for the path.
        direction: a-b or b-a.
        conditions: All of it.
        where: Key path of the conditions in the file.
    """

    role: str
    direction: Direction
    conditions: Conditions
    where: KeyPath


@dataclass(frozen=True)
class Window:
    """Something that happens inside a phase, on top of the phase's own conditions; it replaces kind by kind.

    Attributes:
        offset_ns: When it first begins, after the start of the phase.
        duration_ns: How long it lasts each time; None: until the end of the phase.
        every_ns: Time from one beginning to the next; None: it happens once.
        settings: What it does.
        label: Its key in the file, e.g. "every 15 s".
        where: Key path in the file.
    """

    offset_ns: int
    duration_ns: int | None
    every_ns: int | None
    settings: tuple[Setting, ...]
    label: str
    where: KeyPath

    def spans(self, phase_ns: int) -> Iterator[tuple[int, int]]:
        """Yield (begin, end) after the start of a phase that lasts `phase_ns`; none goes beyond it."""
        begin = self.offset_ns
        while begin < phase_ns:
            end = phase_ns if self.duration_ns is None else min(begin + self.duration_ns, phase_ns)
            yield begin, end
            if self.every_ns is None:
                return
            begin += self.every_ns


@dataclass(frozen=True)
class Phase:
    """A stretch of the scenario with conditions of its own. A direction it does not name is neutral in it.

    Attributes:
        name: Unique in the scenario.
        duration_ns: How long; > 0.
        anchor: What the chain of phases that it belongs to counts from.
        settings: What holds all through it.
        windows: What happens inside it.
        where: Key path in the file.
    """

    name: str
    duration_ns: int
    anchor: Anchor
    settings: tuple[Setting, ...]
    windows: tuple[Window, ...]
    where: KeyPath


@dataclass(frozen=True)
class Scenario:
    """All that a scenario file says.

    Attributes:
        name: A word, for file names.
        title: A sentence.
        needs: For each role the features that its appliance must have, such as "delay.normal".
        traffic: By name.
        phases: In order; those anchored to the scenario come first, those anchored to the traffic's stop last.
        verdicts: The claims to judge.
        source: The file, for messages about places in it.
    """

    name: str
    title: str
    needs: Mapping[str, tuple[str, ...]]
    traffic: Mapping[str, TrafficSpec]
    phases: tuple[Phase, ...]
    verdicts: tuple[VerdictSpec, ...]
    source: Located

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that want a path."""
        return tuple(self.needs)

    @property
    def duration_ns(self) -> int:
        """The length of all phases together."""
        return sum(phase.duration_ns for phase in self.phases)
