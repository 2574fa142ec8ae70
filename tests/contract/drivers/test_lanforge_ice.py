"""The driver of LANforge-ICE under the contract of every driver, on the simulated one."""

from collections.abc import Mapping
from contextlib import contextmanager
from typing import ClassVar

from impairlab.drivers import Conditions
from impairlab.drivers.lanforge import LanforgeIce
from impairlab.drivers.model import Corrupt
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.sim_hardware.lanforge import SimulatedLanforge

from .bench import CountingPlane, SimulatedBench


class LanforgeBench(SimulatedBench):
    def __init__(self, simulator: SimulatedLanforge) -> None:
        super().__init__(simulator, lockless="no word for a reservation is public")
        self.address = f"{simulator.address}&line=1Gbps"

    def conditions(self, target):
        path = target.path.removeprefix("wl")
        return self.simulator.state.conditions(path, target.direction, target.flow)


class TestLanforgeIce(DriverContract):
    driver = LanforgeIce
    other_words: ClassVar[Mapping[str, str]] = {
        "rate.link": "the queue holds MaxBuf, as it shows: extra_buffer and a frame of 1514 bytes",
    }
    examples = (
        Conditions.of(Corrupt(rate="1 %", how="random", first_byte=20, last_byte=40, checksums="fixed")),
        Conditions.of(Corrupt(rate="1 %", how="transpose", first_byte=0, last_byte=1513)),
    )

    @contextmanager
    def serve(self):
        with SimulatedLanforge(CountingPlane(paths=("1", "2"))) as simulator:
            yield LanforgeBench(simulator)
