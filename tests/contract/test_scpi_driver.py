"""The SCPI driver against the simulated appliance: two readings of one manual page that must agree."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Appliance,
    CapabilityError,
    Conditions,
    Filter,
    Target,
    WireLog,
    connect,
    delay,
    loss,
    outage,
    rate,
)
from impairlab.drivers.links.wire_log import read_wire_log
from impairlab.drivers.model import (
    BitErrorLoss,
    Corrupt,
    Delay,
    Duplicate,
    EcnMark,
    GilbertElliottLoss,
    LinkState,
    Mtu,
    PeriodicLoss,
    PfcPause,
    RateLimit,
    Reorder,
    Statistics,
    feature_name,
    fields_of,
)
from impairlab.drivers.scpi.capabilities import COUNTERS
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import Garbage, LateReply
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000

AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")
OTHER = Target(path="2", direction="a-b")
FLOW = Target(path="1", direction="a-b", flow=3)


def test_impaired_path_is_impaired_and_then_as_before(box: Appliance, truth) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))
    wanted = (delay("45 ms", jitter="8 ms"), loss("0.3 %", burst=4))
    with box.path("1").impaired(*wanted) as applied:
        assert truth(AB) == truth(BA) == Conditions.of(*wanted)
        assert not any(record.quantised for record in applied)
        assert all(record.sent == record.read_back for record in applied)
    assert truth(AB) == Conditions.of(delay("1 ms"))
    assert truth(BA) == NEUTRAL


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
    Delay(mean="10 s", spread="100 ns", distribution="uniform"),
    Delay(mean="1 ms", spread="10 s", distribution="pareto"),
    Delay(mean="1.2345678 s", spread="1.2345677 s", distribution="gamma"),
    Delay(mean="20 ms", spread="20 ms", distribution="exponential"),
    Delay(mean="10 ms", spread="1 ms", distribution="table", table=(Decimal(-1), Decimal("0.000001"), Decimal("2.5"))),
    loss("1 ppb"),
    loss(1),
    loss(Decimal("0.123456789"), burst=Decimal("1.001")),
    PeriodicLoss(every=1_000_000_000, burst=999_999),
    GilbertElliottLoss(
        to_bad="1 ppb", to_good=Decimal("0.987654321"), bad_loss=Decimal("0.5"), good_loss=Decimal("1e-9")
    ),
    BitErrorLoss(ber=Decimal("1e-15")),
    BitErrorLoss(ber=Decimal("0.000123456789012")),
    outage(),
    Reorder(rate="0.3 %", depth=1000, hold="9.9999999 s"),
    Duplicate(rate=Decimal("1e-9"), copies=100),
    Corrupt(rate="100 %", bits=64),
    rate(1000),
    rate(9_999_987_654),
    RateLimit(rate="100 Gbit/s", burst=0, queue="1 GB", layer="l1"),
    RateLimit(rate="20 Mbit/s", mode="policer", burst="16 MB", layer="l1"),
    RateLimit(rate="20 Mbit/s", mode="link", queue=1, layer="l1"),
    LinkState(state="up"),
    LinkState(state="down"),
    LinkState(state="flap", down="1 us", period="3600 s"),
    EcnMark(rate="2 %"),
    PfcPause(priorities=(0, 7, 3), duration="50 us", period="1 ms"),
    Mtu(size="68 B"),
    Mtu(size=65_535),
]


def test_values_that_must_arrive_exactly_leave_no_field_out(box: Appliance) -> None:
    settable = {
        (name, field) for name, each in box.capabilities.features.items() for field in each.ranges | each.choices
    }
    changed = {
        (feature_name(each), field)
        for each in EXACT
        for field, value in fields_of(each)
        if value != type(each).model_fields[field].default
    }
    assert {feature_name(each) for each in EXACT} == set(box.capabilities.features)
    without_order = {(name, field) for name, field in settable if field != "keep_order"}
    assert without_order <= changed
    assert ("delay.normal", "keep_order") in changed


@pytest.mark.parametrize("impairment", EXACT, ids=str)
def test_values_arrive_exactly(box: Appliance, impairment, truth) -> None:
    box.set_filter(FLOW, Filter())  # without a filter the flow is not in use
    records = box.apply(FLOW, Conditions.of(impairment))
    assert truth(FLOW) == Conditions.of(impairment)
    assert not any(record.quantised for record in records)
    assert box.read(FLOW).conditions == Conditions.of(impairment)


def test_a_flow_takes_every_kind_at_once(box: Appliance, truth) -> None:
    everything = Conditions.of(*{each.kind: each for each in EXACT}.values())
    assert len(list(everything)) == len(Conditions.model_fields)
    records = box.apply(AB, everything)
    assert truth(AB) == everything
    assert {record.field.partition(".")[0] for record in records} == set(Conditions.model_fields)
    assert {record.read_back for record in box.apply(AB, NEUTRAL)} == {"-"}
    assert truth(AB) == NEUTRAL


def test_every_flow_of_every_direction_has_its_own_settings(box: Appliance, truth) -> None:
    targets = box.targets()
    assert len(targets) == 2 * 2 * 9
    for target in targets:
        if target.flow:
            box.set_filter(target, Filter(vlan=target.flow))
    wanted = {target: Conditions.of(Delay(mean=f"{n + 1} ms")) for n, target in enumerate(targets)}
    box.apply_many(wanted)
    assert {target: truth(target) for target in targets} == wanted
    assert {entry.target: entry.conditions for entry in box.snapshot().entries} == wanted


def test_bracket_holds_the_moment_of_the_change(plane, box: Appliance) -> None:
    for settings in ({AB: Conditions.of(outage())}, {AB: NEUTRAL, BA: Conditions.of(outage())}):
        for record in box.apply_many(settings):
            assert record.sent_ns <= plane.programmed_ns <= record.acknowledged_ns


def test_one_flow_is_set_and_checked_in_one_exchange(address: str, tmp_path) -> None:
    path = tmp_path / "wire.jsonl"
    with WireLog(path) as log, connect(address, wire_log=log) as box:
        box.apply(AB, Conditions.of(outage()))
    sent = [record.text for record in read_wire_log(path) if record.direction == "sent"]
    assert sent[-2:] == [
        (
            ':SYST:ERR:ALL?;:PATH1:AB:COND "LOSS:STAT 1;LOSS:MOD OUT";:PATH1:AB:APPL'
            ";*OPC?;*WAI;:STAT:OPER:COND?;:SYST:ERR:ALL?"
        ),
        ":PATH1:AB:COND?",
    ]


def test_several_flows_switch_together(plane: NullPlane, box: Appliance, truth) -> None:
    before = len(plane.programs)
    box.apply_many({AB: Conditions.of(outage()), BA: Conditions.of(delay("1 s")), OTHER: Conditions.of(outage())})
    assert len(plane.programs) == before + 1
    assert truth(OTHER) == Conditions.of(outage())


def test_value_between_steps_is_refused_or_moved_and_recorded(box: Appliance, truth) -> None:
    odd = Conditions.of(Delay(mean="1.00003 ms"), loss(Decimal("0.1234567891")))
    with pytest.raises(CapabilityError) as raised:
        box.apply(AB, odd)
    assert [violation.field for violation in raised.value.violations] == ["delay.mean", "loss.rate"]
    assert truth(AB) == NEUTRAL
    records = {record.field: record for record in box.apply(AB, odd, on_mismatch="nearest")}
    assert (records["delay.mean"].asked, records["delay.mean"].sent) == ("1.00003 ms", "1 ms")
    assert records["delay.mean"].quantised
    assert truth(AB) == Conditions.of(Delay(mean="1 ms"), loss(Decimal("0.123456789")))


def test_what_lies_out_of_range_is_never_sent(plane: NullPlane, box: Appliance) -> None:
    before = len(plane.programs)
    with pytest.raises(CapabilityError, match=r"0 s \.\. 10 s in steps of 100 ns"):
        box.apply(AB, Conditions.of(delay("10.1 s")), on_mismatch="nearest")
    assert len(plane.programs) == before


def test_four_threads_set_and_read_their_own_flows(box: Appliance) -> None:
    def work(flow: int) -> list[bool]:
        target = Target(path="2", direction="b-a", flow=flow)
        wanted = [Conditions.of(Delay(mean=f"{flow * 1000 + n} us")) for n in range(40)]
        return [box.apply(target, each) and box.read(target).conditions == each for each in wanted]

    with ThreadPoolExecutor(4) as pool:
        assert all(all(results) for results in pool.map(work, range(1, 5)))


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


def test_whole_snapshot_is_restored_with_filters(sim: SimulatedAppliance, box: Appliance, say) -> None:
    box.set_filter(FLOW, Filter(dscp=46))
    box.apply_many({AB: Conditions.of(delay("1 ms")), FLOW: Conditions.of(outage())})
    before, entries = box.snapshot(), sim.state.entries
    say("*RST;*OPC?")
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
    assert set(COUNTERS) < set(Statistics.model_fields)
    counted = Statistics(at_ns=7, **{name: 2**40 + n for n, name in enumerate(COUNTERS)})
    not_counted = Statistics(at_ns=8, received_packets=0)
    plane.counters = {AB: counted, FLOW: not_counted}
    assert box.path("1").a_to_b.statistics() == counted
    assert box.path("1").flow("a-b", 3).statistics() == not_counted
    box.path("1").a_to_b.clear_statistics()
    assert plane.cleared == [AB]


def test_limits_are_those_the_appliance_answers(address: str, sim: SimulatedAppliance, tmp_path) -> None:
    path = tmp_path / "wire.jsonl"
    with WireLog(path) as log, connect(address, wire_log=log) as box:
        documented = box.capabilities.features["delay.constant"].ranges["mean"]
    question, answer = [record.text for record in read_wire_log(path)][-3:-1]
    assert question.startswith(":PATH1:AB:DEL:MEAN? MIN;:PATH1:AB:DEL:MEAN? MAX;")
    sim.inject(LateReply(0), count=2)  # the greeting and the facts are as ever
    sim.inject(Garbage(answer.replace("0;10;", "0.001;5;", 1).encode() + b"\n"))
    with connect(address) as box:
        other = box.capabilities.features["delay.constant"].ranges["mean"]
        with pytest.raises(CapabilityError, match=r"1 ms \.\. 5 s"):
            box.apply(AB, Conditions.of(delay("6 s")))
    assert (documented.low, documented.high) == (0, 10_000_000_000)
    assert (other.low, other.high, other.step) == (1_000_000, 5_000_000_000, 100)


def test_wire_log_has_every_line_in_order_with_its_time(address: str, tmp_path) -> None:
    path = tmp_path / "wire.jsonl"
    with WireLog(path) as log, connect(address, wire_log=log) as box:
        (record,) = box.apply(AB, Conditions.of(outage()))
    records = list(read_wire_log(path))
    assert [records[0].text, records[-1].text] == ["connected", "dropped: closed"]
    assert [each.direction for each in records[1:-1]] == ["sent", "received"] * (len(records) // 2 - 1)
    assert [each.ns for each in records] == sorted(each.ns for each in records)
    write = next(each for each in records if ":PATH1:AB:APPL" in each.text)
    assert write.ns == record.sent_ns
