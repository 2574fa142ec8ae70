"""A fake appliance and fake traffic on a model clock: time passes only when somebody waits or works."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from impairlab.controller.plan.documents import Document, EventDocument, StopDocument
from impairlab.controller.plan.rack import PathRef
from impairlab.controller.plan.scenario_file import parse_scenario
from impairlab.controller.plan.timeline import Timeline, build_timeline
from impairlab.drivers.model import Applied, Conditions, FlowEntry, Identity, Snapshot, Statistics, Target

LayOut = Callable[..., Timeline]


class ModelClock:
    def __init__(self) -> None:
        self.time_ns = 1_000_000_000
        self.at: list[tuple[int, Callable[[], None]]] = []

    def now_ns(self) -> int:
        return self.time_ns

    def sleep_until(self, instant_ns: int) -> None:
        for due_ns, happen in sorted(self.at, key=lambda entry: entry[0]):
            if due_ns <= instant_ns:
                self.at = [entry for entry in self.at if entry[1] is not happen]
                self.time_ns = max(self.time_ns, due_ns)
                happen()
        self.time_ns = max(self.time_ns, instant_ns)


@dataclass
class FakeBox:
    clock: ModelClock
    diary: list[str]
    name: str = "wan-1"
    programmed: dict[Target, Conditions] = field(default_factory=dict)
    set_ns: int = 100_000
    fail_apply: dict[int, BaseException] = field(default_factory=dict)
    fail_restore: list[BaseException] = field(default_factory=list)
    fail_snapshot: BaseException | None = None
    applies: int = 0

    def apply_many(self, settings: Mapping[Target, Conditions], *, on_mismatch: str = "refuse") -> tuple[Applied, ...]:
        self.applies += 1
        self.diary.append(f"{self.name} apply")
        sent_ns = self.clock.now_ns()
        self.clock.time_ns += self.set_ns
        if self.applies in self.fail_apply:
            raise self.fail_apply[self.applies]
        self.programmed.update(settings)
        return tuple(
            Applied(target=target, field="all", asked=str(conditions), sent=str(conditions), sent_ns=sent_ns,
                    acknowledged_ns=self.clock.now_ns())
            for target, conditions in settings.items()
        )  # fmt: skip

    def snapshot(self, targets: Iterable[Target] | None = None) -> Snapshot:
        if self.fail_snapshot is not None:
            raise self.fail_snapshot
        self.diary.append(f"{self.name} snapshot")
        entries = tuple(
            FlowEntry(target=target, conditions=self.programmed.get(target, Conditions())) for target in targets or ()
        )
        identity = Identity(manufacturer="x", model="y", serial="z", firmware="1")
        return Snapshot(identity=identity, entries=entries, taken_ns=self.clock.now_ns())

    def restore(self, snapshot: Snapshot) -> object:
        self.diary.append(f"{self.name} restore")
        if self.fail_restore:
            raise self.fail_restore.pop()
        self.programmed.update({entry.target: entry.conditions for entry in snapshot.entries})
        return None

    def statistics(self, target: Target) -> Statistics:
        return Statistics(at_ns=self.clock.now_ns(), received_packets=1)

    @property
    def is_neutral(self) -> bool:
        return all(conditions.is_neutral for conditions in self.programmed.values())


@dataclass
class FakeTraffic:
    clock: ModelClock
    diary: list[str]
    fail: dict[str, BaseException] = field(default_factory=dict)
    dies_at_ns: int | None = None
    started_ns: int = 0

    def prepare(self) -> None:
        self._do("prepare")

    def start(self, at_ns: int) -> None:
        assert at_ns > self.clock.now_ns(), "the start must still be to come"
        self.started_ns = at_ns
        self._do("start")

    def check(self) -> None:
        if self.dies_at_ns is not None and self.clock.now_ns() >= self.dies_at_ns:
            raise self.fail["check"]

    def stop(self) -> None:
        self._do("stop")

    def finish(self) -> None:
        self._do("finish")

    def abort(self) -> None:
        self._do("abort")

    def _do(self, what: str) -> None:
        self.diary.append(f"traffic {what}")
        if what in self.fail:
            raise self.fail[what]


@dataclass
class Bench:
    clock: ModelClock
    diary: list[str]
    box: FakeBox
    traffic: FakeTraffic
    documents: list[Document] = field(default_factory=list)

    def another_box(self, name: str) -> FakeBox:
        return FakeBox(self.clock, self.diary, name=name)

    def record(self, document: Document) -> None:
        self.documents.append(document)

    @property
    def events(self) -> list[EventDocument]:
        return [document for document in self.documents if isinstance(document, EventDocument)]

    @property
    def stop(self) -> StopDocument:
        last = self.documents[-1]
        assert isinstance(last, StopDocument)
        return last


@pytest.fixture
def bench() -> Bench:
    clock, diary = ModelClock(), []
    return Bench(clock, diary, FakeBox(clock, diary), FakeTraffic(clock, diary))


@pytest.fixture
def lay_out() -> LayOut:
    return _lay_out


@pytest.fixture
def rough() -> Timeline:
    """One second calm, two seconds of delay in one direction, one second calm."""
    return _lay_out("- calm: {for: 1 s}\n- rough: {for: 2 s, wan: {b-a: {delay: 40 ms}}}\n- after: {for: 1 s}\n")


def _lay_out(phases: str, roles: str = "{wan: []}") -> Timeline:
    scenario = parse_scenario(f"scenario: s\nneeds: {roles}\nphases:\n{phases}", "s.yaml", {})
    return build_timeline(scenario, {role: PathRef(f"{role}-1", "1") for role in scenario.roles})
