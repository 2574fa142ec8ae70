"""The SCPI driver when things go wrong: every failure has a name, and says what is known afterwards."""

import time
from dataclasses import replace
from decimal import Decimal
from threading import Thread

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Appliance,
    CapabilityError,
    Conditions,
    ConnectError,
    ConnectionLost,
    Filter,
    IdentityMismatch,
    InstrumentCommandError,
    InstrumentDeviceError,
    InstrumentExecutionError,
    InstrumentQueryError,
    LockedByOther,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    SessionLimit,
    Target,
    UnexpectedOutput,
    VerifyMismatch,
    WireLog,
    connect,
    delay,
    outage,
)
from impairlab.drivers.links.wire_log import read_wire_log
from impairlab.drivers.testing.peers import answering, tcp_peer
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.appliance.box import Box
from impairlab.sim_hardware.appliance.fields import DELAY_MEAN
from impairlab.sim_hardware.faults import CloseMidReply, Garbage, LateReply, Mute, PartialReply, Reboot, Refuse
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000
PATIENT_NS = 10_000 * MS

AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")
OTHER = Target(path="2", direction="a-b")
FLOW = Target(path="1", direction="a-b", flow=3)


def _with_longer_delays(box: Appliance) -> None:
    feature = box.capabilities.features["delay.constant"]
    longer = feature.ranges["mean"].model_copy(update={"high": Decimal(10) ** 12})
    wider = feature.model_copy(update={"ranges": {**feature.ranges, "mean": longer}})
    box.capabilities = replace(
        box.capabilities, features={**box.capabilities.features, "delay.constant": wider}, paths=("1", "2", "9")
    )


@pytest.mark.parametrize("others", [{}, {BA: Conditions.of(outage())}])
def test_refusal_has_number_and_words_and_changes_nothing(
    sim: SimulatedAppliance, box: Appliance, others, truth
) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))
    _with_longer_delays(box)
    with pytest.raises(InstrumentExecutionError) as raised:
        box.apply_many({**others, AB: Conditions.of(delay("11 s"))})
    assert raised.value.code == -222
    assert "PATH1:AB:COND" in raised.value.command
    assert raised.value.state_known
    assert truth(AB) == Conditions.of(delay("1 ms"))
    assert truth(BA) == NEUTRAL
    assert not sim.state.unsaved
    box.apply(AB, Conditions.of(delay("2 ms")))


def test_command_error_is_known_at_once_although_it_cuts_the_message_short(box: Appliance) -> None:
    _with_longer_delays(box)
    started = time.monotonic_ns()
    with pytest.raises(InstrumentCommandError) as raised:
        box._change([':PATH9:AB:COND ""', ":PATH9:AB:APPL", "*OPC?"])
    assert raised.value.code == -114
    assert time.monotonic_ns() - started < PATIENT_NS / 2


def test_failed_data_plane_is_a_refusal_and_nothing_stays_staged(plane: NullPlane, sim, box: Appliance) -> None:
    plane.failure = VerifyMismatch("the worker is gone")
    with pytest.raises(InstrumentExecutionError) as raised:
        box.apply(AB, Conditions.of(outage()))
    assert raised.value.code == -240
    assert not sim.state.unsaved
    plane.failure = None
    box.apply(AB, Conditions.of(outage()))


def test_errors_that_others_left_are_not_ours(box: Appliance, say) -> None:
    say("*OPC?;PATH1:AB:DEL:MEAN 99")
    box.apply(AB, Conditions.of(delay("1 ms")))


def test_what_others_left_staged_is_not_committed(sim: SimulatedAppliance, box: Appliance, truth, say) -> None:
    say('PATH2:AB:COND "LOSS:MOD OUT;LOSS:STAT ON";:PATH2:BA:FLOW2:FILT:DEF "STAT 1";*OPC?')
    assert sim.state.unsaved
    box.apply_many({AB: Conditions.of(outage()), BA: Conditions.of(outage())})
    assert truth(OTHER) == NEUTRAL
    assert not sim.state.unsaved


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (LateReply(1_500 * MS), NoResponse),
        (PartialReply(keep=4), PartialResponse),
        (CloseMidReply(keep=4), ConnectionLost),
        (Garbage(), MalformedResponse),
        (Garbage(b"1;2;3;4;5;6\n"), MalformedResponse),
        (Garbage(b'0,"No error";0;0;0,"No error"\n'), MalformedResponse),
        (Garbage(b'0,"No error";1;0,"No error"\n'), MalformedResponse),
        (Garbage(b'0,"No error";1;0;1;0,"No error"\n'), MalformedResponse),
        (Garbage(b'0,"No error";1;0;0,"No error"\nOK\n'), UnexpectedOutput),
        (Garbage(b'"open;1\n'), MalformedResponse),
    ],
)
def test_lost_acknowledgement_has_its_error_and_the_truth_is_found_out(sim, hasty, fault, error, truth) -> None:
    sim.inject(fault)
    with pytest.raises(error) as raised:
        hasty.apply(AB, Conditions.of(delay("1 ms")))
    assert raised.value.state_known
    assert "took effect" in raised.value.__notes__[0]
    assert truth(AB) == Conditions.of(delay("1 ms"))
    hasty.apply(AB, Conditions.of(delay("2 ms")))
    assert hasty.read(AB).conditions == Conditions.of(delay("2 ms"))


