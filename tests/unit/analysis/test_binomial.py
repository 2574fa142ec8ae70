"""Binomial tails against exact arithmetic, and against published sample counts."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.controller.analysis.binomial import (
    at_least,
    at_most,
    interval_ranks,
    samples_for_interval,
    samples_needed,
)


def exactly(k: int, n: int, p: Fraction) -> float:
    return float(sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)))


@given(st.data(), st.integers(1, 60), st.integers(1, 99))
def test_the_tails_are_those_of_exact_arithmetic(data: st.DataObject, n: int, percent: int) -> None:
    k = data.draw(st.integers(-1, n + 1))
    p = Fraction(percent, 100)
    assert at_most(k, n, percent / 100) == pytest.approx(exactly(min(k, n), n, p), abs=1e-11)
    assert at_least(k, n, percent / 100) == pytest.approx(1 - exactly(min(k - 1, n), n, p), abs=1e-11)


@pytest.mark.parametrize("k", [0, 3, 10])
def test_certain_outcomes(k: int) -> None:
    assert at_most(k, 10, 0.0) == 1.0
    assert at_least(k, 10, 1.0) == 1.0
    assert at_most(k, 10, 1.0) == float(k == 10)


def test_a_small_tail_keeps_its_digits() -> None:
    assert at_least(200, 1000, 0.01) == pytest.approx(
        float(
            sum(
                Fraction(comb(1000, i)) * Fraction(1, 100) ** i * Fraction(99, 100) ** (1000 - i)
                for i in range(200, 1001)
            )
        ),
        rel=1e-9,
    )


@pytest.mark.parametrize(
    ("over", "q", "needed"),
    [(0, 0.99, 459), (1, 0.99, 662), (2, 0.99, 838), (10, 0.99, 2010), (0, 0.999, 4603), (1, 0.999, 6636)],
)
def test_the_counts_of_mlperf_early_stopping(over: int, q: float, needed: int) -> None:
    assert samples_needed(over, q, risk=0.01) == needed


@pytest.mark.parametrize(("q", "needed"), [(0.95, 59), (0.99, 299), (0.999, 2995)])
def test_the_counts_of_one_sided_95_percent(q: float, needed: int) -> None:
    assert samples_needed(0, q, risk=0.05) == needed


@pytest.mark.parametrize(("q", "needed"), [(0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688), (0.1, 36)])
def test_an_interval_exists_from_its_least_n_on_and_not_before(q: float, needed: int) -> None:
    assert samples_for_interval(q, 0.95) == needed
    assert interval_ranks(needed - 1, q, 0.95) is None
    assert interval_ranks(needed, q, 0.95) is not None


@pytest.mark.parametrize(("n", "q"), [(100, 0.5), (500, 0.9), (1000, 0.99), (40, 0.1)])
def test_the_ranks_are_the_tightest_that_keep_the_risk(n: int, q: float) -> None:
    ranks = interval_ranks(n, q, 0.95)
    assert ranks is not None
    lower, upper = ranks
    assert at_most(lower - 1, n, q) <= 0.025 < at_most(lower, n, q)
    assert at_least(upper, n, q) <= 0.025 < at_least(upper - 1, n, q)


def test_the_textbook_interval_of_the_median_of_a_hundred() -> None:
    assert interval_ranks(100, 0.5, 0.95) == (40, 61)
