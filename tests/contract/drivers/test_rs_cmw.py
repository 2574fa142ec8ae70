"""The driver of the CMW's network impairments under the contract of every driver, against the simulated one."""

import socket
from contextlib import contextmanager

from impairlab.drivers import Conditions, Target, delay, reorder
from impairlab.drivers.cmw import CmwAppliance
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.sim_hardware.cmw import SimulatedCmw

from .bench import CountingPlane, SimulatedBench

SERVED = {"a-b": "10.0.0.1", "b-a": "10.0.0.2"}
"""What the entry of each direction takes: an entry of the simulation impairs both ways of what one address serves."""


class CmwBench(SimulatedBench):
    """The two entries of path 1-2, each known by its filter."""

    def __init__(self, simulator: SimulatedCmw) -> None:
        super().__init__(simulator, lockless="no command for a reservation is public")
        self._server = simulator.address
        self.address = f"{self._server}?paths=1-2&time_unit=ms&rate_unit=percent"
        self._select()

    def conditions(self, target: Target) -> Conditions:
        address = SERVED[target.direction]
        for entry in self.simulator.state.entries:
            if entry.filter is not None and str(entry.filter.destination).partition("/")[0] == address:
                return entry.conditions
        return Conditions()

    def restart(self) -> None:
        super().restart()
        self._select()

    def _select(self) -> None:
        host, _, port = self._server.removeprefix("tcp://").rpartition(":")
        with socket.create_connection((host, int(port)), 10) as client:
            for number, address in enumerate(SERVED.values(), 1):
                node = f":CONF:DATA:MEAS:NIMP{number}"
                client.sendall(f'{node}:IPAD "{address}";{node}:PRAN 0,65535;*OPC?\n'.encode())
                assert client.recv(100) == b"1\n"


class TestCmw(DriverContract):
    driver = CmwAppliance
    examples = (Conditions.of(delay("5 ms"), reorder("1 %")),)

    @contextmanager
    def serve(self):
        with SimulatedCmw(CountingPlane(paths=("1",))) as simulator:
            yield CmwBench(simulator)
