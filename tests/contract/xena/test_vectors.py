"""The literal words of the text CLI, as its public texts have them, sent and understood."""

import pytest

from impairlab.drivers import (
    NEUTRAL,
    AuthError,
    Conditions,
    Filter,
    InstrumentCommandError,
    InstrumentExecutionError,
    LockedByOther,
    Target,
    WireLog,
    connect,
    delay,
    link_flap,
    loss,
    rate,
)
from impairlab.drivers.model import Corrupt, Reorder
from impairlab.drivers.model.patterns import Even

AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")
FLOW = Target(path="1", direction="b-a", flow=1)


def test_a_session_logs_on_says_who_it_is_and_reserves_both_ports_at_the_first_write(chassis, box) -> None:
    assert chassis.lines[:2] == ['C_LOGON "xena"', 'C_OWNER "lab1"']
    assert chassis.sent("P_RESERVATION") == []
    box.apply(AB, Conditions.of(loss("0.1 %")))
    assert chassis.sent("P_RESERVATION") == ["0/0 P_RESERVATION RESERVE", "0/1 P_RESERVATION RESERVE"]
    assert chassis.sent("P_EMULATE") == ["0/0 P_EMULATE ON", "0/1 P_EMULATE ON"]


def test_random_loss_is_written_as_distribution_schedule_enable_and_read_from_two_spaces(chassis, box) -> None:
    (record, *_) = (r for r in box.apply(BA, Conditions.of(loss("1000 ppm"))) if r.field == "loss.rate")
    written = [line for line in chassis.sent() if " PED_" in line]
    assert written == [
        "0/1 PED_RANDOM [0,0] 1000",
        "0/1 PED_SCHEDULE [0,0] 1 0",
        "0/1 PED_ENABLE [0,0] ON",
    ]
    assert chassis._query("0/1", "PED_RANDOM", "0,0") == "0/1  PED_RANDOM  [0,0]  1000"
    assert record.read_back == "0.1 %"


def test_before_logon_a_set_is_refused_and_the_driver_logs_on_again(chassis, box) -> None:
    chassis.instead("0/1 PED_RANDOM", "<NOTLOGGEDON>")
    box.apply(BA, Conditions.of(loss("0.1 %")))
    assert chassis.sessions == 2
    assert box.read(BA).conditions == Conditions.of(loss("0.1 %"))


@pytest.mark.parametrize("secret", ["pass phrase", 'with a "quote"'])
def test_wrong_password_is_an_error_of_its_own_and_is_never_shown(address, tmp_path, secret) -> None:
    with WireLog(tmp_path / "wire") as log, pytest.raises(AuthError) as raised:
        connect(address, "xena-chimera", secret=secret, wire_log=log)
    assert secret not in f"{raised.value} {raised.value.command} {(tmp_path / 'wire').read_text()}"


def test_right_password_is_not_in_the_wire_log(chassis, address, tmp_path) -> None:
    chassis.password = secret = "open sesame"  # noqa: S105
    with WireLog(tmp_path / "wire") as log, connect(address, "xena-chimera", secret=secret, wire_log=log) as box:
        box.apply(AB, Conditions.of(loss("0.1 %")))
    text = (tmp_path / "wire").read_text()
    assert 'C_LOGON \\"***\\"' in text
    assert secret not in text


def test_not_reserved_names_who_has_it_now(chassis, box, other) -> None:
    def taken() -> str:
        other("0/0", "0/1")
        return "<NOTRESERVED>"

    box.lock()
    chassis.instead("0/0 PED_RANDOM", taken)
    with pytest.raises(LockedByOther, match="bob") as raised:
        box.apply(AB, Conditions.of(loss("0.1 %")))
    assert raised.value.state_known  # not one of the lines was carried out
    assert box.read(AB).conditions == NEUTRAL


def test_misorder_depth_33_is_refused_offline_and_by_the_appliance(chassis, box) -> None:
    violations = box.check({AB: Conditions.of(Reorder(pattern=Even(rate="1 %"), depth=33))})
    assert [str(violation.field) for violation in violations] == ["reorder.depth"]
    chassis.instead("0/0 PE_MISORDER [0] 1", "<BADVALUE>")
    with pytest.raises(InstrumentExecutionError, match="BADVALUE"):
        box.apply(AB, Conditions.of(Reorder(pattern=Even(rate="1 %"), depth=1)))


@pytest.mark.parametrize("nanoseconds", [150, 1_950])
def test_a_latency_off_the_step_of_100_ns_is_not_sent(chassis, box, nanoseconds) -> None:
    assert box.check({AB: Conditions.of(delay(f"{nanoseconds} ns"))})


def test_a_syntax_error_is_a_caret_and_a_remark(chassis, box) -> None:
    chassis.instead("0/0 PED_RANDOM", "                        ^\n#Syntax error in column 24")
    with pytest.raises(InstrumentCommandError, match="#Syntax error in column 24") as raised:
        box.apply(AB, Conditions.of(loss("0.1 %")))
    assert raised.value.command == "0/0 PED_RANDOM [0,0] 1000"


def test_filter_of_rocev2_is_the_one_of_a_real_saved_file(chassis, box) -> None:
    selector = Filter(destination="10.10.10.20/32", protocol="udp", destination_port=4791)
    box.set_filter(FLOW, selector)
    assert [line for line in chassis.sent() if " PEF_" in line] == [
        "0/1 PEF_CANCEL [1]",
        "0/1 PEF_INIT [1]",
        "0/1 PEF_L3USE [1,0] IP4",
        "0/1 PEF_IPV4SETTINGS [1,0] AND INCLUDE",
        "0/1 PEF_IPV4DESTADDR [1,0] ON 10.10.10.20 0xFFFFFFFF",
        "0/1 PEF_UDPSETTINGS [1,0] AND INCLUDE",
        "0/1 PEF_UDPDESTPORT [1,0] ON 4791 0xFFFF",
        "0/1 PEF_ENABLE [1,0] ON",
        "0/1 PEF_APPLY [1]",
    ]
    assert box.read(FLOW).filter == selector


def test_link_flap_has_the_words_of_the_documents(chassis, box) -> None:
    box.apply(AB, Conditions.of(link_flap("100 ms", "1 s")))
    assert chassis.sent("PP_LINKFLAP_PARAMS", "PP_LINKFLAP_ENABLE") == [
        "0/0 PP_LINKFLAP_PARAMS 100 1000 INFINITE",
        "0/0 PP_LINKFLAP_ENABLE ON",
    ]
    assert box.read(AB).conditions == Conditions.of(link_flap("100 ms", "1 s"))


def test_rates_count_in_100_kbit_s_and_name_their_layer(chassis, box) -> None:
    box.apply(AB, Conditions.of(rate("100 Mbit/s", mode="policer", burst=10_000)))
    assert chassis.sent("PE_BANDPOLICER") == ["0/0 PE_BANDPOLICER [0] ON L2 1000 10000"]


def test_corruption_of_ip_udp_and_tcp_is_not_for_everything_else(box) -> None:
    for damages in ("ip", "udp", "tcp"):
        conditions = Conditions.of(Corrupt(rate="1 %", damages=damages))
        assert [v.field for v in box.check({AB: conditions})] == ["corrupt.damages"]
        assert box.check({FLOW: conditions}) == ()


def test_the_range_of_delays_is_asked_and_not_invented(box) -> None:
    mean = box.capabilities.features["delay.constant"].ranges["mean"]
    assert (mean.low, mean.high, mean.step) == (1_900, 1_000_000_000, 100)
