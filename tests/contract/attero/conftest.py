"""A simulated Attero-100G and a client of it."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from impairlab.drivers.model import Conditions
from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.planes import NullPlane


class Clock:
    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class Attero:
    """A client, and the simulation behind it."""

    def __init__(self, sim: SimulatedAttero, plane: NullPlane) -> None:
        self.sim = sim
        self.plane = plane
        self.client = httpx.Client(base_url=sim.address, verify=False)  # noqa: S501 - no TLS, and a context takes long

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.client.request(method, f"/api/{path}?format=json", json=body)

    def get(self, path: str) -> Any:
        response = self.ask("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def put(self, path: str, body: Any = None) -> Any:
        response = self.ask("PUT", path, {} if body is None else body)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, status: int, method: str, path: str, body: Any = None) -> str:
        response = self.ask(method, path, body)
        told = response.json()["ResponseStatus"]
        assert (response.status_code, response.reason_phrase) == (status, told["ErrorCode"]), response.text
        return told["Message"]

    def suffered(self, direction: str = "a-b", flow: int = 0) -> Conditions:
        return self.sim.state.conditions("1", direction, flow)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Iterator[Callable[..., Attero]]:
    made: list[Attero] = []

    def make(**options: Any) -> Attero:
        plane = NullPlane(clock=clock)
        made.append(Attero(SimulatedAttero(plane, clock=clock, **options), plane))
        return made[-1]

    yield make
    for each in made:
        each.client.close()
        each.sim.close()


@pytest.fixture
def attero(make: Callable[..., Attero]) -> Attero:
    return make()
