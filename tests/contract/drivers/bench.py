"""Benches: simulated appliances as `DriverContract` sees them."""

import time

from impairlab.drivers import Conditions, Statistics, Target
from impairlab.drivers.testing.bench import NotOffered
from impairlab.sim_hardware.faults import LateReply, Reboot, ReservedByOther
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.simulator import Simulator


class CountingPlane(NullPlane):
    """A data plane without packets that counts them nevertheless: nothing but zeros."""

    def statistics(self, target: Target) -> Statistics:
        counts = dict.fromkeys(set(Statistics.model_fields) - {"at_ns"}, 0)
        return Statistics(at_ns=time.monotonic_ns(), **counts)


class SimulatedBench:
    """A simulator that was just switched on.

    Args:
        simulator: Is closed by whoever made it.
        secret: What it asks for.
        lockless: Why nobody can reserve it; "" where that can be done.
    """

    def __init__(self, simulator: Simulator, *, secret: str | None = None, lockless: str = "") -> None:
        self.simulator = simulator
        self.address = simulator.address
        self.secret = secret
        self._lockless = lockless

    def conditions(self, target: Target) -> Conditions:
        return self.simulator.state.conditions(target.path, target.direction, target.flow)

    def answer_late(self, after_ns: int) -> None:
        self.simulator.inject(LateReply(after_ns))

    def restart(self) -> None:
        self.simulator.inject(Reboot())
        self.simulator.clear_faults()  # only now: an answer that is no longer late would get through before

    def reserve(self, holder: str) -> None:
        if self._lockless:
            raise NotOffered(self._lockless)
        self.simulator.inject(ReservedByOther(holder), count=None)

    def free(self) -> None:
        self.simulator.clear_faults()
