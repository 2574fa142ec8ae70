"""The driver of iTrinegy's NE-ONE under the contract of every driver, on the simulated one."""

from contextlib import contextmanager

from impairlab.drivers.itrinegy import NeOneAppliance
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.sim_hardware.itrinegy import SimulatedNeOne

from .bench import CountingPlane, SimulatedBench

SECRET = "rosebud"  # noqa: S105 - of the simulated box


class TestNeOne(DriverContract):
    driver = NeOneAppliance

    @contextmanager
    def serve(self):
        with SimulatedNeOne(CountingPlane(paths=("1", "2")), passwords={"lab": SECRET}) as simulator:
            yield SimulatedBench(simulator, secret=SECRET, lockless="no word for a reservation is public")
