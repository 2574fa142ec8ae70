"""A scenario against a rack before anything moves: every fault at once, as one error."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from impairlab.controller.plan.check import OnMismatch, check, check_stations
from impairlab.controller.plan.rack import PathRef, Rack
from impairlab.controller.plan.scenario import Scenario
from impairlab.controller.plan.timeline import Timeline, build_timeline
from impairlab.controller.plan.yaml import Fault
from impairlab.controller.run.rack import connect_appliance
from impairlab.drivers.model.capabilities import Capabilities
from impairlab.drivers.model.errors import FileError


def check_on_rack(
    scenario: Scenario,
    rack: Rack,
    binding: Mapping[str, PathRef],
    *,
    on_mismatch: OnMismatch = "refuse",
    environment: Mapping[str, str],
) -> Timeline:
    """Ask every appliance of the binding what it can do, program nothing, and return the checked timeline.

    Raises:
        FileError: Every fault of the scenario on this rack, each with its place.
        IdentityMismatch: Another appliance answers than the rack expects.
        TransportError: No way to an appliance.
    """
    timeline = build_timeline(scenario, binding)
    expect_stations(scenario, rack)
    with ExitStack() as connections:
        capabilities = {
            name: connections.enter_context(connect_appliance(name, rack, environment)).capabilities
            for name in used_appliances(binding)
        }
    expect_possible(scenario, timeline, binding, capabilities, on_mismatch)
    return timeline


def used_appliances(binding: Mapping[str, PathRef]) -> tuple[str, ...]:
    """Return each appliance of a binding once."""
    return tuple(dict.fromkeys(place.appliance for place in binding.values()))


def expect_stations(scenario: Scenario, rack: Rack) -> None:
    """Raise FileError when traffic starts from stations that the rack does not have."""
    _expect_none(check_stations(scenario, rack))


def expect_possible(
    scenario: Scenario,
    timeline: Timeline,
    binding: Mapping[str, PathRef],
    capabilities: Mapping[str, Capabilities],
    on_mismatch: OnMismatch,
) -> None:
    """Raise FileError with everything that the appliances cannot do."""
    _expect_none(check(scenario, timeline, binding, capabilities, on_mismatch=on_mismatch))


def _expect_none(faults: tuple[Fault, ...]) -> None:
    if faults:
        raise FileError([str(fault) for fault in faults])
