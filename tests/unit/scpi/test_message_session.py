"""The message exchange protocol: END, read requests, query errors, triggers and device clear."""

from collections.abc import Callable

import pytest

from impairlab.sim_hardware.scpi import Instrument, Personality
from impairlab.sim_hardware.scpi.message_session import Chunk, MessageSession

QUERY_ERROR = 4
SECOND_NS = 1_000_000_000


@pytest.fixture
def exchange(instrument: Instrument) -> MessageSession:
    session = instrument.open_session("message transport")
    session.feed(b"*CLS\n")
    return MessageSession(session)


def read_all(exchange: MessageSession) -> bytes | None:
    chunk = exchange.read(4096)
    assert chunk is None or chunk.end
    return None if chunk is None else chunk.data


def ask(exchange: MessageSession, message: bytes) -> bytes | None:
    exchange.write(message, end=True)
    return read_all(exchange)


def errors(exchange: MessageSession) -> list[int]:
    """The error numbers, told by another session so that asking changes nothing here."""
    with exchange.session.instrument.open_session("inspector") as inspector:
        numbers = []
        while code := int(inspector.feed(b"SYST:ERR:CODE?\n")):
            numbers.append(code)
        return numbers


@pytest.mark.parametrize("writes", [[b"*IDN?\n"], [b"*IDN?"], [b"*IDN?\r\n"], [b"*ID", b"N?"], [b"*IDN?", b""]])
def test_end_terminates_with_or_without_new_line(exchange: MessageSession, writes: list[bytes]) -> None:
    for number, data in enumerate(writes, 1):
        exchange.write(data, end=number == len(writes))
    assert read_all(exchange) == b"impairlab,Lamp,L1,1.0\n"
    assert errors(exchange) == []


def test_new_line_terminates_without_end(exchange: MessageSession) -> None:
    exchange.write(b"*IDN?\n", end=False)
    assert read_all(exchange) == b"impairlab,Lamp,L1,1.0\n"


def test_response_is_read_in_pieces_and_end_marks_the_last(exchange: MessageSession) -> None:
    exchange.write(b"LAMP:HOUR?;LEV?", end=True)
    assert [exchange.read(3) for _ in range(3)] == [Chunk(b"12;", False), Chunk(b"0.5", False), Chunk(b"\n", True)]
    exchange.write(b"LAMP:HOUR?", end=True)
    assert exchange.read(3) == Chunk(b"12\n", True)


def test_reading_stops_behind_a_byte_that_is_named(exchange: MessageSession) -> None:
    exchange.write(b"*IDN?", end=True)
    assert exchange.read(4096, b",") == Chunk(b"impairlab,", end=False)
    assert exchange.read(3, b",") == Chunk(b"Lam", end=False)
    assert exchange.read(4096, b"\n") == Chunk(b"p,L1,1.0\n", end=True)


def test_indefinite_block_runs_to_end(exchange: MessageSession) -> None:
    exchange.write(b"LAMP:LEV #0*RST\n", end=False)
    exchange.write(b"NONSENSE\n", end=True)
    assert errors(exchange) == [-104], "one command with a block, no second message"


def test_interrupted_drops_the_response_and_executes_the_new_message(exchange: MessageSession) -> None:
    exchange.write(b"*IDN?", end=True)
    assert ask(exchange, b"LAMP:HOUR?") == b"12\n"
    assert errors(exchange) == [-410]
    assert exchange.session.instrument.status.read_event() == QUERY_ERROR


def test_response_read_in_part_is_interrupted_too(exchange: MessageSession) -> None:
    exchange.write(b"*IDN?", end=True)
    exchange.read(4)
    assert ask(exchange, b"LAMP:HOUR?") == b"12\n"
    assert errors(exchange) == [-410]


def test_second_message_of_one_write_interrupts_the_first(exchange: MessageSession) -> None:
    assert ask(exchange, b"*IDN?\nLAMP:HOUR?\n") == b"12\n"
    assert errors(exchange) == [-410]


def test_first_byte_of_a_message_interrupts(exchange: MessageSession) -> None:
    exchange.write(b"*IDN?", end=True)
    exchange.write(b"LAMP", end=False)
    assert not exchange.message_available
    assert errors(exchange) == [-410]


