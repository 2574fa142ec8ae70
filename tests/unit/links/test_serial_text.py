"""Ends of lines and echoes, however the bytes are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.drivers.links.serial_settings import SerialSettings
from impairlab.drivers.links.serial_text import SerialText


def through(text: SerialText, content: bytes, cut: int) -> bytes:
    return b"".join(text.incoming(content[at : at + cut]) for at in range(0, len(content), cut))


@pytest.mark.parametrize(("end", "sent"), [("lf", b"A?\n"), ("cr", b"A?\r"), ("crlf", b"A?\r\n")])
def test_what_ends_a_message(end, sent):
    assert SerialText(SerialSettings(end=end)).outgoing(b"A?\n") == sent


@given(st.integers(1, 8))
def test_carriage_return_ends_an_answer_with_or_without_a_line_feed_after_it(cut):
    assert through(SerialText(SerialSettings(end="cr")), b"1\r2\r\n3\r\r\n", cut) == b"1\n2\n3\n\n"


@given(
    st.sampled_from(["lf", "cr", "crlf"]),
    st.sampled_from([b"\n", b"\r", b"\r\n"]),
    st.lists(st.text("ab?", min_size=1), min_size=1),
    st.integers(1, 8),
)
def test_echo_is_taken_off(end, echoed_end, asked, cut):
    text = SerialText(SerialSettings(end=end, echo="on"))
    for each in asked:
        text.outgoing(each.encode() + b"\n")
        answer = text_end(end)
        assert through(text, each.encode() + echoed_end + b"1" + answer, cut).replace(b"\r", b"") == b"1\n"


def text_end(end: str) -> bytes:
    return {"lf": b"\n", "cr": b"\r", "crlf": b"\r\n"}[end]


def test_echo_of_what_had_no_answer_is_taken_off_later():
    text = SerialText(SerialSettings(echo="on"))
    for each in (b"\n", b"A 1\n", b"A?\n"):
        text.outgoing(each)
    assert text.incoming(b"A 1\r\nA?\r\n1\r\n") == b"1\r\n", "the empty line was not echoed"


def test_what_is_no_echo_is_shown():
    text = SerialText(SerialSettings(echo="on"))
    text.outgoing(b"*OPC?\n")
    assert text.incoming(b"*OP") == b""
    assert text.incoming(b"U-Boot\n") == b"U-Boot\n"
    assert text.incoming(b"*OPC?\n") == b"*OPC?\n"
