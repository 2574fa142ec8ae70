"""The driver of Xena Chimera under the contract of every driver, on the simulated one."""

from collections.abc import Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import ClassVar

from impairlab.drivers.model import Conditions, Corrupt, Delay, Duplicate, Spaced, SpacedLoss
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.drivers.xena import XenaChimera
from impairlab.sim_hardware.chimera import SimulatedChimera

from .bench import CountingPlane, SimulatedBench

TABLE = tuple(Decimal(number - 500) for number in range(1024))
PASSWORD = "rosebud"  # noqa: S105 - of the simulated chassis


class TestXenaChimera(DriverContract):
    driver = XenaChimera
    other_words: ClassVar[Mapping[str, str]] = {
        "delay.poisson": "public texts do not settle the quantum: the driver reads 1 ns in them, the simulator 100 ns",
        "reorder.even": "how long packets wait for others is not public, and not the driver's to set",
        "reorder.single-burst": "how long packets wait for others is not public, and not the driver's to set",
        "rate.policer": "a policer has no queue: the driver leaves the model's default, the simulator says 0",
    }

    examples: ClassVar[tuple[Conditions, ...]] = (
        Conditions.of(Delay(mean="20 ms", spread="10 ms", distribution="gamma")),
        Conditions.of(Delay(mean="5 ms", spread="1 us", distribution="table", table=TABLE[:1024])),
        Conditions.of(SpacedLoss(law="table", mean=600, spread=1, table=TABLE[:512])),
        Conditions.of(Duplicate(pattern=Spaced(law="table", mean=600, spread=1, table=TABLE[:512]))),
        Conditions.of(Corrupt(damages="udp", pattern=Spaced(law="table", mean=600, spread=1, table=TABLE[:512]))),
    )

    @contextmanager
    def serve(self):
        with SimulatedChimera(CountingPlane(paths=("1", "2")), password=PASSWORD) as simulator:
            yield SimulatedBench(simulator, secret=PASSWORD)
