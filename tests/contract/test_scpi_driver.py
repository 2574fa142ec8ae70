"""The SCPI driver against the simulated appliance: two readings of one manual page that must agree."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from threading import Thread

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Appliance,
    CapabilityError,
    Conditions,
    ConnectionLost,
    Filter,
    IdentityMismatch,
    InstrumentCommandError,
    InstrumentExecutionError,
    LockedByOther,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    Target,
    VerifyMismatch,
    WireLog,
    connect,
    delay,
    loss,
    outage,
    rate,
)
from impairlab.drivers.links.wire_log import read_wire_log
from impairlab.drivers.model import Delay, Mtu, PfcPause, RateLimit, Statistics
from impairlab.drivers.testing.peers import answering, tcp_peer
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import CloseMidReply, Garbage, LateReply, Mute, PartialReply, Reboot
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000
PATIENT_NS = 10_000 * MS

AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")
OTHER = Target(path="2", direction="a-b")
FLOW = Target(path="1", direction="a-b", flow=3)


class TimedPlane(NullPlane):
    """Keeps when it was programmed."""

    def program(self, entries, at_ns):
        self.programmed_ns = time.monotonic_ns()
        return super().program(entries, at_ns)


@pytest.fixture
def plane() -> TimedPlane:
    return TimedPlane(paths=("1", "2"))


@pytest.fixture
def sim(plane: NullPlane) -> Iterator[SimulatedAppliance]:
    with SimulatedAppliance(plane) as sim:
        yield sim


@pytest.fixture
def address(sim: SimulatedAppliance) -> str:
    host, port = sim.serve_scpi()
    return f"tcp://{host}:{port}"


@pytest.fixture
def box(address: str) -> Iterator[Appliance]:
    with connect(address, timeout_ns=PATIENT_NS) as box:
        yield box


@pytest.fixture
def hasty(address: str) -> Iterator[Appliance]:
    with connect(address, timeout_ns=150 * MS) as box:
        yield box


def truth(sim: SimulatedAppliance, target: Target) -> Conditions:
    return sim.state.conditions(target.path, target.direction, target.flow)


def say(address: str, message: str) -> str:
    """Ask as another session does."""
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    with socket.create_connection((host, int(port)), 10) as sock, sock.makefile("rw", newline="\n") as stream:
        stream.write(message + "\n")
        stream.flush()
        return stream.readline().rstrip()


def test_impaired_path_is_impaired_and_then_as_before(sim: SimulatedAppliance, box: Appliance) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))
    wanted = (delay("45 ms", jitter="8 ms"), loss("0.3 %", burst=4))
    with box.path("1").impaired(*wanted) as applied:
        assert truth(sim, AB) == truth(sim, BA) == Conditions.of(*wanted)
        assert not any(record.quantised for record in applied)
        assert all(record.sent == record.read_back for record in applied)
    assert truth(sim, AB) == Conditions.of(delay("1 ms"))
    assert truth(sim, BA) == NEUTRAL


def test_it_says_what_it_is_and_can(box: Appliance) -> None:
    assert str(box.identity) == "impairlab IL-8 SIM0001 1.0"
    assert box.paths == ("1", "2")
    assert box.capabilities.flows == 8
    assert box.capabilities.update_interval_ns == MS
    assert {feature.provenance.basis for feature in box.capabilities.features.values()} == {"documented"}
    for need in ("delay.table", "loss.gilbert-elliott", "rate.policer", "link.flap", "ecn", "pfc", "mtu", "reorder"):
        assert box.capabilities.supports(need)


def test_options_that_are_not_installed_are_not_offered() -> None:
    with SimulatedAppliance(NullPlane(options=frozenset({"delay", "rate"}))) as sim:
        host, port = sim.serve_scpi()
        with connect(f"tcp://{host}:{port}") as box:
            assert {name.partition(".")[0] for name in box.capabilities.features} == {"delay", "rate"}
            assert box.capabilities.flows == 0
            with pytest.raises(CapabilityError, match="not offered"):
                box.apply(AB, Conditions.of(outage()))
            box.apply(AB, Conditions.of(delay("1 ms")))


EXACT = [
    delay("100 ns"),
    delay("9.9999999 s"),
    delay("45.0001 ms", jitter="8 ms", keep_order=False),
    Delay(mean="10 ms", spread="1 ms", distribution="table", table=(Decimal(-1), Decimal("0.000001"), Decimal("2.5"))),
    loss("1 ppb"),
    loss(Decimal("0.123456789"), burst=Decimal("1.001")),
    rate(9_999_987_654),
    RateLimit(rate="20 Mbit/s", mode="policer", burst="15 kB", layer="l1"),
    PfcPause(priorities=(0, 7, 3), duration="50 us", period="1 ms"),
    Mtu(size="68 B"),
]


@pytest.mark.parametrize("impairment", EXACT, ids=str)
def test_values_arrive_exactly(sim: SimulatedAppliance, box: Appliance, impairment) -> None:
    box.set_filter(FLOW, Filter())  # without a filter the flow is not in use
    records = box.apply(FLOW, Conditions.of(impairment))
    assert truth(sim, FLOW) == Conditions.of(impairment)
    assert not any(record.quantised for record in records)
    assert box.read(FLOW).conditions == Conditions.of(impairment)


def test_bracket_holds_the_moment_of_the_change(plane: TimedPlane, box: Appliance) -> None:
    for settings in ({AB: Conditions.of(outage())}, {AB: NEUTRAL, BA: Conditions.of(outage())}):
        for record in box.apply_many(settings):
            assert record.sent_ns <= plane.programmed_ns <= record.acknowledged_ns


def test_one_flow_is_set_and_checked_in_one_exchange(address: str, tmp_path) -> None:
    path = tmp_path / "wire.jsonl"
    with WireLog(path) as log, connect(address, wire_log=log) as box:
        box.apply(AB, Conditions.of(outage()))
    sent = [record.text for record in read_wire_log(path) if record.direction == "sent"]
    assert sent[-2:] == [
        ':SYST:ERR:ALL?;:PATH1:AB:COND "LOSS:STAT 1;LOSS:MOD OUT";:PATH1:AB:APPL;*OPC?;:SYST:ERR:ALL?',
        ":PATH1:AB:COND?",
    ]


def test_several_flows_switch_together(plane: NullPlane, sim: SimulatedAppliance, box: Appliance) -> None:
    before = len(plane.programs)
    box.apply_many({AB: Conditions.of(outage()), BA: Conditions.of(delay("1 s")), OTHER: Conditions.of(outage())})
    assert len(plane.programs) == before + 1
    assert truth(sim, OTHER) == Conditions.of(outage())


def test_value_between_steps_is_refused_or_moved_and_recorded(sim: SimulatedAppliance, box: Appliance) -> None:
    odd = Conditions.of(Delay(mean="1.00003 ms"), loss(Decimal("0.1234567891")))
    with pytest.raises(CapabilityError) as raised:
        box.apply(AB, odd)
    assert [violation.field for violation in raised.value.violations] == ["delay.mean", "loss.rate"]
    assert truth(sim, AB) == NEUTRAL
    records = {record.field: record for record in box.apply(AB, odd, on_mismatch="nearest")}
    assert (records["delay.mean"].asked, records["delay.mean"].sent) == ("1.00003 ms", "1 ms")
    assert records["delay.mean"].quantised
    assert truth(sim, AB) == Conditions.of(Delay(mean="1 ms"), loss(Decimal("0.123456789")))


def test_what_lies_out_of_range_is_never_sent(plane: NullPlane, box: Appliance) -> None:
    before = len(plane.programs)
    with pytest.raises(CapabilityError, match=r"0 s \.\. 10 s in steps of 100 ns"):
        box.apply(AB, Conditions.of(delay("10.1 s")), on_mismatch="nearest")
    assert len(plane.programs) == before


def _with_longer_delays(box: Appliance) -> None:
    feature = box.capabilities.features["delay.constant"]
    longer = feature.ranges["mean"].model_copy(update={"high": Decimal(10) ** 12})
    wider = feature.model_copy(update={"ranges": {**feature.ranges, "mean": longer}})
    box.capabilities = replace(
        box.capabilities, features={**box.capabilities.features, "delay.constant": wider}, paths=("1", "2", "9")
    )


@pytest.mark.parametrize("others", [{}, {BA: Conditions.of(outage())}])
def test_refusal_has_number_and_words_and_changes_nothing(sim: SimulatedAppliance, box: Appliance, others) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))
    _with_longer_delays(box)
    with pytest.raises(InstrumentExecutionError) as raised:
        box.apply_many({**others, AB: Conditions.of(delay("11 s"))})
    assert raised.value.code == -222
    assert "PATH1:AB:COND" in raised.value.command
    assert raised.value.state_known
    assert truth(sim, AB) == Conditions.of(delay("1 ms"))
    assert truth(sim, BA) == NEUTRAL
    assert not sim.state.unsaved
    box.apply(AB, Conditions.of(delay("2 ms")))


def test_command_error_is_known_at_once_although_it_cuts_the_message_short(box: Appliance) -> None:
    _with_longer_delays(box)
    started = time.monotonic_ns()
    with pytest.raises(InstrumentCommandError) as raised:
        box._change([':PATH9:AB:COND ""', ":PATH9:AB:APPL", "*OPC?"])
    assert raised.value.code == -114
    assert time.monotonic_ns() - started < PATIENT_NS / 2


def test_failed_data_plane_is_a_refusal(plane: NullPlane, box: Appliance) -> None:
    plane.failure = VerifyMismatch("the worker is gone")
    with pytest.raises(InstrumentExecutionError) as raised:
        box.apply(AB, Conditions.of(outage()))
    assert raised.value.code == -240
    plane.failure = None
    box.apply(AB, Conditions.of(outage()))


def test_errors_that_others_left_are_not_ours(address: str, box: Appliance) -> None:
    say(address, "*OPC?;PATH1:AB:DEL:MEAN 99")
    box.apply(AB, Conditions.of(delay("1 ms")))


def test_what_others_left_staged_is_not_committed(address: str, sim: SimulatedAppliance, box: Appliance) -> None:
    say(address, 'PATH2:AB:COND "LOSS:MOD OUT;LOSS:STAT ON";:PATH2:BA:FLOW2:FILT:DEF "STAT 1";*OPC?')
    assert sim.state.unsaved
    box.apply_many({AB: Conditions.of(outage()), BA: Conditions.of(outage())})
    assert truth(sim, OTHER) == NEUTRAL
    assert not sim.state.unsaved


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (LateReply(600 * MS), NoResponse),
        (PartialReply(keep=4), PartialResponse),
        (CloseMidReply(keep=4), ConnectionLost),
        (Garbage(), MalformedResponse),
        (Garbage(b"1;2;3;4;5;6\n"), MalformedResponse),
        (Garbage(b'"open;1\n'), MalformedResponse),
    ],
)
def test_lost_acknowledgement_has_its_error_and_the_truth_is_found_out(sim, hasty, fault, error) -> None:
    sim.inject(fault)
    with pytest.raises(error) as raised:
        hasty.apply(AB, Conditions.of(delay("1 ms")))
    assert raised.value.state_known
    assert "took effect" in raised.value.__notes__[0]
    assert truth(sim, AB) == Conditions.of(delay("1 ms"))
    hasty.apply(AB, Conditions.of(delay("2 ms")))
    assert hasty.read(AB).conditions == Conditions.of(delay("2 ms"))


def test_write_that_was_never_executed_leaves_the_state_unknown(sim: SimulatedAppliance, hasty: Appliance) -> None:
    sim.inject(Mute())
    with pytest.raises(NoResponse) as raised:
        hasty.apply(AB, Conditions.of(outage()))
    assert not raised.value.state_known
    assert truth(sim, AB) == NEUTRAL
    hasty.apply(AB, Conditions.of(outage()))


def test_reboot_in_the_middle_of_a_write_is_detected(sim: SimulatedAppliance, box: Appliance) -> None:
    sim.inject(LateReply(5_000 * MS))

    def reboot_once_written() -> None:
        deadline = time.monotonic() + 10
        while truth(sim, AB) == NEUTRAL and time.monotonic() < deadline:
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
    sim: SimulatedAppliance, box: Appliance
) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))

    def reboot_and_notice() -> None:
        sim.inject(Reboot())
        box._link.resynchronise(PATIENT_NS)

    with pytest.raises(RebootDetected), box.path("1").impaired(outage()):
        reboot_and_notice()
    assert truth(sim, AB) == Conditions.of(delay("1 ms"))


def test_four_threads_set_and_read_their_own_flows(box: Appliance) -> None:
    def work(flow: int) -> list[bool]:
        target = Target(path="2", direction="b-a", flow=flow)
        wanted = [Conditions.of(Delay(mean=f"{flow * 1000 + n} us")) for n in range(40)]
        return [box.apply(target, each) and box.read(target).conditions == each for each in wanted]

    with ThreadPoolExecutor(4) as pool:
        assert all(all(results) for results in pool.map(work, range(1, 5)))


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


def test_lock_is_kept_over_a_reconnection_and_given_back_at_the_end(address: str, box: Appliance) -> None:
    box.lock()
    box._link.desynchronise("a test says so")
    box.apply(AB, Conditions.of(outage()))
    assert say(address, "SYST:LOCK:REQ?") == "0"
    box.unlock()
    assert say(address, "SYST:LOCK:REQ?") == "1"


FILTERS = [
    Filter(),
    Filter(vlan=0, dscp=46),
    Filter(protocol="udp", source="10.1.0.0/16", source_port=4789, destination="2001:db8::1", destination_port=0),
]


@pytest.mark.parametrize("selector", FILTERS, ids=str)
def test_filters_come_back_as_they_were_set(box: Appliance, selector: Filter) -> None:
    box.set_filter(FLOW, selector)
    assert box.read(FLOW).filter == selector
    box.set_filter(FLOW, None)
    assert box.read(FLOW).filter is None


def test_filter_the_appliance_does_not_take_leaves_nothing_staged(sim: SimulatedAppliance, box: Appliance) -> None:
    impossible = Filter.model_construct(vlan=5000)
    with pytest.raises(InstrumentExecutionError):
        box.set_filter(FLOW, impossible)
    assert not sim.state.unsaved


def test_whole_snapshot_is_restored_with_filters(address: str, sim: SimulatedAppliance, box: Appliance) -> None:
    box.set_filter(FLOW, Filter(dscp=46))
    box.apply_many({AB: Conditions.of(delay("1 ms")), FLOW: Conditions.of(outage())})
    before, entries = box.snapshot(), sim.state.entries
    say(address, "*RST;*OPC?")
    box.restore(before)
    assert sim.state.entries == entries
    box.neutral()
    assert all(entry.conditions == NEUTRAL for entry in sim.state.entries)


def test_long_messages_are_split(box: Appliance) -> None:
    table = tuple(Decimal(n).scaleb(-6) for n in range(999_000_000 - 1024, 999_000_000))
    wide = Conditions.of(Delay(mean="1 s", spread="1 us", distribution="table", table=table))
    settings = dict.fromkeys(box.targets()[:8], wide)
    box.apply_many(settings)
    assert all(entry.conditions == wide for entry in box.read_many(settings))


def test_statistics_are_read_and_cleared(plane: NullPlane, box: Appliance) -> None:
    counted = Statistics(at_ns=7, received_packets=100, received_bytes=64_000, dropped_loss=3, marked=0)
    plane.counters = {AB: counted}
    assert box.path("1").a_to_b.statistics() == counted
    box.path("1").a_to_b.clear_statistics()
    assert plane.cleared == [AB]


def test_wrong_serial_number_is_refused(address: str) -> None:
    with pytest.raises(IdentityMismatch, match="SIM0001"):
        connect(address, serial="SIM0002")
    connect(address, serial="SIM0001").close()


def test_peer_that_speaks_something_else_is_malformed() -> None:
    for answer in ("hello", "0;Acme,Box,1,1"):
        with tcp_peer(answering(lambda _, answer=answer: answer)) as (host, port), pytest.raises(MalformedResponse):
            connect(f"tcp://{host}:{port}")
