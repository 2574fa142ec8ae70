"""The view: everything the page shows, as frozen values between the run folder and the HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from impairlab.controller.analysis.quantiles import PercentilePoint
from impairlab.controller.analysis.verdict import Outcome, Verdict


@dataclass(frozen=True)
class RequestPoint:
    """One request on the timeline.

    Attributes:
        at_ns: Planned instant after the start of the timeline.
        ttft_ns: From the planned instant to the first content; infinite for a failure.
        gap_ns: The worst time between two content chunks; None where there were fewer than two, or for a failure.
        status: `ok`, or how it failed.
    """

    at_ns: int
    ttft_ns: float
    gap_ns: float | None
    status: str

    @property
    def failed(self) -> bool:
        """Whether the request counts as infinitely late."""
        return self.ttft_ns == inf


@dataclass(frozen=True)
class PhaseSpan:
    """A phase of the scenario, in nanoseconds after the start of the timeline."""

    name: str
    start_ns: int
    end_ns: int


class Severity(StrEnum):
    """How a state of a direction is drawn."""

    NEUTRAL = "neutral"
    IMPAIRED = "impaired"
    DOWN = "down"


@dataclass(frozen=True)
class StateSpan:
    """What was programmed on one direction from one step to the next.

    Attributes:
        step: Number of the step in the table of what was applied.
        planned_ns: When it was meant to begin.
        sent_ns: When the first byte of the first write left; None if it never did.
        acknowledged_ns: When the last acknowledgement arrived; None if it never did.
        end_ns: When the next state was planned, or the timeline ended.
        label: The conditions in words.
        severity: How it is drawn.
    """

    step: int
    planned_ns: int
    sent_ns: int | None
    acknowledged_ns: int | None
    end_ns: int
    label: str
    severity: Severity

    def until(self, end_ns: int) -> "StateSpan":
        """The same state with another end."""
        return replace(self, end_ns=end_ns)


@dataclass(frozen=True)
class Lane:
    """One direction of one path, with its states in order."""

    name: str
    states: tuple[StateSpan, ...]


@dataclass(frozen=True)
class Limit:
    """A limit that a verdict set on a latency, over the phase that it is about."""

    name: str
    start_ns: int
    end_ns: int
    value_ns: float


@dataclass(frozen=True)
class TimelineFigure:
    """The measured latencies over the scenario, and what was done to the path meanwhile.

    Attributes:
        end_ns: Length of the timeline; it starts at 0.
        phases: In order, without overlap.
        requests: In the order they were planned.
        lanes: One for each direction that was touched.
        limits: The limits on TTFT that verdicts of the run set.
    """

    end_ns: int
    phases: tuple[PhaseSpan, ...]
    requests: tuple[RequestPoint, ...]
    lanes: tuple[Lane, ...]
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True)
class Series:
    """The percentiles of one metric in one phase."""

    name: str
    n: int
    failures: int
    points: tuple[PercentilePoint, ...]
    baseline: bool = False


@dataclass(frozen=True)
class PercentileChart:
    """One metric, phase against phase."""

    title: str
    formula: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class PhaseSummary:
    """One row of the phase table: what a quick reader wants to know of a phase. Nanoseconds; infinite means failed.

    `outlasted` counts the requests that were planned in the phase and still under way at its end. `complete` says
    whether the phase went on until its planned end.
    """

    name: str
    span: PhaseSpan
    requests: int
    failures: int
    ttft_p50_ns: float | None
    ttft_p99_ns: float | None
    gap_p95_ns: float | None
    stalled: int
    outlasted: int = 0
    complete: bool = True


@dataclass(frozen=True)
class Judged:
    """One verdict with the phase it was asked for, and the traffic where the run had several."""

    phase: str
    verdict: Verdict
    traffic: str = ""


@dataclass(frozen=True)
class AppliedRow:
    """One field that was written, as asked, sent and read back.

    Attributes:
        target: Where.
        field: What.
        asked: The value that was wanted, as text.
        sent: What was sent.
        read_back: What the appliance answered, or None where it was not read.
        late_ns: Acknowledged after planned; None where there was no plan.
        took_ns: Acknowledged after sent.
    """

    target: str
    field: str
    asked: str
    sent: str
    read_back: str | None
    late_ns: int | None
    took_ns: int

    @property
    def differs(self) -> bool:
        """Whether something else was sent than asked, or read back than sent."""
        return self.sent != self.asked or self.read_back not in {None, self.sent}


@dataclass(frozen=True)
class AppliedStep:
    """All that was written at one step.

    Attributes:
        number: As on the impairment band.
        label: Phase, and what happened in it.
        planned_ns: When it was meant to happen, after the start of the timeline; None before the start.
        late_ns: When the first write began, after the plan; None before the start.
        late: Whether that is more than the run allows.
        error: Why it failed; empty if it did not.
    """

    number: int
    label: str
    planned_ns: int | None
    late_ns: int | None
    late: bool
    error: str
    rows: tuple[AppliedRow, ...]

    @property
    def eventful(self) -> bool:
        """Whether a reader must see it whatever else is left out."""
        return self.late or bool(self.error) or any(row.differs for row in self.rows)


@dataclass(frozen=True)
class Counters:
    """The packet counters of one flow, by name: what they grew by in the run.

    `over_ns` is the time from the first reading to the last. It is None where there was only one, or where they were
    cleared in between: then the values are the last reading.
    """

    target: str
    values: Mapping[str, int]
    over_ns: int | None = None


@dataclass(frozen=True)
class Check:
    """One line of generator health: what was measured, what would be too much, and whether it was sound."""

    name: str
    value: str
    limit: str
    sound: bool | None


@dataclass(frozen=True)
class Definition:
    """A metric with its formula, or a word of the report without one."""

    key: str
    formula: str
    meaning: str


@dataclass(frozen=True)
class Fact:
    """A name and a value about the run: seed, identity, version."""

    name: str
    value: str


@dataclass(frozen=True)
class TrafficFigures:
    """All that is shown of one traffic.

    Attributes:
        name: Its name; empty where a run had none, and only the impairments are shown.
    """

    name: str
    timeline: TimelineFigure
    phases: tuple[PhaseSummary, ...]
    percentiles: tuple[PercentileChart, ...]
    health: tuple[Check, ...]


@dataclass(frozen=True)
class Report:
    """The whole page.

    Attributes:
        title: The scenario's.
        run: Identity of the run.
        outcome: The overall judgement; None if no verdict was asked for.
        reason: One line why.
        notices: What a reader must know before trusting anything below, such as a run cut short.
        traffics: One for each traffic, at least one.
        facts: Environment, seeds, identities, restored or not.
        steps_left_out: Steps that `applied` has no room for.
    """

    title: str
    run: str
    outcome: Outcome | None
    reason: str
    notices: tuple[str, ...]
    judged: tuple[Judged, ...]
    traffics: tuple[TrafficFigures, ...]
    applied: tuple[AppliedStep, ...]
    counters: tuple[Counters, ...]
    definitions: tuple[Definition, ...]
    facts: tuple[Fact, ...]
    steps_left_out: int = 0
