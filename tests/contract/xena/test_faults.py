"""The driver of Chimera modules when things go wrong: every failure has a name, and says what is known afterwards."""

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Conditions,
    ConnectionLost,
    IdentityMismatch,
    InstrumentCommandError,
    InstrumentDeviceError,
    InstrumentError,
    InstrumentExecutionError,
    LockedByOther,
    MalformedResponse,
    PartialResponse,
    SessionLimit,
    Target,
    connect,
    delay,
    loss,
)

MS = 1_000_000

AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")


def test_idle_connection_that_the_chassis_closed_is_made_anew_and_what_was_reserved_is_ours_again(chassis, box) -> None:
    box.apply(AB, Conditions.of(loss("1 %")))
    chassis.instead("0/0 PED_ENABLE [0,0] ?", "hang up")
    with pytest.raises(ConnectionLost) as raised:
        box.read(AB)
    assert raised.value.retryable
    chassis.lines.clear()
    assert box.read(AB).conditions == Conditions.of(loss("1 %"))
    assert chassis.lines[0] == 'C_LOGON "xena"'
    assert chassis.sent("P_RESERVATION") == ["0/0 P_RESERVATION RESERVE", "0/1 P_RESERVATION RESERVE"]


def test_connection_lost_in_a_write_that_took_effect(chassis, box) -> None:

    def cut() -> str:
        chassis.values |= {("0/0", "PED_RANDOM", "0,0"): "10000", ("0/0", "PED_ENABLE", "0,0"): "ON"}
        return "hang up"

    chassis.instead("0/0 PED_RANDOM [0,0] 10000", cut)
    with pytest.raises(ConnectionLost) as raised:
        box.apply(AB, Conditions.of(loss("1 %")))
    assert raised.value.state_known
    assert raised.value.__notes__ == ["read back on a new connection: it took effect"]


def test_connection_lost_in_a_write_that_took_no_effect(chassis, box) -> None:
    chassis.instead("0/0 PED_RANDOM [0,0] 10000", "hang up")
    with pytest.raises(ConnectionLost) as raised:
        box.apply(AB, Conditions.of(loss("1 %")))
    assert not raised.value.state_known
    assert raised.value.__notes__ == ["read back on a new connection: it had not taken effect"]
    box.apply(AB, Conditions.of(loss("1 %")))


def test_mute_chassis_is_given_up_at_the_deadline(chassis, address) -> None:
    def fall_silent() -> str:
        chassis.instead("SYNC", lambda: None)
        return "<OK>"

    with connect(address, "xena-chimera", timeout_ns=500 * MS) as box:
        chassis.instead("0/0 PED_RANDOM [0,0] 10000", fall_silent)
        with pytest.raises(PartialResponse) as raised:
            box.apply(AB, Conditions.of(loss("1 %")))
        assert "had not taken effect" in raised.value.__notes__[0]
        box.apply(AB, Conditions.of(loss("1 %")))


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ("<NOTVALID>", InstrumentExecutionError, 6),
        ("<NOTWRITABLE>", InstrumentExecutionError, 4),
        ("<BADVALUE>", InstrumentExecutionError, 14),
        ("<BADSIZE>", InstrumentExecutionError, 13),
        ("<NOTSUPPORTED>", InstrumentExecutionError, 19),
        ("<NOLICPE>", InstrumentExecutionError, 17),
        ("<BADPARAMETER>", InstrumentCommandError, 9),
        ("<BADMODULE>", InstrumentCommandError, 10),
        ("<BADPORT>", InstrumentCommandError, 11),
        ("<BADINDEX>", InstrumentCommandError, 12),
        ("#Index error", InstrumentCommandError, 0),
        ("---^\n#Syntax error in column 4", InstrumentCommandError, 0),
        ("#Internal deparse error", InstrumentDeviceError, 0),
        ("<FAILED>", InstrumentDeviceError, 15),
        ("<MEMORYFAILURE>", InstrumentDeviceError, 16),
    ],
)
def test_refusal_has_its_class_and_number_and_what_was_there_is_there_again(chassis, box, answer, kind, code) -> None:
    before = Conditions.of(delay("5 ms"), loss("3 %"))
    box.apply(AB, before)
    chassis.instead("0/0 PED_RANDOM [0,0] 10000", answer)
    with pytest.raises(InstrumentError) as raised:
        box.apply(AB, Conditions.of(delay("7 ms"), loss("1 %")))
    assert type(raised.value) is kind
    assert raised.value.code == code
    assert raised.value.state_known
    assert raised.value.__notes__ == ["what was programmed before is programmed again"]
    assert box.read(AB).conditions == before


