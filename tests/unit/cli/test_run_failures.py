"""A run against an appliance that misbehaves: a named error, a closed record, an exit code, nothing left impaired."""

import pytest

from impairlab.controller.cli.exits import Exit, exit_of
from impairlab.controller.plan import Rack, read_scenario
from impairlab.controller.plan.documents import read_run
from impairlab.controller.report import write_report
from impairlab.controller.run import ScenarioRun
from impairlab.controller.run.observer import Silent
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import CloseMidReply, Garbage, LateReply, Mute, Reboot
from impairlab.sim_hardware.planes import NullPlane

SECOND = 1_000_000_000


class Saboteur(Silent):
    """Follows a run and lets something go wrong when its first phase has begun."""

    def __init__(self, appliance, fault):
        self._appliance, self._fault = appliance, fault

    def phase_began(self, name):
        if name == "calm":
            self._appliance.inject(self._fault)


class StubbornPlane(NullPlane):
    """Refuses what it said it could do."""

    def program(self, entries, at_ns=None):
        if any(not entry.conditions.is_neutral for entry in entries):
            raise CapabilityError([], appliance="plane")
        return super().program(entries, at_ns)


def run(lab, observer):
    """Run the lab's scenario; the error that it ended with, the record of it, and the text of its report."""
    rack = Rack.read(lab.rack)
    scenario = read_scenario(lab.scenario)
    with ScenarioRun(scenario, rack, {"wan": rack.bind("wan", "wan-1")}, lab.folder / "runs") as ready:
        with pytest.raises(ImpairlabError) as caught:
            ready.perform(observer)
        report = write_report(ready.folder)
    assert report.line.startswith("INVALID: ")
    return caught.value, read_run(ready.folder.documents)


FAULTS = [
    (Garbage(), "MalformedResponse", Exit.REFUSED),
    (LateReply(3 * SECOND), "NoResponse", Exit.UNREACHABLE),
    (CloseMidReply(1), "ConnectionLost", Exit.UNREACHABLE),
    (Mute(), "NoResponse", Exit.UNREACHABLE),
    (Reboot(100_000_000), "RebootDetected", Exit.REFUSED),
]


@pytest.mark.parametrize(("fault", "name", "code"), FAULTS, ids=lambda value: type(value).__name__)
def test_a_fault_in_the_middle_is_a_named_error_and_the_appliance_ends_neutral(lab, fault, name, code):
    error, record = run(lab, Saboteur(lab.appliance, fault))
    assert (type(error).__name__, error.appliance, exit_of(error)) == (name, "wan-1", code)
    assert (record.stop.outcome, record.stop.error.name, record.stop.restored) == ("failed", name, True)
    assert record.stop.restorations[0].how == "neutral"
    assert record.events[-1].error.name == name
    assert lab.appliance.state.conditions("1", "b-a").is_neutral


def test_an_appliance_that_refuses_is_quoted_and_ends_neutral(lab):
    lab.appliance.close()
    with SimulatedAppliance(StubbornPlane(), serial="RACK7") as stubborn:
        lab.point_at(*stubborn.serve_scpi("127.0.0.1", 0))
        error, record = run(lab, Silent())
        assert (type(error).__name__, exit_of(error)) == ("InstrumentExecutionError", Exit.REFUSED)
        assert "-241" in str(error)
        assert (record.stop.outcome, record.stop.restored) == ("failed", True)


def test_an_appliance_that_another_session_holds_is_busy_and_not_touched(lab, capsys):
    with lab.connected() as other, other.locked():
        assert lab.on_rack("run", "--runs", lab.folder / "runs") == Exit.BUSY
    assert "wan-1: " in capsys.readouterr().err
    assert not list((lab.folder / "runs").iterdir())


def test_what_was_programmed_before_is_programmed_afterwards(lab, capsys):
    with lab.connected() as box:
        box.path("1").a_to_b.apply(lab.delay)
    assert lab.on_rack("run", "--runs", lab.folder / "runs") == Exit.OK
    assert capsys.readouterr().out.startswith("NO VERDICT: ")
    with lab.connected() as box:
        assert str(box.path("1").a_to_b.read()) == "delay 5 ms"
