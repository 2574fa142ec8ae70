"""A simulated appliance with two paths, and drivers connected to it over a real socket."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from impairlab.drivers import Appliance, Conditions, Target, connect
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000
HASTY_NS = 400 * MS


class TimedPlane(NullPlane):
    """Keeps when it was programmed."""

    def program(self, entries, at_ns):
        self.programmed_ns = time.monotonic_ns()
        return super().program(entries, at_ns)


@pytest.fixture
def plane() -> TimedPlane:
    return TimedPlane(paths=("1", "2"))


@pytest.fixture
def sim(plane: NullPlane) -> Iterator[SimulatedAppliance]:
    with SimulatedAppliance(plane) as sim:
        yield sim


@pytest.fixture
def address(sim: SimulatedAppliance) -> str:
    host, port = sim.serve_scpi()
    return f"tcp://{host}:{port}"


@pytest.fixture
def box(address: str) -> Iterator[Appliance]:
    with connect(address, timeout_ns=10_000 * MS) as box:
        yield box


@pytest.fixture
def hasty(box: Appliance) -> Appliance:
    """A connection that gives an answer up soon, once it has been made with all the time that a busy machine takes."""
    box._link._timeout_ns = box._patience_ns = HASTY_NS
    return box


@pytest.fixture
def truth(sim: SimulatedAppliance) -> Callable[[Target], Conditions]:
    """What is active, asked behind the driver's back."""
    return lambda target: sim.state.conditions(target.path, target.direction, target.flow)


@pytest.fixture
def say(address: str) -> Callable[[str], str]:
    """Ask as another session does."""

    def say(message: str) -> str:
        host, _, port = address.removeprefix("tcp://").rpartition(":")
        with socket.create_connection((host, int(port)), 10) as sock, sock.makefile("rw", newline="\n") as stream:
            stream.write(message + "\n")
            stream.flush()
            return stream.readline().rstrip()

    return say
