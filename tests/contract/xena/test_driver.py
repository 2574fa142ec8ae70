"""The driver of Chimera modules on a scripted chassis: what is written, read back, reserved and counted."""

from decimal import Decimal

import pytest

from impairlab.drivers import (
    NEUTRAL,
    CapabilityError,
    Conditions,
    ConnectError,
    Filter,
    InstrumentDeviceError,
    LockedByOther,
    MalformedResponse,
    Statistics,
    Target,
    VerifyMismatch,
    connect,
    delay,
    driver_names,
    loss,
    outage,
    rate,
)
from impairlab.drivers.model import AccumulateBurst, Corrupt, Delay, Reorder, Schedule
from impairlab.drivers.model.losses import SingleBurstLoss, SpacedLoss
from impairlab.drivers.model.patterns import BitErrors, Even

MS = 1_000_000

AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")
FLOW = Target(path="1", direction="a-b", flow=7)


def test_the_driver_is_offered_by_name() -> None:
    assert "xena-chimera" in driver_names()


def test_everything_at_once_is_written_and_read_back(box) -> None:
    settings = {
        AB: Conditions.of(
            delay("40 ms", jitter="8 ms"), loss("0.3 %"), rate("1 Gbit/s"), Reorder(pattern=Even(rate="1 %"), depth=4)
        ),
        FLOW: Conditions.of(Corrupt(rate="1 %", damages="tcp"), outage()),
        BA: Conditions.of(Corrupt(pattern=BitErrors(ber=Decimal("1E-6")))),
    }
    box.apply_many(settings)
    assert {target: box.read(target).conditions for target in settings} == settings


def test_all_is_prepared_before_anything_is_switched_on(chassis, box) -> None:
    box.apply_many({AB: Conditions.of(loss("1 %"), delay("1 ms")), BA: Conditions.of(loss("1 %"))})
    written = [line.split()[1] for line in chassis.sent() if " PED_" in line]
    assert written[-3:] == ["PED_ENABLE"] * 3
    assert "PED_ENABLE" not in written[:-3]


def test_what_is_unchanged_is_not_written_again(chassis, box) -> None:
    box.apply(AB, Conditions.of(delay("40 ms"), loss("1 %")))
    chassis.lines.clear()
    box.apply(AB, Conditions.of(delay("40 ms"), loss("2 %")))
    assert chassis.sent() == ["0/0 PED_RANDOM [0,0] 20000", "0/0 PED_SCHEDULE [0,0] 1 0", "0/0 PED_ENABLE [0,0] ON"]


def test_a_burst_is_fired_again_when_it_is_asked_for_again(chassis, box) -> None:
    for _ in range(2):
        chassis.lines.clear()
        box.apply(AB, Conditions.of(SingleBurstLoss(packets=5)))
        assert chassis.sent("PED_ENABLE") == ["0/0 PED_ENABLE [0,0] OFF", "0/0 PED_ENABLE [0,0] ON"]


def test_what_is_cleared_is_switched_off_and_forgotten(chassis, box) -> None:
    box.apply(AB, Conditions.of(Corrupt(rate="1 %", damages="ethernet"), rate("1 Gbit/s", mode="policer")))
    chassis.lines.clear()
    box.apply(AB, NEUTRAL)
    assert chassis.sent() == [
        "0/0 PED_ENABLE [0,4] OFF",
        "0/0 PED_OFF [0,4]",
        "0/0 PE_CORRUPT [0] OFF",
        "0/0 PE_BANDPOLICER [0] OFF L2 0 0",
    ]


def test_a_greater_depth_comes_after_the_smaller_share_and_the_other_way_round(chassis, box) -> None:
    orders = []
    for share, depth in (("10 %", 5), ("2 %", 32), ("10 %", 5)):
        chassis.lines.clear()
        box.apply(AB, Conditions.of(Reorder(pattern=Even(rate=share), depth=depth)))
        orders.append([line.split()[1] for line in chassis.sent("PED_FIXED", "PE_MISORDER")])
    assert orders[1:] == [["PED_FIXED", "PE_MISORDER"], ["PE_MISORDER", "PED_FIXED"]]


