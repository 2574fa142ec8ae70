"""Verdicts: right where the data carry them, silent where they do not, and seldom wrong over many repeats."""

import json
import random
from math import exp, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.controller.analysis.bootstrap import quantile_difference
from impairlab.controller.analysis.metrics import METRICS
from impairlab.controller.analysis.quantiles import quantile
from impairlab.controller.analysis.verdict import (
    Outcome,
    Verdict,
    failure_rate_at_most,
    percentile,
    quantile_at_most,
    quantile_worse_by_at_most,
    show,
    wilson,
)

TTFT = METRICS["ttft_sched"]
MS = 1_000_000


def at_most(values: list[float], limit: float, q: float = 0.95) -> Verdict:
    return quantile_at_most(values, metric=TTFT, q=q, limit=limit)


def worse(values: list[float], baseline: list[float], by: float, q: float = 0.95) -> Verdict:
    return quantile_worse_by_at_most(values, baseline, metric=TTFT, q=q, by_at_most=by)


def latencies(draw: random.Random, n: int, *, stalls: float = 0.0) -> list[float]:
    """Lognormal latencies around 100 ms, some of them held up by 200 ms."""
    return [100 * MS * exp(draw.gauss(0, 0.3)) + (200 * MS if draw.random() < stalls else 0.0) for _ in range(n)]


@pytest.mark.parametrize(
    ("over", "n", "outcome"),
    [
        (0, 71, Outcome.INCONCLUSIVE),
        (0, 72, Outcome.PASS),
        (1, 72, Outcome.INCONCLUSIVE),
        (5, 100, Outcome.INCONCLUSIVE),
        (11, 100, Outcome.FAIL),
        (3, 3, Outcome.FAIL),
        (0, 0, Outcome.INCONCLUSIVE),
    ],
)
def test_a_limit_on_p95(over: int, n: int, outcome: Outcome) -> None:
    verdict = at_most([2.0] * over + [1.0] * (n - over), limit=1.0)
    assert verdict.outcome == outcome
    assert verdict.n == n
    assert f"{over} of {n}" in verdict.reason


@given(st.lists(st.integers(0, 50).map(float), min_size=72, max_size=300), st.integers(0, 50))
def test_the_binomial_verdict_and_the_interval_never_contradict_each_other(values: list[float], limit: int) -> None:
    verdict = at_most(values, limit=float(limit))
    assert verdict.interval is not None
    if verdict.outcome is Outcome.PASS:
        assert verdict.interval.high <= limit
    elif verdict.outcome is Outcome.FAIL:
        assert verdict.interval.low > limit
    else:
        assert verdict.interval.low <= limit < verdict.interval.high


@pytest.mark.parametrize(
    ("over", "n", "q"), [(0, 30, 0.95), (1, 100, 0.95), (9, 100, 0.95), (0, 10, 0.99), (2, 500, 0.99)]
)
def test_an_inconclusive_verdict_says_how_many_would_do(over: int, n: int, q: float) -> None:
    verdict = at_most([2.0] * over + [1.0] * (n - over), limit=1.0, q=q)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.needs_n is not None
    assert verdict.needs_n > n
    assert str(verdict.needs_n) in verdict.reason
    more_over = round(over / n * verdict.needs_n)
    more = at_most([2.0] * more_over + [1.0] * (verdict.needs_n - more_over), limit=1.0, q=q)
    assert more.outcome in {Outcome.PASS, Outcome.FAIL}


def test_a_share_right_at_the_limit_cannot_be_settled_by_more_of_the_same() -> None:
    verdict = at_most([2.0] * 5 + [1.0] * 95, limit=1.0)
    assert (verdict.outcome, verdict.needs_n) == (Outcome.INCONCLUSIVE, None)
    assert "too close" in verdict.reason


def test_failures_are_beyond_every_limit() -> None:
    verdict = at_most([1.0] * 80 + [inf] * 20, limit=1e30)
    assert (verdict.outcome, verdict.failures, verdict.estimate) == (Outcome.FAIL, 20, inf)


def test_a_true_limit_is_seldom_failed_and_a_false_one_seldom_passed() -> None:
    draw = random.Random(3)
    wrong = {0.945: 0, 0.955: 0}
    for _ in range(400):
        values = [draw.random() for _ in range(500)]
        wrong[0.945] += at_most(values, limit=0.945).outcome is Outcome.PASS  # the claim is false: p95 is 0.95
        wrong[0.955] += at_most(values, limit=0.955).outcome is Outcome.FAIL  # the claim is true
    assert max(wrong.values()) / 400 <= 0.03


def test_a_against_a_is_seldom_a_false_alarm() -> None:
    draw = random.Random(4)
    margin = 0.0
    outcomes = [
        worse(latencies(draw, 400, stalls=0.002), latencies(draw, 400, stalls=0.002), by=margin, q=0.99).outcome
        for _ in range(150)
    ]
    assert outcomes.count(Outcome.FAIL) / len(outcomes) <= 0.05


