"""Patterns against their theory: shares and burst lengths within intervals that a right model misses 1 in 10^5."""

import itertools
from math import sqrt
from statistics import fmean
from typing import Any

import pytest

from impairlab.drivers.model import (
    BitErrors,
    BurstLoss,
    Conditions,
    Corrupt,
    Duplicate,
    EvenLoss,
    GilbertElliottLoss,
    Outage,
    Periodic,
    RandomBurstLoss,
    SingleBurstLoss,
    SpacedLoss,
)
from impairlab.drivers.model.factories import bit_errors, delay, loss, periodic_loss

PACKETS = 50_000
SIGMAS = 4.4


def assert_share(lost: Any, packets: Any, share: Any, variance_factor: Any = 1.0) -> None:
    error = SIGMAS * sqrt(share * (1 - share) * variance_factor / packets)
    assert abs(lost / packets - share) <= error, f"{lost / packets} is not {share} +- {error}"


@pytest.mark.parametrize("rate", ["0.1 %", "2 %", "50 %"])
def test_random_loss_has_its_share_and_is_independent(run_model: Any, lost_runs: Any, rate: Any) -> None:
    impairment = loss(rate)
    share = float(impairment.rate)
    model = run_model(impairment)
    arrived = [number for number, _ in model.send(PACKETS)]

    assert_share(PACKETS - len(arrived), PACKETS, share)
    assert model.statistics.dropped_loss == PACKETS - len(arrived)
    runs = lost_runs(arrived, PACKETS)
    mean, deviation = 1 / (1 - share), sqrt(share) / (1 - share)
    assert abs(fmean(runs) - mean) <= SIGMAS * deviation / sqrt(len(runs)) + 1e-9


def test_no_loss_and_certain_loss_are_exact(run_model: Any) -> None:
    assert len(run_model(loss(0)).send(5_000)) == 5_000
    assert run_model(loss(1)).send(5_000) == []
    assert run_model(Outage()).send(5_000) == []


def test_periodic_loss_loses_the_same_places_in_every_period(run_model: Any) -> None:
    arrived = [number for number, _ in run_model(periodic_loss(10, burst=3)).send(1_000)]
    assert arrived == [number for number in range(1_000) if number % 10 < 7]


@pytest.mark.parametrize(("rate", "burst"), [("1 %", 4), ("5 %", 1), ("10 %", "2.5"), ("30 %", 20)])
def test_burst_loss_has_its_share_and_mean_burst(run_model: Any, lost_runs: Any, rate: Any, burst: Any) -> None:
    impairment = BurstLoss(rate=rate, burst=burst)
    share, mean = float(impairment.rate), float(impairment.burst)
    arrived = [number for number, _ in run_model(impairment).send(100_000)]

    chain = impairment.as_gilbert_elliott()
    memory = 1 - float(chain.to_bad) - float(chain.to_good)
    assert_share(100_000 - len(arrived), 100_000, share, (1 + memory) / (1 - memory))
    runs = lost_runs(arrived, 100_000)
    deviation = sqrt(mean * (mean - 1))
    assert abs(fmean(runs) - mean) <= SIGMAS * deviation / sqrt(len(runs)) + 1e-9


def test_gilbert_elliott_loses_in_both_states(run_model: Any) -> None:
    impairment = GilbertElliottLoss(to_bad="2 %", to_good="10 %", bad_loss="60 %", good_loss="1 %")
    arrived = run_model(impairment).send(100_000)
    bad = 0.02 / 0.12
    share = bad * 0.6 + (1 - bad) * 0.01
    memory = 1 - 0.12
    assert_share(100_000 - len(arrived), 100_000, share, (1 + memory) / (1 - memory))


@pytest.mark.parametrize("size", [100, 1500])
def test_bit_errors_lose_long_packets_more_often(run_model: Any, size: Any) -> None:
    arrived = run_model(bit_errors(1e-5)).send(PACKETS, size=size)
    assert_share(PACKETS - len(arrived), PACKETS, 1 - (1 - 1e-5) ** (8 * size))


