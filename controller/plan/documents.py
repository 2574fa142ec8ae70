"""The record of a run: one JSON document a line, written as things happen, readable even after a crash.

A run's log begins with one `start`, then come `snapshot`, `event` and `sample` documents in the order in which they
happened, and it ends with one `stop`. A log without a `stop` is of a run that was killed. Instants are nanoseconds on
time.monotonic_ns() of the machine that ran it; the `start` and `stop` pair it with the wall clock.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError

from impairlab.controller.plan.timeline import Change, Timeline
from impairlab.controller.plan.traffic import TrafficSpec
from impairlab.controller.plan.verdicts import VerdictSpec
from impairlab.drivers.model.applied import Applied, Identity, Snapshot, Statistics
from impairlab.drivers.model.capabilities import Capabilities, Feature
from impairlab.drivers.model.errors import FileError, ImpairlabError
from impairlab.drivers.model.flows import Target
from impairlab.drivers.model.frozen import Frozen


class ClockPair(Frozen):
    """The same instant on two clocks: `wall_ns - monotonic_ns` turns monotonic times into Unix times."""

    monotonic_ns: int
    wall_ns: int

    @classmethod
    def now(cls) -> Self:
        """Read both clocks, the monotonic one halfway around the other."""
        before = time.monotonic_ns()
        wall = time.time_ns()
        return cls(monotonic_ns=(before + time.monotonic_ns()) // 2, wall_ns=wall)

    @property
    def offset_ns(self) -> int:
        """What to add to a monotonic time."""
        return self.wall_ns - self.monotonic_ns


class CapabilitiesRecord(Frozen):
    """What an appliance said it can do; cross-field rules by their text."""

    paths: tuple[str, ...]
    flows: int
    features: tuple[Feature, ...]
    exclusive: tuple[tuple[str, ...], ...]
    rules: tuple[str, ...]
    effect: str
    hitless: bool | None
    update_interval_ns: int

    @classmethod
    def of(cls, capabilities: Capabilities) -> Self:
        """Return the record of capabilities."""
        return cls(
            paths=capabilities.paths,
            flows=capabilities.flows,
            features=tuple(capabilities.features.values()),
            exclusive=tuple(tuple(sorted(group)) for group in capabilities.exclusive),
            rules=capabilities.rule_lines,
            effect=capabilities.effect,
            hitless=capabilities.hitless,
            update_interval_ns=capabilities.update_interval_ns,
        )


class ApplianceRecord(Frozen):
    """Which appliance took part, as who, able to do what."""

    driver: str
    address: str
    identity: Identity
    capabilities: CapabilitiesRecord


def _versions() -> dict[str, str]:
    return {"impairlab": version("impairlab"), "python": platform.python_version(), "system": platform.platform()}


class StartDocument(Frozen):
    """What is about to run, on what.

    Attributes:
        run: The run's own name; unique among its neighbours.
        clock: Monotonic and wall clock at this instant.
        scenario: Name of the scenario.
        title: Its title.
        scenario_file: Name of its file.
        scenario_text: The file as it was read.
        binding: For each role "appliance:path".
        appliances: By their names in the rack.
        timeline: What is planned.
        traffic: By name.
        verdicts: The claims to judge.
        on_mismatch: What was to be done with values off an appliance's step.
        versions: Of impairlab, Python and the system.
    """

    kind: Literal["start"] = "start"
    format: Literal[1] = 1
    run: str
    clock: ClockPair = Field(default_factory=ClockPair.now)
    scenario: str
    title: str
    scenario_file: str
    scenario_text: str
    binding: Mapping[str, str]
    appliances: Mapping[str, ApplianceRecord]
    timeline: Timeline
    traffic: Mapping[str, TrafficSpec] = {}
    verdicts: tuple[VerdictSpec, ...] = ()
    on_mismatch: Literal["refuse", "nearest"] = "refuse"
    versions: Mapping[str, str] = Field(default_factory=_versions)


class SnapshotDocument(Frozen):
    """What was programmed on an appliance before the run touched it."""

    kind: Literal["snapshot"] = "snapshot"
    appliance: str
    snapshot: Snapshot


class ErrorRecord(Frozen):
    """An error by name, with what is known of the appliance after it."""

    name: str
    message: str
    appliance: str = ""
    command: str = ""
    state_known: bool = True

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Return the record of an error."""
        if isinstance(error, ImpairlabError):
            return cls(name=type(error).__name__, message=error.message, appliance=error.appliance,
                       command=error.command, state_known=error.state_known)  # fmt: skip
        return cls(name=type(error).__name__, message=str(error))


EventKind = Literal["prepare", "step", "traffic start", "traffic stop", "traffic over"]


