"""What the report says of requests equals what the metrics say of the same records."""

from math import inf

import pytest

from impairlab.controller.analysis.metrics import METRICS, planned_between
from impairlab.controller.analysis.quantiles import quantile
from impairlab.controller.report.measured import (
    definitions,
    health_checks,
    percentile_charts,
    phase_summaries,
    request_points,
)
from impairlab.controller.traffic.records import GeneratorHealth, RequestRecord

MS, SECOND = 1_000_000, 1_000_000_000
ZERO = 5 * SECOND
PHASES = {"baseline": (ZERO, ZERO + 10 * SECOND), "impaired": (ZERO + 10 * SECOND, ZERO + 20 * SECOND)}
HEALTH = GeneratorHealth(
    lag_p99_ns=MS, lag_max_ns=2 * MS, dispatch_p99_ns=MS, dispatch_max_ns=2 * MS, planned=200, dispatched=200,
    finished=200, incomplete=0, offered_rate=10.0, achieved_rate=10.0, started_ns=ZERO, ended_ns=ZERO + 20 * SECOND,
    wall_offset_ns=0,
)  # fmt: skip


def record(number: int) -> RequestRecord:
    at_ns = ZERO + number * SECOND // 10
    base = {"id": number, "request_id": f"r{number}", "t_sched_ns": at_ns, "send_ns": 10_000, "closed_ns": SECOND}
    if number % 50 == 49:
        return RequestRecord.model_validate({**base, "status": "timeout"})
    first = (100 + number) * MS
    gaps = (20_000, 150_000 if number >= 100 else 25_000)
    return RequestRecord.model_validate({**base, "status": "ok", "first_ns": first, "end_ns": first + 200 * MS,
                                         "gaps_us": gaps})  # fmt: skip


RECORDS = [record(number) for number in range(200)]


def test_points_are_timed_from_the_planned_instant_and_failures_are_infinite() -> None:
    points = request_points(reversed(RECORDS), ZERO)
    assert [point.at_ns for point in points] == [r.t_sched_ns - ZERO for r in RECORDS]
    assert points[3].ttft_ns == 103 * MS
    assert [i for i, point in enumerate(points) if point.failed] == [49, 99, 149, 199]
    assert points[49].gap_ns is None


def test_the_phase_rows_are_the_quantiles_of_the_phase() -> None:
    rows = {row.name: row for row in phase_summaries(RECORDS, PHASES, ZERO)}
    for name, span in PHASES.items():
        members = planned_between(RECORDS, *span)
        assert rows[name].requests == len(members) == 100
        assert rows[name].failures == 2
        assert rows[name].ttft_p99_ns == quantile(METRICS["ttft_sched"].values(members), 0.99) == inf
        assert rows[name].gap_p95_ns == quantile(METRICS["max_gap"].values(members), 0.95)
    assert (rows["baseline"].stalled, rows["impaired"].stalled) == (0, 98)
    assert rows["impaired"].span.start_ns == 10 * SECOND


def test_the_percentile_plot_knows_its_baseline_and_its_failures() -> None:
    chart = percentile_charts(RECORDS, PHASES, "baseline")[0]
    assert [(s.name, s.baseline, s.n, s.failures) for s in chart.series] == [
        ("baseline", True, 100, 2),
        ("impaired", False, 100, 2),
    ]
    assert chart.series[0].points[-1].value == inf


@pytest.mark.parametrize(
    ("health", "effect_ns", "unsound"),
    [
        (HEALTH, None, []),
        (HEALTH, 5 * MS, ["event loop lag, p99", "dispatch delay, p99"]),
        (HEALTH.model_copy(update={"dispatched": 150}), None, ["requests begun of those planned"]),
        (None, None, ["the generator's own account"]),
    ],
)
def test_health_names_what_was_unsound(health: GeneratorHealth, effect_ns: float, unsound: list[str]) -> None:
    assert [check.name for check in health_checks(health, effect_ns) if check.sound is False] == unsound


def test_every_metric_is_defined_with_its_formula() -> None:
    assert [(d.key, d.formula) for d in definitions()] == [(m.key, m.formula) for m in METRICS.values()]
    assert all(definition.meaning for definition in definitions())
