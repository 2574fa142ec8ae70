"""Schedules: when an impairment acts, in time and in packets, and what follows time by itself."""

import itertools
import random

import pytest

from impairlab.drivers.model import (
    AccumulateBurst,
    Delay,
    Duplicate,
    LinkState,
    PacketSchedule,
    RampDelay,
    RandomFlap,
    RandomLoss,
    Reorder,
    Schedule,
    SineDelay,
    SingleBurst,
    SingleBurstLoss,
)
from impairlab.drivers.model.factories import delay
from impairlab.sim_hardware.engine.lines import line_law

MS = 1_000_000


def waits(model, count, every_ns=MS):
    return [waited for _, waited in sorted(model.send(count, every_ns))]


def test_loss_acts_within_its_windows_only(run_model) -> None:
    loss = RandomLoss(rate=1, schedule=Schedule(start="100 ms", on="30 ms", period="200 ms"))
    arrived = {number for number, _ in run_model(loss).send(700)}
    assert set(range(700)) - arrived == {*range(100, 130), *range(300, 330), *range(500, 530)}


def test_once_is_once(run_model) -> None:
    loss = RandomLoss(rate=1, schedule=Schedule(on="30 ms"))
    assert {number for number, _ in run_model(loss).send(1_000)} == set(range(30, 1_000))


def test_windows_in_packets_do_not_care_for_time(run_model) -> None:
    loss = RandomLoss(rate=1, schedule=PacketSchedule(on_packets=3, period_packets=10))
    assert [number for number, _ in run_model(loss).send(100, every_ns=7)] == [n for n in range(100) if n % 10 >= 3]


def test_a_burst_comes_again_with_every_window_and_is_finished(run_model) -> None:
    loss = SingleBurstLoss(packets=20, schedule=Schedule(on="10 ms", period="100 ms"))
    arrived = {number for number, _ in run_model(loss).send(300)}
    assert set(range(300)) - arrived == {*range(20), *range(100, 120), *range(200, 220)}
    copies = Duplicate(pattern=SingleBurst(packets=2), schedule=Schedule(on="10 ms", period="50 ms"))
    sent = [number for number, _ in run_model(copies).send(100)]
    assert sorted(n for n in set(sent) if sent.count(n) == 2) == [0, 1, 50, 51]


def test_a_delay_acts_within_its_windows_only(run_model) -> None:
    late = Delay(mean="5 ms", schedule=Schedule(on="10 ms", period="100 ms"))
    assert waits(run_model(late), 200) == ([5 * MS] * 10 + [4 * MS, 3 * MS, 2 * MS, MS] + [0] * 86) * 2


def test_a_ramp_holds_rises_and_stays(run_model) -> None:
    ramp = RampDelay(start="10 ms", end="20 ms", hold="100 ms", rise="50 ms")
    waited = waits(run_model(ramp), 200)
    assert waited[:101] == [10 * MS] * 101
    assert waited[125] == 15 * MS
    assert waited[150:] == [20 * MS] * 50


def test_a_sine_swings_between_its_ends(run_model) -> None:
    waited = waits(run_model(SineDelay(low="10 ms", high="30 ms", period="400 ms", keep_order=False)), 400)
    assert (waited[0], waited[100], waited[300]) == (20 * MS, 30 * MS, 10 * MS)
    assert sum(waited) / 400 == pytest.approx(20 * MS, rel=1e-6)


@pytest.mark.parametrize(("distribution", "values"), [("step", {10 * MS, 30 * MS})])
def test_a_step_takes_two_values(run_model, distribution, values) -> None:
    waited = waits(run_model(delay("20 ms", jitter="10 ms", distribution=distribution, keep_order=False)), 2_000)
    assert set(waited) == values
    assert abs(waited.count(10 * MS) - 1_000) < 4.4 * (2_000 / 4) ** 0.5


@pytest.mark.parametrize(("mean", "quantum"), [("2 ms", "1 ms"), ("100 ms", "1 ms")])
def test_a_poisson_delay_is_whole_quanta_with_the_variance_of_its_mean(run_model, mean, quantum) -> None:
    law = Delay(mean=mean, spread=quantum, distribution="poisson", keep_order=False)
    quanta = [waited / law.spread for waited in waits(run_model(law), 20_000)]
    expected = law.mean / law.spread
    assert all(number == int(number) for number in quanta)
    average = sum(quanta) / len(quanta)
    assert average == pytest.approx(expected, abs=4.4 * (expected / 20_000) ** 0.5)
    assert sum((q - average) ** 2 for q in quanta) / len(quanta) == pytest.approx(expected, rel=0.08)


def test_packets_are_held_until_the_first_has_waited_and_leave_together(run_model) -> None:
    model = run_model(AccumulateBurst(hold="10 ms", mean="1 ms"))
    assert [(number, number + waited // MS) for number, waited in model.send(30)] == [
        (number, number // 10 * 10 + 11) for number in range(30)
    ]


def test_packets_that_are_enough_leave_at_once(run_model) -> None:
    model = run_model(AccumulateBurst(hold="1 s", packets=5))
    assert [(number, number + waited // MS) for number, waited in model.send(12)] == [
        *((number, 4) for number in range(5)), *((number, 9) for number in range(5, 10)), (10, 1010), (11, 1010),
    ]  # fmt: skip
    assert model.statistics.reordered == 0


def test_reordering_in_time_and_by_a_drawn_depth(run_model) -> None:
    assert set(waits(run_model(Reorder(rate=1, depth=0, hold="7 ms")), 100)) == {7 * MS}
    drawn = waits(run_model(Reorder(rate="1 %", depth=2, depth_most=4, hold="1 s")), 20_000)
    held = {waited for waited in drawn if waited} - {max(drawn)}
    assert held >= {2 * MS, 3 * MS, 4 * MS}


def test_a_flap_ends_after_its_repetitions(run_model) -> None:
    flap = LinkState(state="flap", down="10 ms", period="100 ms", repetitions=2)
    arrived = {number for number, _ in run_model(flap).send(500)}
    assert set(range(500)) - arrived == {*range(10), *range(100, 110)}


def test_a_random_flap_keeps_to_its_times() -> None:
    flap = RandomFlap(up="5 ms", up_most="10 ms", down="1 ms", down_most="2 ms")
    law = line_law(flap, random.Random(1))
    down = [law(at) != 0 for at in range(0, 10_000 * MS, MS // 10)]
    runs = [1]
    for before, now in itertools.pairwise(down):
        runs = [*runs[:-1], runs[-1] + 1] if before == now else [*runs, 1]
    ups, downs = runs[0:-1:2], runs[1:-1:2]
    assert down[0] is False
    assert min(ups) >= 49
    assert max(ups) <= 101
    assert max(ups) - min(ups) > 40
    assert min(downs) >= 9
    assert max(downs) <= 21
    assert max(downs) - min(downs) > 5
