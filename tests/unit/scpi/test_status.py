"""The status model through the commands that a controller uses."""

from collections.abc import Callable

import pytest

from impairlab.sim_hardware.scpi import Instrument, ScpiError, Session, StatusByte

Ask = Callable[[str], str]


def test_power_on_sets_pon_once_and_enables_nothing(ask: Ask) -> None:
    assert ask("*STB?;*ESR?;*ESE?;*SRE?") == "0;128;0;0"
    assert ask("*ESR?") == "0"


def test_service_request_enable_ignores_bit_6(ask: Ask) -> None:
    assert ask("*SRE 255;*SRE?") == "191"


@pytest.mark.parametrize("message", ["*ESE 256", "*ESE -1", "*SRE 256", "STAT:OPER:ENAB 65536"])
def test_register_out_of_range_is_refused_and_unchanged(ask: Ask, message: str) -> None:
    ask(message)
    assert ask("SYST:ERR:CODE?") == "-222"
    assert ask("*ESE?;*SRE?;:STAT:OPER:ENAB?") == "0;0;0"


def test_error_class_reaches_the_event_register(ask: Ask) -> None:
    ask("*CLS")
    ask("NONSENSE")
    ask("LAMP:LEV 7")
    assert ask("*ESR?") == str(32 + 16)


def test_scpi_register_never_shows_bit_15(ask: Ask) -> None:
    assert ask("STAT:QUES:ENAB #HFFFF;ENAB?;PTR?;NTR?") == "32767;32767;0"


def test_event_latches_rises_and_falls_as_filtered(ask: Ask, instrument: Instrument) -> None:
    group = instrument.status.questionable
    ask("STAT:QUES:PTR 1;NTR 2")
    group.raise_bits(3)
    group.lower_bits(3)
    assert ask("STAT:QUES:COND?;EVEN?") == "0;3"
    assert ask("STAT:QUES?") == "0"
    group.raise_bits(1)
    assert ask("STAT:QUES?") == "1"
    group.raise_bits(1)
    assert ask("STAT:QUES?") == "0", "it was raised already"
    group.lower_bits(1)
    group.raise_bits(2)
    assert ask("STAT:QUES:COND?;EVEN?") == "2;0"


def test_preset_touches_neither_events_nor_queue(ask: Ask, instrument: Instrument) -> None:
    ask("STAT:OPER:ENAB 8;NTR 8;:STAT:QUES:PTR 0")
    instrument.status.operation.raise_bits(8)
    instrument.report(ScpiError(-240))
    ask("STAT:PRES")
    assert ask("STAT:OPER:ENAB?;NTR?;EVEN?;:STAT:QUES:PTR?;:SYST:ERR:COUN?") == "0;0;8;32767;1"


def test_summary_chain_ends_in_mss(ask: Ask, instrument: Instrument) -> None:
    ask("STAT:OPER:ENAB 8;*SRE 128")
    assert ask("*STB?") == "0"
    instrument.status.operation.raise_bits(8)
    assert ask("*STB?") == str(128 + 64)
    assert ask("STAT:OPER?;*STB?") == f"8;{StatusByte.MESSAGE_AVAILABLE:d}"


def test_error_available_and_event_summary(ask: Ask) -> None:
    ask("*CLS;*ESE 32;*SRE 36")
    ask("NONSENSE")
    assert ask("*STB?") == str(4 + 32 + 64)
    ask("*CLS")
    assert ask("*STB?;*ESE?;*SRE?") == "0;32;36"


def test_service_is_requested_once_for_each_new_reason(ask: Ask, session: Session, instrument: Instrument) -> None:
    ask("*CLS;*ESE 32;*SRE 36")
    assert not session.service_requested
    ask("NONSENSE")
    assert session.service_requested
    assert session.serial_poll() == 4 + 32 + 64
    assert session.serial_poll() == 4 + 32, "RQS is cleared by the poll, MSS is not shown"
    assert ask("*STB?") == str(4 + 32 + 64), "*STB? shows MSS still"
    assert not session.service_requested
    ask("*ESR?")
    assert not session.service_requested
    ask("NONSENSE")
    assert session.service_requested, "the event summary is a new reason again"


def test_power_cycle_forgets_enables_unless_told_not_to(instrument: Instrument) -> None:
    instrument.open_session("a").feed(b"*ESE 3;*SRE 5;:NONSENSE\n")
    instrument.power_cycle()
    session = instrument.open_session("b")
    assert session.feed(b"*ESR?;*ESE?;*SRE?;:SYST:ERR?\n") == b'128;0;0;0,"No error"\n'
    session.feed(b"*ESE 3;*SRE 5;*PSC 0\n")
    instrument.power_cycle()
    assert instrument.open_session("c").feed(b"*ESE?;*SRE?;*PSC?\n") == b"3;5;0\n"