def test_pending_is_asked_again_until_it_is_done(chassis, box) -> None:
    chassis.instead("0/0 PED_RANDOM", "<PENDING>", times=3)
    chassis.instead("0/0 PED_ENABLE [0,0] ?", "<PENDING>", times=2)
    box.apply(AB, Conditions.of(loss("1 %")))
    assert box.read(AB).conditions == Conditions.of(loss("1 %"))
    assert chassis.sent("PED_RANDOM", "PED_ENABLE")[-2:] == ["0/0 PED_RANDOM [0,0] 10000", "0/0 PED_ENABLE [0,0] ON"]


def test_pending_for_ever_is_given_up(chassis, address) -> None:
    with connect(address, "xena-chimera", timeout_ns=300 * MS) as box:
        chassis.instead("0/0 PED_RANDOM", "<PENDING>", times=10_000)
        with pytest.raises(InstrumentExecutionError, match="PENDING"):
            box.apply(AB, Conditions.of(loss("1 %")))


@pytest.mark.parametrize(
    "reply",
    [
        "0/0  PED_ENABLE  [0,1]  ON",
        "0/1  PED_ENABLE  [0,0]  ON",
        "0/0  PED_ENABLE  [0,0]  PERHAPS",
        "0/0  PED_ENABLE  [0,0]  ON  OFF",
        "0/0  PED_ENABLE  [0,0]",
        "<OK>",
        "<OK>\n<OK>",
        "garbage",
    ],
)
def test_answer_to_another_question_is_not_taken_for_one(chassis, box, reply) -> None:
    chassis.instead("0/0 PED_ENABLE [0,0] ?", reply)
    with pytest.raises(MalformedResponse):
        box.read(AB)
    assert box.read(AB).conditions == NEUTRAL, "on a new connection"
    assert chassis.sessions == 2


def test_two_distributions_at_once_are_not_read_as_either(chassis, box) -> None:
    chassis.values |= {
        ("0/0", "PED_ENABLE", "0,0"): "ON", ("0/0", "PED_FIXED", "0,0"): "1", ("0/0", "PED_RANDOM", "0,0"): "1",
    }  # fmt: skip
    with pytest.raises(MalformedResponse, match="several distributions"):
        box.read(AB)


def test_chassis_without_a_free_session(chassis, address) -> None:
    chassis.instead("C_LOGON", "<NOCONNECTIONS>")
    with pytest.raises(SessionLimit):
        connect(address, "xena-chimera")


def test_serial_number_that_is_not_expected(address) -> None:
    with pytest.raises(IdentityMismatch, match="4711"):
        connect(address, "xena-chimera", serial="4712")


def test_another_module_after_a_reconnection_is_noticed(chassis, box) -> None:
    chassis.instead("0 M_LATENCYMODE ?", "hang up")
    with pytest.raises(ConnectionLost):
        box.read(AB)
    chassis.values["0", "M_SERIALNO", ""] = "4712"
    with pytest.raises(IdentityMismatch, match="4711"):
        box.read(AB)


def test_locked_box_that_somebody_else_has_after_a_reconnection(chassis, box, other) -> None:
    box.lock()
    chassis.instead("0 M_LATENCYMODE ?", "hang up")
    with pytest.raises(ConnectionLost):
        box.read(AB)
    other("0/0", owner="eve")
    with pytest.raises(LockedByOther, match="eve"):
        box.read(AB)


def test_port_that_our_own_lost_session_still_has_is_waited_for(chassis, box, other) -> None:
    box.apply(AB, Conditions.of(loss("1 %")))
    chassis.instead("0 M_LATENCYMODE ?", "hang up")
    with pytest.raises(ConnectionLost):
        box.read(AB)
    other("0/0", "0/1", owner="lab1")

    def noticed() -> None:
        chassis.owners.clear()
        return '0/0  P_RESERVEDBY  "lab1"'

    chassis.instead("0/0 P_RESERVEDBY ?", noticed)
    box.apply(AB, Conditions.of(loss("2 %")))
    assert chassis.sent("P_RESERVATION")[-2:] == ["0/0 P_RESERVATION RESERVE", "0/1 P_RESERVATION RESERVE"]


def test_port_that_another_session_of_our_name_has_is_not_taken(chassis, address, other) -> None:
    with connect(address, "xena-chimera", timeout_ns=300 * MS) as box:
        other("0/0", owner="lab1")
        with pytest.raises(LockedByOther, match="lab1"):
            box.apply(AB, Conditions.of(loss("1 %")))
        assert chassis.sent("P_RESERVATION") == []


def test_no_chimera_at_all_is_refused_and_the_connection_closed(chassis, address) -> None:
    chassis.instead("0/0 PE_LATENCYRANGE", "<NOTSUPPORTED>")
    with pytest.raises(InstrumentExecutionError, match="NOTSUPPORTED"):
        connect(address, "xena-chimera")


def test_close_after_the_chassis_has_gone_is_quiet(chassis, address) -> None:
    box = connect(address, "xena-chimera", timeout_ns=300 * MS)
    box.apply(AB, Conditions.of(loss("1 %")))
    chassis.instead("0/0 P_RESERVATION", "hang up", times=3)
    box.close()
    box.close()
