"""Conditions: the whole of what one flow in one direction suffers. Neutral is all empty.

Writes are always whole: setting conditions replaces what was there, so no attribute sticks from before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import BeforeValidator

from impairlab.drivers.model.delays import DelayField
from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.impairments import (
    Corrupt,
    Duplicate,
    EcnMark,
    Impairment,
    LinkField,
    Mtu,
    PfcPause,
    RateLimit,
    Reorder,
)
from impairlab.drivers.model.losses import Loss


def _named(field: str) -> BeforeValidator:
    """Let a lone value stand for the model whose main field it is: `rate: 10 Mbit/s`, `link: down`."""
    return BeforeValidator(lambda value: {field: value} if isinstance(value, str | int | float) else value)


class Conditions(Frozen):
    """At most one impairment of each kind."""

    delay: DelayField | None = None
    loss: Loss | None = None
    reorder: Annotated[Reorder | None, _named("rate")] = None
    duplicate: Annotated[Duplicate | None, _named("rate")] = None
    corrupt: Annotated[Corrupt | None, _named("rate")] = None
    rate: Annotated[RateLimit | None, _named("rate")] = None
    link: Annotated[LinkField | None, _named("state")] = None
    ecn: Annotated[EcnMark | None, _named("rate")] = None
    pfc: PfcPause | None = None
    mtu: Annotated[Mtu | None, _named("size")] = None

    @classmethod
    def of(cls, *impairments: Impairment) -> Self:
        """Gather impairments; two of one kind are a mistake.

        Raises:
            ValueError: two impairments of the same kind.
        """
        slots: dict[str, Impairment] = {}
        for impairment in impairments:
            if impairment.kind in slots:
                raise ValueError(f"two {impairment.kind} impairments: {slots[impairment.kind]} and {impairment}")
            slots[impairment.kind] = impairment
        return cls(**slots)

    def __iter__(self) -> Iterator[Impairment]:  # type: ignore[override]  # pydantic's iterates over pairs
        """Yield the impairments that are set, in the order of the fields."""
        for name in type(self).model_fields:
            impairment: Impairment | None = getattr(self, name)
            if impairment is not None:
                yield impairment

    def __str__(self) -> str:
        """Return e.g. "delay 40 ms ± 8 ms normal, loss 1 % in bursts of 4", or "neutral"."""
        return ", ".join(str(impairment) for impairment in self) or "neutral"

    @property
    def is_neutral(self) -> bool:
        """Whether nothing is impaired."""
        return not any(True for _ in self)

    def without(self, *kinds: str) -> Self:
        """Return these conditions less some kinds."""
        return self.model_copy(update=dict.fromkeys(kinds))

    def merged(self, other: Conditions) -> Self:
        """Return these conditions with the kinds that `other` sets taken from it."""
        return self.model_copy(update={impairment.kind: impairment for impairment in other})


NEUTRAL = Conditions()
