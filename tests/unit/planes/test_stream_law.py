"""What a path does to byte streams, on a model clock: delays, rates, a queue that pushes back, links that go away."""

import pytest

from impairlab.drivers.model import Conditions, Impairment, RateLimit
from impairlab.drivers.model.factories import delay, link_down, link_flap, rate
from impairlab.sim_hardware.engine import FlowProgram
from impairlab.sim_hardware.planes.stream_law import StreamLaw

MS = 1_000_000


def law_of(*impairments: Impairment, now_ns: int = 0) -> StreamLaw:
    law = StreamLaw("seed")
    law.switch(now_ns, [FlowProgram(conditions=Conditions.of(*impairments))])
    return law


def test_a_neutral_direction_lets_bytes_through_at_once() -> None:
    law = law_of()
    assert law.takes_in_at(7) == 7
    assert law.release(7, 1000) == 7


def test_a_delay_is_exact() -> None:
    assert law_of(delay("45 ms")).release(7, 1000) == 45 * MS + 7


def test_the_same_seed_draws_the_same_delays() -> None:
    one, other = law_of(delay("45 ms", jitter="8 ms")), law_of(delay("45 ms", jitter="8 ms"))
    drawn = [one.release(0, 1) for _ in range(20)]
    assert drawn == [other.release(0, 1) for _ in range(20)]
    assert len(set(drawn)) > 10


@pytest.mark.parametrize("mode", ["shaper", "link"])
def test_a_rate_is_met_exactly_whoever_sends(mode: str) -> None:
    law = law_of(RateLimit(rate="8 Mbit/s", mode=mode, burst=0))
    assert [law.release(0, 1000) for _ in range(3)] == [1 * MS, 2 * MS, 3 * MS]
    assert law.release(10 * MS, 1000) == 11 * MS


def test_a_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    law = law_of(rate("8 Mbit/s", burst=2000))
    assert [law.release(0, 1000) for _ in range(4)] == [0, 0, 1 * MS, 2 * MS]


def test_a_delay_comes_after_the_rate() -> None:
    law = law_of(rate("8 Mbit/s", mode="link"), delay("5 ms"))
    assert [law.release(0, 1000) for _ in range(2)] == [6 * MS, 7 * MS]


def test_a_full_queue_pushes_back_until_there_is_room() -> None:
    law = law_of(rate("8 Mbit/s", mode="link", queue=3000))
    for _ in range(5):
        law.release(0, 1000)
    assert law.takes_in_at(0) == 2 * MS
    assert law.takes_in_at(3 * MS) == 3 * MS


@pytest.mark.parametrize(("limit", "bite"), [("1 Mbit/s", 1_448), ("16 Mbit/s", 10_000), ("1 Gbit/s", 65_536)])
def test_the_faster_the_more_is_taken_at_once(limit: str, bite: int) -> None:
    assert law_of(rate(limit)).bite() == bite


def test_a_new_rate_goes_on_where_the_old_one_was() -> None:
    law = law_of(rate("8 Mbit/s", mode="link"))
    assert law.release(0, 4000) == 4 * MS
    law.switch(1 * MS, [FlowProgram(conditions=Conditions.of(rate("16 Mbit/s", mode="link")))])
    assert law.release(1 * MS, 1000) == 4 * MS + MS // 2


def test_a_link_that_is_down_takes_nothing_in_and_lets_out_what_it_has() -> None:
    law = law_of(delay("5 ms"))
    assert law.release(0, 1) == 5 * MS
    law.switch(1 * MS, [FlowProgram(conditions=Conditions.of(link_down()))])
    assert law.takes_in_at(2 * MS) is None
    law.switch(600 * MS, [])
    assert law.takes_in_at(600 * MS) == 600 * MS


def test_a_flap_begins_down_and_counts_from_its_switch() -> None:
    law = law_of(link_flap("80 ms", "200 ms"), now_ns=1000 * MS)
    opens = {at: law.takes_in_at(at * MS) for at in (1000, 1079, 1080, 1199, 1200, 1250)}
    assert opens == {
        1000: 1080 * MS, 1079: 1080 * MS, 1080: 1080 * MS, 1199: 1199 * MS, 1200: 1280 * MS, 1250: 1280 * MS,
    }  # fmt: skip


def test_a_full_queue_that_has_room_while_the_line_is_down_waits_for_the_line() -> None:
    law = law_of(rate("8 Mbit/s", mode="link", queue=0), link_flap("80 ms", "200 ms"))
    law.release(100 * MS, 110_000)
    assert law.takes_in_at(150 * MS) == 280 * MS


def test_a_change_of_something_else_leaves_the_flap_in_phase() -> None:
    law = law_of(link_flap("80 ms", "200 ms"))
    law.switch(50 * MS, [FlowProgram(conditions=Conditions.of(link_flap("80 ms", "200 ms"), delay("1 ms")))])
    assert law.takes_in_at(60 * MS) == 80 * MS


def test_bytes_are_counted_and_cleared() -> None:
    law = law_of()
    law.release(0, 100)
    law.forwarded_bytes += 60
    counted = law.statistics(5, 0)
    assert (counted.at_ns, counted.received_bytes, counted.forwarded_bytes, counted.received_packets) == (
        5,
        100,
        60,
        None,
    )
    law.clear_statistics(0)
    assert law.statistics(6, 0).received_bytes == 0
