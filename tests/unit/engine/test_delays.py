"""Delay laws against their theory, order kept or not, and what a switch leaves alone."""

from math import sqrt
from statistics import fmean, pstdev
from typing import Any

import pytest

from impairlab.drivers.model import Conditions, Delay
from impairlab.drivers.model.factories import delay

MS = 1_000_000
PACKETS = 30_000


def delays(model: Any, count: Any = PACKETS, every_ns: Any = MS) -> Any:
    return [waited for _, waited in sorted(model.send(count, every_ns))]


def test_a_constant_delay_is_exact(run_model: Any) -> None:
    assert set(delays(run_model(delay("45 ms")), 2_000)) == {45 * MS}


@pytest.mark.parametrize(
    ("law", "low_ms", "kurtosis"),
    [("uniform", 20, 1.8), ("normal", 0, 3), ("gamma", 0, 3 + 6 / 9), ("exponential", 20, 9)],
)
def test_a_law_has_its_mean_spread_and_floor(run_model: Any, law: Any, low_ms: Any, kurtosis: Any) -> None:
    spread = 10 * MS / (sqrt(3) if law == "uniform" else 1)
    drawn = delays(run_model(delay("30 ms", jitter="10 ms", distribution=law, keep_order=False)))

    assert fmean(drawn) == pytest.approx(30 * MS, abs=4.4 * spread / sqrt(PACKETS))
    assert pstdev(drawn) == pytest.approx(spread, rel=4.4 * sqrt((kurtosis - 1) / 4 / PACKETS))
    assert min(drawn) >= low_ms * MS


def test_pareto_has_its_mean_floor_and_heavy_tail(run_model: Any) -> None:
    drawn = delays(run_model(delay("30 ms", jitter="10 ms", distribution="pareto", keep_order=False)))
    deviation = sqrt(0.75)
    assert fmean(drawn) == pytest.approx(30 * MS, abs=4.4 * 10 * MS / sqrt(PACKETS))
    assert min(drawn) == pytest.approx(30 * MS - 10 * MS * 0.5 / deviation, rel=0.001)
    # P(X > x) = x^-3 for shape 3: the share beyond 4 of the raw law's units.
    beyond = sum(waited > 30 * MS + 10 * MS * (4 - 1.5) / deviation for waited in drawn)
    assert beyond / PACKETS == pytest.approx(1 / 64, abs=4.4 * sqrt(1 / 64 / PACKETS))


def test_a_table_draws_its_values_equally_often(run_model: Any) -> None:
    law = Delay(mean="10 ms", spread="2 ms", distribution="table", table=("-1", "0", "0", "2.5"), keep_order=False)
    drawn = delays(run_model(law))
    assert set(drawn) == {8 * MS, 10 * MS, 15 * MS}
    assert drawn.count(10 * MS) / PACKETS == pytest.approx(0.5, abs=4.4 * 0.5 / sqrt(PACKETS))


def test_a_normal_delay_is_cut_at_zero(run_model: Any) -> None:
    drawn = delays(run_model(delay("1 ms", jitter="10 ms", keep_order=False)), 2_000)
    assert min(drawn) == 0


def test_order_is_kept_when_asked(run_model: Any) -> None:
    numbers = [number for number, _ in run_model(delay("30 ms", jitter="10 ms")).send(5_000)]
    assert numbers == list(range(5_000))


def test_packets_overtake_when_asked(run_model: Any) -> None:
    model = run_model(delay("30 ms", jitter="10 ms", keep_order=False))
    numbers = [number for number, _ in model.send(5_000)]
    assert sorted(numbers) == list(range(5_000))
    behind, latest = 0, -1
    for number in numbers:
        behind += number < latest
        latest = max(number, latest)
    assert behind > 2_500
    assert model.statistics.reordered == behind


@pytest.mark.parametrize(("keep_order", "expected"), [(True, [0, 1, 2, 3]), (False, [2, 3, 0, 1])])
def test_packets_inside_keep_their_times_across_a_switch(run_model: Any, keep_order: Any, expected: Any) -> None:
    model = run_model(delay("100 ms"))
    for number in (0, 1):
        model.offer(number * MS, bytes((number,)) * 60)
    model.until(10 * MS)
    model.program(Conditions.of(Delay(mean="1 ms", keep_order=keep_order)))
    assert model.engine.inside == 2
    for number in (2, 3):
        model.offer((10 + number) * MS, bytes((number,)) * 60)
    model.drain()
    assert [frame[0] for _, frame in model.out] == expected
    released = {frame[0]: release for release, frame in model.out}
    assert (released[0], released[1]) == (100 * MS, 101 * MS)


def test_one_seed_gives_one_result_and_another_seed_another(run_model: Any) -> None:
    law = delay("30 ms", jitter="10 ms", keep_order=False)
    first, again, other = (delays(run_model(law, seed=seed), 100) for seed in (7, 7, 8))
    assert first == again != other
