"""What real instruments do wrong, each as a fault value: the driver names it, recovers and returns no wrong value."""

import time
from decimal import Decimal
from threading import Thread

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Appliance,
    Conditions,
    ConnectError,
    ConnectionLost,
    InstrumentDeviceError,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    SessionLimit,
    Target,
    UnexpectedOutput,
    VerifyMismatch,
    connect,
    delay,
    outage,
)
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import (
    CARRIAGE_RETURNS,
    DECIMAL_COMMAS,
    PLUS_ZERO,
    UNITS_IN_REPLIES,
    ZERO_WITHOUT_TEXT,
    Chatter,
    CloseMidReply,
    DropHurried,
    EarlyComplete,
    EndlessErrors,
    Fragments,
    Garbage,
    LateReply,
    Mute,
    PartialReply,
    Reboot,
    Repeat,
    Rewrite,
    SilentClamp,
    SilentlyIgnored,
)
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000
PATIENT_NS = 10_000 * MS
AB = Target(path="1", direction="a-b")
SHORT = Conditions.of(delay("45 ms"))
OTHER = Conditions.of(delay("7 ms"))


def recovers(box: Appliance) -> bool:
    """Say whether the driver works as if nothing had been."""
    box.apply(AB, OTHER)
    return box.read(AB).conditions == OTHER


