"""A simulated Netropy on a model clock, and one typist for each test."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asyncssh
import pytest

from impairlab.drivers.model import Conditions
from impairlab.sim_hardware.netropy import SimulatedNetropy
from impairlab.sim_hardware.planes import NullPlane

PROMPT = "[netropy]> "


class Clock:
    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class Netropy:
    """The simulation, its plane and its clock."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.plane = NullPlane(paths=("1", "2"))
        self.sim = SimulatedNetropy(self.plane, clock=self.clock, **options)

    def type(self, *lines: str) -> list[str]:
        """Type lines into one session of asyncssh and return what each printed, without echo and prompt."""
        return asyncio.run(self.session(lambda shell: said(shell, lines)))

    async def session(self, work: Callable[[Any], Awaitable[Any]], **options: Any) -> Any:
        host, port = self.sim.endpoint
        login = {"username": "admin", "password": "", "client_keys": None, "known_hosts": None, **options}
        async with (
            asyncssh.connect(host, port, **login) as connection,
            connection.create_process(term_type="vt100") as shell,
        ):
            await shell.stdout.readuntil(PROMPT)
            return await work(shell)

    def suffered(self, direction: str = "a-b") -> Conditions:
        return self.sim.state.conditions("1", direction)


async def said(shell: Any, lines: tuple[str, ...]) -> list[str]:
    answers = []
    for line in lines:
        shell.stdin.write(f"{line}\n")
        whole = (await shell.stdout.readuntil(PROMPT)).replace("\r\n", "\n")
        echo, _, answer = whole.removesuffix(PROMPT).partition("\n")
        assert echo == line
        answers.append(answer.removesuffix("\n"))
    return answers


@pytest.fixture
def make() -> Iterator[Callable[..., Netropy]]:
    made: list[Netropy] = []

    def maker(**options: Any) -> Netropy:
        made.append(Netropy(**options))
        return made[-1]

    yield maker
    for each in made:
        each.sim.close()


@pytest.fixture
def netropy(make: Callable[..., Netropy]) -> Netropy:
    return make()
