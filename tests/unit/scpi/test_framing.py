"""Cutting a byte stream into messages, however it is chopped up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.sim_hardware.scpi.framing import Framer, NewLineInString, Overrun

BLOCK = b"DATA #15a\nb\n;\nNEXT\n"


def messages(framer: Framer, *chunks: bytes) -> list[object]:
    return [message for chunk in chunks for message in framer.push(chunk)]


@pytest.mark.parametrize("size", range(1, 20))
def test_block_survives_any_fragmentation(size: int) -> None:
    chunks = [BLOCK[at : at + size] for at in range(0, len(BLOCK), size)]
    assert messages(Framer(100), *chunks) == ["DATA #15a\nb\n;\n", "NEXT\n"]


@pytest.mark.parametrize(
    "stream",
    [b"A '#15' B\n", b"A 'x #15 y' B\n", b"A '#19\n", b"A#19B\n", b"A #2x\n", b"A #H12\n", b"A #\n", b"#0ab\n"],
)
def test_what_is_no_block_hides_no_new_line(stream: bytes) -> None:
    assert messages(Framer(100), stream) == [stream.decode()]


def test_new_line_in_a_string_ends_the_message_or_not() -> None:
    stream = b"A 'x\ny'\nB\n"
    assert messages(Framer(100), stream) == ["A 'x\n", "y'\n", "B\n"]
    assert messages(Framer(100), b"A 'x\nB #13a\nb\n") == ["A 'x\n", "B #13a\nb\n"], "the quote ended too"
    assert messages(Framer(100, NewLineInString.IS_DATA), stream) == ["A 'x\ny'\n", "B\n"]


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(10, 60))
def test_fragmentation_changes_nothing_and_memory_is_bounded(chunks: list[bytes], longest: int) -> None:
    whole, chopped = Framer(longest), Framer(longest)
    for chunk in chunks:
        messages(chopped, chunk)
        assert len(chopped._buffer) <= longest + 12
    chopped.clear()
    kept = [each for each in messages(whole, b"".join(chunks)) if not isinstance(each, Overrun)]
    assert [each for each in messages(chopped, *chunks) if not isinstance(each, Overrun)] == kept


@given(st.lists(st.text("ab,;:'\" ", max_size=9), max_size=9))
def test_plain_lines_come_out_as_they_went_in(lines: list[str]) -> None:
    stream = "".join(f"{line}\n" for line in lines)
    assert messages(Framer(100), stream.encode()) == [f"{line}\n" for line in lines]


@pytest.mark.parametrize("quote", [b"'", b'"'])
def test_string_that_is_open_at_the_end_of_a_piece_goes_on(quote: bytes) -> None:
    framer = Framer(100, NewLineInString.IS_DATA)
    assert messages(framer, b"A " + quote + b"x\n") == []
    assert messages(framer, b"y" + quote + b"\n") == [(b"A " + quote + b"x\ny" + quote + b"\n").decode()]


@pytest.mark.parametrize(
    ("stream", "wanted"),
    [
        (b"#0a\nb\nc", []),
        (b"A #0a\nb", []),
        (b"A 1,#0a\nb", []),
        (b"A#0a\nb", ["A#0a\n"]),
        (b"A #1\n\nb", ["A #1\n", "\n"]),
    ],
)
def test_indefinite_block_runs_to_end_where_end_is_known(stream: bytes, wanted: list[str]) -> None:
    framer = Framer(100)
    framer.end_is_known = True
    assert messages(framer, stream) == wanted
    rest = stream.decode()[sum(map(len, wanted)) :]
    assert framer.end() == f"{rest}\n"
    assert framer.is_between_messages
    assert messages(framer, b"B\n") == ["B\n"]


def test_end_of_a_dropped_message_begins_anew() -> None:
    framer = Framer(10)
    (refused,) = messages(framer, b"x" * 100)
    assert isinstance(refused, Overrun)
    assert framer.end() is None
    assert messages(framer, b"B\n") == ["B\n"]
