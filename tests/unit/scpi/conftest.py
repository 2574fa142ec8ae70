"""A whole instrument in twenty lines, on model time: what the tests of the language core talk to."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from types import MappingProxyType

import pytest

from impairlab.sim_hardware.scpi import (
    RATIO,
    SECOND,
    Action,
    Choice,
    Declaration,
    Device,
    Identity,
    Instrument,
    Integer,
    Node,
    Numeric,
    Operating,
    Personality,
    Query,
    ScpiError,
    Session,
    Setting,
)

SECOND_NS = 1_000_000_000


class Lamp(Device):
    identity = Identity("impairlab", "Lamp", "L1", "1.0")
    suffixes = MappingProxyType({"lamp": range(1, 3)})
    level_range = Numeric(RATIO, minimum=0, maximum=1, default="0.5", step="0.001")

    def commands(self) -> Iterable[Declaration]:
        return [
            Setting("[:SOURce]:LAMP<lamp>:LEVel[:IMMediate]", self.level_range, set=self.dim, query=self.level),
            Setting(":LAMP<lamp>:COLour", Choice("WARM", "DAYLight"), set=self.paint, query=self.colour),
            Action(":LAMP<lamp>:FLASh", self.flash, Integer(minimum=1, maximum=9)),
            Action(":LAMP:GLOW", self.glow, Numeric(SECOND, minimum=0, maximum=10)),
            Query(":LAMP:HOURs?", lambda _: 12),
        ]

    def power_on(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.reset()

    def reset(self) -> None:
        self.levels = dict.fromkeys((1, 2), Decimal("0.5"))
        self.colours = dict.fromkeys((1, 2), "warm")

    def dim(self, at: Node, level: Decimal) -> None:
        if level > Decimal("0.9") and self.colours[at["lamp"]] == "daylight":
            raise ScpiError(-221, "too hot")
        self.levels[at["lamp"]] = level

    def level(self, at: Node) -> Decimal:
        return self.levels[at["lamp"]]

    def paint(self, at: Node, colour: str) -> None:
        self.colours[at["lamp"]] = colour

    def colour(self, at: Node) -> str:
        return self.colours[at["lamp"]]

    def flash(self, at: Node, seconds: int) -> None:
        status = at.instrument.status.operation
        status.raise_bits(Operating.SWEEPING)
        at.instrument.operations.start(
            "flash", seconds * SECOND_NS, on_complete=lambda: status.lower_bits(Operating.SWEEPING)
        )

    def glow(self, at: Node, seconds: Decimal) -> None:
        at.instrument.operations.start("glow", int(seconds * SECOND_NS))


class Clock:
    """Model time: stands still until a test moves `now`."""

    now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def instrument(clock: Clock) -> Instrument:
    return Instrument(Lamp(), clock=clock)


@pytest.fixture
def real_time_instrument() -> Instrument:
    return Instrument(Lamp())


@pytest.fixture
def lamp_with() -> Callable[[Personality], Instrument]:
    return lambda personality: Instrument(Lamp(), personality)


@pytest.fixture
def session(instrument: Instrument) -> Session:
    return instrument.open_session("first")


@pytest.fixture
def ask(session: Session) -> Callable[[str], str]:
    """Send one message, return what is answered at once without its new line."""

    def exchange(message: str) -> str:
        return session.feed(f"{message}\n".encode("latin-1")).decode("latin-1").removesuffix("\n")

    return exchange
