"""What a shell writes to a terminal, read as text, whatever is drawn around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.drivers.links.ssh.terminal import answer_of, is_idle_talk, last_line, render, without_echo

PROMPT = "admin@box[engine 1]> "

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=12).map(str.rstrip)
DRAWN = st.sampled_from(
    [
        "",
        "\x1b[0m",
        "\x1b[01;32m",
        "\x1b]0;title\x07",
        "\x1b]2;x\x1b\\",
        "\x1b[?2004h",
        "\x1b(B",
        "\x07",
        "\x1b[K",
        "\0",
    ]
)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("plain", "plain"),
        ("one\r\ntwo\r\r\n", "one\ntwo\n"),
        ("--More--\rline", "linere--"),
        ("--More--\r\x1b[Kline", "line"),
        ("--More--\r        \rline", "line    "),
        ("--More--" + "\b" * 8 + "line\x1b[K", "line"),
        ("abc\x1b[2Kd", "   d"),
        ("abc\b\x1b[1Kd", "  d"),
        ("\x1b[31mred\x1b[0m\tand \x1b[4mblue\x1b[m", "red\tand blue"),
        ("\x1b]0;admin@box: ~\x07box> ", "box> "),
        ("cut \x1b", "cut "),
    ],
)
def test_text_is_what_stands_on_the_screen(output: str, text: str) -> None:
    assert render(output) == text


@given(st.lists(WORDS), WORDS, st.lists(DRAWN, min_size=1))
def test_answer_is_found_whatever_is_drawn_around_it(lines: list[str], command: str, drawn: list[str]) -> None:
    decorate = drawn * (len(lines) + 3)
    text = "".join(f"{mark}{line}\r\n" for mark, line in zip(decorate, [command, *lines], strict=False))
    assert answer_of(f"{text}{drawn[-1]}{PROMPT}", command, PROMPT) == "\n".join(lines)
    assert answer_of(text, command, PROMPT) is None


@given(st.text())
def test_any_output_has_a_text(output: str) -> None:
    assert "\x1b" not in render(output)
    assert render(output).rpartition("\n")[2] == last_line(output.replace("\r\n", "\n"))


def test_prompts_before_the_echo_are_late_ones() -> None:
    late = f"\r\n{PROMPT}\r\n{PROMPT}show\r\nanswer\r\n{PROMPT}"
    assert answer_of(late, "show", PROMPT) == "answer"
    assert answer_of(f"\r\n{PROMPT}", "show", PROMPT) is None


def test_anything_else_before_the_echo_is_a_fault() -> None:
    with pytest.raises(ValueError, match="'loose talk' instead of the echo"):
        answer_of(f"loose talk\r\nshow\r\n{PROMPT}", "show", PROMPT)


def test_idle_talk_is_prompts_and_blank_lines() -> None:
    assert is_idle_talk(f"\r\n\x1b[K{PROMPT}\r\n{PROMPT}", PROMPT)
    assert not is_idle_talk(f"\r\nlogged out\r\n{PROMPT}", PROMPT)


def test_echo_is_cut_off_and_nothing_else() -> None:
    assert without_echo(b"show\r\r\nanswer", "show") == b"answer"
    assert without_echo(b"show me\r\n", "show") == b"show me\r\n"
