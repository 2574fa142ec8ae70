"""Loss models against their theory: shares and burst lengths within intervals that a right model misses 1 in 10^5."""

from math import sqrt
from statistics import fmean
from typing import Any

import pytest

from impairlab.drivers.model import BurstLoss, Conditions, GilbertElliottLoss, Outage
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
