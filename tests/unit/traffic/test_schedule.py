"""Arrivals: the law that was asked for, the same for the same seed, and not quantised."""

import math
from collections.abc import Callable
from itertools import islice, pairwise
from statistics import fmean, pstdev
from typing import Any

import pytest

from impairlab.controller.traffic.schedule import arrivals, schedule
from impairlab.controller.traffic.spec import SECOND_NS, InferenceTraffic


def traffic(**fields: Any) -> InferenceTraffic:
    return InferenceTraffic(url="http://h", **({"rate": 10} | fields))


def gaps(n: int, **fields: Any) -> list[int]:
    return [b - a for a, b in pairwise([0, *islice(arrivals(traffic(**fields)), n)])]


def kolmogorov_smirnov(sample: list[int], cdf: Callable[[int], float]) -> float:
    """The largest distance between the sample's distribution and `cdf`."""
    n = len(sample)
    below = [cdf(value) for value in sorted(sample)]
    return max(max((i + 1) / n - p, p - i / n) for i, p in enumerate(below))


@pytest.mark.parametrize("seed", range(5))
def test_poisson_gaps_are_exponential(seed: int) -> None:
    sample = gaps(5_000, seed=seed)
    distance = kolmogorov_smirnov(sample, lambda gap: 1 - math.exp(-gap * 10 / SECOND_NS))
    assert distance < 1.95 / math.sqrt(len(sample))  # 0.1 % point of the Kolmogorov distribution


def test_the_test_tells_constant_gaps_from_exponential_ones() -> None:
    sample = gaps(5_000, arrivals="constant")
    assert kolmogorov_smirnov(sample, lambda gap: 1 - math.exp(-gap * 10 / SECOND_NS)) > 0.3


def test_random_gaps_are_not_quantised() -> None:
    sample = gaps(5_000)
    assert len(set(sample)) > 0.99 * len(sample)


def test_constant_arrivals_do_not_drift() -> None:
    instants = list(islice(arrivals(traffic(rate=3, arrivals="constant")), 30_001))
    assert instants[0] == 0
    assert instants[30_000] == 10_000 * SECOND_NS


@pytest.mark.parametrize("shape", [0.25, 1, 4])
def test_gamma_gaps_have_the_mean_and_the_dispersion_asked_for(shape: float) -> None:
    sample = gaps(20_000, arrivals="gamma", burstiness=shape)
    assert fmean(sample) == pytest.approx(SECOND_NS / 10, rel=0.05)
    assert pstdev(sample) / fmean(sample) == pytest.approx(1 / math.sqrt(shape), rel=0.05)


def test_a_seed_fixes_the_schedule() -> None:
    assert schedule(traffic(seed=4), 10 * SECOND_NS) == schedule(traffic(seed=4), 10 * SECOND_NS)
    assert schedule(traffic(seed=4), 10 * SECOND_NS) != schedule(traffic(seed=5), 10 * SECOND_NS)


def test_a_schedule_ends_before_its_bound_and_extends_without_change() -> None:
    short, long = schedule(traffic(), SECOND_NS), schedule(traffic(), 20 * SECOND_NS)
    assert short == tuple(at for at in long if at < SECOND_NS)
    assert list(long) == sorted(long)
