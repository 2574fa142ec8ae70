"""A made-up run as a view: baseline, delay with jitter and loss, an outage, recovery."""

import random
from collections.abc import Callable
from math import exp, inf

import pytest

from impairlab.controller.analysis.metrics import METRICS
from impairlab.controller.analysis.quantiles import percentile_points, quantile
from impairlab.controller.analysis.verdict import (
    Outcome,
    failure_rate_at_most,
    quantile_at_most,
    quantile_worse_by_at_most,
)
from impairlab.controller.report.view import (
    AppliedRow,
    AppliedStep,
    Check,
    Counters,
    Definition,
    Fact,
    Judged,
    Lane,
    Limit,
    PercentileChart,
    PhaseSpan,
    PhaseSummary,
    Report,
    RequestPoint,
    Series,
    Severity,
    StateSpan,
    TimelineFigure,
    TrafficFigures,
)

MS, SECOND = 1_000_000, 1_000_000_000
PHASES = (
    PhaseSpan("baseline", 0, 20 * SECOND),
    PhaseSpan("impaired", 20 * SECOND, 40 * SECOND),
    PhaseSpan("outage", 40 * SECOND, 45 * SECOND),
    PhaseSpan("recovery", 45 * SECOND, 60 * SECOND),
)


def requests(count: int, seed: int = 7) -> tuple[RequestPoint, ...]:
    draw = random.Random(seed)
    points = []
    for at_ns in sorted(draw.randrange(60 * SECOND) for _ in range(count)):
        ttft, gap = 90 * MS * exp(draw.gauss(0, 0.25)), 24 * MS * exp(draw.gauss(0, 0.3))
        if 20 * SECOND <= at_ns < 40 * SECOND:
            ttft += 40 * MS + (draw.random() < 0.08) * 230 * MS
            gap += (draw.random() < 0.5) * draw.uniform(60, 150) * MS
        if 41_200 * MS <= at_ns < 41_800 * MS:
            if draw.random() < 0.5:
                points.append(RequestPoint(at_ns, inf, None, draw.choice(["timeout", "reset"])))
                continue
            ttft += 41_800 * MS - at_ns + 200 * MS
        points.append(RequestPoint(at_ns, ttft, gap, "ok"))
    return tuple(points)


def series(name: str, values: list[float]) -> Series:
    failed = sum(value == inf for value in values)
    return Series(name, len(values), failed, percentile_points(values), baseline=name == "baseline")


def lanes() -> tuple[Lane, ...]:
    def state(step: int, at_ms: int, end_ms: int, label: str, severity: Severity) -> StateSpan:
        at_ns = at_ms * MS
        return StateSpan(step, at_ns, at_ns + 100_000, at_ns + 4 * MS, end_ms * MS, label, severity)

    forth = (
        state(1, 0, 20_000, "neutral", Severity.NEUTRAL),
        state(2, 20_000, 41_200, "delay 40 ms normal 8 ms, loss 1 % in bursts of 4", Severity.IMPAIRED),
        state(3, 41_200, 41_800, "outage", Severity.DOWN),
        state(4, 41_800, 60_000, "neutral", Severity.NEUTRAL),
    )
    return (Lane("wan a-b", forth), Lane("wan b-a", (state(1, 0, 60_000, "neutral", Severity.NEUTRAL),)))


def applied() -> tuple[AppliedStep, ...]:
    delay = (
        AppliedRow("wan a-b", "delay.mean", "40 ms", "40 ms", "40 ms", 4 * MS, 3 * MS),
        AppliedRow("wan a-b", "delay.spread", "8.0004 ms", "8 ms", "8 ms", 4 * MS, 3 * MS),
    )
    outage = (AppliedRow("wan a-b", "loss", "outage", "outage", None, 4 * MS, 3 * MS),)
    return (
        AppliedStep(2, "impaired", 20 * SECOND, MS, late=False, error="", rows=delay),
        AppliedStep(3, "outage", 41_200 * MS, 3 * MS, late=True, error="", rows=outage),
    )


def report(count: int = 900, **changes: object) -> Report:
    points = requests(count)
    within = {phase.name: [p for p in points if phase.start_ns <= p.at_ns < phase.end_ns] for phase in PHASES}
    ttfts = {name: [point.ttft_ns for point in members] for name, members in within.items()}
    gaps = {name: [inf if p.gap_ns is None else p.gap_ns for p in members] for name, members in within.items()}
    ttft, gap = METRICS["ttft_sched"], METRICS["max_gap"]
    margin = quantile_worse_by_at_most(gaps["recovery"], gaps["baseline"], metric=gap, q=0.95, by_at_most=20.0 * MS)
    judged = (
        Judged("impaired", quantile_at_most(ttfts["impaired"], metric=ttft, q=0.95, limit=600.0 * MS)),
        Judged("recovery", margin),
        Judged("outage", quantile_at_most(ttfts["outage"], metric=ttft, q=0.99, limit=800.0 * MS)),
        Judged("baseline", failure_rate_at_most(0, len(ttfts["baseline"]), limit=0.02)),
    )
    summaries = tuple(
        PhaseSummary(
            phase.name,
            phase,
            requests=len(ttfts[phase.name]),
            failures=sum(value == inf for value in ttfts[phase.name]),
            ttft_p50_ns=quantile(ttfts[phase.name], 0.5),
            ttft_p99_ns=quantile(ttfts[phase.name], 0.99),
            gap_p95_ns=quantile(gaps[phase.name], 0.95),
            stalled=sum(value > 100 * MS for value in gaps[phase.name]),
        )
        for phase in PHASES
    )
    charts = (
        PercentileChart("TTFT", ttft.formula, tuple(series(name, values) for name, values in ttfts.items())),
        PercentileChart("Worst gap", gap.formula, tuple(series(name, values) for name, values in gaps.items())),
    )
    checks = (
        Check("event loop lag, p99", "1.2 ms", "5 ms", sound=True),
        Check("requests begun", "900 of 900", "", sound=True),
    )
    fields: dict[str, object] = {
        "title": "Chat over a long path",
        "run": "2026-11-23T21-04-11Z-chat · 60 s · 900 requests",
        "outcome": Outcome.INCONCLUSIVE,
        "reason": "ttft_sched p99 at most 800 ms in outage: 3 of 70 beyond 800 ms",
        "notices": (),
        "judged": judged,
        "traffics": (
            TrafficFigures(
                "chat",
                TimelineFigure(
                    60 * SECOND, PHASES, points, lanes(), (Limit("p95 ≤ 600 ms", 20 * SECOND, 40 * SECOND, 600.0 * MS),)
                ),
                summaries,
                charts,
                checks,
            ),
        ),
        "applied": applied(),
        "counters": (Counters("wan path 1 a-b", {"received packets": 4711, "dropped loss": 42}, 60 * SECOND),),
        "definitions": tuple(Definition(metric.key, metric.formula, "what it is") for metric in METRICS.values()),
        "facts": (Fact("Appliance wan", "impairlab IL-8 SIM0001 1.0"), Fact("Seed", "1"), Fact("Restored", "yes")),
    }
    return Report(**{**fields, **changes})


@pytest.fixture
def make_report() -> Callable[..., Report]:
    """Builds the made-up run: `count` requests, and any field of the view replaced."""
    return report
