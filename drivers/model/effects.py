"""Effects: what conditions do to packets, whichever of several ways to say so was taken.

An appliance without a word for "nothing" or for a table's unit may tell what it does in other words than it was asked.
"""

from __future__ import annotations

from decimal import Decimal

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import Delay
from impairlab.drivers.model.impairments import Corrupt, Duplicate, Impairment, Reorder
from impairlab.drivers.model.losses import Outage
from impairlab.drivers.model.patterns import Even, Random, RandomBurst, Spaced


def effects(conditions: Conditions) -> dict[str, object]:
    """Return something that is equal for conditions with equal effects: what hits no packet is left out."""
    found = {impairment.kind: effect(impairment) for impairment in conditions}
    return {kind: one for kind, one in found.items() if one is not None}


def effect(impairment: Impairment | None) -> object | None:
    """Return something that is equal for impairments with equal effects; None for what hits no packet."""
    match impairment:
        case Delay(distribution="constant", mean=0):
            return None
        case Delay(distribution="table"):
            law = impairment.model_copy(update={"mean": 0, "spread": 0, "table": ()})
            return law, _values(Decimal(impairment.mean), Decimal(impairment.spread), impairment.table)
        case Reorder() | Duplicate() | Corrupt():
            rest = impairment.model_copy(update={"pattern": None, "rate": Decimal(0)})
            return _hits(rest, impairment.pattern or Random(rate=impairment.rate))
        case Random() | Even() | RandomBurst() | Spaced():
            return _hits(Outage(schedule=impairment.schedule), impairment)
    return impairment


def _hits(rest: Impairment, pattern: object) -> object | None:
    match pattern:
        case Random(rate=rate) | Even(rate=rate) | RandomBurst(rate=rate) if rate == 0:
            return None
        case Random(rate=rate) | Even(rate=rate) if rate == 1:
            return rest
        case Spaced(law="table"):
            return rest, "spaced", _values(pattern.mean, pattern.spread, pattern.table)
        case Random():
            return rest, "random", pattern.rate
        case Even():
            return rest, "even", pattern.rate
    return rest, pattern


def _values(mean: Decimal, spread: Decimal, table: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """Return the values of a table, equally likely, in one order."""
    return tuple(sorted(mean + spread * deviation for deviation in table))