def test_message_without_query_interrupts_as_well(exchange: MessageSession) -> None:
    exchange.write(b"*IDN?", end=True)
    exchange.write(b"LAMP:LEV 0.25", end=True)
    assert not exchange.expects_response
    assert errors(exchange) == [-410]


def test_white_space_is_no_message(exchange: MessageSession) -> None:
    exchange.write(b"*IDN?", end=False)
    exchange.write(b"\r\n", end=True)
    exchange.write(b"\n", end=True)
    assert read_all(exchange) == b"impairlab,Lamp,L1,1.0\n"
    assert errors(exchange) == []


def test_response_that_has_been_read_is_not_interrupted(exchange: MessageSession) -> None:
    assert ask(exchange, b"*IDN?") == b"impairlab,Lamp,L1,1.0\n"
    assert ask(exchange, b"LAMP:HOUR?") == b"12\n"
    assert errors(exchange) == []


def test_held_opc_query_is_interrupted(exchange: MessageSession, clock) -> None:
    exchange.write(b"LAMP:FLAS 1;*OPC?", end=True)
    assert ask(exchange, b"LAMP:HOUR?") == b"12\n"
    clock.now = SECOND_NS
    assert read_all(exchange) is None
    assert errors(exchange) == [-410, -420]


def test_held_opc_query_is_awaited_without_an_error(exchange: MessageSession, clock) -> None:
    exchange.write(b"LAMP:FLAS 1;*OPC?", end=True)
    assert exchange.read(10) is None
    assert exchange.expects_response
    assert not exchange.message_available
    clock.now = SECOND_NS
    assert exchange.message_available
    assert read_all(exchange) == b"1\n"
    assert errors(exchange) == []


def test_message_behind_wai_interrupts_when_its_turn_comes(exchange: MessageSession, clock) -> None:
    exchange.write(b"LAMP:FLAS 1;*WAI;:LAMP:HOUR?", end=True)
    exchange.write(b"SYST:VERS?", end=True)
    assert errors(exchange) == []
    clock.now = SECOND_NS
    assert read_all(exchange) == b"1999.0\n"
    assert errors(exchange) == [-410]


def test_unterminated_is_told_once_until_something_is_written(exchange: MessageSession) -> None:
    assert exchange.read(10) is None
    assert exchange.read(10) is None
    assert errors(exchange) == [-420]
    assert exchange.session.instrument.status.read_event() == QUERY_ERROR
    exchange.write(b"LAMP:LEV 0.25", end=True)
    assert exchange.read(10) is None
    assert errors(exchange) == [-420]


def test_message_without_its_end_is_unterminated_and_can_still_be_ended(exchange: MessageSession) -> None:
    exchange.write(b"LAMP:HO", end=False)
    assert exchange.read(10) is None
    assert errors(exchange) == [-420]
    assert ask(exchange, b"UR?") == b"12\n"


def test_nothing_may_be_asked_after_an_indefinite_answer(exchange: MessageSession) -> None:
    assert ask(exchange, b"*IDN?;*OPC?") == b"impairlab,Lamp,L1,1.0\n"
    assert exchange.session.instrument.status.read_event() == QUERY_ERROR
    assert errors(exchange) == [-440]


def test_full_output_waits_for_the_reader(lamp_with: Callable[[Personality], Instrument]) -> None:
    exchange = MessageSession(lamp_with(Personality(output_queue=20)).open_session("x"))
    exchange.write(b"SYST:VERS?" + b";VERS?" * 99, end=True)
    assert exchange.session.output.size <= 30
    read = b""
    while not (chunk := exchange.read(7)).end:
        read += chunk.data
        assert exchange.session.output.size <= 30
    assert read + chunk.data == b";".join([b"1999.0"] * 100) + b"\n"
    assert errors(exchange) == []


def test_both_buffers_full_is_a_deadlock_that_is_broken(lamp_with: Callable[[Personality], Instrument]) -> None:
    exchange = MessageSession(lamp_with(Personality(output_queue=20, input_buffer=100)).open_session("x"))
    exchange.session.feed(b"*CLS\n")
    exchange.write(b"SYST:VERS?;VERS?;VERS?;VERS?;:LAMP:LEV 0.25", end=True)
    exchange.write(b" " * 90 + b"*SRE 5", end=True)
    exchange.write(b" " * 90 + b"*SRE 6", end=True)
    assert errors(exchange) == []
    exchange.write(b"LAMP:LEV?;:SYST:VERS?;*SRE?", end=True)
    assert read_all(exchange) == b"0.25;1999.0;6\n", "the commands were executed, the response was dropped"
    assert exchange.session.instrument.status.read_event() == QUERY_ERROR
    assert errors(exchange) == [-430]


