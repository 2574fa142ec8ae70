"""Schedules: when an impairment acts, for appliances that time it themselves.

A schedule counts from the moment at which the impairment was set. Without one an impairment acts all the time. What
the controller times is the scenario's timeline, not this.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.units import Time, format_time


class Schedule(Frozen):
    """Acts for `on`, at first `start` after it was set, and then at the beginning of every `period`.

    Attributes:
        counts: Tells the two kinds of schedule apart.
        start: Time before it acts for the first time.
        on: How long it acts.
        period: From one beginning to the next; 0 is once.
    """

    counts: Literal["time"] = "time"
    start: Time = Field(default=0, ge=0)
    on: Time = Field(gt=0)
    period: Time = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.period and self.period < self.on:
            raise ValueError("a period cannot be shorter than what is on in it; 0 is once")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        start = f" after {format_time(self.start)}" if self.start else ""
        again = f" every {format_time(self.period)}" if self.period else " once"
        return f"for {format_time(self.on)}{again}{start}"


class PacketSchedule(Frozen):
    """Acts on `on_packets` packets, and again on as many of every `period_packets`.

    Attributes:
        counts: Tells the two kinds of schedule apart.
        on_packets: How many packets it acts on.
        period_packets: From the first of these to the first of the next; 0 is once.
    """

    counts: Literal["packets"] = "packets"
    on_packets: int = Field(ge=1)
    period_packets: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.period_packets and self.period_packets < self.on_packets:
            raise ValueError("a period cannot be shorter than what is on in it; 0 is once")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        again = f" of every {self.period_packets}" if self.period_packets else ", once"
        return f"for {self.on_packets} packets{again}"


def _told_apart(value: object) -> object:
    if isinstance(value, dict) and "counts" not in value:
        return {"counts": "packets" if {"on_packets", "period_packets"} & set(value) else "time", **value}
    return value


AnySchedule = Schedule | PacketSchedule
ScheduleField = Annotated[AnySchedule, Field(discriminator="counts"), BeforeValidator(_told_apart)]


def scheduled(words: str, schedule: AnySchedule | None) -> str:
    """Return the words for an impairment with those for its schedule."""
    return words if schedule is None else f"{words} {schedule}"
