"""What happens in which order at which instant, and how every way of failing ends."""

import signal
import sys
import threading
import time

import pytest

from impairlab.controller.plan.documents import SampleDocument, SnapshotDocument
from impairlab.controller.plan.timeline import Timeline
from impairlab.controller.sequencer.clock import MonotonicClock, StoppableClock, Stopped
from impairlab.controller.sequencer.restore import ATTEMPTS, NotRestored, interrupts_held
from impairlab.controller.sequencer.sequencer import LEAD_NS, Sequencer
from impairlab.drivers.model import Conditions, Target
from impairlab.drivers.model.errors import ConnectionLost, ImpairlabError, InstrumentExecutionError, NoResponse

MS = 1_000_000
SECOND = 1000 * MS
B_A = Target(path="1", direction="b-a")
DELAYED = Conditions.model_validate({"delay": "5 ms"})


def sequencer(bench, timeline: Timeline, **options: object) -> Sequencer:
    return Sequencer(
        timeline, {bench.box.name: bench.box}, bench.record, traffic=bench.traffic, clock=bench.clock, **options
    )


def test_a_run_goes_from_snapshot_to_restoration_in_order(bench, rough) -> None:
    sequencer(bench, rough).run()
    assert bench.diary == [
        "wan-1 snapshot", "wan-1 apply", "traffic prepare", "traffic start", "wan-1 apply", "wan-1 apply",
        "traffic stop", "wan-1 apply", "traffic finish", "wan-1 restore",
    ]  # fmt: skip


def test_steps_come_at_their_instants_after_the_start_of_the_traffic(bench, rough) -> None:
    stop = sequencer(bench, rough).run()
    steps = [event for event in bench.events if event.event == "step"]
    start = bench.traffic.started_ns
    assert [(step.phase, step.label, step.planned_ns - start) for step in steps] == [
        ("calm", "phase", 0), ("rough", "phase", SECOND), ("after", "phase", 3 * SECOND), ("after", "end", 4 * SECOND),
    ]  # fmt: skip
    assert all(step.lateness_ns == 0 and not step.late for step in steps)
    assert all(step.sent_ns + bench.box.set_ns == step.acknowledged_ns for step in steps if step.changes)
    assert (stop.outcome, stop.steps_planned, stop.steps_done, stop.steps_late) == ("success", 4, 4, 0)


def test_the_first_conditions_hold_before_the_traffic_starts(bench, lay_out) -> None:
    timeline = lay_out("- rough: {for: 1 s, wan: {b-a: {delay: 40 ms}}}\n")
    sequencer(bench, timeline).run()
    prepare, start = bench.events[0], bench.events[1]
    assert (prepare.event, len(prepare.changes), start.event) == ("prepare", 2, "traffic start")
    assert prepare.acknowledged_ns is not None
    assert prepare.acknowledged_ns <= start.sent_ns - LEAD_NS
    assert bench.events[2].changes == ()


def test_phases_before_and_after_the_traffic_have_their_own_clocks(bench, lay_out) -> None:
    timeline = lay_out(
        "- before: {for: 2 s, anchor: scenario}\n- during: {for: 3 s, wan: {a-b: {delay: 1 ms}}}\n"
        "- after: {for: 4 s, anchor: traffic stop}\n"
    )
    sequencer(bench, timeline).run()
    at = {event.event: event.sent_ns for event in bench.events if event.event != "step"}
    phases = {event.phase: event.planned_ns for event in bench.events if event.label == "phase"}
    assert phases["during"] - phases["before"] == 2 * SECOND
    assert at["traffic start"] == phases["during"]
    assert at["traffic stop"] == phases["after"] == phases["during"] + 3 * SECOND
    assert at["traffic over"] >= phases["after"] + 4 * SECOND


def test_after_success_the_appliance_is_as_it_was_before(bench, rough) -> None:
    bench.box.programmed[B_A] = DELAYED
    sequencer(bench, rough).run()
    assert bench.box.programmed[B_A] == DELAYED
    assert [(r.appliance, r.restored, r.how, r.attempts) for r in bench.stop.restorations] == [
        ("wan-1", True, "snapshot", 1)
    ]
    [snapshot] = [document for document in bench.documents if isinstance(document, SnapshotDocument)]
    assert [entry.conditions for entry in snapshot.snapshot.entries] == [Conditions(), DELAYED]


