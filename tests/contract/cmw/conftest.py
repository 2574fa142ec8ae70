"""A simulated CMW, and a client of it that knows nothing but sockets."""

import socket
from collections.abc import Iterator

import pytest

from impairlab.drivers.model import Conditions
from impairlab.sim_hardware.cmw import SimulatedCmw
from impairlab.sim_hardware.planes import NullPlane

NODE = "CONFigure:DATA:MEASurement1:NIMPairments"


class Client:
    """Lines over a plain socket."""

    def __init__(self, sim: SimulatedCmw) -> None:
        host, _, port = sim.address.removeprefix("tcp://").rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self._lines = self.socket.makefile("rb")

    def close(self) -> None:
        self._lines.close()
        self.socket.close()

    def write(self, line: str) -> None:
        self.socket.sendall(f"{line}\n".encode("ascii"))

    def read(self) -> str:
        return self._lines.readline().decode("latin-1")

    def ask(self, line: str) -> str:
        self.write(line)
        return self.read().removesuffix("\n")

    def set(self, index: int, setting: str) -> None:
        """Set what is legal."""
        self.write(f"{NODE}{index}:{setting}")
        assert self.ask("SYSTem:ERRor?") == '0,"No error"'

    def refused(self, line: str) -> int:
        """Return the error that `line` leaves."""
        self.write(line)
        return int(self.ask("SYSTem:ERRor?").partition(",")[0])


class Cmw:
    """A simulation on a plane without packets, and a client."""

    def __init__(self, sim: SimulatedCmw, plane: NullPlane) -> None:
        self.sim = sim
        self.plane = plane
        self.client = Client(sim)

    def suffered(self, direction: str = "a-b", flow: int = 0, path: str = "1") -> Conditions:
        return self.sim.state.conditions(path, direction, flow)


@pytest.fixture
def cmw() -> Iterator[Cmw]:
    plane = NullPlane(paths=("1", "2"))
    with SimulatedCmw(plane) as sim:
        made = Cmw(sim, plane)
        try:
            yield made
        finally:
            made.client.close()
