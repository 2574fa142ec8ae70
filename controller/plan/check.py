"""Check a scenario against what the appliances can do: every violation at once, each at its place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from impairlab.controller.plan.located import unknown_word
from impairlab.controller.plan.rack import PathRef, Rack
from impairlab.controller.plan.scenario import ANCHORS, Scenario
from impairlab.controller.plan.timeline import Change, Timeline
from impairlab.controller.plan.yaml import Fault, KeyPath, Located
from impairlab.drivers.model.capabilities import Capabilities, Violation
from impairlab.drivers.model.flows import Target
from impairlab.drivers.model.units import format_time

OnMismatch = Literal["refuse", "nearest"]


def check(
    scenario: Scenario,
    timeline: Timeline,
    binding: Mapping[str, PathRef],
    capabilities: Mapping[str, Capabilities],
    *,
    on_mismatch: OnMismatch = "refuse",
) -> tuple[Fault, ...]:
    """Return every violation, in the order of the file; empty when all is legal. Nothing is sent.

    Args:
        scenario: What shall happen.
        timeline: The scenario laid out on `binding`.
        binding: Which path plays each role.
        capabilities: Of each appliance that is bound.
        on_mismatch: "refuse" values off an appliance's step, or leave them to be moved to the "nearest".
    """
    faults = [
        *_unmet_needs(scenario, binding, capabilities),
        *_conditions(scenario.source, timeline, capabilities, on_step=on_mismatch == "refuse"),
        *_too_quick(scenario.source, timeline, capabilities),
    ]
    return tuple(sorted(dict.fromkeys(faults), key=lambda fault: (fault.place.line, fault.place.column)))


def check_stations(scenario: Scenario, rack: Rack) -> tuple[Fault, ...]:
    """Return a fault for every traffic that starts from a station which the rack does not have."""
    return tuple(
        scenario.source.fault(
            ("traffic", name, "from"),
            unknown_word("station", spec.station, tuple(rack.stations)),
            ", ".join(rack.stations) or "nothing: the rack has no stations; leave it out to start from this machine",
        )
        for name, spec in scenario.traffic.items()
        if spec.station is not None and spec.station not in rack.stations
    )


def _unmet_needs(
    scenario: Scenario, binding: Mapping[str, PathRef], capabilities: Mapping[str, Capabilities]
) -> Iterator[Fault]:
    for role, place in binding.items():
        stated = capabilities[place.appliance]
        for violation in stated.check_target(Target(path=place.path, direction="a-b")):
            problem = f"{place.appliance} has {violation.problem}"
            yield scenario.source.fault(("needs", role), problem, violation.legal)
        for index, need in enumerate(scenario.needs[role]):
            if not stated.supports(need):
                offered = ", ".join(sorted(stated.features)) or "nothing"
                yield scenario.source.fault(("needs", role, index), f"{place.appliance} does not offer {need}", offered)


def _conditions(
    source: Located, timeline: Timeline, capabilities: Mapping[str, Capabilities], *, on_step: bool
) -> Iterator[Fault]:
    for step in timeline.steps:
        for change in step.changes:
            stated = capabilities[change.appliance]
            is_there = not stated.check_target(change.target)  # if not, `_unmet_needs` tells it once
            for violation in (
                stated.check_at(change.target, change.conditions, on_step=on_step)
                if is_there
                else stated.check(change.conditions, on_step=on_step)
            ):
                problem = f"{change.appliance}: {violation.problem}"
                yield source.fault(_field_path(source, change, violation), problem, violation.legal)


def _field_path(source: Located, change: Change, violation: Violation) -> KeyPath:
    """Return the key path of the field a violation is about; of the conditions where it has none in the file."""
    path: KeyPath = change.where
    for word in violation.field.split("."):
        written = "jitter" if word == "spread" and (*path, "jitter") in source.keys else word
        if (*path, written) not in source.keys:
            break
        path = (*path, written)
    return path


def _too_quick(source: Located, timeline: Timeline, capabilities: Mapping[str, Capabilities]) -> Iterator[Fault]:
    for anchor in ANCHORS:
        last: dict[str, int] = {}
        for step in timeline.chain(anchor):
            for change in step.changes:
                interval = capabilities[change.appliance].update_interval_ns
                gap = step.t_ns - last.get(change.appliance, -interval)
                if 0 < gap < interval:
                    problem = f"{format_time(gap)} after the change before it, too soon for {change.appliance}"
                    yield source.fault(change.where, problem, f"{format_time(interval)} or more between changes")
            last.update({change.appliance: step.t_ns for change in step.changes})