class EventDocument(Frozen):
    """Something that happened.

    Attributes:
        event: prepare: the timeline's first conditions, set before anything starts, so that its first step has none
            left to set. step: an instant of the timeline. The traffic's start, its stop (nothing new is admitted) and
            the end of what was under way.
        phase: The phase it belongs to.
        label: As in the timeline's step.
        planned_ns: When it was meant to happen.
        sent_ns: When the first write began; of a step that writes nothing, when its turn came.
        acknowledged_ns: When the last write was acknowledged; None when it failed.
        lateness_ns: `sent_ns - planned_ns`.
        late: Whether that is more than the run allows.
        changes: What was asked.
        applied: By appliance: each field as asked, sent and read back.
        error: Why it failed.
    """

    kind: Literal["event"] = "event"
    event: EventKind
    phase: str = ""
    label: str = ""
    planned_ns: int
    sent_ns: int
    acknowledged_ns: int | None
    lateness_ns: int = 0
    late: bool = False
    changes: tuple[Change, ...] = ()
    applied: Mapping[str, tuple[Applied, ...]] = {}
    error: ErrorRecord | None = None


class SampleDocument(Frozen):
    """Packet counters of one flow, read during the run."""

    kind: Literal["sample"] = "sample"
    appliance: str
    target: Target
    statistics: Statistics


class Restoration(Frozen):
    """What became of one appliance in the end.

    Attributes:
        appliance: Its name.
        restored: Whether what should be programmed in the end was read back.
        how: snapshot: it is as it was before the run. neutral: nothing is impaired on the run's paths.
            untouched: nothing was written. failed: it is not known what is programmed.
        attempts: How often it was tried.
        error: Why the last attempt failed, or None.
    """

    appliance: str
    restored: bool
    how: Literal["snapshot", "neutral", "untouched", "failed"]
    attempts: int
    error: ErrorRecord | None = None


class StopDocument(Frozen):
    """How the run ended.

    Attributes:
        clock: Monotonic and wall clock at this instant.
        outcome: success; aborted (Ctrl-C, or told to stop); failed.
        error: What ended it early.
        restorations: One per appliance.
        steps_planned: Steps in the timeline.
        steps_done: Steps that were carried out.
        steps_late: Steps that were late.
        worst_lateness_ns: Of all steps done.
    """

    kind: Literal["stop"] = "stop"
    clock: ClockPair = Field(default_factory=ClockPair.now)
    outcome: Literal["success", "aborted", "failed"]
    error: ErrorRecord | None = None
    restorations: tuple[Restoration, ...] = ()
    steps_planned: int
    steps_done: int
    steps_late: int
    worst_lateness_ns: int

    @property
    def restored(self) -> bool:
        """Whether every appliance ended as it should."""
        return all(restoration.restored for restoration in self.restorations)


Document = StartDocument | SnapshotDocument | EventDocument | SampleDocument | StopDocument

_DOCUMENT: TypeAdapter[Document] = TypeAdapter(Annotated[Document, Field(discriminator="kind")])


class RunLog:
    """Writes documents to a file, each at once and whole. A context manager.

    Raises:
        FileExistsError: there is such a file already; a record is never overwritten.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("x", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, document: Document) -> None:
        """Append a document; it is with the system when this returns."""
        self._file.write(document.model_dump_json(by_alias=True) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True)
class RunRecord:
    """A run as its documents tell it.

    Attributes:
        start: How it began.
        snapshots: What was programmed before.
        events: In order.
        samples: In order.
        stop: How it ended; None: it was killed.
        truncated: Whether the last line is not whole.
    """

    start: StartDocument
    snapshots: tuple[SnapshotDocument, ...]
    events: tuple[EventDocument, ...]
    samples: tuple[SampleDocument, ...]
    stop: StopDocument | None
    truncated: bool

    @property
    def phases(self) -> dict[str, tuple[int, int]]:
        """For each phase that began: its planned start and end on the monotonic clock."""
        lengths = {span.phase: span.end_ns - span.start_ns for span in self.start.timeline.spans}
        return {
            event.phase: (event.planned_ns, event.planned_ns + lengths[event.phase])
            for event in self.events
            if event.event == "step" and event.label == "phase"
        }


def read_run(path: Path) -> RunRecord:
    """Read a run's log.

    Raises:
        FileError: it cannot be read, does not begin with a `start`, or has a line other than the last that is not a
            document.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileError([f"{path}: cannot be read: {error.strerror}; legal: the log of a run"]) from error
    lines = raw.split(b"\n")
    tail = lines.pop()
    documents = list(_documents(path, lines))
    if not documents or not isinstance(documents[0], StartDocument):
        raise FileError([f"{path}:1:1: it does not begin with a start document; legal: the log of a run"])
    return RunRecord(
        start=documents[0],
        snapshots=tuple(document for document in documents if isinstance(document, SnapshotDocument)),
        events=tuple(document for document in documents if isinstance(document, EventDocument)),
        samples=tuple(document for document in documents if isinstance(document, SampleDocument)),
        stop=next((document for document in documents if isinstance(document, StopDocument)), None),
        truncated=bool(tail),
    )


def _documents(path: Path, lines: list[bytes]) -> Iterator[Document]:
    for number, line in enumerate(lines, start=1):
        try:
            yield _DOCUMENT.validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            problem = f"not a document of a run: {'.'.join(map(str, first['loc']))} {first['msg']}"
            raise FileError([f"{path}:{number}:1: {problem}; legal: one JSON document"]) from error
