"""Rates on the model clock: exact in the long run, bursts and queues as asked, nothing gained by reprogramming."""

from itertools import pairwise
from typing import Any

import pytest

from impairlab.drivers.model import Conditions, RateLimit

MS = 1_000_000


def achieved(model: Any, size: Any, extra: Any = 0) -> Any:
    times = [release for release, _ in model.out]
    return (len(times) - 1) * 8 * (size + extra) * 1e9 / (times[-1] - times[0])


@pytest.mark.parametrize("rate", [64_000, 10_000_000, 6_999_999_937])
@pytest.mark.parametrize("size", [64, 1500])
@pytest.mark.parametrize("layer", ["l2", "l1"])
def test_a_line_is_exact_under_overload(run_model: Any, rate: Any, size: Any, layer: Any) -> None:
    extra = 24 if layer == "l1" else 0
    model = run_model(RateLimit(rate=rate, mode="link", queue="100 MB", layer=layer))
    model.send(2_000, every_ns=max(1, 8 * size * 10**9 // rate // 2), size=size)
    assert len(model.out) == 2_000
    assert achieved(model, size, extra) == pytest.approx(rate, rel=0.001)


def test_a_shaper_lets_its_burst_through_and_then_holds_the_rate(run_model: Any) -> None:
    model = run_model(RateLimit(rate="8 Mbit/s", burst="5 kB", queue="1 MB"))
    waits = [waited for _, waited in model.send(100, every_ns=1, size=1000)]
    assert waits[:5] == [0] * 5
    assert [later - earlier for earlier, later in pairwise(waits[5:])] == [MS - 1] * 94


def test_a_line_adds_the_serialisation_of_each_packet(run_model: Any) -> None:
    model = run_model(RateLimit(rate="8 Mbit/s", mode="link"))
    assert [waited for _, waited in model.send(5, every_ns=10 * MS, size=1000)] == [MS] * 5


def test_a_queue_drops_at_the_tail_when_it_is_full(run_model: Any) -> None:
    model = run_model(RateLimit(rate="8 Mbit/s", mode="link", queue="3 kB"))
    numbers = [number for number, _ in model.send(10, every_ns=1, size=1000)]
    assert numbers == [0, 1, 2, 3]
    assert model.statistics.dropped_rate == 6


def test_a_policer_drops_and_never_delays(run_model: Any) -> None:
    model = run_model(RateLimit(rate="8 Mbit/s", mode="policer", burst="2 kB"))
    passed = model.send(10_000, every_ns=MS // 4, size=1000)
    assert {waited for _, waited in passed} == {0}
    assert len(passed) == pytest.approx(2_500, abs=3)
    assert model.statistics.dropped_rate == 10_000 - len(passed)


def test_reprogramming_a_shaper_gives_no_fresh_burst(run_model: Any) -> None:
    model = run_model(RateLimit(rate="8 Mbit/s", burst="5 kB", queue="1 MB"))
    for number in range(400):
        model.offer(number * MS // 2, bytes(1000))
        if number % 10 == 0:
            model.program(Conditions.of(RateLimit(rate=8_000_000 + number % 20, burst="5 kB", queue="1 MB")))
    model.drain()
    times = [release for release, _ in model.out]
    assert times[-1] - times[0] == pytest.approx(395 * MS, rel=0.001)


def test_frames_in_the_queue_keep_their_times_when_the_rate_changes(run_model: Any) -> None:
    model = run_model(RateLimit(rate="8 Mbit/s", mode="link"))
    for _ in range(3):
        model.offer(0, bytes(1000))
    model.program(Conditions.of(RateLimit(rate="80 Mbit/s", mode="link")))
    for _ in range(2):
        model.offer(0, bytes(1000))
    model.drain()
    assert [release for release, _ in model.out] == [MS, 2 * MS, 3 * MS, 3_100_000, 3_200_000]
