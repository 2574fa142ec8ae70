"""The driver of Apposite's Netropy under the contract of every driver, on the simulated one."""

from collections.abc import Mapping
from contextlib import contextmanager
from typing import ClassVar

from impairlab.drivers.apposite import NetropyAppliance
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.sim_hardware.netropy import SimulatedNetropy

from .bench import CountingPlane, SimulatedBench

LOCKLESS = "no word for a reservation is public"
SECRET = "rosebud"  # noqa: S105 - of the simulated box
GIGA = 1_000_000_000


class NetropyBench(SimulatedBench):
    def __init__(self, simulator: SimulatedNetropy) -> None:
        super().__init__(simulator, secret=SECRET, lockless=LOCKLESS)
        self.address = f"{simulator.address}&paths=1,2&line=100Gbps"


class TestNetropy(DriverContract):
    driver = NetropyAppliance
    other_words: ClassVar[Mapping[str, str]] = {
        "rate.link": "its queue holds 250 ms of the bandwidth, as it shows; the driver leaves the model's default",
    }

    @contextmanager
    def serve(self):
        with SimulatedNetropy(
            CountingPlane(paths=("1", "2")), passwords={"admin": SECRET}, line_bps=100 * GIGA
        ) as simulator:
            yield NetropyBench(simulator)
