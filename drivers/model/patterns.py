"""Patterns: which packets of a flow are hit, whatever hits them: loss, duplication, corruption, reordering."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.units import Probability, format_probability

ONE = Decimal(1)

Spacing = Literal["uniform", "normal", "poisson", "gamma", "table"]


class Random(Frozen):
    """Each packet is hit independently with probability `rate`."""

    model: Literal["random"] = "random"
    rate: Probability

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return format_probability(self.rate)


class Even(Frozen):
    """A share `rate` of the packets is hit, spread as evenly as whole packets allow."""

    model: Literal["even"] = "even"
    rate: Probability

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"{format_probability(self.rate)} evenly"


class Periodic(Frozen):
    """`burst` consecutive packets are hit out of every `every` packets."""

    model: Literal["periodic"] = "periodic"
    every: int = Field(ge=1)
    burst: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.burst > self.every:
            raise ValueError(f"cannot hit {self.burst} packets out of every {self.every}")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"{self.burst} in {self.every}"


class Burst(Frozen):
    """Hits come in bursts: a two-state chain that hits everything in its bad state.

    Attributes:
        rate: Long-run share of packets hit, 0 <= rate < 1.
        burst: Mean number of packets hit in a row, >= 1.
    """

    model: Literal["burst"] = "burst"
    rate: Probability
    burst: Decimal = Field(ge=1)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.rate >= self.burst / (self.burst + 1):
            limit = f"{100 * self.burst / (self.burst + 1):.4g} %"
            raise ValueError(f"bursts of {self.burst} packets on average cannot lose {limit} or more")
        return self

    def as_chain(self) -> tuple[Decimal, Decimal]:
        """Return the chain's probabilities of going bad and good again: r = 1/B, p = L r / (1 - L)."""
        recover = ONE / self.burst
        return self.rate * recover / (ONE - self.rate), recover

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"{format_probability(self.rate)} in bursts of {self.burst:f}"


class RandomBurst(Frozen):
    """A burst of `shortest` to `longest` packets, each equally likely, begins at a packet with probability `rate`.

    While a burst lasts none begins, so the share of packets hit is rate * B / (1 + rate * (B - 1)) for bursts of B
    packets on average.
    """

    model: Literal["random-burst"] = "random-burst"
    rate: Probability
    shortest: int = Field(ge=1)
    longest: int = Field(ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.longest < self.shortest:
            raise ValueError(f"the longest burst ({self.longest}) is shorter than the shortest ({self.shortest})")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"bursts of {self.shortest} to {self.longest}, {format_probability(self.rate)} begin one"


class SingleBurst(Frozen):
    """The next `packets` packets are hit, once; with a schedule, again whenever it begins to act."""

    model: Literal["single-burst"] = "single-burst"
    packets: int = Field(ge=1)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"{self.packets} in a row"


class Spaced(Frozen):
    """The number of packets from one hit to the next is drawn from a law, rounded, and is at least 1.

    Attributes:
        law: uniform: mean +- spread. normal, gamma: spread is the standard deviation. poisson: mean alone.
            table: mean + spread * one of `table`.
        mean: Packets from one hit to the next.
        spread: See `law`.
        table: Only for `table`: equally likely deviations from the mean, in multiples of spread.
    """

    model: Literal["spaced"] = "spaced"
    law: Spacing = "uniform"
    mean: Decimal = Field(ge=1)
    spread: Decimal = Field(default=Decimal(0), ge=0)
    table: tuple[Decimal, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.law == "poisson" and self.spread:
            raise ValueError("a poisson spacing has no spread of its own")
        if self.law == "uniform" and self.spread > self.mean:
            raise ValueError("the spread of a uniform spacing must not exceed its mean")
        if self.law in {"gamma", "table"} and not self.spread:
            raise ValueError(f"a {self.law} spacing needs a spread above 0")
        if (self.law == "table") != bool(self.table):
            raise ValueError("a table belongs to law 'table', and 'table' needs one")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        spread = f" ± {self.spread:f}" if self.spread else ""
        return f"one in {self.mean:f}{spread} {self.law}"


class GilbertElliott(Frozen):
    """A two-state chain that moves once per packet.

    Attributes:
        to_bad: Probability per packet of going from good to bad (p).
        to_good: Probability per packet of going from bad to good (r).
        bad_loss: Probability of a hit in the bad state (1-h).
        good_loss: Probability of a hit in the good state (1-k).
    """

    model: Literal["gilbert-elliott"] = "gilbert-elliott"
    to_bad: Probability
    to_good: Probability
    bad_loss: Probability = ONE
    good_loss: Probability = Decimal(0)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"Gilbert-Elliott p {format_probability(self.to_bad)} r {format_probability(self.to_good)}"


class BitErrors(Frozen):
    """A packet is hit when any of its bits is in error: P = 1 - (1 - ber) ** bits."""

    model: Literal["bit-error"] = "bit-error"
    ber: Probability

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"by bit errors {self.ber:.3g}"


Shaped = Even | Periodic | Burst | RandomBurst | SingleBurst | Spaced | GilbertElliott | BitErrors
"""Every pattern but the plain one, which is a rate alone."""

AnyPattern = Random | Shaped

Pattern = Annotated[Shaped, Field(discriminator="model")]
"""The pattern of an impairment that has a plain `rate` as well."""
