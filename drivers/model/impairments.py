"""Impairments: what can be done to packets, as frozen values.

A value says what is wanted, in exact units, and nothing about any appliance. Shorthand is accepted wherever it cannot
be misread, in Python and in files alike: `Delay` from "45 ms", `Loss` from "0.3 %", {"rate": "1 %", "burst": 4}.

The order in which an appliance or simulator applies them to a packet is fixed: link state, policer, loss, corruption,
duplication, rate (queue and serialisation), delay, reordering.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from impairlab.drivers.model.units import (
    Probability,
    Rate,
    Size,
    Time,
    format_probability,
    format_rate,
    format_size,
    format_time,
)

Distribution = Literal["constant", "uniform", "normal", "pareto", "gamma", "exponential", "table"]

ONE = Decimal(1)


class Frozen(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Delay(Frozen):
    """One-way delay.

    Attributes:
        mean: Mean delay; >= 0.
        spread: Width of the distribution; >= 0. constant: 0. uniform: half width, values in mean +- spread. normal,
            gamma, pareto: standard deviation (normal is cut at 0; gamma starts at 0, so spread > 0 and mean > 0;
            pareto has shape 3 as in iproute2's `pareto` table and is shifted and scaled to mean and spread).
            exponential: mean of the part above the floor `mean - spread`, so spread <= mean; it is also the standard
            deviation. table: the unit in which `table` is given.
        distribution: Law of the per-packet delay.
        keep_order: True: a packet never overtakes an earlier one (the delay of a packet is raised to that of the
            packet before it where needed). False: packets may overtake.
        table: Only for `table`: equally likely deviations from the mean, in multiples of spread.
    """

    kind: Literal["delay"] = "delay"
    mean: Time = Field(ge=0)
    spread: Time = Field(default=0, ge=0)
    distribution: Distribution = "constant"
    keep_order: bool = True
    table: tuple[Decimal, ...] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _shorthand(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
            return handler({"mean": value})
        if isinstance(value, dict) and "jitter" in value and "spread" not in value:
            value = {"distribution": "normal", **value, "spread": value["jitter"]}
            del value["jitter"]
        elif isinstance(value, dict) and value.get("spread") and "distribution" not in value:
            value = {**value, "distribution": "normal"}
        return handler(value)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.distribution == "constant" and self.spread:
            raise ValueError("a constant delay has no spread; choose a distribution or drop the spread")
        if self.distribution != "constant" and not self.spread:
            raise ValueError(f"a {self.distribution} delay needs a spread above 0")
        if self.distribution in {"uniform", "exponential"} and self.spread > self.mean:
            raise ValueError(f"the spread of a {self.distribution} delay must not exceed its mean")
        if self.distribution == "gamma" and not self.mean:
            raise ValueError("a gamma delay needs a mean above 0")
        if (self.distribution == "table") != bool(self.table):
            raise ValueError("a table belongs to distribution 'table', and 'table' needs one")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        spread = f" ± {format_time(self.spread)} {self.distribution}" if self.spread else ""
        return f"delay {format_time(self.mean)}{spread}{'' if self.keep_order else ', may overtake'}"


class RandomLoss(Frozen):
    """Each packet is lost independently with probability `rate`."""

    kind: Literal["loss"] = "loss"
    model: Literal["random"] = "random"
    rate: Probability

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"loss {format_probability(self.rate)}"


class PeriodicLoss(Frozen):
    """`burst` consecutive packets are lost out of every `every` packets."""

    kind: Literal["loss"] = "loss"
    model: Literal["periodic"] = "periodic"
    every: int = Field(ge=1)
    burst: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.burst > self.every:
            raise ValueError(f"cannot lose {self.burst} packets out of every {self.every}")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"loss {self.burst} in {self.every}"


class BurstLoss(Frozen):
    """Losses come in bursts: a two-state chain that loses everything in its bad state.

    Attributes:
        rate: Long-run share of packets lost, 0 <= rate < 1.
        burst: Mean number of packets lost in a row, >= 1.
    """

    kind: Literal["loss"] = "loss"
    model: Literal["burst"] = "burst"
    rate: Probability
    burst: Decimal = Field(ge=1)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.rate >= self.burst / (self.burst + 1):
            limit = f"{100 * self.burst / (self.burst + 1):.4g} %"
            raise ValueError(f"bursts of {self.burst} packets on average cannot lose {limit} or more")
        return self

    def as_gilbert_elliott(self) -> GilbertElliottLoss:
        """Return the same chain in Gilbert-Elliott terms: r = 1/B, p = L r / (1 - L), everything lost in bad."""
        recover = ONE / self.burst
        return GilbertElliottLoss(to_bad=self.rate * recover / (ONE - self.rate), to_good=recover)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"loss {format_probability(self.rate)} in bursts of {self.burst:f}"


class GilbertElliottLoss(Frozen):
    """A two-state chain that moves once per packet.

    Attributes:
        to_bad: Probability per packet of going from good to bad (p).
        to_good: Probability per packet of going from bad to good (r).
        bad_loss: Loss probability in the bad state (1-h).
        good_loss: Loss probability in the good state (1-k).
    """

    kind: Literal["loss"] = "loss"
    model: Literal["gilbert-elliott"] = "gilbert-elliott"
    to_bad: Probability
    to_good: Probability
    bad_loss: Probability = ONE
    good_loss: Probability = Decimal(0)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"loss Gilbert-Elliott p {format_probability(self.to_bad)} r {format_probability(self.to_good)}"


class BitErrorLoss(Frozen):
    """A packet is lost when any of its bits is in error: P = 1 - (1 - ber) ** bits."""

    kind: Literal["loss"] = "loss"
    model: Literal["bit-error"] = "bit-error"
    ber: Probability

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"loss by bit errors {self.ber:.3g}"


class Outage(Frozen):
    """Every packet is lost."""

    kind: Literal["loss"] = "loss"
    model: Literal["outage"] = "outage"

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return "outage"


_LOSS_MODEL_BY_KEY = {
    "every": "periodic", "burst": "burst", "to_bad": "gilbert-elliott", "ber": "bit-error", "rate": "random",
}  # fmt: skip


def _loss_shorthand(value: object) -> object:
    if value == "outage":
        return {"model": "outage"}
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        return {"model": "random", "rate": value}
    if isinstance(value, dict) and "model" not in value:
        for key, model in _LOSS_MODEL_BY_KEY.items():
            if key in value:
                return {"model": model, **value}
    return value


AnyLoss = RandomLoss | PeriodicLoss | BurstLoss | GilbertElliottLoss | BitErrorLoss | Outage
Loss = Annotated[AnyLoss, Field(discriminator="model"), BeforeValidator(_loss_shorthand)]


class Reorder(Frozen):
    """A share of the packets is held back behind later ones.

    Attributes:
        rate: Share of packets held back.
        depth: How many later packets overtake a packet that is held back, >= 1. It is released after them, or after
            `hold` if they do not come.
        hold: Longest time a packet waits for others to overtake it.
    """

    kind: Literal["reorder"] = "reorder"
    rate: Probability
    depth: int = Field(default=1, ge=1)
    hold: Time = Field(default=100_000_000, ge=0)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"reorder {format_probability(self.rate)} by {self.depth}"


class Duplicate(Frozen):
    """A share of the packets is sent `copies` times more."""

    kind: Literal["duplicate"] = "duplicate"
    rate: Probability
    copies: int = Field(default=1, ge=1)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"duplicate {format_probability(self.rate)}"


class Corrupt(Frozen):
    """A share of the packets gets errored bits in its payload.

    Attributes:
        rate: Share of packets hit.
        bits: Number of distinct bits flipped in a packet that is hit, >= 1.
    """

    kind: Literal["corrupt"] = "corrupt"
    rate: Probability
    bits: int = Field(default=1, ge=1)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"corrupt {format_probability(self.rate)}"


class RateLimit(Frozen):
    """A bit-rate limit.

    Attributes:
        rate: Committed rate, > 0.
        mode: shaper: packets wait in a queue. policer: packets over the burst allowance are dropped. link: like shaper
            with no burst allowance, as a slower line.
        burst: Token bucket depth of shaper and policer.
        queue: Bytes a shaper or link holds before it drops at the tail.
        layer: What counts: l2 = frame without preamble, gap and FCS; l1 = plus 24 bytes a frame (FCS, preamble, gap).
    """

    kind: Literal["rate"] = "rate"
    rate: Rate = Field(gt=0)
    mode: Literal["shaper", "policer", "link"] = "shaper"
    burst: Size = Field(default=3_028, ge=0)
    queue: Size = Field(default=256_000, ge=0)
    layer: Literal["l1", "l2"] = "l2"

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"{self.mode} {format_rate(self.rate)}"


class LinkState(Frozen):
    """The line itself.

    Attributes:
        state: up, down, or flap (down for `down`, then up for the rest of `period`, over and over).
        down: Only flap.
        period: Only flap; > down.
    """

    kind: Literal["link"] = "link"
    state: Literal["up", "down", "flap"]
    down: Time = Field(default=0, ge=0)
    period: Time = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.state == "flap") != bool(self.period) or (self.down and self.state != "flap"):
            raise ValueError("down and period belong to 'flap', and 'flap' needs a period")
        if self.state == "flap" and not 0 < self.down < self.period:
            raise ValueError("a flap needs 0 < down < period")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        flap = f" {format_time(self.down)} every {format_time(self.period)}" if self.period else ""
        return f"link {self.state}{flap}"


class EcnMark(Frozen):
    """A share of ECN-capable packets is marked "congestion experienced" (RFC 3168)."""

    kind: Literal["ecn"] = "ecn"
    rate: Probability

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"mark {format_probability(self.rate)}"


class PfcPause(Frozen):
    """Priority flow control pauses (IEEE 802.1Qbb).

    Attributes:
        priorities: Classes to pause, 0..7.
        duration: Length of one pause.
        period: Time from one pause to the next, >= duration.
    """

    kind: Literal["pfc"] = "pfc"
    priorities: tuple[Annotated[int, Field(ge=0, le=7)], ...] = Field(min_length=1)
    duration: Time = Field(gt=0)
    period: Time = Field(gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.period < self.duration:
            raise ValueError("a pause cannot be longer than its period")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"pause {format_time(self.duration)} every {format_time(self.period)}"


class Mtu(Frozen):
    """Packets whose layer-3 length exceeds `size` are dropped."""

    kind: Literal["mtu"] = "mtu"
    size: Size = Field(ge=68)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"mtu {format_size(self.size)}"


Impairment = Delay | AnyLoss | Reorder | Duplicate | Corrupt | RateLimit | LinkState | EcnMark | PfcPause | Mtu
