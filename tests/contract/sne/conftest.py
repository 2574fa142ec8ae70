"""A simulated SNE on a model clock and a client that is logged on to it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from impairlab.drivers.model import Conditions
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.sne import SimulatedSne
from impairlab.sim_hardware.sne.resources import RESOURCES

MS = 1_000_000
OK = {"code": 1201, "message": "Operation Successful"}
FORWARD = [{"name": resource.name, "type": resource.kind} for resource in RESOURCES]
MAP = {
    "mapName": "wan",
    "format": "impairlab-1",
    "links": [
        {"from": 0, "to": 1, "disruptors": FORWARD},
        {"from": 1, "to": 0, "disruptors": [{"name": "back", "type": "PacketDelayDisruptor"}]},
    ],
}
OTHER = {**MAP, "mapName": "lan", "links": [{"from": 2, "to": 3, "disruptors": []}]}


class Clock:
    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class Sne:
    """A client that is logged on, and the simulation behind it."""

    def __init__(self, sim: SimulatedSne, plane: NullPlane) -> None:
        self.sim = sim
        self.plane = plane
        self.client = httpx.Client(base_url=sim.address, verify=False)  # noqa: S501 - there is no TLS here, and a context takes long

    def log_on(self, user: str = "admin") -> httpx.Response:
        response = self.ask("POST", "users/authenticate", {"username": user, "password": ""})
        if response.status_code == 200:
            self.client.headers["Authorization"] = f"Bearer {response.json()['token']}"
        return response

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.client.request(method, f"/api/{path}", json=body)

    def settings(self, resource: str) -> Any:
        """Return what GET answers without its envelope; the impairments here are called like their resources."""
        answer = self.ask("GET", f"maps/wan/impairments/{resource}/{resource}").json()
        assert (answer.pop("status"), answer.pop("updatePending")) == (OK, False)
        (settings,) = answer.values()
        return settings

    def done(self, method: str, path: str, body: Any = None) -> None:
        response = self.ask(method, path, body)
        assert (response.status_code, response.json()) == (200, OK), response.text

    def refused(self, status: int, method: str, path: str, body: Any = None) -> str:
        response = self.ask(method, path, body)
        assert (response.status_code, response.json()["code"]) == (status, 9000 + status), response.text
        return response.json()["message"]

    def upload(self, document: Any = MAP) -> httpx.Response:
        return self.client.post(
            "/api/maps/json?shareWithAll=true", files={"mapFileFormFile": ("m.json", json.dumps(document))}
        )

    def begin(self) -> None:
        self.log_on()
        assert self.upload().json() == OK
        self.done("POST", "maps/wan/load")
        self.done("PUT", "maps/wan/start")

    def put(self, resource: str, body: Any, name: str | None = None) -> None:
        self.done("PUT", f"maps/wan/impairments/{name or resource}/{resource}", body)

    def suffered(self, direction: str = "a-b") -> Conditions:
        return self.sim.state.conditions("1", direction)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Iterator[Callable[..., Sne]]:
    made: list[Sne] = []

    def make(**options: Any) -> Sne:
        plane = NullPlane(("1", "2"), clock=clock)
        made.append(Sne(SimulatedSne(plane, clock=clock, **{"update_ns": 0, **options}), plane))
        return made[-1]

    yield make
    for each in made:
        each.client.close()
        each.sim.close()


@pytest.fixture
def sne(make: Callable[..., Sne]) -> Sne:
    sne = make()
    sne.begin()
    return sne
