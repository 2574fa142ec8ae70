"""Verdicts in words: estimates, intervals and margins as a person reads them, on the page and in a terminal."""

from math import inf

from impairlab.controller.analysis.verdict import Outcome, Verdict

from .scales import duration

NOTHING = "–"


def value_in_words(value: float | None, unit: str) -> str:
    """A value in the unit of a verdict: a time, a share in percent, or a count; a dash for none."""
    if value is None:
        return NOTHING
    if unit == "ns":
        return duration(value).replace("-", "−")
    text = "never" if value == inf else "unknown" if value == -inf else f"{value * 100:.3g} %" if unit == "1" else ""
    return (text or f"{value:.4g}").replace("-", "−")


def estimate_in_words(verdict: Verdict) -> str:
    """What was measured; a dash where it was not measured soundly."""
    return NOTHING if _unsound(verdict) else value_in_words(verdict.estimate, verdict.unit)


def interval_in_words(verdict: Verdict) -> str:
    """Both ends of the interval; a dash where n is too small for one, or it was not measured soundly."""
    if verdict.interval is None or _unsound(verdict):
        return NOTHING
    ends = (verdict.interval.low, verdict.interval.high)
    return " … ".join(value_in_words(end, verdict.unit) for end in ends)


def margin_in_words(verdict: Verdict) -> str:
    """How far the estimate is within the limit; negative beyond it."""
    if verdict.estimate is None or _unsound(verdict):
        return NOTHING
    margin = verdict.threshold - verdict.estimate
    if margin == -inf:
        return "unbounded"
    return f"{'+' if margin > 0 else ''}{value_in_words(margin, verdict.unit)}"


def _unsound(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.INVALID
