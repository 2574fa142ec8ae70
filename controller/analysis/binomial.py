"""Exact binomial tails, and what follows from them for quantiles: no distribution of the latencies is assumed."""

from collections.abc import Callable
from math import ceil, exp, lgamma, log, log1p

_NEGLIGIBLE = 1e-18


def at_most(k: int, n: int, p: float) -> float:
    """P[X <= k] for X ~ Bin(n, p)."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    if k + 1 > n * p:
        return 1.0 - _tail(k + 1, n, p, step=1)
    return _tail(k, n, p, step=-1)


def at_least(k: int, n: int, p: float) -> float:
    """P[X >= k] for X ~ Bin(n, p)."""
    if k <= 0:
        return 1.0
    if k > n:
        return 0.0
    if k < n * p:
        return 1.0 - _tail(k - 1, n, p, step=-1)
    return _tail(k, n, p, step=1)


def _tail(k: int, n: int, p: float, *, step: int) -> float:
    """The sum of the probabilities of k, k + step, ... away from the mode, until they no longer count."""
    if p in {0.0, 1.0}:
        return float(k == n * p)
    log_term = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p)
    term = total = exp(log_term)
    odds = p / (1 - p)
    while 0 < k < n or (k == 0 and step > 0) or (k == n and step < 0):
        term *= odds * (n - k) / (k + 1) if step > 0 else k / (odds * (n - k + 1))
        k += step
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return min(total, 1.0)


def samples_needed(over: int, q: float, risk: float) -> int:
    """Samples that show "the q-quantile is within the limit" when `over` of them are beyond it.

    The smallest n with P[Bin(n, 1 - q) <= over] <= risk. With risk 0.01 these are MLPerf's early-stopping counts:
    p99 needs 459 with none over, 662 with one (MLPerf Inference rules, early stopping).
    """
    low, high = over, over + 1
    while at_most(over, high, 1 - q) > risk:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if at_most(over, middle, 1 - q) > risk:
            low = middle
        else:
            high = middle
    return high


def samples_for_interval(q: float, confidence: float) -> int:
    """Samples below which no two-sided order-statistic interval for the q-quantile exists: p99 at 0.95 needs 368."""
    return ceil(log((1 - confidence) / 2) / log(max(q, 1 - q)))


def interval_ranks(n: int, q: float, confidence: float) -> tuple[int, int] | None:
    """Ranks (from 1) of the order statistics that enclose the q-quantile, or None when n is too small for both."""
    risk = (1 - confidence) / 2
    if at_most(0, n, q) > risk or at_least(n, n, q) > risk:
        return None
    lower = _last_where(lambda rank: at_most(rank - 1, n, q) <= risk, 1, n)
    upper = n + 1 - _last_where(lambda back: at_least(n + 1 - back, n, q) <= risk, 1, n)
    return lower, upper


def _last_where(holds: Callable[[int], bool], first: int, last: int) -> int:
    """The largest number for which `holds`, given that it holds for `first` and, once it fails, for none after."""
    while first < last:
        middle = (first + last + 1) // 2
        if holds(middle):
            first = middle
        else:
            last = middle - 1
    return first
