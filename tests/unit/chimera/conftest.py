"""A simulated Chimera on a plane that keeps what it is told, and terminals at its text port."""

import socket
from collections.abc import Callable, Iterator

import pytest

from impairlab.drivers.model import Conditions
from impairlab.sim_hardware.chimera import SimulatedChimera
from impairlab.sim_hardware.planes.null import NullPlane


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class Terminal:
    """A client of the text protocol; waits for the answers of a line with SYNC."""

    def __init__(self, chimera: SimulatedChimera) -> None:
        host, port = chimera.address.removeprefix("tcp://").split(":")
        self.socket = socket.create_connection((host, int(port)), 10)
        self._stream = self.socket.makefile("rw", encoding="latin-1", newline="\n")

    def send(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def read(self) -> str:
        return self._stream.readline().removesuffix("\n")

    def lines(self, text: str) -> list[str]:
        self.send(f"{text}\nSYNC")
        return [*iter(self.read, "<SYNC>")]

    def ask(self, text: str) -> str:
        (answer,) = self.lines(text)
        return answer

    def ok(self, *texts: str) -> None:
        for text in texts:
            assert self.ask(text) == "<OK>", text

    def log_on(self, owner: str = "lab1") -> "Terminal":
        self.ok('C_LOGON "xena"', f'C_OWNER "{owner}"')
        return self

    def reserve(self, *ports: int) -> "Terminal":
        for port in ports:
            self.ok(f"0/{port} P_RESERVATION RESERVE", f"0/{port} P_EMULATE ON")
        return self

    def close(self) -> None:
        self._stream.close()
        self.socket.close()


@pytest.fixture
def plane() -> NullPlane:
    return NullPlane(("1", "2"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def chimera(plane: NullPlane, clock: Clock) -> Iterator[SimulatedChimera]:
    with SimulatedChimera(plane, clock=clock) as made:
        yield made


@pytest.fixture
def connect() -> Iterator[Callable[[SimulatedChimera], Terminal]]:
    opened: list[Terminal] = []

    def made(chimera: SimulatedChimera) -> Terminal:
        opened.append(Terminal(chimera))
        return opened[-1]

    yield made
    for each in opened:
        each.close()


@pytest.fixture
def stranger(chimera: SimulatedChimera, connect: Callable[[SimulatedChimera], Terminal]) -> Terminal:
    """A terminal that has not logged on."""
    return connect(chimera)


@pytest.fixture
def terminal(chimera: SimulatedChimera, connect: Callable[[SimulatedChimera], Terminal]) -> Terminal:
    """A terminal that has reserved ports 0 and 1 and set them to emulate."""
    return connect(chimera).log_on().reserve(0, 1)


@pytest.fixture
def active(chimera: SimulatedChimera) -> Callable[..., Conditions]:
    """Return what is active on a flow of port 0, or of port 1 for "b-a"."""

    def conditions(direction: str = "a-b", flow: int = 0) -> Conditions:
        return chimera.state.conditions("1", direction, flow)

    return conditions
