"""Losses: the patterns of packets that never arrive."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.patterns import (
    BitErrors,
    Burst,
    Even,
    GilbertElliott,
    Periodic,
    Random,
    RandomBurst,
    SingleBurst,
    Spaced,
)
from impairlab.drivers.model.schedule import ScheduleField, scheduled


class _Lost(Frozen):
    """What every loss has beside its pattern.

    Attributes:
        schedule: When packets are lost; always without one.
    """

    kind: Literal["loss"] = "loss"
    schedule: ScheduleField | None = None

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return scheduled(f"loss {super().__str__()}", self.schedule)


class RandomLoss(_Lost, Random):
    """Each packet is lost independently with probability `rate`."""


class EvenLoss(_Lost, Even):
    """A share `rate` of the packets is lost, spread as evenly as whole packets allow."""


class PeriodicLoss(_Lost, Periodic):
    """`burst` consecutive packets are lost out of every `every` packets."""


class BurstLoss(_Lost, Burst):
    """Losses come in bursts: a two-state chain that loses everything in its bad state. See `Burst`."""

    def as_gilbert_elliott(self) -> GilbertElliottLoss:
        """Return the same chain in Gilbert-Elliott terms, everything lost in bad."""
        to_bad, to_good = self.as_chain()
        return GilbertElliottLoss(to_bad=to_bad, to_good=to_good, schedule=self.schedule)


class RandomBurstLoss(_Lost, RandomBurst):
    """Bursts of random length are lost. See `RandomBurst`."""


class SingleBurstLoss(_Lost, SingleBurst):
    """The next `packets` packets are lost. See `SingleBurst`."""


class SpacedLoss(_Lost, Spaced):
    """One packet is lost after a number of others that is drawn from a law. See `Spaced`."""


class GilbertElliottLoss(_Lost, GilbertElliott):
    """A two-state chain that moves once per packet. See `GilbertElliott`."""


class BitErrorLoss(_Lost, BitErrors):
    """A packet is lost when any of its bits is in error: P = 1 - (1 - ber) ** bits."""


class Outage(_Lost):
    """Every packet is lost."""

    model: Literal["outage"] = "outage"

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return scheduled("outage", self.schedule)


_MODEL_BY_KEY = {
    "every": "periodic", "burst": "burst", "to_bad": "gilbert-elliott", "ber": "bit-error", "shortest": "random-burst",
    "packets": "single-burst", "law": "spaced", "mean": "spaced", "rate": "random",
}  # fmt: skip


def _shorthand(value: object) -> object:
    if value == "outage":
        return {"model": "outage"}
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        return {"model": "random", "rate": value}
    if isinstance(value, dict) and "model" not in value:
        for key, model in _MODEL_BY_KEY.items():
            if key in value:
                return {"model": model, **value}
    return value


AnyLoss = (
    RandomLoss
    | PeriodicLoss
    | BurstLoss
    | GilbertElliottLoss
    | BitErrorLoss
    | Outage
    | EvenLoss
    | RandomBurstLoss
    | SingleBurstLoss
    | SpacedLoss
)
Loss = Annotated[AnyLoss, Field(discriminator="model"), BeforeValidator(_shorthand)]
