"""Metrics of records made by hand."""

from math import inf, isinf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.controller.analysis.metrics import (
    METRICS,
    fluidity,
    good_fraction,
    max_gap,
    planned_between,
    stall_count,
    stall_time,
    tpot,
    verdict_metric,
)
from impairlab.controller.traffic.records import RequestRecord

MS = 1_000_000


def record(gaps_ms: list[float], *, first_ms: float = 100, send_ms: float = 0, **changes: Any) -> RequestRecord:
    gaps_us = tuple(round(gap * 1000) for gap in gaps_ms)
    first_ns = round(first_ms * MS)
    end_ns = first_ns + sum(gaps_us) * 1000
    values = {
        "id": 0,
        "request_id": "r",
        "t_sched_ns": 0,
        "send_ns": round(send_ms * MS),
        "first_ns": first_ns,
        "end_ns": end_ns,
        "closed_ns": end_ns,
        "gaps_us": gaps_us,
        "output_tokens": len(gaps_us) + 1,
        "status": "ok",
    }
    return RequestRecord(**(values | changes))


FAILED = record([20], status="reset")


def test_latencies_count_from_the_send_or_from_the_plan() -> None:
    late = record([20, 20], first_ms=150, send_ms=50)
    assert METRICS["ttft"].of(late) == 100 * MS
    assert METRICS["ttft_sched"].of(late) == 150 * MS
    assert METRICS["e2e"].of(late) == 140 * MS
    assert METRICS["e2e_sched"].of(late) == 190 * MS


def test_verdicts_on_latency_count_from_the_plan() -> None:
    assert [verdict_metric(key).key for key in ("ttft", "e2e", "max_gap")] == ["ttft_sched", "e2e_sched", "max_gap"]
    with pytest.raises(KeyError):
        verdict_metric("itl")


@pytest.mark.parametrize("key", METRICS)
def test_a_failure_is_infinitely_late_whatever_arrived_before(key: str) -> None:
    value = METRICS[key].of(FAILED)
    assert value is not None
    assert isinf(value)


def test_time_per_token_divides_by_the_tokens_not_by_the_chunks() -> None:
    assert tpot(record([30, 30], output_tokens=7)) == 10 * MS


def test_one_chunk_has_neither_gap_nor_time_per_token() -> None:
    single = record([])
    assert (tpot(single), max_gap(single), fluidity(single)) == (None, None, None)
    assert METRICS["tpot"].values([single, FAILED]) == [inf]


def test_stalls_are_gaps_above_100_ms_and_cost_what_is_beyond() -> None:
    stalling = record([20, 100, 130, 250])
    assert stall_count(stalling) == 2
    assert stall_time(stalling) == 180 * MS
    assert stall_count(stalling, theta_ns=200 * MS) == 1


def test_time_per_token_is_blind_to_a_stall_that_max_gap_shows() -> None:
    smooth = record([25] * 149)
    # One lost packet: a stall of 130 ms, then the tokens that waited behind it come in a bunch.
    stalled = record([25] * 70 + [130] + [0.1] * 4 + [20.1] + [25] * 73)
    smooth_tpot, stalled_tpot = tpot(smooth), tpot(stalled)
    assert smooth_tpot is not None
    assert stalled_tpot is not None
    assert stalled_tpot == pytest.approx(smooth_tpot, rel=0.01)
    assert max_gap(smooth) == 25 * MS
    assert max_gap(stalled) == 130 * MS
    assert (stall_count(smooth), stall_count(stalled)) == (0, 1)


def test_fluidity_lets_early_tokens_pay_for_late_ones() -> None:
    assert fluidity(record([10, 10, 10, 110]), 40 * MS) == 1.0
    # 110 ms against a deadline of 40: misses those at 40 and 80 and the one it was itself due by then.
    assert fluidity(record([110, 10]), 40 * MS) == pytest.approx(1 - 2 / 3)
    assert fluidity(FAILED) == 0.0


@given(st.lists(st.floats(0, 500), min_size=1, max_size=40))
def test_fluidity_is_a_share_and_a_stall_never_raises_it(gaps_ms: list[float]) -> None:
    before = fluidity(record(gaps_ms))
    after = fluidity(record([*gaps_ms, 10_000]))
    assert before is not None
    assert after is not None
    assert 0 <= after <= before <= 1


def test_good_requests_meet_all_limits_and_failures_count_against() -> None:
    good, slow, stalled = record([20]), record([20], first_ms=900), record([300])
    limits = {"ttft_sched": 500 * MS, "max_gap": 100 * MS}
    assert good_fraction([good, slow, stalled, FAILED], limits) == 0.25
    assert good_fraction([good, FAILED], {}) == 0.5
    assert good_fraction([record([])], limits) == 1.0
    assert good_fraction([], limits) is None


def test_a_request_belongs_to_the_phase_it_was_planned_in() -> None:
    records = [record([20], t_sched_ns=at) for at in (9, 10, 19, 20)]
    assert [one.t_sched_ns for one in planned_between(records, 10, 20)] == [10, 19]
