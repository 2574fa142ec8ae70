"""How far two quantiles are apart, by resampling requests. Exact in distribution, and quick without numpy."""

import random
from collections.abc import Iterator, Sequence
from math import inf

from .quantiles import CONFIDENCE, Interval, quantile, rank

RESAMPLES = 2000


def quantile_difference(
    values: Sequence[float],
    baseline: Sequence[float],
    q: float,
    *,
    confidence: float = CONFIDENCE,
    seed: int = 1,
    resamples: int = RESAMPLES,
) -> Interval:
    """The percentile-bootstrap interval of quantile(values) - quantile(baseline).

    A value is one request, and requests are what is resampled: the gaps within one are not independent. Where both
    quantiles are infinite the difference could be anything, and the interval is widened to say so.
    """
    draw = random.Random(seed)
    lows, highs = [], []
    pairs = zip(
        _resampled(sorted(values), q, draw, resamples), _resampled(sorted(baseline), q, draw, resamples), strict=True
    )
    for value, base in pairs:
        unknown = value == base == inf
        lows.append(-inf if unknown else value - base)
        highs.append(inf if unknown else value - base)
    risk = (1 - confidence) / 2
    low, high = quantile(lows, risk), quantile(highs, 1 - risk)
    if low is None or high is None:
        raise ValueError("needs at least one value on either side")
    return Interval(low, high, confidence)


def _resampled(ordered: Sequence[float], q: float, draw: random.Random, resamples: int) -> Iterator[float]:
    """The q-quantile of each resample, without drawing the resample.

    A resample of n takes n uniform positions; the k-th smallest of n uniforms is Beta(k, n + 1 - k), and the k-th
    smallest value of the resample is the one at that position (H. A. David and H. N. Nagaraja, Order Statistics).
    """
    n = len(ordered)
    k = rank(n, q)
    for _ in range(resamples):
        yield ordered[min(n - 1, int(n * draw.betavariate(k, n + 1 - k)))]