def test_a_real_shift_of_the_tail_is_found() -> None:
    draw = random.Random(5)
    outcomes = [
        worse(latencies(draw, 500, stalls=0.05), latencies(draw, 500, stalls=0.002), by=20 * MS, q=0.99).outcome
        for _ in range(60)
    ]
    assert outcomes.count(Outcome.FAIL) / len(outcomes) > 0.7  # the facts measured 0.88 at no margin
    assert Outcome.PASS not in outcomes


def test_no_difference_within_a_wide_margin_passes() -> None:
    draw = random.Random(6)
    verdict = worse(latencies(draw, 1000), latencies(draw, 1000), by=100 * MS)
    assert verdict.outcome is Outcome.PASS
    assert verdict.interval is not None
    assert verdict.interval.low < 0 < verdict.interval.high < 100 * MS


def test_a_margin_inside_the_interval_is_inconclusive_and_says_what_it_needs() -> None:
    draw = random.Random(7)
    verdict = worse(latencies(draw, 300), latencies(draw, 300), by=10 * MS)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.needs_n is not None
    assert verdict.needs_n > 300


@pytest.mark.parametrize(("n", "baseline"), [(367, 1000), (1000, 367)])
def test_a_tail_that_was_not_seen_is_not_judged(n: int, baseline: int) -> None:
    verdict = worse([1.0] * n, [1.0] * baseline, by=100.0, q=0.99)
    assert (verdict.outcome, verdict.interval, verdict.needs_n) == (Outcome.INCONCLUSIVE, None, 368)


def test_a_link_that_kills_requests_does_not_pass_for_a_fast_one() -> None:
    verdict = worse([1.0] * 80 + [inf] * 20, [1.0] * 100, by=1e30)
    assert (verdict.outcome, verdict.estimate) == (Outcome.FAIL, inf)
    assert "never" in verdict.reason


def test_two_broken_runs_cannot_be_compared() -> None:
    broken = [1.0] * 50 + [inf] * 50
    verdict = worse(broken, broken, by=1e30)
    assert (verdict.outcome, verdict.estimate) == (Outcome.INCONCLUSIVE, None)


def test_the_bootstrap_is_fixed_by_its_seed_and_agrees_with_plain_resampling() -> None:
    draw = random.Random(8)
    values, baseline = latencies(draw, 120), latencies(draw, 120)
    interval = quantile_difference(values, baseline, 0.9, seed=1, resamples=4000)
    assert interval == quantile_difference(values, baseline, 0.9, seed=1, resamples=4000)
    plain = []
    for _ in range(4000):
        value = quantile(draw.choices(values, k=120), 0.9)
        base = quantile(draw.choices(baseline, k=120), 0.9)
        assert value is not None
        assert base is not None
        plain.append(value - base)
    width = interval.high - interval.low
    assert interval.low == pytest.approx(quantile(plain, 0.025), abs=0.05 * width)
    assert interval.high == pytest.approx(quantile(plain, 0.975), abs=0.05 * width)


@pytest.mark.parametrize(
    ("failures", "n", "limit", "outcome"),
    [
        (0, 100, 0.05, Outcome.PASS),
        (0, 50, 0.05, Outcome.INCONCLUSIVE),
        (10, 100, 0.05, Outcome.FAIL),
        (0, 10_000, 0.0, Outcome.INCONCLUSIVE),
        (0, 0, 0.05, Outcome.INCONCLUSIVE),
    ],
)
def test_a_limit_on_failures(failures: int, n: int, limit: float, outcome: Outcome) -> None:
    assert failure_rate_at_most(failures, n, limit=limit).outcome is outcome


def test_the_wilson_interval_of_ten_in_a_hundred_and_its_ends() -> None:
    interval = wilson(10, 100)
    assert (interval.low, interval.high) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0


def test_an_unsound_run_says_nothing_about_the_service() -> None:
    verdict = at_most([2.0] * 100, limit=1.0)
    assert verdict.invalid(()) is verdict
    invalid = verdict.invalid(("the generator was late",))
    assert (invalid.outcome, invalid.reason, invalid.n) == (Outcome.INVALID, "the generator was late", 100)


def test_a_verdict_goes_through_json() -> None:
    document = json.loads(json.dumps(at_most([inf] * 100, limit=800 * MS).to_dict(), allow_nan=False))
    assert document["outcome"] == "FAIL"
    assert document["estimate"] == "inf"
    assert document["interval"] == ["inf", "inf"]
    assert document["claim"] == "ttft_sched p95 at most 800 ms"


def test_values_read_well() -> None:
    assert (percentile(0.999), percentile(0.5)) == ("p99.9", "p50")
    assert (show(12_345_678, "ns"), show(3, "count"), show(inf, "ns")) == ("12.35 ms", "3", "never")
