"""Dispatch and its health figures: on time, open loop, and honest about what was left out."""

import asyncio
import time
from typing import Any

import pytest

from impairlab.controller.traffic.clock import measuring_loop
from impairlab.controller.traffic.dispatcher import Dispatcher
from impairlab.controller.traffic.health import LagSampler, sum_up
from impairlab.controller.traffic.records import GeneratorHealth, RequestRecord
from impairlab.controller.traffic.spec import SECOND_NS

MS = 1_000_000


def on_measuring_loop(main: Any) -> Any:
    with asyncio.Runner(loop_factory=measuring_loop) as runner:
        return runner.run(main())


def test_every_arrival_is_begun_in_order_never_early_and_mostly_at_once() -> None:
    begun: list[tuple[int, int, int]] = []

    async def main() -> int:
        start_ns = time.monotonic_ns() + 5 * MS
        offsets = [i * MS for i in range(200)]
        dispatcher = Dispatcher(
            iter(offsets), start_ns, start_ns + 210 * MS, lambda n, at: begun.append((n, at, time.monotonic_ns()))
        )
        dispatcher.start()
        await dispatcher.wait()
        assert time.monotonic_ns() >= start_ns + 210 * MS
        assert [at for _, at, _ in begun] == [start_ns + offset for offset in offsets]
        return dispatcher.planned

    assert on_measuring_loop(main) == 200
    assert [number for number, _, _ in begun] == list(range(200))
    late = sorted(now - at for _, at, now in begun)
    assert late[0] >= 0
    assert late[100] < MS / 2  # epoll's rounding to whole milliseconds would show here


def test_arrivals_that_came_due_during_a_stall_are_all_begun_after_it() -> None:
    begun: list[int] = []

    async def main() -> None:
        start_ns = time.monotonic_ns()
        dispatcher = Dispatcher(
            iter([i * MS for i in range(30)]), start_ns, start_ns + 31 * MS, lambda n, _: begun.append(n)
        )
        dispatcher.start()
        time.sleep(0.05)  # the stall: nothing else runs on this loop
        await dispatcher.wait()

    on_measuring_loop(main)
    assert begun == list(range(30))


def test_a_stop_counts_what_was_due_and_begins_no_more() -> None:
    begun: list[int] = []

    async def main() -> int:
        start_ns = time.monotonic_ns()
        endless = (i * 10 * MS for i in range(10**9))
        dispatcher = Dispatcher(endless, start_ns, None, lambda n, _: begun.append(n))
        dispatcher.start()
        time.sleep(0.035)
        dispatcher.stop()
        dispatcher.stop()
        await dispatcher.wait()
        await asyncio.sleep(0.02)
        return dispatcher.planned

    assert on_measuring_loop(main) == 4
    assert begun == [0]


def test_a_schedule_without_arrivals_still_lasts_its_time() -> None:
    async def main() -> int:
        end_ns = time.monotonic_ns() + 20 * MS
        dispatcher = Dispatcher(iter([]), end_ns - 20 * MS, end_ns, lambda *_: None)
        dispatcher.start()
        await dispatcher.wait()
        return time.monotonic_ns() - end_ns

    assert on_measuring_loop(main) >= 0


def test_the_lag_sampler_sees_a_stall_of_the_loop() -> None:
    async def main() -> list[int]:
        sampler = LagSampler()
        sampler.start()
        await asyncio.sleep(0.05)
        time.sleep(0.08)
        await asyncio.sleep(0.05)
        sampler.stop()
        return sampler.samples_ns

    lags = on_measuring_loop(main)
    assert max(lags) > 60 * MS
    assert sorted(lags)[len(lags) // 2] < 5 * MS


def health(sends_ns: list[int], planned: int | None = None) -> GeneratorHealth:
    records = [
        RequestRecord(
            id=i, request_id="r", t_sched_ns=i * SECOND_NS // 10, send_ns=send, closed_ns=send, status="timeout"
        )
        for i, send in enumerate(sends_ns)
    ]
    count = len(records) if planned is None else planned
    return sum_up([5, 7], records, planned=count, started_ns=0, ended_ns=9, wall_offset_ns=0)


def test_the_rates_are_those_of_the_plan_and_of_what_was_begun() -> None:
    on_time, late = health([0] * 11), health([0] * 10 + [SECOND_NS // 2])
    assert on_time.offered_rate == on_time.achieved_rate == pytest.approx(10)
    assert late.offered_rate == pytest.approx(10)
    assert late.achieved_rate == pytest.approx(10 / 1.5)
    assert late.dispatch_max_ns == late.dispatch_p99_ns == SECOND_NS // 2


def test_too_few_requests_have_no_rate() -> None:
    assert health([3]).offered_rate is None
    assert health([]).dispatch_p99_ns == 0
    assert (health([], planned=2).planned, health([], planned=2).dispatched) == (2, 0)
