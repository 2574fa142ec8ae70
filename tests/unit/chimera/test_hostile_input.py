"""Anything at all may arrive: every line is answered, and nothing of it stays."""

from collections.abc import Iterator
from struct import pack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impairlab.sim_hardware.chimera.binary import BinaryConversation
from impairlab.sim_hardware.chimera.chassis import Chassis, Settings
from impairlab.sim_hardware.chimera.parameters import SyntaxProblem
from impairlab.sim_hardware.chimera.syntax import parse
from impairlab.sim_hardware.chimera.table import BY_CODE, COMMANDS
from impairlab.sim_hardware.chimera.text import TextConversation
from impairlab.sim_hardware.planes.null import NullPlane

RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

words = st.one_of(
    st.integers(-(10**25), 10**25).map(str),
    st.sampled_from(
        ["ON", "OFF", "AND", "INCLUDE", "IP4", "L2", "INFINITE", "?", "0xFF", '"a"', '"', "10.0.0.1", "::1"]
    ),
    st.text(st.characters(codec="latin-1", exclude_characters="\n"), max_size=8),
)
indices = st.lists(st.integers(0, 70), max_size=4).map(lambda numbers: f"[{','.join(map(str, numbers))}]")
places = st.sampled_from(["", "0", "0/0", "0/1", "0/7", "9/9", "*", "0/*", "-/-", "0/-"])
lines = st.one_of(
    st.text(st.characters(codec="latin-1", exclude_characters="\n"), max_size=60),
    st.builds(
        lambda place, name, brackets, values: " ".join([place, name, brackets, *values]),
        places,
        st.sampled_from(sorted(COMMANDS)),
        indices,
        st.lists(words, max_size=6),
    ),
)


@pytest.fixture
def chassis() -> Chassis:
    return Chassis(NullPlane(("1", "2")), Settings(), lambda: 0)


@pytest.fixture
def text(chassis: Chassis) -> Iterator[TextConversation]:
    conversation = TextConversation(chassis, "test")
    logon = b'C_LOGON "xena"\nC_OWNER "x"\n0/0 P_RESERVATION RESERVE\n0/0 P_EMULATE ON\n0 M_RESERVATION RESERVE\n'
    assert b"".join(conversation.receive(logon)) == b"<OK>\n" * 5
    yield conversation
    conversation.close()


@given(line=lines)
@RELAXED
def test_every_line_is_answered_in_whole_lines(text: TextConversation, line: str) -> None:
    answer = b"".join(text.receive(line.encode("latin-1") + b"\n"))
    is_silent = not line.split() or line.lstrip().startswith(";")
    assert is_silent or answer.endswith(b"\n")
    assert b"".join(text.receive(b"SYNC\n")).endswith(b"<SYNC>\n")


@given(text_line=lines)
@RELAXED
def test_the_parser_points_into_the_line(text_line: str) -> None:
    assert 1 <= column_of(text_line) <= len(text_line) + 1


def column_of(line: str) -> int:
    """Return where the parser finds fault; 1 where it finds none."""
    try:
        parse(line)
    except SyntaxProblem as problem:
        return problem.column
    return 1


@given(pieces=st.lists(st.binary(max_size=2000), max_size=30))
@RELAXED
def test_a_line_that_never_ends_takes_no_memory(text: TextConversation, pieces: list[bytes]) -> None:
    for piece in pieces:
        for _ in text.receive(piece.replace(b"\n", b" ") * 40):
            pass
    assert len(text._lines._held) <= 65_537


@given(
    asked=st.tuples(st.one_of(st.sampled_from(sorted(BY_CODE)), st.integers(0, 4095)), st.integers(0, 15)),
    place=st.tuples(st.integers(0, 255), st.integers(0, 255)),
    numbers=st.lists(st.one_of(st.integers(0, 8), st.integers(0, 2**32 - 1)), max_size=4),
    values=st.one_of(st.binary(max_size=40), st.binary(min_size=12000, max_size=12001)),
)
@RELAXED
def test_every_message_is_answered_with_one(
    chassis: Chassis, asked: tuple[int, int], place: tuple[int, int], numbers: list[int], values: bytes
) -> None:
    code, kind = asked
    told: list[bytes] = []
    conversation = BinaryConversation(chassis, "test", lambda _, content: told.append(content))
    command = (code & 0xF00) << 4 | kind << 8 | code & 0xFF
    header = pack("!4sHHHBBI", b"XENA", len(numbers), len(values), command, *place, 77)
    logon = pack("!4sHHHBBI", b"XENA", 0, 4, 0x301, 255, 255, 76) + b"xena"
    body = b"".join(pack("!I", number) for number in numbers) + values + bytes(-len(values) % 4)
    first, second = conversation.receive(logon + header + body)
    assert first[12:16] == pack("!I", 76)
    assert second[12:16] == pack("!I", 77)
    assert not conversation._held
    conversation.close()


@given(data=st.binary(max_size=300))
@RELAXED
def test_bytes_that_are_no_messages_end_the_conversation_or_wait(chassis: Chassis, data: bytes) -> None:
    told: list[bytes] = []
    conversation = BinaryConversation(chassis, "test", lambda _, content: told.append(content))
    answers = list(conversation.receive(data))
    if len(data) >= 16 and not data.startswith(b"XENA"):
        assert len(answers) == 1
        assert conversation.is_over
    conversation.close()