def test_table_of_delays_stands_in_the_appliance_with_its_unit(chassis, box) -> None:
    table = tuple(Decimal(number % 10) for number in range(1024))
    conditions = Conditions.of(Delay(mean="10 ms", spread="1 ms", distribution="table", table=table))
    box.apply(FLOW, conditions)
    (written,) = chassis.sent("PEC_VAL")
    assert written.startswith("0/0 PEC_VAL [38] OFF OFF 1024 10000000 11000000 ")
    assert chassis.sent("PEC_COMMENT", "PED_CUST") == [
        '0/0 PEC_COMMENT [38] "10000000 1000000"',
        "0/0 PED_CUST [7,2] 38",
    ]
    assert box.read(FLOW).conditions == conditions


def test_table_of_others_is_read_with_a_unit_of_its_own(chassis, box) -> None:
    chassis.values |= {
        ("0/0", "PED_ENABLE", "0,0"): "ON",
        ("0/0", "PED_CUST", "0,0"): "1",
        ("0/0", "PEC_VAL", "1"): f"ON OFF 512 {' '.join(['10', '20'] * 256)}",
    }
    loss_found = box.read(AB).conditions.loss
    assert loss_found == SpacedLoss(law="table", mean=15, spread=1, table=(Decimal(-5), Decimal(5)) * 256)


@pytest.mark.parametrize(("unit", "written"), [("10ms", "5 20"), ("ms", "50 200")])
def test_schedule_in_the_unit_of_the_address(chassis, address, unit, written) -> None:
    conditions = Conditions.of(outage().model_copy(update={"schedule": Schedule(on="50 ms", period="200 ms")}))
    with connect(f"{address}&schedule_unit={unit}", "xena-chimera") as box:
        box.apply(AB, conditions)
        assert chassis.sent("PED_SCHEDULE") == [f"0/0 PED_SCHEDULE [0,0] {written}"]
        assert box.read(AB).conditions == conditions


def test_accumulated_packets_are_let_go_once_or_again(chassis, box) -> None:
    for period, written in (("0 s", "1 0"), ("500 ms", "1 50")):
        conditions = Conditions.of(AccumulateBurst(hold="20 ms", schedule=Schedule(on="20 ms", period=period)))
        box.apply(AB, conditions)
        assert chassis.sent("PED_SCHEDULE")[-1] == f"0/0 PED_SCHEDULE [0,2] {written}"


def test_second_path_and_other_module(chassis, address) -> None:
    with connect(f"{address}&module=3&ports=0-1,4-2", "xena-chimera") as box:
        assert box.paths == ("1", "2")
        box.apply(Target(path="2", direction="b-a"), Conditions.of(loss("1 %")))
    assert "3/2 PED_RANDOM [0,0] 10000" in chassis.lines
    assert set(chassis.sent("P_RESERVATION")) == {
        f"3/{port} P_RESERVATION {what}" for port in (2, 4) for what in ("RESERVE", "RELEASE")
    }


@pytest.mark.parametrize(
    "query",
    [
        "ports=0",
        "ports=0-0",
        "ports=0-1,1-2",
        "module=x",
        "schedule_unit=s",
        "owner=",
        "owner=much+too+long",
        "speed=1",
    ],
)
def test_address_that_cannot_be_read_says_what_would_be_legal(query) -> None:
    with pytest.raises(ConnectError, match=r"write it like tcp://192\.0\.2\.1"):
        connect(f"tcp://127.0.0.1:1?{query}", "xena-chimera")


def test_password_or_user_in_an_address_is_refused() -> None:
    for address in ("tcp://me:secret@127.0.0.1", "tcp://me@127.0.0.1"):
        with pytest.raises(ConnectError) as raised:
            connect(address, "xena-chimera")
        assert "secret:" not in str(raised.value)