def test_a_slow_appliance_makes_the_next_step_late_and_the_record_says_so(bench, lay_out) -> None:
    timeline = lay_out("- a: {for: 100 ms}\n- b: {for: 10 ms, wan: {a-b: {delay: 1 ms}}}\n- c: {for: 100 ms}\n")
    bench.box.set_ns = 30 * MS
    stop = sequencer(bench, timeline).run()
    late = [event for event in bench.events if event.late]
    assert [(event.phase, event.lateness_ns) for event in late] == [("c", 20 * MS)]
    assert (stop.steps_late, stop.worst_lateness_ns) == (1, 20 * MS)


FAILURES = [
    InstrumentExecutionError([(-222, "Data out of range")], appliance="wan-1", command="DEL 40"),
    NoResponse("no answer within 2 s", appliance="wan-1", state_known=False),
    ConnectionLost("closed by the peer", appliance="wan-1", state_known=False),
    RuntimeError("a defect"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_failed_step_ends_neutral_with_the_error_on_record(bench, rough, failure: Exception) -> None:
    bench.box.programmed[B_A] = DELAYED
    bench.box.fail_apply = {2: failure}
    with pytest.raises(type(failure)) as caught:
        sequencer(bench, rough).run()
    assert caught.value is failure
    assert bench.box.is_neutral
    assert bench.diary[-2:] == ["traffic abort", "wan-1 restore"]
    failed = bench.events[-1]
    assert (failed.phase, failed.acknowledged_ns) == ("rough", None)
    assert failed.error is not None
    assert failed.error.name == type(failure).__name__
    assert (bench.stop.outcome, bench.stop.restored, bench.stop.restorations[0].how) == ("failed", True, "neutral")
    assert bench.stop.error is not None
    assert bench.stop.error.name == type(failure).__name__


def test_ctrl_c_ends_neutral_and_is_recorded_as_aborted(bench, rough) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    bench.clock.at = [(bench.clock.now_ns() + 2 * SECOND, interrupt)]
    with pytest.raises(KeyboardInterrupt):
        sequencer(bench, rough).run()
    assert bench.box.is_neutral
    assert B_A in bench.box.programmed
    assert bench.stop.outcome == "aborted"
    assert bench.stop.restorations[0].how == "neutral"
    assert bench.stop.steps_done == 2


def test_told_to_stop_it_ends_with_the_appliance_as_before(bench, rough) -> None:
    def stop() -> None:
        raise Stopped("enough")

    bench.box.programmed[B_A] = DELAYED
    bench.clock.at = [(bench.clock.now_ns() + 2 * SECOND, stop)]
    with pytest.raises(Stopped):
        sequencer(bench, rough).run()
    assert bench.box.programmed[B_A] == DELAYED
    assert bench.diary[-2:] == ["traffic abort", "wan-1 restore"]
    assert (bench.stop.outcome, bench.stop.restorations[0].how, bench.stop.steps_done) == ("aborted", "snapshot", 2)


@pytest.mark.parametrize("when", ["prepare", "start", "stop", "finish"])
def test_traffic_that_fails_ends_the_run_neutral(bench, rough, when: str) -> None:
    bench.traffic.fail = {when: ImpairlabError("the generator is gone")}
    with pytest.raises(ImpairlabError, match="the generator is gone"):
        sequencer(bench, rough).run()
    assert bench.box.is_neutral
    assert bench.stop.outcome == "failed"
    assert bench.diary[-2:] == ["traffic abort", "wan-1 restore"]


def test_traffic_that_dies_in_the_middle_is_noticed_within_a_quarter_second(bench, rough) -> None:
    died_ns = bench.clock.now_ns() + SECOND // 2
    bench.traffic.dies_at_ns = died_ns
    bench.traffic.fail = {"check": ImpairlabError("the generator died")}
    with pytest.raises(ImpairlabError, match="the generator died"):
        sequencer(bench, rough).run()
    assert bench.clock.now_ns() - died_ns <= SECOND // 4
    assert bench.stop.steps_done == 1


def test_traffic_that_will_not_end_does_not_keep_the_appliance_impaired(bench, rough) -> None:
    bench.box.fail_apply = {2: NoResponse("no answer")}
    bench.traffic.fail = {"abort": OSError("cannot kill")}
    with pytest.raises(NoResponse) as caught:
        sequencer(bench, rough).run()
    assert bench.box.is_neutral
    assert caught.value.__notes__ == ["the traffic could not be ended: cannot kill"]


def test_a_broken_connection_is_tried_again_before_giving_up(bench, rough) -> None:
    bench.box.fail_restore = [ConnectionLost("closed by the peer")]
    sequencer(bench, rough).run()
    [restoration] = bench.stop.restorations
    assert (restoration.restored, restoration.attempts) == (True, 2)
    assert restoration.error is not None


@pytest.mark.parametrize("before", [None, NoResponse("no answer")])
def test_an_appliance_that_cannot_be_put_back_is_an_error_of_its_own(bench, rough, before: Exception | None) -> None:
    bench.box.fail_restore = [ConnectionLost("closed by the peer")] * ATTEMPTS
    bench.box.fail_apply = {} if before is None else {2: before}
    with pytest.raises(NotRestored, match="could not be put back in 3 attempts: closed by the peer") as caught:
        sequencer(bench, rough).run()
    assert caught.value.__cause__ is before
    assert not caught.value.state_known
    assert not bench.stop.restored
    assert bench.stop.restorations[0].how == "failed"


def test_an_appliance_that_was_never_written_is_left_alone(bench, rough) -> None:
    bench.box.fail_snapshot = NoResponse("no answer")
    with pytest.raises(NoResponse):
        sequencer(bench, rough).run()
    assert bench.diary == ["traffic abort"]
    assert [(r.restored, r.how) for r in bench.stop.restorations] == [(True, "untouched")]


def test_every_appliance_is_put_right_even_if_another_cannot_be(bench, lay_out) -> None:
    timeline = lay_out(
        "- a: {for: 1 s, wan: {a-b: {delay: 1 ms}}, lan: {a-b: {delay: 1 ms}}}\n", roles="{wan: [], lan: []}"
    )
    lan = bench.another_box("lan-1")
    bench.box.fail_restore = [RuntimeError("a defect")] * ATTEMPTS
    with pytest.raises(NotRestored, match="wan-1"):
        Sequencer(timeline, {"wan-1": bench.box, "lan-1": lan}, bench.record, clock=bench.clock).run()
    assert lan.is_neutral
    assert [(r.appliance, r.restored) for r in bench.stop.restorations] == [("wan-1", False), ("lan-1", True)]


def test_counters_are_read_while_there_is_time(bench, rough) -> None:
    sequencer(bench, rough, sample_ns=SECOND // 2).run()
    samples = [document for document in bench.documents if isinstance(document, SampleDocument)]
    assert {sample.target.direction for sample in samples} == {"a-b", "b-a"}
    at = sorted({sample.statistics.at_ns for sample in samples})
    assert len(at) >= 6
    steps = [event.planned_ns for event in bench.events if event.event == "step"]
    assert all(not step - 300 * MS < instant < step for instant in at for step in steps)


@pytest.mark.usefixtures("foreground")
def test_a_second_ctrl_c_waits_until_everything_is_put_right() -> None:
    reached = []

    def put_right() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        put_right()
    assert reached == ["the end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("kind", [MonotonicClock, StoppableClock])
def test_the_real_clocks_never_wake_early(kind: type[MonotonicClock | StoppableClock]) -> None:
    clock = kind()
    for ahead_ns in (0, 50_000, 500_000, 3 * MS):
        instant = clock.now_ns() + ahead_ns
        clock.sleep_until(instant)
        assert time.monotonic_ns() >= instant


def test_another_thread_ends_the_wait() -> None:
    clock = StoppableClock()
    begin = clock.now_ns()
    ending = threading.Timer(0.02, clock.stop)
    ending.start()
    with pytest.raises(Stopped):
        clock.sleep_until(begin + 30 * SECOND)
    ending.join()
    assert 20 * MS <= clock.now_ns() - begin < 10 * SECOND
    with pytest.raises(Stopped):
        clock.sleep_until(clock.now_ns())


def test_a_timeline_without_appliances_still_steers_the_traffic(bench, lay_out) -> None:
    timeline = lay_out("- only: {for: 1 s}\n", roles="{}")
    stop = Sequencer(timeline, {}, bench.record, traffic=bench.traffic, clock=bench.clock).run()
    assert bench.diary == ["traffic prepare", "traffic start", "traffic stop", "traffic finish"]
    assert stop.restored


def test_threads_take_short_turns_during_a_run_only(bench, rough) -> None:
    usual = sys.getswitchinterval()
    during = []
    bench.clock.at = [(bench.clock.now_ns() + SECOND, lambda: during.append(sys.getswitchinterval()))]
    bench.box.fail_apply = {2: NoResponse("no answer")}
    with pytest.raises(NoResponse):
        sequencer(bench, rough).run()
    assert during == [pytest.approx(0.0002)]
    assert sys.getswitchinterval() == usual