def test_write_that_was_never_executed_leaves_the_state_unknown(
    sim: SimulatedAppliance, hasty: Appliance, truth
) -> None:
    sim.inject(Mute())
    with pytest.raises(NoResponse) as raised:
        hasty.apply(AB, Conditions.of(outage()))
    assert not raised.value.state_known
    assert truth(AB) == NEUTRAL
    hasty.apply(AB, Conditions.of(outage()))


def test_reboot_in_the_middle_of_a_write_is_detected(sim: SimulatedAppliance, box: Appliance, truth) -> None:
    sim.inject(LateReply(5_000 * MS))

    def reboot_once_written() -> None:
        deadline = time.monotonic() + 10
        while truth(AB) == NEUTRAL and time.monotonic() < deadline:
            time.sleep(0.001)
        sim.inject(Reboot(boot_ns=50 * MS))

    rebooting = Thread(target=reboot_once_written)
    rebooting.start()
    with pytest.raises(RebootDetected) as raised:
        box.apply(AB, Conditions.of(outage()))
    rebooting.join()
    assert not raised.value.state_known
    assert "COND" in raised.value.command
    assert box.read(AB).conditions == NEUTRAL
    box.apply(AB, Conditions.of(outage()))


def test_reboot_while_impaired_is_told_and_the_state_before_is_restored(
    sim: SimulatedAppliance, box: Appliance, truth
) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))

    def reboot_and_notice() -> None:
        sim.inject(Reboot())
        box._link.resynchronise(PATIENT_NS)

    with pytest.raises(RebootDetected), box.path("1").impaired(outage()):
        reboot_and_notice()
    assert truth(AB) == Conditions.of(delay("1 ms"))


def test_lock_of_another_session_is_named_and_respected(address: str, sim: SimulatedAppliance, box: Appliance) -> None:
    with connect(address) as other, other.locked():
        with pytest.raises(LockedByOther, match="LAN127") as raised:
            box.apply(AB, Conditions.of(outage()))
        assert raised.value.retryable
        with pytest.raises(LockedByOther):
            box.lock()
        assert box.read(AB).conditions == NEUTRAL
        other.apply(AB, Conditions.of(outage()))
    with box.locked():
        box.apply(AB, NEUTRAL)
    assert not sim.state.unsaved


def test_lock_is_kept_over_a_reconnection_and_given_back_at_the_end(box: Appliance, say) -> None:
    box.lock()
    box._link.desynchronise("a test says so")
    box.apply(AB, Conditions.of(outage()))
    assert say("SYST:LOCK:REQ?") == "0"
    box.unlock()
    box._link.desynchronise("a test says so again")
    assert box.read(AB).conditions != NEUTRAL
    assert say("SYST:LOCK:REQ?") == "1"


@pytest.mark.parametrize("impossible", [Filter.model_construct(vlan=5000), Filter.model_construct(source_port=80)])
def test_filter_the_appliance_does_not_take_leaves_nothing_staged(sim, box: Appliance, impossible: Filter) -> None:
    with pytest.raises(InstrumentExecutionError):
        box.set_filter(FLOW, impossible)
    assert not sim.state.unsaved


def test_wrong_serial_number_is_refused(address: str) -> None:
    with pytest.raises(IdentityMismatch, match="SIM0001"):
        connect(address, serial="SIM0002")
    connect(address, serial="SIM0001").close()


def test_peer_that_speaks_something_else_is_malformed() -> None:
    for answer in ("hello", "0;Acme,Box,1,1"):
        with tcp_peer(answering(lambda _, answer=answer: answer)) as (host, port), pytest.raises(MalformedResponse):
            connect(f"tcp://{host}:{port}")