@pytest.mark.parametrize(
    "selector",
    [
        Filter(),
        Filter(vlan=100),
        Filter(source="10.0.0.0/8", destination="10.1.2.3/32", dscp=46),
        Filter(source="0.0.0.0/0", protocol="tcp", source_port=80, destination_port=8080),
        Filter(destination="2001:db8::/33", dscp=63, protocol="udp"),
        Filter(vlan=4095, source="::/0"),
    ],
)
def test_filter_is_read_back_from_the_working_copy(box, selector) -> None:
    box.set_filter(FLOW, selector)
    assert box.read(FLOW).filter == selector
    box.set_filter(FLOW, None)
    assert box.read(FLOW).filter is None


@pytest.mark.parametrize(
    ("selector", "problem"),
    [
        (Filter(protocol="icmp", source="::/0"), "icmp"),
        (Filter(dscp=1), "which"),
        (Filter(protocol="udp", destination_port=4791), "which"),
        (Filter(source="10.0.0.0/8", destination="::/0"), "IPv4 and IPv6"),
    ],
)
def test_filter_that_has_no_words_is_refused_and_nothing_is_sent(chassis, box, selector, problem) -> None:
    chassis.lines.clear()
    with pytest.raises(CapabilityError, match=problem):
        box.set_filter(FLOW, selector)
    assert chassis.lines == []


def test_filter_that_is_not_applied_is_found(chassis, box) -> None:
    chassis.instead("0/0 PEF_APPLY", "<OK>")
    with pytest.raises(VerifyMismatch, match="not applied"):
        box.set_filter(FLOW, Filter(vlan=1))


def test_refused_filter_leaves_nothing_in_the_shadow(chassis, box) -> None:
    chassis.instead("0/0 PEF_VLANTAG", "<BADVALUE>")
    with pytest.raises(Exception, match="BADVALUE"):
        box.set_filter(FLOW, Filter(vlan=1))
    assert chassis.sent()[-1] == "0/0 PEF_CANCEL [7]"
    assert box.read(FLOW).filter is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PEF_MODE", "EXTENDED"), ("PEF_ETHSETTINGS", "AND INCLUDE"), ("PEF_VLANSETTINGS", "AND EXCLUDE"),
        ("PEF_ANYSETTINGS", "AND INCLUDE"),
    ],
)  # fmt: skip
def test_filter_of_others_that_cannot_be_said_is_not_misread(chassis, box, name, value) -> None:
    chassis.values |= {("0/0", "PEF_ENABLE", "7,1"): "ON", ("0/0", name, "7,1"): value}
    with pytest.raises(MalformedResponse, match="cannot be said"):
        box.read(FLOW)


def test_policer_and_shaper_of_others_cannot_be_said_and_are_written_over(chassis, box) -> None:
    chassis.values |= {
        ("0/0", "PE_BANDPOLICER", "0"): "ON L2 10 0",
        ("0/0", "PE_BANDSHAPER", "0"): "ON L2 10 0 0",
    }
    with pytest.raises(MalformedResponse, match="both on"):
        box.read(AB)
    box.apply(AB, NEUTRAL)
    assert box.read(AB).conditions == NEUTRAL


def test_counters_of_a_flow_and_of_a_port(chassis, box) -> None:
    found = box.statistics(FLOW)
    expected = Statistics(
        at_ns=found.at_ns, dropped_total=10, dropped_loss=6, dropped_rate=3, dropped_other=1, delayed=7, jittered=7,
        duplicated=7, reordered=7, corrupted=5,
    )  # fmt: skip
    assert found == expected
    assert {"0/0 PE_FLOWDROPTOTAL [7] ?", "0/0 PE_FLOWCORTOTAL [7] ?"} <= set(chassis.lines)
    assert box.port_statistics("1", "b-a").dropped_total == 10
    assert "0/1 PE_DROPTOTAL ?" in chassis.lines
    box.clear_statistics(FLOW)
    assert chassis.sent()[-1] == "0/0 PE_FLOWCLEAR [7]"


