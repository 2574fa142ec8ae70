"""A made-up run as a folder: real documents and records, laid down as a run lays them down, from a seed."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import exp
from pathlib import Path

import pytest

from impairlab.controller.plan.documents import (
    ApplianceRecord,
    CapabilitiesRecord,
    ClockPair,
    Document,
    ErrorRecord,
    EventDocument,
    Restoration,
    RunLog,
    SampleDocument,
    SnapshotDocument,
    StartDocument,
    StopDocument,
)
from impairlab.controller.plan.rack import PathRef
from impairlab.controller.plan.scenario import Scenario
from impairlab.controller.plan.scenario_file import parse_scenario
from impairlab.controller.plan.timeline import Change, Step, build_timeline
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.run.traffic import offered
from impairlab.controller.traffic.log import LogHeader
from impairlab.controller.traffic.records import GeneratorHealth, RequestRecord
from impairlab.drivers.model import (
    Applied,
    Capabilities,
    Conditions,
    Feature,
    Identity,
    Provenance,
    Range,
    Snapshot,
    Statistics,
)
from impairlab.drivers.proof import applied_records

MS, SECOND = 1_000_000, 1_000_000_000
WALL_NS = 1_795_000_000 * SECOND
IDENTITY = Identity(manufacturer="impairlab", model="IL-8", serial="SIM0001", firmware="1.0")
PROVENANCE = Provenance(basis="documented")
TIME = Range(dimension="time", low=Decimal(0), high=Decimal(10**10), step=Decimal(100))
RATE = Range(dimension="probability", low=Decimal(0), high=Decimal(1), step=Decimal("1e-9"))
BURST = Range(dimension="count", low=Decimal(1), high=Decimal(1000), step=Decimal(1))
RANGES = {
    "delay.constant": {"mean": TIME},
    "delay.normal": {"mean": TIME, "spread": TIME},
    "loss.burst": {"rate": RATE, "burst": BURST},
    "loss.outage": {},
}
CAPABILITIES = Capabilities(
    paths=("1",),
    features={name: Feature(name=name, ranges=ranges, provenance=PROVENANCE) for name, ranges in RANGES.items()},
)
SCENARIO = """\
scenario: brownout
title: A WAN that slows down, goes away for 600 ms, and recovers, under chat traffic
needs: {wan: [delay.normal, loss.burst, loss.outage]}
traffic:
  chat: {kind: inference, url: "http://10.0.0.2:8000", rate: 16 req/s, prompt: 256 tok, output: 64 tok, timeout: 10 s}
phases:
  - baseline: {for: 20 s}
  - impaired:
      for: 25 s
      wan: {b-a: {delay: {mean: 40 ms, jitter: 8 ms}, loss: {rate: 1 %, burst: 4}}}
  - outage: {for: 600 ms, wan: {both: {loss: outage}}}
  - recovery: {for: 15 s}
verdicts:
  - {metric: ttft, quantile: p95, at_most: 300 ms, in: impaired}
  - {metric: max_gap, quantile: p95, worse_than: baseline, by_at_most: 150 ms, in: recovery}
  - {metric: failure_rate, at_most: 5 %, in: recovery}
  - {metric: ttft, quantile: p90, at_most: 2 s, in: outage}
