"""Whatever arrives, the instrument stays alive, bounded and able to say what was wrong."""

from hypothesis import given, settings
from hypothesis import strategies as st

from impairlab.sim_hardware.scpi import Device, ErrorQueues, Identity, Instrument, Personality
from impairlab.sim_hardware.scpi.responses import show

KNOWN = st.sampled_from(
    [
        "*IDN?",
        "*OPC?",
        "*CLS",
        "*ESE ",
        "SYST:ERR?",
        ":STAT:OPER:ENAB ",
        "MAX",
        "#H",
        "#15",
        "'",
        '"',
        "(@1,",
        "1E",
        ";",
        ",",
        "\n",
    ]
)
SCPI_LIKE = st.lists(KNOWN | st.text(st.characters(max_codepoint=255), max_size=5), max_size=30).map(
    lambda pieces: "".join(pieces).encode("latin-1")
)


class Plain(Device):
    """Nothing but the common commands."""

    identity = Identity("impairlab", "Plain")


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200) | SCPI_LIKE, max_size=10))
def test_no_input_is_too_strange(chunks: list[bytes]) -> None:
    personality = Personality(input_buffer=500, error_queue_length=4, error_queues=ErrorQueues.PER_SESSION)
    instrument = Instrument(Plain(), personality)
    session = instrument.open_session("fuzz")
    for chunk in chunks:
        answer = session.feed(chunk)
        assert not answer or answer.endswith(b"\n")
        assert len(session.errors) <= 4
    session.clear()
    session.feed(b"*CLS\n")
    assert session.feed(b"*IDN?\n") == b"impairlab,Plain,0,0\n"


@settings(deadline=None)
@given(st.lists(SCPI_LIKE, max_size=10))
def test_held_parser_and_replies_stay_bounded(chunks: list[bytes]) -> None:
    instrument = Instrument(Plain(), Personality(input_buffer=300, output_queue=300))
    session = instrument.open_session("fuzz")
    instrument.operations.start("for ever")
    session.feed(b"*OPC?\n*WAI\n")
    for chunk in chunks * 3:
        session.feed(chunk)
        assert session._backlog_size <= 600
        assert session.output.size <= 300
    instrument.operations.abort_all()
    session.clear()
    assert session.feed(b"*OPC?\n") == b"1\n"


@given(st.text(max_size=50))
def test_string_response_is_seven_bit_and_on_one_pair_of_quotes(text: str) -> None:
    shown = show(text)
    assert shown.isascii()
    assert shown[1:-1].replace('""', "").count('"') == 0
