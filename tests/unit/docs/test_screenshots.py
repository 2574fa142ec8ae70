"""docs/screenshots/make.py rebuilds the live view from a run's record; the browser itself is left out."""

import importlib.util
import re
from pathlib import Path

import pytest

from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.scenario_file import parse_scenario
from impairlab.controller.run.scenario_run import ScenarioRun
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

SCRIPT = Path(__file__).parents[3] / "docs" / "screenshots" / "make.py"
SCENARIO = """\
scenario: two-phases
title: A path that slows down
needs: {wan: [delay.constant]}
phases:
  - calm: {for: 100 ms}
  - slow: {for: 100 ms, wan: {b-a: {delay: 40 ms}}}
"""


@pytest.fixture
def make():
    spec = importlib.util.spec_from_file_location("screenshots", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    with SimulatedAppliance(NullPlane()) as appliance:
        host, port = appliance.serve_scpi("127.0.0.1", 0)
        entry = {"driver": "scpi", "address": f"tcp://{host}:{port}"}
        rack = Rack.model_validate({"appliances": {"wan-1": entry}})
        with ScenarioRun(parse_scenario(SCENARIO), rack, {"wan": rack.bind("wan", "wan-1")}, tmp_path / "runs") as run:
            run.perform()
            return run.folder


def shown(svg: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", svg).replace("&#160;", " ").split())


def test_the_live_view_is_as_it_was_in_the_middle_of_the_phase(make, folder):
    calm, slow = (shown(make.live_view(folder, phase)) for phase in ("calm", "slow"))
    assert "wan A ← B neutral" in calm
    assert "wan A ← B delay 40 ms" in slow
    assert "A path that slows down" in slow


def test_the_picture_fetches_nothing(make, folder):
    assert "url(http" not in make.live_view(folder, "slow")
