"""The charts: scales that hold their values, percentiles that never fall, points that are thinned and not lost."""

import re
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.controller.analysis.quantiles import percentile_points
from impairlab.controller.report.downsample import rolling, thin
from impairlab.controller.report.percentile_chart import percentile_chart
from impairlab.controller.report.scales import duration, instant, latency_scale, latency_ticks, time_ticks
from impairlab.controller.report.view import PercentileChart, Series

MS, SECOND = 1_000_000, 1_000_000_000
VALUES = st.lists(st.floats(1_000, 1e12) | st.just(inf), min_size=1, max_size=400)


@given(VALUES)
def test_percentiles_never_fall(values: list[float]) -> None:
    points = percentile_points(values)
    chart = PercentileChart("TTFT", "", (Series("all", len(values), 0, points),))
    drawn = re.findall(r'<polyline points="([^"]*)"', percentile_chart(chart))
    for line in drawn:
        places = [tuple(map(float, place.split(","))) for place in line.split()]
        assert places == sorted(places, key=lambda place: (place[0], -place[1]))
    assert [point.value for point in points] == sorted(point.value for point in points)


@given(VALUES)
def test_a_latency_scale_holds_every_finite_value_and_has_ticks(values: list[float]) -> None:
    scale = latency_scale(values, 200.0, 0.0)
    assert all(scale.low <= value <= scale.high for value in values if value < inf)
    assert latency_ticks(scale)
    assert scale(inf) == 0.0
    assert scale(0.0) == 200.0


@given(st.integers(1, 40 * 3600 * SECOND))
def test_a_time_axis_has_a_handful_of_even_ticks(length: int) -> None:
    ticks = time_ticks(length)
    assert 1 <= len(ticks) <= 11 or length > 10 * 21_600 * SECOND
    assert len({after - before for before, after in pairwise(ticks)}) <= 1


def test_thinning_keeps_the_extremes_and_every_outlier_it_has_room_for() -> None:
    points = [(float(i), 100.0 + i % 7) for i in range(50_000)]
    peaks = [(x + 0.5, 9_000.0 + x) for x in (5.0, 25_000.0, 49_000.0)]
    kept = thin([*points, *peaks])
    assert set(peaks) <= set(kept)
    assert len(kept) <= 4_000
    assert min(y for _, y in kept) == 100.0


def test_few_points_are_left_alone() -> None:
    points = [(2.0, 1.0), (1.0, 3.0)]
    assert thin(points) == points


def test_a_rolling_quantile_is_silent_where_there_are_too_few_values() -> None:
    points = [(x / 10, 1.0) for x in range(100)] + [(20.0, 5.0)]
    assert all(y == 1.0 for _, y in rolling(points, 0.99, windows=10))
    assert rolling([], 0.5) == []


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0 ns"), (950, "950 ns"), (4_250_000, "4.25 ms"), (40 * MS, "40 ms"), (1_300 * MS, "1.3 s"), (inf, "never"),
     (-2_500_000, "-2.5 ms"), (100 * SECOND, "100 s")],
)  # fmt: skip
def test_a_duration_reads_as_a_person_would_write_it(ns: float, text: str) -> None:
    assert duration(ns) == text


@pytest.mark.parametrize(("ns", "text"), [(0, "0 s"), (41_200 * MS, "41.2 s"), (150 * SECOND, "2:30")])
def test_an_instant_reads_as_a_person_would_write_it(ns: float, text: str) -> None:
    assert instant(ns) == text