def test_value_that_is_clipped_in_silence_is_found_out(monkeypatch, box: Appliance, truth) -> None:
    stage = Box.stage
    longest = Decimal(1)
    monkeypatch.setattr(
        Box, "stage",
        lambda box, target, settings: stage(
            box, target, settings.put(DELAY_MEAN, min(settings.get(DELAY_MEAN), longest))
        ),
    )  # fmt: skip
    with pytest.raises(VerifyMismatch) as raised:
        box.apply(AB, Conditions.of(delay("2 s")))
    expected = 'path 1 a-b delay: wanted delay.constant {"mean":"2 s"}, read delay.constant {"mean":"1 s"}'
    assert expected in str(raised.value)
    assert truth(AB) == Conditions.of(delay("1 s"))
    box.apply(AB, Conditions.of(delay("1 s")))


def test_restoration_that_does_not_take_is_told(monkeypatch, box: Appliance) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))
    before = box.snapshot()
    box.apply(AB, NEUTRAL)
    monkeypatch.setattr(Box, "stage", lambda *_: None)
    with pytest.raises(VerifyMismatch, match="not restored: path 1 a-b delay"):
        box.restore(before)


ERROR_CLASSES = {
    InstrumentCommandError: (-100, -199),
    InstrumentExecutionError: (-200, -299),
    InstrumentDeviceError: (-300, -399, 1, 32767),
    InstrumentQueryError: (-400, -499),
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in ERROR_CLASSES.items() for code in codes])
def test_refusal_is_of_the_class_of_its_number(sim: SimulatedAppliance, box: Appliance, kind, code) -> None:
    sim.inject(Garbage(f'0,"No error";1;0;{code},"said ""no"";or so",-221,"Settings conflict"\n'.encode()))
    with pytest.raises(kind) as raised:
        box.apply(AB, NEUTRAL)
    assert type(raised.value) is kind
    assert raised.value.errors == ((code, 'said "no";or so'), (-221, "Settings conflict"))


def test_link_that_answered_nonsense_is_not_trusted_again(sim: SimulatedAppliance, address: str, tmp_path) -> None:
    path = tmp_path / "wire.jsonl"
    with WireLog(path) as log, connect(address, wire_log=log) as box:
        sim.inject(Garbage(b"nonsense\n"))
        with pytest.raises(MalformedResponse):
            box.read(AB)
        box.read(AB)
    events = [record.text for record in read_wire_log(path) if record.direction == "event"]
    assert events[0] == events[2] == "connected"
    assert "nonsense" in events[1]


def test_answer_that_cannot_be_read_is_malformed_and_the_next_one_is_right(sim, box: Appliance) -> None:
    for nonsense in (b'"DEL:MEAN 1"\n', b'"DEL:STAT 1;DEL:MEAN x"\n', b'"WARP:STAT 1"\n', b'""x\n', b"1,2\n"):
        sim.inject(Garbage(nonsense))
        with pytest.raises(MalformedResponse) as raised:
            box.read(AB)
        assert raised.value.seen.strip() in nonsense
        assert box.read(AB).conditions == NEUTRAL
    sim.inject(Garbage(b"1,2,3\n"))
    with pytest.raises(MalformedResponse):
        box.statistics(AB)


def test_reader_whose_connection_is_cut_may_ask_again(sim, box: Appliance) -> None:
    sim.inject(CloseMidReply(keep=1))
    with pytest.raises(ConnectionLost) as raised:
        box.read(AB)
    assert raised.value.retryable
    assert raised.value.state_known
    assert raised.value.seen == b'"'
    assert box.read(AB).conditions == NEUTRAL


def test_appliance_that_is_gone_refuses_and_is_there_again(sim: SimulatedAppliance, box: Appliance) -> None:
    sim.inject(Refuse())
    sim.inject(CloseMidReply())
    with pytest.raises(ConnectionLost):
        box.read(AB)
    with pytest.raises((ConnectError, SessionLimit)) as raised:
        box.read(AB)
    assert raised.value.retryable
    sim.clear_faults()
    box._link.resynchronise(PATIENT_NS)
    assert box.read(AB).conditions == NEUTRAL


def test_every_session_taken_has_its_name(sim: SimulatedAppliance) -> None:
    host, port = sim.serve_scpi(max_connections=1)
    address = f"tcp://{host}:{port}"
    with connect(address), pytest.raises(SessionLimit):
        connect(address)


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_sent(plane: NullPlane, box: Appliance) -> None:
    before = len(plane.programs)
    nowhere = Target(path="7", direction="a-b", flow=9)
    with pytest.raises(CapabilityError) as raised:
        box.apply_many({AB: Conditions.of(delay("11 s")), nowhere: Conditions.of(delay("1 ns"))})
    assert [(each.where, each.field) for each in raised.value.violations] == [
        ("path 1 a-b", "delay.mean"),
        ("path 7 a-b flow 9", "path"),
        ("path 7 a-b flow 9", "flow"),
        ("path 7 a-b flow 9", "delay.mean"),
    ]
    assert len(plane.programs) == before
