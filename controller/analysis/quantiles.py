"""Quantiles as order statistics, with distribution-free intervals. Infinite values (failures) count like others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from .binomial import interval_ranks

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval. Either end may be infinite."""

    low: float
    high: float
    confidence: float = CONFIDENCE


def rank(n: int, q: float) -> int:
    """The rank (from 1) of the q-quantile among n values: the smallest k with k/n >= q, for 0 < q < 1."""
    if not 0 < q < 1:
        raise ValueError(f"a quantile is between 0 and 1, not {q}")
    return ceil(Fraction(str(q)) * n)  # 0.07 * 100 is 7.000000000000001 in floats


def quantile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile: a value that occurred, never one between two. None of no values."""
    return sorted(values)[rank(len(values), q) - 1] if values else None


def quantile_interval(values: Sequence[float], q: float, confidence: float = CONFIDENCE) -> Interval | None:
    """The order-statistic interval of the q-quantile, or None when there are too few values for one."""
    ranks = interval_ranks(len(values), q, confidence) if values else None
    if ranks is None:
        return None
    ordered = sorted(values)
    return Interval(ordered[ranks[0] - 1], ordered[ranks[1] - 1], confidence)


@dataclass(frozen=True)
class PercentilePoint:
    """One point of a percentile plot. `axis` is 1/(1 - q), the HdrHistogram axis; no `interval` means: grey it out."""

    q: float
    axis: float
    value: float
    interval: Interval | None


def percentile_points(
    values: Sequence[float], per_halving: int = 4, confidence: float = CONFIDENCE
) -> tuple[PercentilePoint, ...]:
    """The values along the HdrHistogram percentile axis, up to the last quantile that n values can have.

    Each halving of the distance to 1 gets `per_halving` points, the way HdrHistogram's percentile iterator goes.
    """
    ordered = sorted(values)
    n = len(ordered)
    points = []
    for q in _ticks(n, per_halving):
        ranks = interval_ranks(n, q, confidence)
        interval = None if ranks is None else Interval(ordered[ranks[0] - 1], ordered[ranks[1] - 1], confidence)
        points.append(PercentilePoint(q, 1 / (1 - q), ordered[rank(n, q) - 1], interval))
    return tuple(points)


def _ticks(n: int, per_halving: int) -> Iterator[float]:
    halving = 0
    while n >= 2**halving:
        width = 2.0**-halving
        for tick in range(per_halving):
            q = 1 - width + tick * width / 2 / per_halving
            if 0 < q <= 1 - 1 / n:
                yield q
        halving += 1
