"""What the requests say: points, phase rows, percentiles and generator health, from a traffic log's records."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf

from impairlab.controller.analysis.health import EFFECT_SHARE, LAG_LIMIT_NS, RATE_TOLERANCE, rate_is_off
from impairlab.controller.analysis.metrics import METRICS, STALL_NS, Metric, planned_between
from impairlab.controller.analysis.quantiles import percentile_points, quantile
from impairlab.controller.traffic.records import GeneratorHealth, RequestRecord

from .scales import duration
from .view import Check, Definition, PercentileChart, PhaseSpan, PhaseSummary, RequestPoint, Series

Interval = tuple[int, int]
_TTFT, _GAP = METRICS["ttft_sched"], METRICS["max_gap"]
_CHARTS = (("TTFT from the planned instant", _TTFT), ("Worst gap of a stream", _GAP))


def request_points(records: Iterable[RequestRecord], zero_ns: int) -> tuple[RequestPoint, ...]:
    """The requests on the timeline that begins at `zero_ns`, in the order they were planned."""
    points = []
    for record in sorted(records, key=lambda record: (record.t_sched_ns, record.id)):
        ttft = _TTFT.of(record)
        gap = _GAP.of(record) if record.ok else None
        points.append(RequestPoint(record.t_sched_ns - zero_ns, inf if ttft is None else ttft, gap, record.status))
    return tuple(points)


def phase_summaries(
    records: Sequence[RequestRecord],
    phases: Mapping[str, Interval],
    zero_ns: int,
    complete: Container[str] | None = None,
) -> tuple[PhaseSummary, ...]:
    """One row a phase. `phases` are intervals on the monotonic clock, as are the planned instants.

    `complete` names the phases that went on until their planned end; None: all of them.
    """
    rows = (_summary(name, planned_between(records, *span), span, zero_ns) for name, span in phases.items())
    return tuple(row if complete is None else replace(row, complete=row.name in complete) for row in rows)


def _summary(name: str, records: Sequence[RequestRecord], span: Interval, zero_ns: int) -> PhaseSummary:
    ttft, gap = _TTFT.values(records), _GAP.values(records)
    return PhaseSummary(
        name=name,
        span=PhaseSpan(name, span[0] - zero_ns, span[1] - zero_ns),
        requests=len(records),
        failures=sum(not record.ok for record in records),
        ttft_p50_ns=quantile(ttft, 0.5),
        ttft_p99_ns=quantile(ttft, 0.99),
        gap_p95_ns=quantile(gap, 0.95),
        stalled=sum(STALL_NS < value < inf for value in gap),
        outlasted=sum(record.t_sched_ns + record.closed_ns > span[1] for record in records),
    )


def percentile_charts(
    records: Sequence[RequestRecord], phases: Mapping[str, Interval], baseline: str | None
) -> tuple[PercentileChart, ...]:
    """TTFT and worst gap, phase against phase."""
    return tuple(
        PercentileChart(
            title,
            metric.formula,
            tuple(_series(name, planned_between(records, *span), metric, baseline) for name, span in phases.items()),
        )
        for title, metric in _CHARTS
    )


def _series(name: str, records: Sequence[RequestRecord], metric: Metric, baseline: str | None) -> Series:
    values = metric.values(records)
    failures = sum(value == inf for value in values)
    return Series(name, len(values), failures, percentile_points(values), baseline=name == baseline)


def health_checks(health: GeneratorHealth | None, effect_ns: float | None) -> tuple[Check, ...]:
    """Each measure of the generator beside its limit. `effect_ns` is the smallest latency that a verdict is about."""
    if health is None:
        return (Check("the generator's own account", "missing: it died before it could give one", "", sound=False),)
    limit = LAG_LIMIT_NS if effect_ns is None else min(LAG_LIMIT_NS, EFFECT_SHARE * effect_ns)
    missing = health.planned - health.dispatched
    begun = missing <= max(1.0, RATE_TOLERANCE * health.planned)
    return (
        Check("event loop lag, p99", duration(health.lag_p99_ns), duration(limit), sound=health.lag_p99_ns <= limit),
        Check("event loop lag, worst", duration(health.lag_max_ns), "", sound=None),
        Check("dispatch delay, p99", duration(health.dispatch_p99_ns), duration(limit),
              sound=health.dispatch_p99_ns <= limit),
        Check("dispatch delay, worst", duration(health.dispatch_max_ns), "", sound=None),
        Check("requests begun of those planned", f"{health.dispatched} of {health.planned}", "98 %", sound=begun),
        Check("finished, unfinished at the end", f"{health.finished}, {health.incomplete}", "", sound=None),
        Check("rate offered, achieved", f"{_rate(health.offered_rate)}, {_rate(health.achieved_rate)}", "± 2 %",
              sound=not rate_is_off(health)),
    )  # fmt: skip


def definitions() -> tuple[Definition, ...]:
    """Every metric with its formula, in words from the function that computes it."""
    return tuple(Definition(key, metric.formula, _meaning(metric)) for key, metric in METRICS.items())


def _meaning(metric: Metric) -> str:
    return (metric.of.__doc__ or "").strip().split("\n")[0].replace("`theta_ns`", "100 ms")


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.4g} req/s"
