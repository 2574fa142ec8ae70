"""The sequencer: prepare, start the traffic, apply each step at its instant, stop the traffic, put everything right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby

from impairlab.controller.plan.documents import (
    Document,
    ErrorRecord,
    EventDocument,
    EventKind,
    SampleDocument,
    SnapshotDocument,
    StopDocument,
)
from impairlab.controller.plan.scenario import Anchor
from impairlab.controller.plan.timeline import Change, Step, Timeline
from impairlab.controller.sequencer.clock import Clock, MonotonicClock, Stopped, short_turns
from impairlab.controller.sequencer.parts import Box, NoTraffic, OnMismatch, Traffic
from impairlab.controller.sequencer.restore import Goal, NotRestored, interrupts_held, put_right
from impairlab.drivers.model.applied import Applied, Snapshot
from impairlab.drivers.model.flows import Target

MILLISECOND_NS = 1_000_000
LEAD_NS = 50 * MILLISECOND_NS
"""From the barrier to the first instant: time for the word to reach the traffic's process."""
LATE_NS = 2 * MILLISECOND_NS
"""A step that begins later than this after its instant is reported as late."""
_GLANCE_NS = 200 * MILLISECOND_NS
_QUIET_NS = 300 * MILLISECOND_NS

Record = Callable[[Document], None]


