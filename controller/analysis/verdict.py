"""Verdicts: PASS or FAIL only where the data carry it, INCONCLUSIVE with what is missing, INVALID with why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, inf, isfinite, sqrt
from statistics import NormalDist

from .binomial import at_least, at_most, samples_for_interval
from .bootstrap import quantile_difference
from .metrics import Metric
from .quantiles import CONFIDENCE, Interval, quantile, quantile_interval

_MOST_SAMPLES = 10_000_000


class Outcome(StrEnum):
    """What a verdict says. INVALID: the measurement itself was not sound, so nothing is said about the service."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


@dataclass(frozen=True)
class Verdict:
    """One claim, judged.

    Attributes:
        outcome: The judgement.
        claim: The claim in words.
        metric: Key of the metric, or `failure_rate`.
        q: The quantile, or None for a rate.
        n: Requests that were judged.
        failures: How many of them failed.
        estimate: The quantile, the difference of quantiles, or the rate; None where it cannot be had.
        interval: Its two-sided interval, or None when n is too small for one.
        confidence: Level of that interval; each side of the claim is tested at half the risk that it leaves.
        method: How it was judged.
        threshold: The limit on the estimate, in the metric's unit.
        unit: `ns`, `count` or `1`.
        reason: Why the outcome is what it is, in a sentence.
        needs_n: About how many requests would settle an inconclusive claim, if the data go on as they are.
        baseline_n: Requests of the baseline, where there is one.
    """

    outcome: Outcome
    claim: str
    metric: str
    q: float | None
    n: int
    failures: int
    estimate: float | None
    interval: Interval | None
    confidence: float
    method: str
    threshold: float
    unit: str
    reason: str
    needs_n: int | None = None
    baseline_n: int | None = None

    def invalid(self, reasons: Sequence[str]) -> "Verdict":
        """The same verdict made INVALID, or left alone if there are no reasons to."""
        if not reasons:
            return self
        return replace(self, outcome=Outcome.INVALID, reason="; ".join(reasons), needs_n=None)

    def to_dict(self) -> dict[str, object]:
        """For JSON. Infinite numbers are the strings "inf" and "-inf", which JSON has no numbers for."""
        interval = None if self.interval is None else [_number(self.interval.low), _number(self.interval.high)]
        return {
            "outcome": self.outcome.value,
            "claim": self.claim,
            "metric": self.metric,
            "quantile": self.q,
            "n": self.n,
            "failures": self.failures,
            "estimate": _number(self.estimate),
            "interval": interval,
            "confidence": self.confidence,
            "method": self.method,
            "threshold": _number(self.threshold),
            "unit": self.unit,
            "reason": self.reason,
            "needs_n": self.needs_n,
            "baseline_n": self.baseline_n,
        }


def quantile_at_most(
    values: Sequence[float], *, metric: Metric, q: float, limit: float, confidence: float = CONFIDENCE
) -> Verdict:
    """Judge "the q-quantile of the metric is at most `limit`" by exact binomial tests both ways.

    PASS if so few values beyond the limit would be unlikely were the claim false; FAIL if so many would be unlikely
    were it true. No distribution is assumed, but requests are taken as independent: one outage that hits many of them
    makes the true interval wider than the stated one.
    """
    n, over = len(values), sum(value > limit for value in values)
    risk = (1 - confidence) / 2
    shown = f"{over} of {n} beyond {show(limit, metric.unit)}"
    needs_n = None
    if n and at_most(over, n, 1 - q) <= risk:
        outcome, reason = Outcome.PASS, shown
    elif n and at_least(over, n, 1 - q) <= risk:
        outcome, reason = Outcome.FAIL, shown
    else:
        needs_n = _needed_for_quantile(over, n, q, risk)
        outcome, reason = Outcome.INCONCLUSIVE, f"{shown}: {_wants(needs_n)}"
    return Verdict(
        outcome=outcome,
        claim=f"{metric.key} {percentile(q)} at most {show(limit, metric.unit)}",
        metric=metric.key,
        q=q,
        n=n,
        failures=_failures(values),
        estimate=quantile(values, q),
        interval=quantile_interval(values, q, confidence),
        confidence=confidence,
        method="exact binomial, both ways",
        threshold=limit,
        unit=metric.unit,
        reason=reason,
        needs_n=needs_n,
    )