"""


@dataclass
class MadeUpRun:
    """Lays one run down. `cut_ns` after the traffic's start the run ends as `outcome` says; None: it goes through."""

    folder: RunFolder
    scenario: Scenario
    title: str | None = None
    outcome: str = "success"
    cut_ns: int | None = None
    error: ErrorRecord | None = None
    restored: bool = True
    lag_p99_ns: int = MS
    zero_ns: int = 5 * SECOND

    def lay_down(self) -> RunFolder:
        with RunLog(self.folder.documents) as log:
            for document in self.documents():
                log.write(document)
        for name in self.scenario.traffic:
            self.folder.requests(name).write_text("".join(f"{line}\n" for line in self.traffic_lines(name)))
        return self.folder

    @property
    def length_ns(self) -> int:
        return self.scenario.duration_ns if self.cut_ns is None else self.cut_ns

    def documents(self) -> Iterator[Document]:
        yield self.start
        yield SnapshotDocument(appliance="wan-1", snapshot=Snapshot(identity=IDENTITY, entries=(), taken_ns=1))
        steps = self.start.timeline.steps
        yield self.event(steps[0], -60 * MS, steps[0].changes).model_copy(update={"event": "prepare"})
        yield self.marker("traffic start", 0)
        for step in steps:
            if step.t_ns <= self.length_ns and not (step.label == "end" and self.cut_ns is not None):
                yield self.event(step, step.t_ns, () if step is steps[0] else step.changes)
                yield from self.samples(step.t_ns + SECOND)
        if self.cut_ns is None:
            yield self.marker("traffic stop", self.length_ns)
            yield self.marker("traffic over", self.length_ns + SECOND)
        if self.outcome != "killed":
            yield self.stop(len(steps))

    @cached_property
    def start(self) -> StartDocument:
        capabilities = CapabilitiesRecord.of(CAPABILITIES)
        box = ApplianceRecord(
            driver="scpi", address="tcp://127.0.0.1:5025", identity=IDENTITY, capabilities=capabilities
        )
        return StartDocument(
            run="20261118-131500-brownout",
            clock=ClockPair(monotonic_ns=self.zero_ns - SECOND, wall_ns=WALL_NS),
            scenario=self.scenario.name,
            title=self.title or self.scenario.title,
            scenario_file="brownout.yaml",
            scenario_text=self.scenario.source.text,
            binding={"wan": "wan-1:1"},
            appliances={"wan-1": box},
            timeline=build_timeline(self.scenario, {"wan": PathRef("wan-1", "1")}),
            traffic=self.scenario.traffic,
            verdicts=self.scenario.verdicts,
            versions={"impairlab": "0.1.0", "python": "3.11.2", "system": "Linux"},
        )

    def event(self, step: Step, at_ns: int, changes: tuple[Change, ...]) -> EventDocument:
        planned_ns = self.zero_ns + at_ns
        applied = tuple(
            one for number, change in enumerate(changes) for one in self.applied(change, planned_ns + number * 2 * MS)
        )
        return EventDocument(
            event="step",
            phase=step.phase,
            label=step.label,
            planned_ns=planned_ns,
            sent_ns=planned_ns + 100_000,
            acknowledged_ns=max([planned_ns + 100_000, *(one.acknowledged_ns for one in applied)]),
            lateness_ns=100_000,
            changes=changes,
            applied={"wan-1": applied} if applied else {},
        )

    def applied(self, change: Change, planned_ns: int) -> Iterator[Applied]:
        state = change.conditions
        bracket = (planned_ns + 100_000, planned_ns + 1_700_000)
        return applied_records(change.target, CAPABILITIES, before=Conditions(), asked=state, sent=state,
                               read_back=state, bracket=bracket)  # fmt: skip

    def samples(self, at_ns: int) -> Iterator[SampleDocument]:
        for target in dict.fromkeys(change.target for change in self.start.timeline.steps[0].changes):
            seen = at_ns // MS
            counted = Statistics(at_ns=self.zero_ns + at_ns, received_packets=seen, forwarded_packets=seen - 7,
                                 dropped_loss=7)  # fmt: skip
            yield SampleDocument(appliance="wan-1", target=target, statistics=counted)

    def marker(self, event: str, at_ns: int) -> EventDocument:
        at = self.zero_ns + at_ns
        return EventDocument(event=event, planned_ns=at, sent_ns=at, acknowledged_ns=at)

    def stop(self, steps: int) -> StopDocument:
        done = len([step for step in self.start.timeline.steps if step.t_ns <= self.length_ns])
        how = "failed" if not self.restored else "snapshot" if self.outcome == "success" else "neutral"
        end_ns = self.length_ns + 2 * SECOND
        return StopDocument(
            clock=ClockPair(monotonic_ns=self.zero_ns + end_ns, wall_ns=WALL_NS + end_ns),
            outcome=self.outcome,
            error=self.error,
            restorations=(Restoration(appliance="wan-1", restored=self.restored, how=how, attempts=1),),
            steps_planned=steps,
            steps_done=done,
            steps_late=0,
            worst_lateness_ns=100_000,
        )

    def traffic_lines(self, name: str) -> Iterator[str]:
        spec = self.scenario.traffic[name]
        draw = random.Random(spec.seed)
        rate, due, schedule = float(spec.rate), 0.0, []
        while (due := due + draw.expovariate(rate)) * SECOND < self.length_ns:
            schedule.append(int(due * SECOND))
        yield LogHeader(traffic=offered(spec), model="sim-8b", start_ns=self.zero_ns, wall_offset_ns=WALL_NS,
                        schedule_ns=tuple(schedule)).model_dump_json()  # fmt: skip
        for number, at_ns in enumerate(schedule):
            yield self.request(number, at_ns, draw).to_json()
        if self.outcome == "killed":
            return
        span = (schedule[-1] - schedule[0]) / SECOND
        offered_rate = (len(schedule) - 1) / span
        yield GeneratorHealth(
            lag_p99_ns=self.lag_p99_ns, lag_max_ns=self.lag_p99_ns * 3, dispatch_p99_ns=400_000,
            dispatch_max_ns=2 * MS, planned=len(schedule), dispatched=len(schedule), finished=len(schedule),
            incomplete=0, offered_rate=offered_rate, achieved_rate=offered_rate, started_ns=self.zero_ns,
            ended_ns=self.zero_ns + self.length_ns, wall_offset_ns=WALL_NS,
        ).model_dump_json()  # fmt: skip

    def request(self, number: int, at_ns: int, draw: random.Random) -> RequestRecord:
        base = {"id": number, "request_id": f"r{number}", "t_sched_ns": self.zero_ns + at_ns, "send_ns": 300_000}
        first, gaps = self.stages(at_ns, draw)
        end = first + sum(gaps) * 1_000
        down = 45 * SECOND <= at_ns < 45_600 * MS
        if self.cut_ns is not None and at_ns + end > self.cut_ns:
            return RequestRecord(**base, closed_ns=self.cut_ns - at_ns + MS, status="cancelled")
        if down and draw.random() < 0.3:
            return RequestRecord(**base, closed_ns=10 * SECOND, status="timeout", error="given up after 10 s")
        return RequestRecord(**base, first_ns=first, end_ns=end, closed_ns=end + MS, gaps_us=tuple(gaps), status="ok",
                             output_tokens=len(gaps) + 1, token_source="usage")  # noqa: S106 - no password  # fmt: skip

    def stages(self, at_ns: int, draw: random.Random) -> tuple[int, list[int]]:
        first = 90 * MS * exp(draw.gauss(0, 0.25))
        gaps = [int(20_000 * exp(draw.gauss(0, 0.2))) for _ in range(63)]
        if 20 * SECOND <= at_ns < 45 * SECOND:
            first += 40 * MS + (draw.random() < 0.1) * 230 * MS
            if draw.random() < 0.5:
                gaps[draw.randrange(63)] += draw.randrange(60_000, 150_000)
        if 45 * SECOND <= at_ns < 45_600 * MS:
            first += 45_600 * MS - at_ns + draw.choice([50, 250, 650]) * MS
        elif 43_700 * MS <= at_ns < 45 * SECOND:
            gaps[(45 * SECOND - at_ns) // (20 * MS) % 63] += 900_000
        return int(first), gaps


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunFolder]:
    """Lays a made-up run down in a new folder; `text` is the scenario, the rest as in MadeUpRun."""

    def make(text: str = SCENARIO, **how: object) -> RunFolder:
        scenario = parse_scenario(text, "brownout.yaml")
        return MadeUpRun(RunFolder.create(tmp_path, scenario.name), scenario, **how).lay_down()

    return make
