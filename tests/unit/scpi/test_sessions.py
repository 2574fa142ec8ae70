"""Sessions: order of execution, held replies, locks, limits and device clear, all on model time."""

from collections.abc import Callable

import pytest

from impairlab.sim_hardware.scpi import AfterCommandError, ErrorQueues, Instrument, Personality, Session, syntax

Ask = Callable[[str], str]
MILLISECOND = 1_000_000


class Time:
    """What the tests move by hand."""

    now: int


def test_opc_query_holds_its_reply_and_those_behind_it(session: Session, clock: Time) -> None:
    assert session.feed(b"LAMP:GLOW 0.010;*OPC?;:LAMP:HOUR?\n") == b""
    assert session.feed(b"SYST:VERS?\n") == b"", "replies keep their order"
    clock.now = 10 * MILLISECOND - 1
    assert session.poll() == b""
    clock.now = 10 * MILLISECOND
    assert session.poll() == b"1;12\n1999.0\n"


def test_opc_query_does_not_hold_the_parser(session: Session) -> None:
    assert session.feed(b"LAMP:GLOW 10;*OPC?\n") == b""
    assert session.feed(b"LAMP:LEV 0.25\n*RST\n*OPC?\n") == b"1\n", "*RST aborts and cancels the waiting *OPC?"


def test_wai_holds_the_parser(session: Session, instrument: Instrument, clock: Time) -> None:
    other = instrument.open_session("other")
    assert session.feed(b"LAMP:GLOW 0.010;*WAI;:LAMP:LEV 0.25;LEV?\n*OPC?\n") == b""
    assert not session.accepts_input
    assert other.feed(b"LAMP:LEV?\n") == b"0.5\n"
    clock.now = 10 * MILLISECOND
    assert session.poll() == b"0.25\n1\n"
    assert session.accepts_input


def test_opc_sets_its_bit_when_the_last_operation_ends(ask: Ask, clock: Time) -> None:
    ask("*CLS;LAMP:GLOW 0.010;GLOW 0.020;*OPC")
    clock.now = 10 * MILLISECOND
    assert ask("*ESR?") == "0"
    clock.now = 20 * MILLISECOND
    assert ask("*ESR?") == "1"
    assert ask("*ESR?") == "0"


def test_opc_without_operation_is_complete_at_once(ask: Ask) -> None:
    assert ask("*CLS;*OPC;*ESR?;*OPC?") == "1;1"


@pytest.mark.parametrize("canceller", ["*CLS", "*RST"])
def test_cls_and_rst_cancel_opc(ask: Ask, clock: Time, canceller: str) -> None:
    ask("*ESR?;LAMP:GLOW 0.010;*OPC")
    ask(canceller)
    clock.now = 10 * MILLISECOND
    assert ask("*ESR?") == "0"


def test_reset_spares_status_and_errors(ask: Ask) -> None:
    ask("*ESE 3;*SRE 5;LAMP:LEV 0.25;:NONSENSE")
    ask("*RST")
    assert ask("LAMP:LEV?;*ESE?;*SRE?;:SYST:ERR:COUN?") == "0.5;3;5;1"


def test_an_operation_ends_from_outside_too(instrument: Instrument, session: Session) -> None:
    told: list[str] = []
    stop = instrument.listen(lambda: told.append("something may go on"))
    operation = instrument.operations.start("outside", on_complete=lambda: told.append("effect"))
    assert session.feed(b"*OPC?\n") == b""
    told.clear()
    operation.complete()
    operation.complete()
    assert told == ["effect", "something may go on"]
    assert session.poll() == b"1\n"
    stop()
    instrument.operations.start("later")
    assert len(told) == 2


def test_an_aborted_operation_has_no_effect(instrument: Instrument, session: Session, ask: Ask) -> None:
    ask("LAMP:FLAS 1")
    assert ask("STAT:OPER:COND?") == "8"
    instrument.operations.pending[0].abort()
    assert instrument.operations.idle
    assert session.feed(b"*OPC?\n") == b"1\n"
    assert ask("STAT:OPER:COND?") == "8", "the effect of completing did not happen"


def test_device_clear_forgets_what_waits_and_keeps_the_rest(session: Session, ask: Ask) -> None:
    ask("*CLS;LAMP:LEV 0.25;:NONSENSE;")
    session.feed(b"LAMP:GLOW 1;*WAI\nLAMP:LEV 0.75\nSYST:VERS?\nhalf a mess")
    session.clear()
    assert session.poll() == b""
    assert ask("LAMP:LEV?;:SYST:ERR:COUN?") == "0.25;1"