def quantile_worse_by_at_most(
    values: Sequence[float],
    baseline: Sequence[float],
    *,
    metric: Metric,
    q: float,
    by_at_most: float,
    confidence: float = CONFIDENCE,
    seed: int = 1,
) -> Verdict:
    """Judge "the q-quantile is worse than the baseline's by at most `by_at_most`" by bootstrap.

    PASS only if the whole interval of the difference is within the margin (non-inferiority), FAIL only if the whole
    interval is beyond it. With fewer values than an order-statistic interval needs on either side, the tail was not
    seen and the verdict is INCONCLUSIVE.
    """
    least = samples_for_interval(q, confidence)
    estimate, interval, needs_n = _difference(values, baseline, q), None, None
    if min(len(values), len(baseline)) < least:
        needs_n = least
        outcome = Outcome.INCONCLUSIVE
        reason = f"{percentile(q)} needs {least} requests on either side, there are {len(values)} and {len(baseline)}"
    else:
        interval = quantile_difference(values, baseline, q, confidence=confidence, seed=seed)
        shown = f"between {show(interval.low, metric.unit)} and {show(interval.high, metric.unit)} worse"
        if interval.high <= by_at_most:
            outcome, reason = Outcome.PASS, shown
        elif interval.low > by_at_most:
            outcome, reason = Outcome.FAIL, shown
        else:
            needs_n = _needed_for_difference(min(len(values), len(baseline)), estimate, interval, by_at_most)
            outcome, reason = Outcome.INCONCLUSIVE, f"{shown}: {_wants(needs_n)}"
    return Verdict(
        outcome=outcome,
        claim=f"{metric.key} {percentile(q)} worse than baseline by at most {show(by_at_most, metric.unit)}",
        metric=metric.key,
        q=q,
        n=len(values),
        failures=_failures(values),
        estimate=estimate,
        interval=interval,
        confidence=confidence,
        method="bootstrap of the quantile difference, requests resampled",
        threshold=by_at_most,
        unit=metric.unit,
        reason=reason,
        needs_n=needs_n,
        baseline_n=len(baseline),
    )


def failure_rate_at_most(failures: int, n: int, *, limit: float, confidence: float = CONFIDENCE) -> Verdict:
    """Judge "at most this share of the requests fails" by the Wilson interval. `limit` is between 0 and 1."""
    interval = wilson(failures, n, confidence) if n else None
    shown, needs_n = f"{failures} of {n} failed", None
    if interval is not None and interval.high <= limit:
        outcome, reason = Outcome.PASS, shown
    elif interval is not None and interval.low > limit:
        outcome, reason = Outcome.FAIL, shown
    else:
        needs_n = _needed_for_rate(failures, n, limit, confidence)
        outcome, reason = Outcome.INCONCLUSIVE, f"{shown}: {_wants(needs_n)}"
    return Verdict(
        outcome=outcome,
        claim=f"failure rate at most {limit:.4g}",
        metric="failure_rate",
        q=None,
        n=n,
        failures=failures,
        estimate=failures / n if n else None,
        interval=interval,
        confidence=confidence,
        method="Wilson interval",
        threshold=limit,
        unit="1",
        reason=reason,
        needs_n=needs_n,
    )


def wilson(hits: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The Wilson score interval of a proportion (E. B. Wilson, JASA 22, 1927)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = hits / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * sqrt(share * (1 - share) / n + weight / n / 4)
    # At the ends the bounds are exactly 0 and 1; floats would come close.
    return Interval(middle - half if hits else 0.0, middle + half if hits < n else 1.0, confidence)


def percentile(q: float) -> str:
    """`p99.9` for 0.999."""
    return f"p{q * 100:.10g}"


def show(value: float, unit: str) -> str:
    """A value for people: nanoseconds as milliseconds, infinity as what it stands for."""
    if value == inf:
        return "never"
    if value == -inf:
        return "an unknown amount less"
    return f"{value / 1e6:.4g} ms" if unit == "ns" else f"{value:.4g}"


def _wants(needs_n: int | None) -> str:
    return "too close to the limit to tell" if needs_n is None else f"needs about {needs_n} requests"


def _number(value: float | None) -> float | str | None:
    return value if value is None or isfinite(value) else str(value)


def _failures(values: Sequence[float]) -> int:
    return sum(value == inf for value in values)


def _difference(values: Sequence[float], baseline: Sequence[float], q: float) -> float | None:
    value, base = quantile(values, q), quantile(baseline, q)
    return None if value is None or base is None or value == base == inf else value - base


def _needed_for_quantile(over: int, n: int, q: float, risk: float) -> int | None:
    """The n that would decide if the share beyond the limit stayed what it is."""
    share = over / n if n else 0.0

    def decided(size: int) -> bool:
        expected = round(share * size)
        return at_most(expected, size, 1 - q) <= risk or at_least(expected, size, 1 - q) <= risk

    return _smallest(decided, n)


def _needed_for_rate(failures: int, n: int, limit: float, confidence: float) -> int | None:
    share = failures / n if n else 0.0

    def decided(size: int) -> bool:
        interval = wilson(round(share * size), size, confidence)
        return interval.high <= limit or interval.low > limit

    return _smallest(decided, n)


def _needed_for_difference(n: int, estimate: float | None, interval: Interval, margin: float) -> int | None:
    """Intervals shrink with the root of n: how often n until the nearer end has passed the margin."""
    if estimate is None or not isfinite(estimate) or estimate == margin:
        return None
    reach = interval.high - estimate if estimate < margin else estimate - interval.low
    if not isfinite(reach):
        return None
    needed = ceil(n * (reach / abs(margin - estimate)) ** 2)
    return needed if n < needed <= _MOST_SAMPLES else None


def _smallest(decided: Callable[[int], bool], n: int) -> int | None:
    """About the smallest size above n that decides, or None if none within reason does."""
    low, high = n, max(2 * n, 2)
    while not decided(high):
        low, high = high, high * 2
        if high > _MOST_SAMPLES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high
