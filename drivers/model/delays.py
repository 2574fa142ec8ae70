"""Delays: how long a packet takes more than without the appliance, packet by packet or as time goes on."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, model_validator

from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.schedule import ScheduleField, scheduled
from impairlab.drivers.model.units import Time, format_time

Distribution = Literal[
    "constant", "uniform", "normal", "pareto", "gamma", "exponential", "poisson", "step", "table"
]  # fmt: skip


def _spelled_out(value: object) -> object:
    """Return the long form of the shorthands: "45 ms", {"mean": "45 ms", "jitter": "8 ms"}, a spread alone."""
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        return {"distribution": "constant", "mean": value}
    if isinstance(value, dict) and "jitter" in value and "spread" not in value:
        value = {"distribution": "normal", **value, "spread": value["jitter"]}
        del value["jitter"]
    if isinstance(value, dict) and "distribution" not in value:
        return {**value, "distribution": "normal" if value.get("spread") else "constant"}
    return value


class Delay(Frozen):
    """One-way delay that is drawn from a law for each packet.

    Attributes:
        mean: Mean delay; >= 0.
        spread: Width of the distribution; >= 0. constant: 0. uniform: half width, values in mean +- spread. normal,
            gamma, pareto: standard deviation (normal is cut at 0; gamma starts at 0, so spread > 0 and mean > 0;
            pareto has shape 3 as in iproute2's `pareto` table and is shifted and scaled to mean and spread).
            exponential: mean of the part above the floor `mean - spread`, so spread <= mean; it is also the standard
            deviation. poisson: the quantum; a delay is a whole number of quanta, mean / spread of them on average.
            step: mean - spread or mean + spread, equally likely. table: the unit in which `table` is given.
        distribution: Law of the per-packet delay.
        keep_order: True: a packet never overtakes an earlier one (the delay of a packet is raised to that of the
            packet before it where needed). False: packets may overtake.
        table: Only for `table`: equally likely deviations from the mean, in multiples of spread.
        schedule: When it acts; always without one.
    """

    kind: Literal["delay"] = "delay"
    mean: Time = Field(ge=0)
    spread: Time = Field(default=0, ge=0)
    distribution: Distribution = "constant"
    keep_order: bool = True
    table: tuple[Decimal, ...] = ()
    schedule: ScheduleField | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _shorthand(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return handler(_spelled_out(value))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.distribution == "constant" and self.spread:
            raise ValueError("a constant delay has no spread; choose a distribution or drop the spread")
        if self.distribution != "constant" and not self.spread:
            raise ValueError(f"a {self.distribution} delay needs a spread above 0")
        if self.distribution in {"uniform", "exponential", "step"} and self.spread > self.mean:
            raise ValueError(f"the spread of a {self.distribution} delay must not exceed its mean")
        if self.distribution == "gamma" and not self.mean:
            raise ValueError("a gamma delay needs a mean above 0")
        if (self.distribution == "table") != bool(self.table):
            raise ValueError("a table belongs to distribution 'table', and 'table' needs one")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        spread = f" ± {format_time(self.spread)} {self.distribution}" if self.spread else ""
        words = f"delay {format_time(self.mean)}{spread}"
        return scheduled(words, self.schedule) + ("" if self.keep_order else ", may overtake")


class RampDelay(Frozen):
    """A delay that goes from one value to another: `start` for the time `hold`, then evenly to `end` within `rise`.

    Attributes:
        start: Delay at first.
        end: Delay at last, and from then on.
        hold: How long it stays at `start`.
        rise: How long it takes from `start` to `end`.
        keep_order: See `Delay`.
        schedule: See `Delay`.
    """

    kind: Literal["delay"] = "delay"
    distribution: Literal["ramp"] = "ramp"
    start: Time = Field(ge=0)
    end: Time = Field(ge=0)
    hold: Time = Field(default=0, ge=0)
    rise: Time = Field(gt=0)
    keep_order: bool = True
    schedule: ScheduleField | None = None

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        words = f"delay {format_time(self.start)} to {format_time(self.end)} in {format_time(self.rise)}"
        hold = f" after {format_time(self.hold)}" if self.hold else ""
        return scheduled(f"{words}{hold}", self.schedule) + ("" if self.keep_order else ", may overtake")


class SineDelay(Frozen):
    """A delay that swings between two values as a sine of time, beginning in the middle and rising.

    Attributes:
        low: Least delay.
        high: Greatest delay, >= low.
        period: Time of one swing.
        keep_order: See `Delay`.
        schedule: See `Delay`.
    """

    kind: Literal["delay"] = "delay"
    distribution: Literal["sine"] = "sine"
    low: Time = Field(ge=0)
    high: Time = Field(ge=0)
    period: Time = Field(gt=0)
    keep_order: bool = True
    schedule: ScheduleField | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.high < self.low:
            raise ValueError("high must not be below low")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        words = f"delay {format_time(self.low)} to {format_time(self.high)} sine of {format_time(self.period)}"
        return scheduled(words, self.schedule) + ("" if self.keep_order else ", may overtake")


class AccumulateBurst(Frozen):
    """Packets are held until enough have come or the first has waited long enough, then they leave together, in order.

    Attributes:
        hold: Longest time the first packet waits for the others.
        packets: How many leave together; 0 is as many as come within `hold`.
        mean: Delay of every packet on top.
        schedule: See `Delay`.
    """

    kind: Literal["delay"] = "delay"
    distribution: Literal["accumulate-burst"] = "accumulate-burst"
    hold: Time = Field(gt=0)
    packets: int = Field(default=0, ge=0)
    mean: Time = Field(default=0, ge=0)
    schedule: ScheduleField | None = None

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        count = f"{self.packets} packets or " if self.packets else ""
        mean = f"delay {format_time(self.mean)}, " if self.mean else ""
        return scheduled(f"{mean}held for {count}{format_time(self.hold)} and let go together", self.schedule)


AnyDelay = Delay | RampDelay | SineDelay | AccumulateBurst
DelayField = Annotated[AnyDelay, Field(discriminator="distribution"), BeforeValidator(_spelled_out)]
