"""Quantiles: values that occurred, in order, with infinity as a value, and honest about small samples."""

import random
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.controller.analysis.quantiles import percentile_points, quantile, quantile_interval, rank

values_with_failures = st.lists(st.floats(0, 1e12) | st.just(inf), min_size=1, max_size=200)


@given(values_with_failures, st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_quantiles_occurred_and_are_monotone(values: list[float], a: float, b: float) -> None:
    low, high = quantile(values, min(a, b)), quantile(values, max(a, b))
    assert low in values
    assert low is not None
    assert high is not None
    assert low <= high <= max(values)


@pytest.mark.parametrize(
    ("n", "q", "k"), [(100, 0.99, 99), (100, 0.07, 7), (1000, 0.999, 999), (3, 0.5, 2), (10, 0.99, 10)]
)
def test_the_rank_is_exact_in_spite_of_floats(n: int, q: float, k: int) -> None:
    assert rank(n, q) == k


@pytest.mark.parametrize("q", [0, 1, -0.5, 99])
def test_what_is_no_quantile_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile([1.0], q)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile([], 0.5) is None
    assert quantile_interval([], 0.5) is None
    assert percentile_points([]) == ()


def test_failures_reach_the_quantile_once_there_are_enough() -> None:
    assert quantile([1.0] * 99 + [inf], 0.99) == 1.0
    assert quantile([1.0] * 98 + [inf] * 2, 0.99) == inf


def test_too_few_values_have_no_interval() -> None:
    assert quantile_interval([1.0] * 367, 0.99) is None
    assert quantile_interval([1.0] * 368, 0.99) is not None


@pytest.mark.parametrize(("n", "q"), [(80, 0.5), (80, 0.95), (400, 0.99)])
def test_the_interval_covers_the_true_quantile_as_often_as_it_says(n: int, q: float) -> None:
    draw = random.Random(2)
    covered = 0
    for _ in range(600):
        interval = quantile_interval([draw.random() for _ in range(n)], q)
        assert interval is not None
        covered += interval.low <= q <= interval.high
    assert covered / 600 > 0.93  # at least 0.95, less three standard errors of 600 trials


@given(values_with_failures)
def test_percentile_points_climb_and_end_where_the_data_end(values: list[float]) -> None:
    points = percentile_points(values)
    assert [point.q for point in points] == sorted({point.q for point in points})
    assert [point.value for point in points] == sorted(point.value for point in points)
    for point in points:
        assert point.axis == pytest.approx(1 / (1 - point.q))
        assert point.axis <= len(values) * 1.0001
        if point.interval is not None:
            assert point.interval.low <= point.value <= point.interval.high


def test_points_that_n_does_not_support_have_no_interval() -> None:
    supported = {point.q: point.interval is not None for point in percentile_points([float(i) for i in range(100)])}
    assert supported[0.5]
    assert not supported[max(supported)]