def test_status_of_a_one_shot_is_passed_on(chassis, box) -> None:
    box.apply(AB, Conditions.of(SingleBurstLoss(packets=5)))
    chassis.values["0/0", "PED_ONESHOTSTATUS", "0,0"] = "1"
    assert box.one_shot_status(AB, "loss") == 1


def test_reading_and_counting_reserve_nothing(chassis, box) -> None:
    box.snapshot()
    box.statistics(AB)
    assert chassis.sent("P_RESERVATION") == []


def test_port_of_another_is_named_and_not_taken(chassis, box, other) -> None:
    other("0/1", owner="alice")
    for attempt in (box.lock, lambda: box.apply(AB, Conditions.of(loss("1 %")))):
        with pytest.raises(LockedByOther) as raised:
            attempt()
        assert raised.value.holder == "alice"
    assert chassis.sent("P_RESERVATION") == []
    assert box.read(AB).conditions == NEUTRAL


def test_module_of_another_is_named(chassis, box) -> None:
    chassis.values["0", "M_RESERVEDBY", ""] = '"carol"'
    chassis.instead("0/1 P_RESERVATION RESERVE", "<FAILED>")
    with pytest.raises(LockedByOther, match="carol"):
        box.lock()
    assert chassis.owners == {}, "the first port was given back"


def test_take_over_takes_from_whoever_has_it(chassis, box, other) -> None:
    other("0/0")
    box.take_over()
    assert chassis.sent("P_RESERVATION") == [
        "0/0 P_RESERVATION RELINQUISH", "0/0 P_RESERVATION RESERVE", "0/1 P_RESERVATION RESERVE",
    ]  # fmt: skip


def test_locks_nest_and_unlock_releases(chassis, box) -> None:
    box.lock()
    box.lock()
    box.unlock()
    assert set(chassis.owners) == {"0/0", "0/1"}
    box.unlock()
    assert chassis.owners == {}


def test_close_releases_what_a_write_had_reserved(chassis, address) -> None:
    with connect(address, "xena-chimera") as box:
        box.apply(AB, Conditions.of(loss("1 %")))
    assert chassis.sent()[-2:] == ["0/0 P_RESERVATION RELEASE", "0/1 P_RESERVATION RELEASE"]


def test_bypassed_emulator_is_said_before_anything_is_written(chassis, box) -> None:
    chassis.values["0", "M_EMULBYPASS", ""] = "ON"
    with pytest.raises(InstrumentDeviceError, match="M_EMULBYPASS"):
        box.apply(AB, Conditions.of(loss("1 %")))
    assert [line for line in chassis.sent() if " PED_" in line] == []


def test_silently_clamped_delay_is_found_by_reading_back(chassis, box) -> None:
    def clamped() -> str:
        chassis.values["0/0", "PED_CONST", "0,2"] = "1900"
        return "<OK>"

    chassis.instead("0/0 PED_CONST", clamped)
    with pytest.raises(VerifyMismatch, match=r"1\.9 us"):
        box.apply(AB, Conditions.of(delay("2 ms")))


def test_changed_latency_mode_brings_new_ranges(chassis, box) -> None:
    chassis.values["0", "M_LATENCYMODE", ""] = "EXTENDED"
    chassis.values |= {
        (f"0/{port}", "PE_LATENCYRANGE", str(flow)): "19000 10000000000" for port in (0, 1) for flow in range(8)
    }
    with pytest.raises(CapabilityError, match="19 us"):
        box.apply(AB, Conditions.of(delay("2 us")))
    assert [line for line in chassis.sent() if " PED_" in line] == []
    box.apply(AB, Conditions.of(delay("10 s")))


def test_snapshot_is_restored(chassis, box) -> None:
    box.set_filter(FLOW, Filter(vlan=5))
    box.apply_many({AB: Conditions.of(loss("1 %")), FLOW: Conditions.of(delay("1 ms"))})
    before = box.snapshot()
    box.set_filter(FLOW, None)
    box.neutral()
    assert box.read(FLOW).filter is None
    box.restore(before)
    assert box.snapshot().entries == before.entries