def test_nothing_may_follow_an_indefinite_answer(ask: Ask) -> None:
    assert ask("SYST:VERS?;*IDN?;*OPC?") == "1999.0;impairlab,Lamp,L1,1.0"
    assert ask("SYST:ERR:CODE?") == "-440"
    assert ask("*IDN?") == "impairlab,Lamp,L1,1.0"


def test_rest_of_a_message_is_skipped_after_a_command_error_only(ask: Ask) -> None:
    assert ask("LAMP:LEV?;NONSENSE;LEV?") == "0.5"
    assert ask("LAMP:LEV?;LEV 7;LEV?") == "0.5;0.5"
    assert ask("SYST:ERR:ALL?").count(",") == 3


def test_personality_continues_after_a_command_error(lamp_with: Callable[[Personality], Instrument]) -> None:
    instrument = lamp_with(Personality(after_command_error=AfterCommandError.CONTINUE))
    session = instrument.open_session("x")
    assert session.feed(b"SYST:VERS?;=;:SYST:VERS?;VERS? 1;VERS?\n") == b"1999.0;1999.0;1999.0\n"
    assert session.feed(b"SYST:ERR:COUN?\n") == b"2\n"


def test_error_queue_is_shared_or_not(lamp_with: Callable[[Personality], Instrument]) -> None:
    for queues, seen in ((ErrorQueues.SHARED, b"-113\n"), (ErrorQueues.PER_SESSION, b"0\n")):
        instrument = lamp_with(Personality(error_queues=queues))
        first, second = instrument.open_session("1"), instrument.open_session("2")
        first.feed(b"NONSENSE\n")
        assert second.feed(b"SYST:ERR:CODE?\n") == seen


def test_lock_lets_others_ask_and_not_set(instrument: Instrument, ask: Ask) -> None:
    other = instrument.open_session("second")
    assert ask("SYST:LOCK:OWN?;REQ?;REQ?;OWN?;NAME?") == '"NONE";1;1;"first";"first"'
    assert other.feed(b"SYST:LOCK:REQ?;:LAMP:LEV 0.25;LEV?;*RST\n") == b"0;0.5\n"
    assert other.feed(b"SYST:ERR:CODE?;CODE?;:STAT:OPER:COND?\n") == b"-203;-203;1024\n"
    ask("SYST:LOCK:REL")
    assert other.feed(b"SYST:LOCK:REQ?\n") == b"0\n", "each request needs its release"
    ask("SYST:LOCK:REL;REL")
    assert other.feed(b"SYST:LOCK:OWN?;REQ?;REL\n") == b'"NONE";1\n'


