"""The driver of the reference SCPI dialect under the contract of every driver, on the raw socket."""

import socket
from contextlib import contextmanager

from impairlab.drivers import Conditions, Target
from impairlab.drivers.scpi import ScpiAppliance
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import LateReply, Reboot

from .bench import CountingPlane


class ScpiBench:
    """The reference appliance; another session of it holds its lock where somebody should."""

    secret = None

    def __init__(self, simulator: SimulatedAppliance) -> None:
        self.simulator = simulator
        self._server = simulator.serve_scpi()
        self.address = "tcp://{}:{}".format(*self._server)
        self._holder: socket.socket | None = None

    def conditions(self, target: Target) -> Conditions:
        return self.simulator.state.conditions(target.path, target.direction, target.flow)

    def answer_late(self, after_ns: int) -> None:
        self.simulator.inject(LateReply(after_ns))

    def restart(self) -> None:
        self.simulator.inject(Reboot())
        self.simulator.clear_faults()  # only now: an answer that is no longer late would get through before

    def reserve(self, holder: str) -> None:
        self._holder = socket.create_connection(self._server, 10)
        self._holder.sendall(b":SYST:LOCK:REQ?\n")
        assert self._holder.recv(100) == b"1\n"

    def free(self) -> None:
        if self._holder is not None:
            self._holder.sendall(b":SYST:LOCK:REL;*OPC?\n")
            assert self._holder.recv(100) == b"1\n"
            self._holder.close()
            self._holder = None


class TestScpiDriver(DriverContract):
    driver = ScpiAppliance

    @contextmanager
    def serve(self):
        with SimulatedAppliance(CountingPlane(paths=("1", "2"))) as simulator:
            bench = ScpiBench(simulator)
            yield bench
            bench.free()