class Sequencer:
    """Runs one timeline once, in the caller's thread.

    Args:
        timeline: What shall happen; it has been checked.
        boxes: The appliances of the timeline by name, connected.
        record: Takes each document as it comes about; must be quick.
        traffic: What to start and stop.
        clock: Time.
        on_mismatch: What to do with values off an appliance's step.
        sample_ns: How often packet counters are read while there is time for it; None: never.
    """

    def __init__(
        self,
        timeline: Timeline,
        boxes: Mapping[str, Box],
        record: Record,
        *,
        traffic: Traffic | None = None,
        clock: Clock | None = None,
        on_mismatch: OnMismatch = "refuse",
        sample_ns: int | None = None,
    ) -> None:
        self._timeline = timeline
        self._boxes = {name: boxes[name] for name in timeline.appliances}
        self._record = record
        self._traffic: Traffic = traffic or NoTraffic()
        self._clock: Clock = clock or MonotonicClock()
        self._on_mismatch: OnMismatch = on_mismatch
        self._sample_ns = sample_ns
        self._next_sample_ns = 0
        self._before: dict[str, Snapshot] = {}
        self._touched: set[str] = set()
        self._lateness: list[int] = []
        self._late = 0

    def run(self) -> StopDocument:
        """Run the timeline; every appliance is put right in the end, and the stop document says how.

        After success, and when it was told to stop, the appliances are as before; after Ctrl-C, a failed step or any
        other exception nothing is impaired on the timeline's paths.

        Raises:
            Stopped: The clock is a `StoppableClock` and was told to; the record is complete.
            ImpairlabError: What an appliance or the traffic raised; the record is complete.
            NotRestored: An appliance could not be put right; the cause is what went wrong before, if anything did.
            KeyboardInterrupt: After everything was put right.
        """
        try:
            with short_turns():
                self._prepare()
                self._act()
        except BaseException as failure:
            with interrupts_held():
                self._after_failure(failure)
            raise
        with interrupts_held():
            stop = self._put_right(None)
        self._expect_restored(stop)
        return stop

    def _after_failure(self, failure: BaseException) -> None:
        try:
            self._traffic.abort()
        except Exception as error:  # noqa: BLE001 - traffic that will not end must not keep appliances impaired
            failure.add_note(f"the traffic could not be ended: {error}")
        self._expect_restored(self._put_right(failure), failure)

    def _put_right(self, failure: BaseException | None) -> StopDocument:
        goal: Goal = "snapshot" if failure is None or isinstance(failure, Stopped) else "neutral"
        restorations = put_right(self._boxes, self._before, frozenset(self._touched), goal)
        aborted = isinstance(failure, KeyboardInterrupt | Stopped)
        stop = StopDocument(
            outcome="success" if failure is None else "aborted" if aborted else "failed",
            error=None if failure is None else ErrorRecord.of(failure),
            restorations=restorations,
            steps_planned=len(self._timeline.steps),
            steps_done=len(self._lateness),
            steps_late=self._late,
            worst_lateness_ns=max(self._lateness, default=0),
        )
        self._record(stop)
        return stop

    def _expect_restored(self, stop: StopDocument, cause: BaseException | None = None) -> None:
        for restoration in stop.restorations:
            if not restoration.restored:
                why = restoration.error.message if restoration.error is not None else ""
                raise NotRestored(
                    f"could not be put back in {restoration.attempts} attempts: {why}",
                    appliance=restoration.appliance,
                    state_known=False,
                ) from cause

    def _prepare(self) -> None:
        """Look at every appliance, set the first conditions, have the traffic stand by."""
        for name, box in self._boxes.items():
            self._before[name] = box.snapshot(self._targets(name))
            self._record(SnapshotDocument(appliance=name, snapshot=self._before[name]))
        first = self._timeline.steps[0]
        now_ns = self._clock.now_ns()
        self._change("prepare", first, now_ns, first.changes)
        self._traffic.prepare()

    def _act(self) -> None:
        """Run the chains of the three anchors, one after the other."""
        origin_ns = self._clock.now_ns() + LEAD_NS
        self._chain("scenario", origin_ns)
        origin_ns += self._timeline.length_ns("scenario")
        origin_ns = max(origin_ns, self._clock.now_ns() + LEAD_NS)
        self._traffic.start(origin_ns)
        self._mark("traffic start", origin_ns, origin_ns)
        length_ns = self._timeline.length_ns("traffic start")
        end_ns = origin_ns + length_ns
        self._chain("traffic start", origin_ns, until_ns=length_ns)
        self._wait(end_ns)
        stopped_ns = self._clock.now_ns()
        self._traffic.stop()
        self._mark("traffic stop", end_ns, stopped_ns)
        self._chain("traffic start", origin_ns, from_ns=length_ns)  # the end, where no phase follows
        self._chain("traffic stop", stopped_ns)
        self._traffic.finish()
        over_ns = self._clock.now_ns()
        self._mark("traffic over", over_ns, over_ns)

    def _chain(self, anchor: Anchor, origin_ns: int, *, from_ns: int = 0, until_ns: int | None = None) -> None:
        for step in self._timeline.chain(anchor):
            if step.t_ns < from_ns or (until_ns is not None and step.t_ns >= until_ns):
                continue
            planned_ns = origin_ns + step.t_ns
            self._wait(planned_ns)
            pending = () if step is self._timeline.steps[0] else step.changes  # the first ones hold since `prepare`
            self._change("step", step, planned_ns, pending)

    def _change(self, event: EventKind, step: Step, planned_ns: int, changes: tuple[Change, ...]) -> None:
        """Apply changes now, and record what came of it, even of a failure."""
        turn_ns = self._clock.now_ns()
        applied: dict[str, tuple[Applied, ...]] = {}
        try:
            for appliance, group in groupby(changes, key=lambda change: change.appliance):
                settings = {change.target: change.conditions for change in group}
                self._touched.add(appliance)
                applied[appliance] = self._boxes[appliance].apply_many(settings, on_mismatch=self._on_mismatch)
        except BaseException as failure:
            self._record(_event(event, step, (planned_ns, turn_ns), changes=changes, applied=applied, failure=failure))
            raise
        document = _event(event, step, (planned_ns, turn_ns), changes=changes, applied=applied, failure=None)
        if event == "step":
            self._lateness.append(document.lateness_ns)
            self._late += document.late
        self._record(document)

    def _wait(self, instant_ns: int) -> None:
        """Wait for an instant; meanwhile look after the traffic and read counters, as long as there is time for it."""
        while instant_ns - self._clock.now_ns() > _QUIET_NS:
            self._traffic.check()
            self._sample()
            self._clock.sleep_until(min(self._clock.now_ns() + _GLANCE_NS, instant_ns - _QUIET_NS))
        self._clock.sleep_until(instant_ns)

    def _sample(self) -> None:
        now_ns = self._clock.now_ns()
        if self._sample_ns is None or now_ns < self._next_sample_ns:
            return
        self._next_sample_ns = now_ns + self._sample_ns
        for name, box in self._boxes.items():
            for target in self._targets(name):
                self._record(SampleDocument(appliance=name, target=target, statistics=box.statistics(target)))

    def _targets(self, appliance: str) -> tuple[Target, ...]:
        changes = (change for step in self._timeline.steps for change in step.changes)
        return tuple(dict.fromkeys(change.target for change in changes if change.appliance == appliance))

    def _mark(self, event: EventKind, planned_ns: int, at_ns: int) -> None:
        self._record(
            EventDocument(
                event=event,
                planned_ns=planned_ns,
                sent_ns=at_ns,
                acknowledged_ns=self._clock.now_ns(),
                lateness_ns=at_ns - planned_ns,
            )
        )


def _event(
    event: EventKind,
    step: Step,
    instants: tuple[int, int],
    *,
    changes: tuple[Change, ...],
    applied: Mapping[str, tuple[Applied, ...]],
    failure: BaseException | None,
) -> EventDocument:
    planned_ns, turn_ns = instants
    records = [record for group in applied.values() for record in group]
    sent_ns = min((record.sent_ns for record in records), default=turn_ns)
    acknowledged_ns = max((record.acknowledged_ns for record in records), default=sent_ns)
    return EventDocument(
        event=event,
        phase=step.phase,
        label=step.label,
        planned_ns=planned_ns,
        sent_ns=sent_ns,
        acknowledged_ns=acknowledged_ns if failure is None else None,
        lateness_ns=sent_ns - planned_ns,
        late=event == "step" and sent_ns - planned_ns > LATE_NS,
        changes=changes,
        applied=applied,
        error=None if failure is None else ErrorRecord.of(failure),
    )
