"""A scenario that runs in step with a test: in a thread of its own, from the test's first line to its last."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

from impairlab.controller.plan.documents import EventDocument, Restoration, StopDocument, read_run
from impairlab.controller.pytest_plugin.diary import Entry
from impairlab.controller.report.write import WrittenReport, write_report
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.run.observer import Silent
from impairlab.controller.run.scenario_run import ScenarioRun
from impairlab.controller.sequencer.clock import StoppableClock, Stopped
from impairlab.drivers.model.errors import FileError, ImpairlabError


class RunningScenario(Silent):
    """The run of a test's scenario, as the test sees it.

    It begins after the test's fixtures and before the test's body, and it ends at the latest when the body does.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._phases: list[str] = []
        self._over = False
        self._failure: BaseException | None = None
        self._stop: StopDocument | None = None
        self._clock = StoppableClock()
        self._run: ScenarioRun | None = None
        self._open = ExitStack()
        self._ended = False
        self._thread = threading.Thread(target=self._perform, name="impairlab-scenario")

    @property
    def has_begun(self) -> bool:
        """Whether it was checked and could begin."""
        return self._run is not None

    @property
    def folder(self) -> RunFolder:
        """Where the record is; it grows while the run goes on.

        Raises:
            ImpairlabError: The scenario has not begun: it does when all fixtures are ready.
        """
        return self._begun().folder

    @property
    def phase(self) -> str:
        """The phase that began last."""
        self._begun()
        return self._phases[-1] if self._phases else ""

    def wait_for(self, phase: str) -> None:
        """Return when a phase has begun and its conditions are acknowledged; at once when that was before.

        Raises:
            ImpairlabError: The scenario has no such phase, or the run ended before it.
        """
        names = [span.phase for span in self._begun().timeline.spans]
        if phase not in names:
            raise ImpairlabError(f"the scenario has no phase {phase!r}; it has {', '.join(names)}")
        with self._news:
            self._news.wait_for(lambda: self._over or phase in self._phases)
        if phase not in self._phases:
            raise ImpairlabError(f"the scenario ended before its phase {phase!r}") from self._failure

    def wait(self) -> StopDocument:
        """Return when the whole timeline is over and everything is put right.

        Raises:
            ImpairlabError: The run failed.
        """
        self._begun()
        with self._news:
            self._news.wait_for(lambda: self._over)
        if self._stop is None:
            raise ImpairlabError(f"the scenario failed: {self._failure}") from self._failure
        return self._stop

    def judge(self) -> WrittenReport:
        """Wait until the timeline is over, judge the scenario's verdicts, and write the report into the run's folder.

        Raises:
            ImpairlabError: The run failed.
        """
        self.wait()
        return write_report(self.folder)

    def begin(self, run: ScenarioRun) -> None:
        """Check the run, start it, and return when its first phase begins.

        Raises:
            ImpairlabError: What it raised before that.
        """
        self._run = self._open.enter_context(run)
        self._thread.start()
        with self._news:
            self._news.wait_for(lambda: self._over or bool(self._phases))
        if not self._phases:
            self.end()

    def end(self) -> None:
        """End the run where it is, wait until everything is put right, and disconnect. A second call does nothing.

        Raises:
            ImpairlabError: What went wrong in the run; being ended is nothing wrong.
        """
        if self._run is None or self._ended:
            return
        self._clock.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._ended = True
        with self._open:  # disconnecting fails, too, where the run has failed: that is told first
            if self._failure is not None:
                raise self._failure

    def entries(self) -> Iterator[Entry]:
        """Yield what the record, finished or not, says was planned, sent and acknowledged."""
        if self._run is None or not self._run.folder.documents.exists():
            return
        try:
            record = read_run(self._run.folder.documents)
        except FileError:  # it ended before its first line
            return
        for event in record.events:
            acknowledged_ns = event.acknowledged_ns if event.changes else None
            yield Entry(event.planned_ns, event.sent_ns, acknowledged_ns, _in_words(event))
        if record.stop is not None:
            ended = [f"scenario {record.stop.outcome}", *(_put(each) for each in record.stop.restorations)]
            at_ns = record.stop.clock.monotonic_ns
            yield Entry(None, at_ns, None, "; ".join(ended))

    def phase_began(self, name: str) -> None:
        """Wake whoever waits for the phase."""
        with self._news:
            self._phases.append(name)
            self._news.notify_all()

    def _begun(self) -> ScenarioRun:
        if self._run is None:
            raise ImpairlabError("the scenario has not begun: it does so after the test's fixtures")
        return self._run

    def _perform(self) -> None:
        try:
            self._stop = self._begun().perform(self, self._clock)
        except Stopped:
            pass
        except BaseException as failure:  # noqa: BLE001 - `end` raises it in the test's own thread
            self._failure = failure
        finally:
            with self._news:
                self._over = True
                self._news.notify_all()


def _in_words(event: EventDocument) -> str:
    head = f"[{event.phase}] {event.label}" if event.event == "step" else event.event
    late = ", late" if event.late else ""
    error = f", {event.error.name}: {event.error.message}" if event.error is not None else ""
    changes = [f"{change.role} {change.target.direction}: {change.conditions}" for change in event.changes]
    return "; ".join([head + late + error, *changes])


def _put(restoration: Restoration) -> str:
    back = f"put back ({restoration.how})" if restoration.restored else "NOT put back"
    return f"{restoration.appliance} {back}"
