"""Assembling the view of a run: everything the page shows, from what the folder holds and how it was judged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from impairlab.controller.analysis.verdict import percentile
from impairlab.controller.plan.documents import RunRecord
from impairlab.controller.plan.traffic import TrafficSpec
from impairlab.drivers.model.units import format_time

from .measured import definitions, health_checks, percentile_charts, phase_summaries, request_points
from .programmed import applied_steps, counters, fitting, lanes, numbered
from .reading import Content
from .scales import SECOND, duration, instant
from .verdicts import Verdicts, traffic_of
from .view import Fact, Lane, Limit, PhaseSpan, Report, TimelineFigure, TrafficFigures

_LATENCIES = frozenset({"ttft", "ttft_sched"})


def assemble(content: Content, verdicts: Verdicts) -> Report:
    """The whole view of a run."""
    start = content.record.start
    steps = numbered(content.record.events)
    requests = sum(len(log.records) for log in content.logs.values() if log is not None)
    shown = fitting(applied_steps(steps, zero_ns(content)))
    band = lanes(steps, zero_ns(content), length_ns(content))
    return Report(
        title=start.title,
        run=f"{start.run} · {_when(content.record)} · {instant(length_ns(content))} · {requests} requests",
        outcome=verdicts.overall,
        reason=verdicts.reason,
        notices=verdicts.notices,
        judged=verdicts.judged,
        traffics=tuple(_figures(name, content, band) for name in content.logs or ("",)),
        applied=shown,
        steps_left_out=len(steps) - len(shown),
        counters=counters(content.record.samples),
        definitions=definitions(),
        facts=tuple(_facts(content)),
    )


def zero_ns(content: Content) -> int:
    """Where the figures begin: the first phase, or the start of the run where none came."""
    begins = [begin_ns for begin_ns, _ in content.record.phases.values()]
    return min(begins, default=content.record.start.clock.monotonic_ns)


def length_ns(content: Content) -> int:
    """How long the figures are: to the planned end of the last phase, or to the last event of a run cut short."""
    record = content.record
    end_ns = max((end_ns for _, end_ns in record.phases.values()), default=0)
    if not content.finished:
        happened = [event.sent_ns for event in record.events] + [sample.statistics.at_ns for sample in record.samples]
        if record.stop is not None:
            happened.append(record.stop.clock.monotonic_ns)
        end_ns = min(end_ns, max(happened, default=0))
    return max(end_ns - zero_ns(content), SECOND)


def _figures(name: str, content: Content, band: tuple[Lane, ...]) -> TrafficFigures:
    log, phases, zero = content.logs.get(name), content.record.phases, zero_ns(content)
    records = () if log is None else log.records
    length = length_ns(content)
    timeline = TimelineFigure(
        end_ns=length,
        phases=tuple(
            PhaseSpan(phase, begin - zero, min(end - zero, length))
            for phase, (begin, end) in phases.items()
            if begin - zero < length
        ),
        requests=request_points(records, zero),
        lanes=band,
        limits=_limits(name, content),
    )
    return TrafficFigures(
        name=name,
        timeline=timeline,
        phases=phase_summaries(records, phases, zero, content.complete_phases) if name else (),
        percentiles=percentile_charts(records, phases, _baseline(content)) if name else (),
        health=health_checks(None if log is None else log.health, _effect(name, content)) if name else (),
    )


def _limits(traffic: str, content: Content) -> tuple[Limit, ...]:
    """The limits on TTFT that verdicts on this traffic set, each over the phase it is about, for the timeline."""
    phases, zero, length = content.record.phases, zero_ns(content), length_ns(content)
    return tuple(
        Limit(f"{percentile(float(spec.quantile))} ≤ {duration(float(spec.at_most))}", begin - zero,
              min(end - zero, length), float(spec.at_most))
        for spec in content.record.start.verdicts
        if spec.metric in _LATENCIES and spec.quantile is not None and spec.at_most is not None
        if spec.phase in phases and traffic_of(spec, content) == traffic
        for begin, end in (phases[spec.phase],)
    )  # fmt: skip


def _effect(traffic: str, content: Content) -> float | None:
    """The smallest time that a verdict on this traffic is about: what the generator's lateness is held against."""
    times = [
        float(limit)
        for spec in content.record.start.verdicts
        for limit in (spec.at_most, spec.by_at_most)
        if limit is not None and spec.metric not in {"failure_rate", "stall_count"}
        and traffic_of(spec, content) == traffic
    ]  # fmt: skip
    return min(times, default=None)


def _baseline(content: Content) -> str | None:
    """The phase that others are compared with: the one a verdict names, or the one of that name, or the first."""
    named = [spec.worse_than for spec in content.record.start.verdicts if spec.worse_than is not None]
    phases = list(content.record.phases)
    return next((name for name in (*named, "baseline", *phases) if name in phases), None)


def _when(record: RunRecord) -> str:
    return datetime.fromtimestamp(record.start.clock.wall_ns // SECOND, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _facts(content: Content) -> Iterator[Fact]:
    record = content.record
    start, stop = record.start, record.stop
    yield Fact("Run", start.run)
    yield Fact("Scenario", f"{start.scenario} ({start.scenario_file})")
    yield Fact("Began", _when(record))
    yield Fact("Ended", "not on record" if stop is None else stop.outcome)
    for role, place in start.binding.items():
        yield Fact(f"Path {role}", place)
    for name, appliance in start.appliances.items():
        yield Fact(f"Appliance {name}", f"{appliance.identity}, driver {appliance.driver}, {appliance.address}")
    if stop is not None:
        for put in stop.restorations:
            yield Fact(f"Restored {put.appliance}", f"{'yes' if put.restored else 'NO'}: {put.how}")
        yield Fact("Steps", f"{stop.steps_done} of {stop.steps_planned} done, {stop.steps_late} late, "
                            f"worst lateness {duration(stop.worst_lateness_ns)}")  # fmt: skip
    yield Fact("Values off an appliance's step", start.on_mismatch)
    for name, spec in start.traffic.items():
        yield Fact(f"Traffic {name}", _traffic(spec))
    for name, number in start.versions.items():
        yield Fact(f"Version of {name}", number)


def _traffic(spec: TrafficSpec) -> str:
    shape = f" with shape {spec.burstiness}" if spec.burstiness is not None else ""
    return (
        f"{float(spec.rate):g} req/s {spec.arrivals}{shape}, {spec.prompt} tokens in, {spec.output} out, "
        f"seed {spec.seed}, given up after {format_time(spec.timeout)}, connections {spec.connections}, "
        f"{spec.endpoint} at {spec.url}"
    )
