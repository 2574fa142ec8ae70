"""A lab for the command line: a simulated appliance, a rack file that names it, a scenario file."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from impairlab.controller.cli.app import run_command
from impairlab.controller.plan import Rack
from impairlab.drivers import Appliance, connect, delay
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

SCENARIO = """\
scenario: brownout
title: A path that slows down
needs: {wan: [delay.constant]}
phases:
  - calm: {for: 50 ms}
  - slow: {for: 50 ms, wan: {b-a: {delay: 40 ms}}}
"""


@dataclass
class Lab:
    folder: Path
    appliance: SimulatedAppliance

    delay = delay("5 ms")

    def point_at(self, host: str, port: int) -> None:
        self.rack.write_text(f"appliances:\n  wan-1: {{driver: scpi, address: 'tcp://{host}:{port}'}}\n")

    def connected(self) -> Appliance:
        return connect(Rack.read(self.rack).appliances["wan-1"].address, name="other")

    @property
    def scenario(self) -> Path:
        return self.folder / "brownout.yaml"

    @property
    def rack(self) -> Path:
        return self.folder / "rack.yaml"

    def impairlab(self, verb: str, *arguments: object) -> int:
        return run_command([verb, *map(str, arguments)])

    def on_rack(self, verb: str, *arguments: object) -> int:
        return self.impairlab(verb, self.scenario, "--rack", self.rack, "--on", "wan=wan-1", *arguments)


@pytest.fixture
def lab(tmp_path):
    with SimulatedAppliance(NullPlane(), serial="RACK7") as appliance:
        host, port = appliance.serve_scpi("127.0.0.1", 0)
        made = Lab(tmp_path, appliance)
        made.scenario.write_text(SCENARIO)
        made.point_at(host, port)
        yield made
