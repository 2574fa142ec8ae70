"""One scenario on one rack: checked before anything moves, run, and on record in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

from impairlab.controller.plan.check import OnMismatch
from impairlab.controller.plan.documents import (
    ApplianceRecord,
    CapabilitiesRecord,
    Document,
    EventDocument,
    RunLog,
    StartDocument,
    StopDocument,
)
from impairlab.controller.plan.rack import PathRef, Rack
from impairlab.controller.plan.scenario import Scenario
from impairlab.controller.plan.timeline import Timeline, build_timeline
from impairlab.controller.run.checks import expect_possible, expect_stations, used_appliances
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.run.observer import RunObserver, Silent
from impairlab.controller.run.rack import connect_appliance
from impairlab.controller.run.traffic import ScenarioTraffic
from impairlab.controller.sequencer.clock import Clock
from impairlab.controller.sequencer.sequencer import Sequencer
from impairlab.drivers.appliance import Appliance
from impairlab.drivers.links.wire_log import WireLog
from impairlab.drivers.model.errors import ImpairlabError

SAMPLE_NS = 1_000_000_000
"""How often packet counters are read."""


class ScenarioRun:
    """A run, from the check to the record. A context manager that connects, and disconnects on the way out.

    Args:
        scenario: What shall happen.
        rack: What there is.
        binding: Which path plays each role; see `Rack.bind`.
        runs: The folder in which the run gets a folder of its own.
        on_mismatch: What to do with values off an appliance's step: refuse them, or send the nearest and record that.
        environment: Where secrets are looked up; this process's environment unless another is given.
    """

    def __init__(
        self,
        scenario: Scenario,
        rack: Rack,
        binding: Mapping[str, PathRef],
        runs: Path,
        *,
        on_mismatch: OnMismatch = "refuse",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.timeline: Timeline = build_timeline(scenario, binding)
        self._scenario = scenario
        self._rack = rack
        self._binding = dict(binding)
        self._runs = runs
        self._on_mismatch: OnMismatch = on_mismatch
        self._environment = os.environ if environment is None else environment
        self._appliances: dict[str, Appliance] = {}
        self._open = ExitStack()
        self._folder: RunFolder | None = None

    def __enter__(self) -> Self:
        """Connect to the appliances of the binding and check the scenario against what they can do.

        Raises:
            FileError: Every fault of the scenario on this rack, each with its place; nothing was programmed.
            IdentityMismatch: Another appliance answers than the rack expects.
            LockedByOther: Another session holds an appliance.
            TransportError: No way to an appliance.
        """
        expect_stations(self._scenario, self._rack)
        folder = RunFolder.create(self._runs, self._scenario.name)
        with ExitStack() as on_failure:
            on_failure.callback(rmtree, folder.path)
            on_failure.push(self._open)
            for name in used_appliances(self._binding):
                self._connect(name, folder)
            stated = {name: box.capabilities for name, box in self._appliances.items()}
            expect_possible(self._scenario, self.timeline, self._binding, stated, self._on_mismatch)
            for box in self._appliances.values():
                self._open.enter_context(_held(box))
            on_failure.pop_all()
        self._folder = folder
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Disconnect."""
        self._open.__exit__(kind, value, traceback)

    @property
    def folder(self) -> RunFolder:
        """Where the record is.

        Raises:
            ImpairlabError: The run has not been entered.
        """
        if self._folder is None:
            raise ImpairlabError("the run has no folder yet: enter it first, `with ScenarioRun(...) as run:`")
        return self._folder

    def perform(self, observer: RunObserver | None = None, clock: Clock | None = None) -> StopDocument:
        """Run the scenario once, from the snapshot to the restoration.

        Args:
            observer: Follows it.
            clock: The time to keep; a `StoppableClock` lets another thread end the run.

        Raises:
            Stopped: Another thread ended it.
            FileExistsError: It has been performed before; a record is never overwritten.
            ImpairlabError: What an appliance or the traffic raised; see `Sequencer.run`. The record is complete.
            KeyboardInterrupt: After everything was put right.
        """
        told = Silent() if observer is None else observer
        with RunLog(self.folder.documents) as log:
            log.write(self._start())
            self.folder.scenario.write_text(self._scenario.source.text, encoding="utf-8")

            def record(document: Document) -> None:
                log.write(document)
                _tell(told, document)

            return Sequencer(
                self.timeline,
                self._appliances,
                record,
                traffic=ScenarioTraffic(self._scenario.traffic, self._rack, self.folder, told.request_finished),
                clock=clock,
                on_mismatch=self._on_mismatch,
                sample_ns=SAMPLE_NS,
            ).run()

    def _connect(self, name: str, folder: RunFolder) -> None:
        wire_log = self._open.enter_context(WireLog(folder.wire(name)))
        box = connect_appliance(name, self._rack, self._environment, wire_log)
        self._appliances[name] = self._open.enter_context(box)

    def _start(self) -> StartDocument:
        entries = self._rack.appliances
        return StartDocument(
            run=self.folder.name,
            scenario=self._scenario.name,
            title=self._scenario.title,
            scenario_file=self._scenario.source.name,
            scenario_text=self._scenario.source.text,
            binding={role: str(place) for role, place in self._binding.items()},
            appliances={
                name: ApplianceRecord(
                    driver=entries[name].driver,
                    address=entries[name].address,
                    identity=box.identity,
                    capabilities=CapabilitiesRecord.of(box.capabilities),
                )
                for name, box in self._appliances.items()
            },
            timeline=self.timeline,
            traffic=self._scenario.traffic,
            verdicts=self._scenario.verdicts,
            on_mismatch=self._on_mismatch,
        )


@contextmanager
def _held(box: Appliance) -> Iterator[None]:
    """Hold the appliance's own lock. After a failure the end of the session releases it if nothing else does."""
    box.lock()
    try:
        yield
    except BaseException:
        with suppress(ImpairlabError):
            box.unlock()
        raise
    box.unlock()


def _tell(observer: RunObserver, document: Document) -> None:
    if not isinstance(document, EventDocument) or document.error is not None:
        return
    if document.event == "step" and document.label == "phase":
        observer.phase_began(document.phase)
    for change in document.changes:
        observer.conditions_changed(change.role, change.target.direction, change.conditions)
