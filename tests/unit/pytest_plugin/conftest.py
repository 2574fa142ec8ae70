"""An appliance of the outer process with a rack file for the inner one, so that what is left behind can be seen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

# Inner runs forget what they imported: what takes long to import is imported here.
import impairlab.controller.report.write
import impairlab.controller.run.scenario_run  # noqa: F401
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import EVERY_OPTION, NullPlane
from impairlab.sim_hardware.planes.netns import NetnsPlane  # noqa: F401

PLUGIN = ("-p", "no:impairlab", "-p", "impairlab.controller.pytest_plugin", "-W", "error", "-p", "no:hypothesispytest")

SCENARIO = """\
scenario: brief
needs: {wan: [delay.constant]}
phases:
  - calm: {for: 50 ms}
  - rough: {for: 100 ms, wan: {b-a: {delay: 40 ms}}}
  - after: {for: 50 ms}
"""
ENDLESS = SCENARIO.replace("100 ms", "1 h")


@dataclass
class Lab:
    appliance: SimulatedAppliance
    plane: NullPlane

    def history(self) -> list[list[str]]:
        """What was impaired after each change."""
        return [
            [f"{entry.target}: {entry.conditions}" for entry in program.entries if not entry.conditions.is_neutral]
            for program in self.plane.programs
        ]

    def programmed(self) -> list[str]:
        """What is impaired now."""
        return self.history()[-1]


@pytest.fixture
def lab(pytester: pytest.Pytester) -> Iterator[Lab]:
    """A simulated appliance out here that can do all but PFC, and rack.yaml that leads there."""
    plane = NullPlane(options=EVERY_OPTION - {"pfc"})
    with SimulatedAppliance(plane, serial="LAB1") as appliance:
        host, port = appliance.serve_scpi()
        pytester.path.joinpath("rack.yaml").write_text(
            f"appliances:\n  wan-1: {{driver: scpi, address: 'tcp://{host}:{port}'}}\n"
        )
        yield Lab(appliance, plane)


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run pytest with the plug-in in this process, without packets unless told otherwise; no warning is passed over."""

    def run_pytest(*arguments: str, sim: str = "null") -> pytest.RunResult:
        return pytester.runpytest_inprocess(*PLUGIN, "--impairlab-sim", sim, *arguments, no_reraise_ctrlc=True)

    return run_pytest


@pytest.fixture
def scenario_file(pytester: pytest.Pytester) -> None:
    """brief.yaml, and endless.yaml that lasts an hour in its second phase."""
    pytester.path.joinpath("brief.yaml").write_text(SCENARIO)
    pytester.path.joinpath("endless.yaml").write_text(ENDLESS)