def test_a_chain_keeps_its_state_when_only_the_delay_changes(run_model: Any) -> None:
    model = run_model(periodic_loss(4))
    model.send(2)
    model.out.clear()
    model.program(Conditions.of(periodic_loss(4), delay("1 ms")))
    assert [number for number, _ in model.send(4)] == [0, 2, 3]


@pytest.mark.parametrize("rate", ["1 ppm", "0.3 %", "33.3333 %", "100 %"])
def test_even_loss_is_spread_as_evenly_as_whole_packets_allow(run_model: Any, rate: Any) -> None:
    impairment = EvenLoss(rate=rate)
    arrived = {number for number, _ in run_model(impairment).send(PACKETS)}
    lost = 0
    for number in range(PACKETS):
        lost += number not in arrived
        assert lost == int((number + 1) * impairment.rate)


@pytest.mark.parametrize(("rate", "shortest", "longest"), [("0.5 %", 5, 10), ("2 %", 1, 1), ("10 %", 3, 3)])
def test_random_bursts_have_their_share_and_lengths(
    run_model: Any, lost_runs: Any, rate: Any, shortest: Any, longest: Any
) -> None:
    impairment = RandomBurstLoss(rate=rate, shortest=shortest, longest=longest)
    arrived = [number for number, _ in run_model(impairment).send(100_000)]

    begins, mean = float(impairment.rate), (shortest + longest) / 2
    cycle = mean + (1 - begins) / begins
    bursts = 100_000 / cycle
    deviation = sqrt(((longest - shortest + 1) ** 2 - 1) / 12 + (mean / cycle) ** 2 * (1 - begins) / begins**2)
    assert_lost = abs((100_000 - len(arrived)) - bursts * mean)
    assert assert_lost <= SIGMAS * deviation * sqrt(bursts) + longest
    alone = [length for length in lost_runs(arrived, 100_000) if length <= longest]
    assert min(alone) >= shortest or alone.count(min(alone)) == 1  # the last one may be cut short
    assert longest in alone


def test_a_single_burst_comes_once(run_model: Any) -> None:
    model = run_model(SingleBurstLoss(packets=7))
    assert [number for number, _ in model.send(100)] == list(range(7, 100))


@pytest.mark.parametrize(
    ("law", "spread", "variance"), [("uniform", 9, 9**2 / 3), ("normal", 5, 25), ("poisson", 0, 40), ("gamma", 12, 144)]
)
def test_spaced_loss_has_the_distances_of_its_law(run_model: Any, law: Any, spread: Any, variance: Any) -> None:
    arrived = {number for number, _ in run_model(SpacedLoss(law=law, mean=40, spread=spread)).send(100_000)}
    lost = [number for number in range(100_000) if number not in arrived]
    distances = [after - before for before, after in itertools.pairwise(lost)]
    assert fmean(distances) == pytest.approx(40, abs=SIGMAS * sqrt((variance + 1 / 12) / len(distances)))
    assert fmean((d - 40) ** 2 for d in distances) == pytest.approx(variance + 1 / 12, rel=0.25)


def test_spacing_from_a_table_is_one_of_its_values(run_model: Any) -> None:
    arrived = {n for n, _ in run_model(SpacedLoss(law="table", mean=10, spread=5, table=(-1, 0, 2))).send(10_000)}
    lost = [number for number in range(10_000) if number not in arrived]
    distances = [after - before for before, after in itertools.pairwise(lost)]
    assert set(distances) == {5, 10, 20}


def test_a_pattern_picks_what_is_duplicated_and_what_is_damaged(run_model: Any) -> None:
    model = run_model(Duplicate(pattern=Periodic(every=10, burst=2)))
    numbers = [number for number, _ in model.send(1_000)]
    assert sorted(numbers) == sorted([*range(1_000), *(n for n in range(1_000) if n % 10 >= 8)])

    ber = 1e-4
    model = run_model(Corrupt(pattern=BitErrors(ber=ber)))
    model.send(PACKETS)
    assert_share(model.statistics.corrupted, PACKETS, 1 - (1 - ber) ** 800)
