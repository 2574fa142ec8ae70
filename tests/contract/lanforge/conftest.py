"""A simulated LANforge ICE on a model clock, and a client of it that knows nothing but sockets."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from impairlab.drivers.model import Conditions, FlowEntry
from impairlab.sim_hardware.lanforge import SimulatedLanforge
from impairlab.sim_hardware.planes import NullPlane

PROMPT = b"default@btbits>> "


class Clock:
    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class Client:
    """One session over a plain socket, with `>>RSLT:` unless it is brief."""

    def __init__(self, sim: SimulatedLanforge, *, brief: bool = False) -> None:
        self.socket = socket.create_connection(sim.endpoint, timeout=10)
        assert self.until_prompt() == b""
        if not brief:
            self.ask("set_flag brief 0")

    def close(self) -> None:
        self.socket.close()

    def until_prompt(self) -> bytes:
        """Return what comes before the next prompt."""
        heard = b""
        while not heard.endswith(PROMPT):
            more = self.socket.recv(4096)
            if not more:
                raise ConnectionError(heard)
            heard += more
        return heard.removesuffix(PROMPT)

    def ask(self, line: str) -> bytes:
        """Send a line and return what is between it and the next prompt, byte for byte."""
        self.socket.sendall(line.encode("latin-1") + b"\n")
        return self.until_prompt()

    def lines(self, line: str) -> list[str]:
        """Send what is carried out and return the lines that it shows."""
        shown, code = self._answer(line)
        assert code == 0, shown
        return shown

    def refused(self, line: str) -> int:
        """Send what is not carried out and return the number behind `>>RSLT:`; it says why."""
        shown, code = self._answer(line)
        assert shown
        return code

    def _answer(self, line: str) -> tuple[list[str], int]:
        *shown, result, end = self.ask(line).decode("latin-1").split("\r\n")[1:-1]
        assert (end, result[:9]) == ("", " >>RSLT: ")
        code, command = result[9:].split("  Cmd: ")
        assert command
        return shown, int(code)


class Lanforge:
    """The simulation, its plane, its clock and a client."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.plane = NullPlane(paths=("1", "2"))
        self.sim = SimulatedLanforge(self.plane, clock=self.clock, **{"wanlinks": ("t1",), **options})
        self.client = Client(self.sim)

    def suffered(self, direction: str = "a-b", flow: int = 0, path: str = "1") -> Conditions:
        return self.sim.state.conditions(path, direction, flow)

    def filtered(self) -> list[FlowEntry]:
        """Return the flows of wanpaths."""
        return [entry for entry in self.sim.state.entries if entry.target.flow]

    def shown(self, name: str = "t1-A") -> dict[str, str]:
        """Return what nc_show_endpoint shows, value by key."""
        pairs: dict[str, str] = {}
        for line in self.client.lines(f"nc_show_endpoint {name}"):
            for part in line.strip().split("  "):
                key, colon, value = part.partition(":")
                if colon:
                    pairs[key.strip()] = value.strip()
        return pairs


@pytest.fixture
def make() -> Iterator[Callable[..., Lanforge]]:
    made: list[Lanforge] = []

    def maker(**options: Any) -> Lanforge:
        made.append(Lanforge(**options))
        return made[-1]

    yield maker
    for each in made:
        each.client.close()
        each.sim.close()


@pytest.fixture
def lanforge(make: Callable[..., Lanforge]) -> Lanforge:
    return make()