def test_closing_a_session_releases_its_lock(instrument: Instrument, ask: Ask) -> None:
    with instrument.open_session("second") as other:
        assert other.feed(b"SYST:LOCK:REQ?;REQ?\n") == b"1;1\n"
    assert ask("SYST:LOCK:OWN?;:STAT:OPER:COND?") == '"NONE";0'
    assert len(instrument.sessions) == 1


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_overlong_message_is_dropped_whole(lamp_with: Callable[[Personality], Instrument], size: int) -> None:
    session = lamp_with(Personality(input_buffer=100)).open_session("x")
    stream = b"LAMP:LEV 0.25" + b" " * 200 + b";:LAMP:LEV 0.75\nLAMP:LEV?\n"
    answered = b"".join(session.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    assert answered == b"0.5\n"
    assert session.feed(b"SYST:ERR:ALL?\n") == b'-363,"Input buffer overrun"\n'


def test_block_longer_than_the_buffer_is_passed_over(lamp_with: Callable[[Personality], Instrument]) -> None:
    session = lamp_with(Personality(input_buffer=100)).open_session("x")
    assert session.feed(b"LAMP:LEV #3300" + b"*RST\n" * 60 + b"\nLAMP:LEV?\n") == b"0.5\n"
    assert session.feed(b"SYST:ERR:CODE?;CODE?\n") == b"-363;0\n"


def test_output_behind_a_held_reply_waits_and_then_holds_the_parser(
    lamp_with: Callable[[Personality], Instrument],
) -> None:
    instrument = lamp_with(Personality(output_queue=100))
    session = instrument.open_session("x")
    operation = instrument.operations.start("long")
    assert session.feed(b"*OPC?\n" + b"SYST:VERS?\n" * 20) == b""
    assert not session.accepts_input
    assert session.output.size < 110
    operation.complete()
    assert session.poll() == b"1\n" + b"1999.0\n" * 20
    assert session.feed(b"SYST:ERR:CODE?\n") == b"0\n"


def test_both_buffers_full_drops_the_output(lamp_with: Callable[[Personality], Instrument]) -> None:
    instrument = lamp_with(Personality(output_queue=100, input_buffer=100))
    session = instrument.open_session("x")
    operation = instrument.operations.start("long")
    assert session.feed(b"*OPC?\n" + b"SYST:VERS?\n" * 40) != b"", "what came after the drop is answered"
    operation.complete()
    assert session.feed(b"SYST:ERR:CODE?\n").endswith(b"-430\n")


def test_long_answer_of_one_message_comes_in_parts(lamp_with: Callable[[Personality], Instrument]) -> None:
    session = lamp_with(Personality(output_queue=100)).open_session("x")
    session.write(b"SYST:VERS?" + b";VERS?" * 99 + b"\n")
    parts = session.read()
    assert len(parts[0]) <= 110
    while session.is_ready:
        session.write(b"")
        parts += session.read()
        assert session.output.size <= 110
    assert b"".join(parts) == b";".join([b"1999.0"] * 100) + b"\n"


def test_turn_executes_so_many_units_and_leaves_the_rest(session: Session) -> None:
    session.turn_units = 3
    assert session.turn(b"SYST:VERS?\n" * 4 + b"SYST:VERS?;VERS?;VERS?;VERS?\n") == b"1999.0\n" * 3
    assert session.is_ready
    assert session.turn(b"") == b"1999.0\n", "two of the four of the next message are done"
    assert session.turn(b"") == b"1999.0;1999.0;1999.0;1999.0\n"
    assert not session.is_ready


def test_long_message_is_read_as_it_is_executed(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    read_unit = syntax.read_unit
    monkeypatch.setattr(syntax, "read_unit", lambda text, at, most: (read.append(at), read_unit(text, at, most))[1])
    session.turn_units = 3
    session.turn(b"*CLS;" * 1000 + b"*OPC?\n")
    assert len(read) == 4
    while session.is_ready:
        answer = session.turn(b"")
    assert (len(read), answer) == (1001, b"1\n")


@pytest.mark.parametrize(("longest", "code"), [(15, b"-112"), (16, b"-113")])
def test_how_long_a_mnemonic_may_be_is_a_matter_of_personality(
    lamp_with: Callable[[Personality], Instrument], longest: int, code: bytes
) -> None:
    session = lamp_with(Personality(longest_mnemonic=longest)).open_session("x")
    session.feed(b"LAMPLIGHTFIXTURE:LEV 1\n")
    assert session.feed(b"SYST:ERR?\n").startswith(code + b",")


def test_block_longer_than_the_buffer_is_refused_by_its_header(
    lamp_with: Callable[[Personality], Instrument],
) -> None:
    session = lamp_with(Personality(input_buffer=100)).open_session("x")
    assert session.feed(b"LAMP:LEV #9999999999") == b""
    assert session.errors.pop().code == -363
    session.feed(b"*RST\n*IDN?\n")
    assert session.is_in_block
    session.give_up_block()
    assert session.feed(b"LAMP:LEV?\n") == b"0.5\n"
    assert session.feed(b"SYST:ERR:CODE?\n") == b"0\n", "it was refused already"


def test_block_that_does_not_go_on_is_given_up(session: Session) -> None:
    session.feed(b"LAMP:LEV #15ab")
    session.give_up_block()
    assert session.feed(b"LAMP:LEV?;:SYST:ERR:CODE?\n") == b"0.5;-161\n"


def test_no_query_no_output(session: Session) -> None:
    assert session.feed(b"LAMP:LEV 0.25\n\n;;\r\n  \n*CLS\n") == b""
    assert session.feed(b"SYST:ERR:CODE?\n") == b"0\n"


def test_header_list_names_every_command(ask: Ask) -> None:
    headers = ask("SYST:HELP:HEAD?")
    assert headers.startswith("#3")
    assert {"*IDN?", ":SYSTem:ERRor[:NEXT]?", ":LAMP<lamp>:COLour?"} <= set(headers[5:].split("\n"))
