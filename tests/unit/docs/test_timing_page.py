"""docs/explanation/timing.md has the constants of the code."""

from impairlab.controller.plan.scenario import ANCHORS
from impairlab.controller.run import scenario_run
from impairlab.controller.sequencer import clock, sequencer
from impairlab.drivers.model.units import parse_time


def test_the_constants_are_those_of_the_code(page):
    timing = page("explanation/timing.md")
    told = {row["constant"].strip("`"): parse_time(row["value"]) for row in timing.tables("Waiting")[0]}
    real = {name: getattr(sequencer, name) for name in ("LEAD_NS", "_QUIET_NS", "_GLANCE_NS", "LATE_NS")}
    real |= {"SPIN_NS": clock.SPIN_NS, "TURN_S": parse_time(clock.TURN_S), "SAMPLE_NS": scenario_run.SAMPLE_NS}
    assert told == real


def test_the_anchors_are_those_that_there_are(page):
    assert page("explanation/timing.md").column("One clock, absolute instants") == list(ANCHORS)
