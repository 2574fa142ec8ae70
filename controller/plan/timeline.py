"""The timeline: a scenario on real paths, as a flat list of instants and the whole conditions set at each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from pydantic import Field

from impairlab.controller.plan.located import Reading
from impairlab.controller.plan.rack import PathRef
from impairlab.controller.plan.scenario import ANCHORS, Anchor, Phase, Scenario, Setting
from impairlab.drivers.model.applied import FlowEntry
from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.flows import DIRECTIONS, Direction, Target
from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.units import format_time

MOST_STEPS = 100_000


class Change(Frozen):
    """The whole conditions of one direction of one path, to be set at a step.

    Attributes:
        appliance: Its name in the rack.
        role: The scenario's word for the path.
        target: Path, direction and flow on the appliance.
        conditions: All of them; what was set before is replaced.
        where: Key path in the scenario file of what asks for it; empty for the neutral end.
    """

    appliance: str
    role: str
    target: Target
    conditions: Conditions
    where: tuple[str | int, ...] = ()

    @property
    def entry(self) -> FlowEntry:
        """What an appliance is given."""
        return FlowEntry(target=self.target, conditions=self.conditions)


class Step(Frozen):
    """One instant.

    Attributes:
        anchor: What `t_ns` counts from.
        t_ns: Nanoseconds after the anchor.
        phase: The phase it belongs to.
        label: What happens: "phase", the key of a window in the file, "end of ..." or "end".
        changes: Only what differs from the step before; the first step sets every direction. May be empty: a phase
            begins and nothing changes.
    """

    anchor: Anchor
    t_ns: int = Field(ge=0)
    phase: str
    label: str
    changes: tuple[Change, ...] = ()


class Span(Frozen):
    """One phase on the clock: from `start_ns` until before `end_ns`, both after the anchor."""

    phase: str
    anchor: Anchor
    start_ns: int
    end_ns: int


class Timeline(Frozen):
    """What happens when. Steps of one anchor are in the order of time; anchors are in the order of `ANCHORS`."""

    scenario: str
    steps: tuple[Step, ...]
    spans: tuple[Span, ...]

    @property
    def appliances(self) -> tuple[str, ...]:
        """The appliances it acts on."""
        return tuple(dict.fromkeys(change.appliance for step in self.steps for change in step.changes))

    def chain(self, anchor: Anchor) -> tuple[Step, ...]:
        """Return the steps that count from one anchor."""
        return tuple(step for step in self.steps if step.anchor == anchor)

    def length_ns(self, anchor: Anchor) -> int:
        """Return how long the phases of one anchor last; 0 when there are none."""
        return max((span.end_ns for span in self.spans if span.anchor == anchor), default=0)


def build_timeline(scenario: Scenario, binding: Mapping[str, PathRef]) -> Timeline:
    """Lay a scenario out on paths.

    Args:
        scenario: What shall happen.
        binding: Which path plays each role.

    Raises:
        FileError: a role has no path, a binding names no role, two roles share a path, or there are too many steps.
    """
    _expect_binding(scenario, binding)
    current: dict[tuple[str, Direction], Conditions] = {}
    steps: list[Step] = []
    spans: list[Span] = []
    for anchor, phases in groupby(scenario.phases, key=lambda phase: phase.anchor):
        start = 0
        for phase in phases:
            for offset, label, wanted in _instants(phase, scenario.roles):
                changes = tuple(
                    _change(binding[role], role, direction, setting)
                    for (role, direction), setting in wanted.items()
                    if current.get((role, direction)) != setting.conditions
                )
                current.update({key: setting.conditions for key, setting in wanted.items()})
                if changes or label == "phase":
                    steps.append(Step(anchor=anchor, t_ns=start + offset, phase=phase.name, label=label,
                                      changes=changes))  # fmt: skip
            spans.append(Span(phase=phase.name, anchor=anchor, start_ns=start, end_ns=start + phase.duration_ns))
            start += phase.duration_ns
    steps.append(_final(spans[-1], scenario.roles, binding))
    return Timeline(scenario=scenario.name, steps=tuple(steps), spans=tuple(spans))


def preview(timeline: Timeline, binding: Mapping[str, PathRef]) -> str:
    """Return the timeline as text, one line per instant and direction."""
    total = sum(timeline.length_ns(anchor) for anchor in ANCHORS)
    bound = ", ".join(f"{role} = {place}" for role, place in binding.items())
    lines = [f"{timeline.scenario}: {format_time(total)}, {len(timeline.spans)} phases" + (f", {bound}" * bool(bound))]
    for anchor in ANCHORS:
        chain = timeline.chain(anchor)
        if chain:
            lines.append(f"from {anchor}")
        for step in chain:
            head = f"  {'+' + format_time(step.t_ns):>12}  {step.phase:<14} {step.label:<22}"
            said = [f"{c.role} {c.target.direction}: {c.conditions}" for c in step.changes] or ["no change"]
            lines += [f"{head if i == 0 else ' ' * len(head)} {text}" for i, text in enumerate(said)]
    return "\n".join(lines)


def _expect_binding(scenario: Scenario, binding: Mapping[str, PathRef]) -> None:
    reading = Reading(scenario.source)
    for role in scenario.roles:
        if role not in binding:
            reading.fault(("needs", role), "no path plays this role", f"--on {role}=appliance or {role}=appliance:path")
    for role in binding:
        if role not in scenario.roles:
            reading.unknown(("needs", role), "role", scenario.roles)
    for place, roles in groupby(sorted(binding, key=lambda role: str(binding[role])), key=lambda role: binding[role]):
        together = list(roles)
        if len(together) > 1:
            reading.fault(("needs", together[1]), f"{place} plays {' and '.join(together)}", "one role for each path")
    count = sum(2 * len(list(window.spans(phase.duration_ns))) for phase in scenario.phases for window in phase.windows
                if window.every_ns is None or phase.duration_ns // window.every_ns <= MOST_STEPS)  # fmt: skip
    for phase in scenario.phases:
        for window in phase.windows:
            if (window.every_ns and phase.duration_ns // window.every_ns > MOST_STEPS) or count > MOST_STEPS:
                reading.fault(window.where, "too many instants", f"at most {MOST_STEPS} in a scenario")
    reading.finish()


_Wanted = dict[tuple[str, Direction], Setting]


def _instants(phase: Phase, roles: tuple[str, ...]) -> Iterator[tuple[int, str, _Wanted]]:
    """Yield (offset, label, what every direction shall suffer from then on) wherever something may change."""
    base: _Wanted = {(role, way): Setting(role, way, NEUTRAL, phase.where) for role in roles for way in DIRECTIONS}
    base.update({(setting.role, setting.direction): setting for setting in phase.settings})
    spans = sorted(
        (begin, end, order) for order, window in enumerate(phase.windows)
        for begin, end in window.spans(phase.duration_ns)
    )  # fmt: skip
    labels: dict[int, str] = {end: f"end of {phase.windows[order].label}" for _, end, order in spans}
    labels.update({begin: phase.windows[order].label for begin, _, order in spans})
    labels[0] = "phase"
    active: list[tuple[int, int, int]] = []
    upcoming = 0
    for instant in sorted(labels):
        if instant >= phase.duration_ns:
            return
        active = [span for span in active if span[1] > instant]
        while upcoming < len(spans) and spans[upcoming][0] <= instant:
            active.append(spans[upcoming])
            upcoming += 1
        wanted = dict(base)
        for _, _, order in active:
            for setting in phase.windows[order].settings:
                key = (setting.role, setting.direction)
                merged = wanted[key].conditions.merged(setting.conditions)
                wanted[key] = Setting(*key, merged, setting.where)
        yield instant, labels[instant], wanted


def _change(place: PathRef, role: str, direction: Direction, setting: Setting) -> Change:
    target = Target(path=place.path, direction=direction)
    return Change(appliance=place.appliance, role=role, target=target, conditions=setting.conditions,
                  where=setting.where)  # fmt: skip


def _final(last: Span, roles: tuple[str, ...], binding: Mapping[str, PathRef]) -> Step:
    changes = tuple(
        _change(binding[role], role, way, Setting(role, way, NEUTRAL, ())) for role in roles for way in DIRECTIONS
    )
    return Step(anchor=last.anchor, t_ns=last.end_ns, phase=last.phase, label="end", changes=changes)
