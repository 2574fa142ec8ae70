"""The driver of the Calnex Attero-100G under the contract of every driver, against the simulated one."""

from contextlib import contextmanager

from impairlab.drivers.calnex.attero import AtteroAppliance
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.sim_hardware.attero import SimulatedAttero

from .bench import CountingPlane, SimulatedBench

SECRET = "correct horse"  # noqa: S105 - of a simulator
LOCKLESS = "its interface has no words for a reservation"


class TestAttero(DriverContract):
    driver = AtteroAppliance
    password: str | None = None

    @contextmanager
    def serve(self):
        with SimulatedAttero(CountingPlane(paths=("1",)), password=self.password) as simulator:
            yield SimulatedBench(simulator, secret=self.password, lockless=LOCKLESS)


class TestAtteroWithAuthentication(TestAttero):
    password = SECRET