HARMLESS = {
    "no error is +0": PLUS_ZERO,
    "no error has no text": ZERO_WITHOUT_TEXT,
    "carriage returns": CARRIAGE_RETURNS,
    "reply in single bytes": Fragments(size=1, pause_ns=0),
    "reply in pieces with pauses": Fragments(size=7, pause_ns=MS // 10),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_oddity_that_is_still_right_changes_nothing(sim: SimulatedAppliance, address: str, truth, name: str) -> None:
    sim.inject(HARMLESS[name], count=None)
    with connect(address, timeout_ns=PATIENT_NS) as box:
        box.apply(AB, SHORT)
        assert box.read(AB).conditions == SHORT
        assert box.statistics(AB).at_ns > 0
    assert truth(AB) == SHORT


ODD_ANSWERS = {
    "blank line": (Garbage(b"\n"), MalformedResponse),
    "blank line, then the answer": (Chatter(b"\n", pause_ns=20 * MS), MalformedResponse),
    "blank line with the answer": (Chatter(b"\n"), (MalformedResponse, UnexpectedOutput)),
    "OK, then the answer": (Chatter(b"OK\n", pause_ns=20 * MS), MalformedResponse),
    "OK with the answer": (Chatter(b"OK\n"), (MalformedResponse, UnexpectedOutput)),
    "prompt": (Chatter(b"> "), MalformedResponse),
    "twice": (Repeat(), UnexpectedOutput),
    "a piece": (PartialReply(keep=9), PartialResponse),
    "a piece and the end": (CloseMidReply(keep=9), ConnectionLost),
    "nothing": (PartialReply(), NoResponse),
    "late": (LateReply(1_500 * MS), NoResponse),
    "cut off with its end": (Rewrite(rb"(?<=DEL:M).*", b""), MalformedResponse),
    "comma for a point": (DECIMAL_COMMAS, MalformedResponse),
    "with units": (UNITS_IN_REPLIES, MalformedResponse),
    "number with underscores": (Rewrite(rb"0\.045", b"0_0.0_45"), MalformedResponse),
    "string without quotes": (Rewrite(rb'"', b""), MalformedResponse),
    "infinity": (Rewrite(rb"0\.045", b"INF"), MalformedResponse),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_answer_that_is_wrong_is_never_taken_for_a_value(sim: SimulatedAppliance, hasty: Appliance, name: str) -> None:
    fault, error = ODD_ANSWERS[name]
    hasty.apply(AB, SHORT)
    sim.inject(fault)
    answers = []
    with pytest.raises(error):
        answers.extend(hasty.read(AB).conditions for _ in range(2))  # a stray line is found at the next occasion
    assert answers in ([], [SHORT])
    assert hasty.read(AB).conditions == SHORT
    assert recovers(hasty)


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_odd_acknowledgement_is_an_error_or_the_truth(sim: SimulatedAppliance, hasty: Appliance, truth, name) -> None:
    fault, _ = ODD_ANSWERS[name]
    sim.inject(fault)
    failure = None
    try:
        hasty.apply(AB, SHORT)
    except ImpairlabError as error:
        failure = error
    assert failure is None or not failure.state_known or "took effect" in failure.__notes__[0]
    assert truth(AB) == SHORT
    try:
        assert hasty.read(AB).conditions == SHORT
    except UnexpectedOutput:
        assert hasty.read(AB).conditions == SHORT
    assert recovers(hasty)


@pytest.mark.parametrize("fault", [DECIMAL_COMMAS, UNITS_IN_REPLIES, Rewrite(rb"0\.001", b"1E-3s")])
def test_appliance_that_writes_numbers_its_own_way_is_refused(sim: SimulatedAppliance, address: str, fault) -> None:
    sim.inject(fault, count=None)
    with pytest.raises(MalformedResponse):
        connect(address, timeout_ns=PATIENT_NS)


def test_error_queue_that_never_empties_is_named_and_ends(sim: SimulatedAppliance, box: Appliance, truth) -> None:
    sim.inject(EndlessErrors(), count=None)
    with pytest.raises(MalformedResponse, match="does not become empty") as raised:
        box.apply(AB, SHORT)
    assert raised.value.state_known
    assert "took effect" in raised.value.__notes__[0]
    assert truth(AB) == SHORT
    assert box.read(AB).conditions == SHORT, "reading does not need the queue"
    sim.clear_faults()
    assert recovers(box)


def test_error_of_no_standard_number_is_a_device_error(sim: SimulatedAppliance, box: Appliance) -> None:
    box.apply(AB, SHORT)
    sim.inject(Rewrite(rb'0,"No error"\n', b'4711,"Fan slow; check"\n'))
    with pytest.raises(InstrumentDeviceError) as raised:
        box.apply(AB, OTHER)
    assert raised.value.errors == ((4711, "Fan slow; check"),)
    assert recovers(box)


SETTLE_NS = 60 * MS


class SlowPlane(NullPlane):
    """Switches some time after it was told to."""

    settle_ns = SETTLE_NS

    def program(self, entries, at_ns):
        return super().program(entries, at_ns) + self.settle_ns


@pytest.fixture
def slow_plane() -> SlowPlane:
    return SlowPlane(paths=("1",))


@pytest.fixture
def slow_sim(slow_plane: SlowPlane):
    with SimulatedAppliance(slow_plane) as sim:
        yield sim


@pytest.fixture
def slow_box(slow_sim: SimulatedAppliance):
    host, port = slow_sim.serve_scpi()
    with connect(f"tcp://{host}:{port}", timeout_ns=PATIENT_NS) as box:
        yield box


@pytest.mark.parametrize("count", [1, None])
def test_completion_that_is_acknowledged_too_early_is_waited_for(
    slow_sim: SimulatedAppliance, slow_box: Appliance, count: int | None
) -> None:
    slow_sim.inject(EarlyComplete(), count)
    began = time.monotonic_ns()
    (applied, *_) = slow_box.apply(AB, SHORT)
    assert time.monotonic_ns() - began >= SETTLE_NS
    assert slow_sim.state.conditions("1", "a-b") == SHORT
    assert applied.acknowledged_ns - began >= SETTLE_NS, "the bracket holds the switch"


def test_commit_that_never_completes_is_given_up(slow_sim: SimulatedAppliance, slow_plane: SlowPlane) -> None:
    host, port = slow_sim.serve_scpi()
    with connect(f"tcp://{host}:{port}", timeout_ns=100 * MS) as box:
        slow_plane.settle_ns = 3_600_000 * MS
        slow_sim.inject(EarlyComplete(), count=None)
        with pytest.raises(NoResponse, match="never completed") as raised:
            box.apply(AB, SHORT)
    assert not raised.value.state_known
    assert "had not taken effect" in raised.value.__notes__[0]


def test_value_that_is_clipped_in_silence_is_found_out(sim: SimulatedAppliance, box: Appliance, truth) -> None:
    sim.inject(SilentClamp(":DELay:MEAN", Decimal("0.02")), count=None)
    with pytest.raises(VerifyMismatch, match=r'read delay\.constant \{"mean":"20 ms"\}'):
        box.apply(AB, SHORT)
    assert truth(AB) == Conditions.of(delay("20 ms"))
    assert recovers(box), "what is within the limit is taken"


def test_setting_that_is_ignored_in_silence_is_found_out(sim: SimulatedAppliance, box: Appliance, truth) -> None:
    box.apply(AB, SHORT)
    sim.inject(SilentlyIgnored())
    with pytest.raises(VerifyMismatch):
        box.apply(AB, Conditions.of(outage()))
    assert truth(AB) == SHORT
    assert recovers(box)


def test_hurried_message_is_lost_and_a_gap_helps(sim: SimulatedAppliance, address: str) -> None:
    sim.inject(DropHurried(gap_ns=20 * MS), count=None)
    with pytest.raises(NoResponse):
        connect(address, timeout_ns=150 * MS)
    with connect(address, timeout_ns=PATIENT_NS, gap_ns=30 * MS) as box:
        assert recovers(box)


def test_hurried_write_was_not_executed_and_is_not_repeated(sim: SimulatedAppliance, hasty: Appliance, truth) -> None:
    hasty.read(AB)
    sim.inject(DropHurried(gap_ns=5_000 * MS))
    sim.inject(Rewrite(b"x", b"x"))
    hasty.read(AB)
    with pytest.raises(NoResponse) as raised:
        hasty.apply(AB, Conditions.of(outage()))
    assert not raised.value.state_known
    assert "had not taken effect" in raised.value.__notes__[0]
    assert truth(AB) == NEUTRAL
    assert recovers(hasty)


def test_slow_boot_accepts_and_is_mute_and_is_waited_for(sim: SimulatedAppliance, hasty: Appliance, truth) -> None:
    hasty.apply(AB, SHORT)
    sim.inject(Reboot(boot_ns=50 * MS, mute_ns=1_200 * MS))
    with pytest.raises((ConnectionLost, ConnectError, NoResponse, SessionLimit)):
        hasty.read(AB)
    began = time.monotonic_ns()
    with pytest.raises(RebootDetected) as raised:
        hasty._link.resynchronise(PATIENT_NS)
    assert time.monotonic_ns() - began < PATIENT_NS
    assert not raised.value.state_known
    assert hasty.read(AB).conditions == truth(AB) == NEUTRAL
    assert recovers(hasty)


def test_first_connection_to_a_box_that_still_boots_says_so(sim: SimulatedAppliance, address: str) -> None:
    sim.inject(Reboot(mute_ns=400 * MS))
    with pytest.raises((NoResponse, ConnectError)) as raised:
        connect(address, timeout_ns=100 * MS)
    assert raised.value.retryable


def test_half_open_connection_is_given_up_at_the_deadline_and_replaced(sim, hasty: Appliance) -> None:
    hasty.apply(AB, SHORT)
    sim.inject(Mute())
    began = time.monotonic_ns()
    with pytest.raises(NoResponse) as raised:
        hasty.read(AB)
    assert time.monotonic_ns() - began < 2_000 * MS
    assert raised.value.retryable
    assert hasty.read(AB).conditions == SHORT


def test_power_cycle_behind_a_half_open_connection_is_detected(sim: SimulatedAppliance, hasty: Appliance) -> None:
    """The peer vanishes without a word and comes back: what was set is gone, and that is not mistaken for settings."""
    hasty.apply(AB, SHORT)
    sim.inject(Mute())
    with pytest.raises(NoResponse):
        hasty.read(AB)
    with sim.instrument.guard:
        sim.instrument.power_cycle()
    with pytest.raises(RebootDetected):
        hasty.read(AB)
    assert hasty.read(AB).conditions == NEUTRAL


def test_every_fault_at_once_and_the_truth_in_the_end(sim: SimulatedAppliance, hasty: Appliance, truth) -> None:
    """Whatever happens in whatever order: a read returns what is set, or raises."""
    hasty.apply(AB, SHORT)
    faults = [fault for fault, _ in ODD_ANSWERS.values()]

    def trouble() -> None:
        for fault in faults:
            sim.inject(fault)

    troubling = Thread(target=trouble)
    troubling.start()
    deadline = time.monotonic() + 30
    reads = errors = 0
    while reads < 10:
        assert time.monotonic() < deadline
        try:
            assert hasty.read(AB).conditions == SHORT
            reads += 1
        except ImpairlabError:
            errors += 1
            reads = 0
    troubling.join()
    assert errors >= len(faults) / 2
    assert truth(AB) == SHORT