def test_overlapped_responses_queue_up(instrument: Instrument) -> None:
    exchange = MessageSession(instrument.open_session("x"), overlapped=True)
    for message in (b"LAMP:HOUR?", b"SYST:VERS?", b"LAMP:LEV?"):
        exchange.write(message, end=True)
    assert [read_all(exchange) for _ in range(3)] == [b"12\n", b"1999.0\n", b"0.5\n"]
    assert errors(exchange) == []


def test_trigger_has_its_turn(exchange: MessageSession) -> None:
    exchange.trigger()
    assert errors(exchange) == [-211]
    exchange.write(b"LAMP:FLAS 1;*WAI", end=True)
    exchange.trigger()
    assert errors(exchange) == []


def test_trigger_in_the_middle_of_a_message_is_not_allowed(exchange: MessageSession) -> None:
    exchange.write(b"LAMP:HO", end=False)
    exchange.trigger()
    assert errors(exchange) == [-105]
    assert ask(exchange, b"UR?") == b"12\n"


def test_transport_may_find_an_interruption_itself(exchange: MessageSession) -> None:
    exchange.write(b"*IDN?", end=True)
    exchange.interrupt()
    assert not exchange.message_available
    assert errors(exchange) == [-410]


def test_device_clear_forgets_input_and_output(exchange: MessageSession) -> None:
    exchange.write(b"LAMP:LEV 0.25;NONSENSE;*IDN?\n*SRE 7", end=False)
    exchange.clear()
    assert not exchange.expects_response
    assert ask(exchange, b"LAMP:LEV?;*SRE?") == b"0.25;0\n"
    assert errors(exchange) == [-113], "errors and settings stay, and nothing was interrupted"


def test_device_clear_frees_a_held_parser(exchange: MessageSession) -> None:
    exchange.write(b"LAMP:FLAS 9;*WAI;:LAMP:HOUR?", end=True)
    exchange.write(b"SYST:VERS?", end=True)
    exchange.clear()
    assert ask(exchange, b"LAMP:LEV?") == b"0.5\n"


def test_a_held_parser_tells_when_its_input_buffer_is_full(lamp_with: Callable[[Personality], Instrument]) -> None:
    exchange = MessageSession(lamp_with(Personality(input_buffer=100)).open_session("x"))
    exchange.write(b"LAMP:FLAS 9;*WAI", end=True)
    for _ in range(8):
        assert not exchange.session.input_is_full
        exchange.write(b"LAMP:LEV 0.5", end=True)
    assert exchange.session.input_is_full
    exchange.clear()
    assert not exchange.session.input_is_full


def test_message_available_requests_service_and_a_serial_poll_takes_the_request(exchange: MessageSession) -> None:
    exchange.write(b"*SRE 16", end=True)
    assert not exchange.service_requested
    exchange.write(b"*IDN?", end=True)
    assert exchange.service_requested
    exchange.read(4)
    assert exchange.serial_poll() == 16 + 64
    assert exchange.serial_poll() == 16
    exchange.read(4096)
    assert exchange.serial_poll() == 0
    exchange.write(b"*IDN?", end=True)
    assert exchange.service_requested, "a new response is a new reason"


def test_reason_for_service_that_goes_and_comes_within_one_message_is_a_new_one(exchange: MessageSession) -> None:
    exchange.write(b"*SRE 4;NONSENSE", end=True)
    assert exchange.serial_poll() == 4 + 64
    exchange.write(b"*CLS;NONSENSE", end=True)
    assert exchange.serial_poll() == 4 + 64


def test_overlong_message_is_dropped_and_the_next_one_served(lamp_with: Callable[[Personality], Instrument]) -> None:
    exchange = MessageSession(lamp_with(Personality(input_buffer=100)).open_session("x"))
    for _ in range(100):
        exchange.write(b"x" * 1000, end=False)
    exchange.write(b"*RST", end=True)
    assert ask(exchange, b"LAMP:HOUR?") == b"12\n"
    assert errors(exchange) == [-363]
