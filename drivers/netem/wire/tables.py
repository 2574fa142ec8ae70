"""Tables of delays: equally likely deviations from the mean, of which 8192 is one times the jitter.

The kernel draws one entry for each packet (`tabledist` in net/sched/sch_netem.c). Entries have 16 bits, so no deviation
is below -4 or above 3.9999 times the jitter, and none is finer than 1/8192 of it. A law with a long tail is therefore
written with a jitter of several standard deviations, its `width`: it reaches further, in coarser steps.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist, fmean, pstdev

from .netem import SIGMA

ENTRIES = 4096
"""As many as in the tables of iproute2."""
_LOWEST, _HIGHEST = -0x8000, 0x7FFF
_PARETO_SHAPE = 3


@dataclass(frozen=True)
class Law:
    """A table and the jitter that it is meant for.

    Attributes:
        width: The jitter to give with it, in multiples of the spread (of `uniform` the half width, else the standard
            deviation).
        entries: The table, as `NetemState` takes it.
    """

    width: int
    entries: bytes


def scaled(deviations: Iterable[float]) -> bytes:
    """Return entries for deviations in multiples of the jitter; what does not fit is cut."""
    return packed([min(max(round(each * SIGMA), _LOWEST), _HIGHEST) for each in deviations])


def packed(entries: Sequence[int]) -> bytes:
    """Return entries of 16 bits as they go to the kernel."""
    return struct.pack(f"={len(entries)}h", *entries)


def unpacked(table: bytes) -> tuple[int, ...]:
    """Return the entries of a table."""
    return struct.unpack(f"={len(table) // 2}h", table)


@cache
def uniform() -> Law:
    """Mean -spread .. +spread, all equally likely."""
    return Law(1, scaled(2 * u - 1 for u in _quantiles()))


@cache
def normal() -> Law:
    """Up to 3.7 standard deviations from the mean."""
    return _standardised(1, NormalDist().inv_cdf)


@cache
def exponential() -> Law:
    """Up to 8 standard deviations above the mean."""
    return _standardised(3, lambda u: -math.log1p(-u))


@cache
def pareto() -> Law:
    """Shape 3, as the table of iproute2; up to 24 standard deviations above the mean."""
    return _standardised(7, lambda u: (1 - u) ** (-1 / _PARETO_SHAPE))


def _quantiles() -> list[float]:
    return [(index + 0.5) / ENTRIES for index in range(ENTRIES)]


def _standardised(width: int, quantile: Callable[[float], float]) -> Law:
    """Shift and scale what the table can hold of a law to mean zero and standard deviation one, exactly."""
    values = [quantile(u) for u in _quantiles()]
    mean, deviation = fmean(values), pstdev(values)
    return Law(width, scaled((value - mean) / deviation / width for value in values))
