"""The SCPI driver against the simulated appliance: two readings of one manual page that must agree."""

from collections.abc import Iterator

import pytest

from impairlab.drivers import Appliance, Conditions, Target, connect, delay, loss
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

AB = Target(path="1", direction="a-b")


@pytest.fixture
def sim() -> Iterator[SimulatedAppliance]:
    with SimulatedAppliance(NullPlane(paths=("1", "2"))) as sim:
        yield sim


@pytest.fixture
def box(sim: SimulatedAppliance) -> Iterator[Appliance]:
    host, port = sim.serve_scpi()
    with connect(f"tcp://{host}:{port}") as box:
        yield box


def test_impaired_path_is_impaired_and_then_as_before(sim: SimulatedAppliance, box: Appliance) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))
    wanted = (delay("45 ms", jitter="8 ms"), loss("0.3 %", burst=4))
    with box.path("1").impaired(*wanted) as applied:
        assert sim.state.conditions("1", "a-b") == Conditions.of(*wanted)
        assert sim.state.conditions("1", "b-a") == Conditions.of(*wanted)
        assert not any(record.quantised for record in applied)
        assert all(record.sent == record.read_back for record in applied)
    assert sim.state.conditions("1", "a-b") == Conditions.of(delay("1 ms"))
    assert sim.state.conditions("1", "b-a").is_neutral
