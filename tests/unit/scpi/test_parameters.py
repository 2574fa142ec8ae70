"""Parameter types: what each takes, the limits it checks and the form it answers in."""

from collections import deque
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.sim_hardware.scpi import (
    BIT_RATE,
    RATIO,
    SECOND,
    Block,
    Boolean,
    ChannelList,
    Choice,
    Integer,
    Numeric,
    NumericList,
    OffStep,
    Omittable,
    Parameter,
    Repeated,
    ScpiError,
    Text,
    lexer,
)

DELAY = Numeric(SECOND, minimum=0, maximum=10, default="0.001", step="1E-9")
RATE = Integer(BIT_RATE, minimum=1000, maximum=10**11, default=10**9)


def read(parameter: Parameter[object], text: str) -> object:
    data = deque(lexer.data(text)[0])
    return parameter.take(data)


def error_of(parameter: Parameter[object], text: str) -> int:
    with pytest.raises(ScpiError) as caught:
        read(parameter, text)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("45 MS", "0.045"),
        ("45ms", "0.045"),
        ("1.000000001", "1.000000001"),
        ("0.4999999999 NS", "0"),
        ("0.5 NS", "1E-9"),
        ("0.1 MIN", "6"),
        ("MAXIMUM", "10"),
        ("min", "0"),
        ("DEF", "0.001"),
        ("#H0A", "10"),
    ],
)
def test_delay_is_exact_in_seconds(text: str, value: str) -> None:
    assert read(DELAY, text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("10.0000000001", -222),
        ("-1 NS", -222),
        ("1 HZ", -131),
        ("1 BPS", -131),
        ("'1'", -104),
        ("MAXI", -224),
        ("INF", -224),
    ],
)
def test_delay_refuses(text: str, code: int) -> None:
    assert error_of(DELAY, text) == code


@pytest.mark.parametrize(
    ("text", "value"), [("2.5 MBPS", 2_500_000), ("1E9", 10**9), ("1000.4", 1000), ("MAX", 10**11)]
)
def test_rate_is_whole_bits_per_second(text: str, value: int) -> None:
    rate = read(RATE, text)
    assert rate == value
    assert isinstance(rate, int)


@pytest.mark.parametrize("text", ["5 M", "5 K", "5 MHZ"])
def test_bare_multiplier_is_no_rate(text: str) -> None:
    assert error_of(RATE, text) == -131


def test_off_step_can_be_refused() -> None:
    strict = Numeric(minimum=0, maximum=9, step="0.5", off_step=OffStep.REFUSE)
    assert read(strict, "1.5") == Decimal("1.5")
    assert error_of(strict, "1.4") == -224


@pytest.mark.parametrize(
    "wrong", [{"minimum": 2, "maximum": 1}, {"maximum": 1, "default": 2}, {"minimum": "0.3", "step": "0.2"}]
)
def test_contradicting_limits_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="limits"):
        Numeric(**wrong)


@given(st.decimals(min_value=0, max_value=10, places=9))
def test_any_value_on_the_step_reads_back(value: Decimal) -> None:
    assert read(DELAY, DELAY.show(value)) == value
    assert read(DELAY, f"{value} S") == value


@given(st.decimals(min_value=0, max_value=1, allow_nan=False))
def test_rounding_moves_at_most_half_a_step(value: Decimal) -> None:
    stepped = read(Numeric(RATIO, minimum=0, maximum=1, step="0.001"), f"{value}")
    assert abs(stepped - value) <= Decimal("0.0005")
    assert stepped % Decimal("0.001") == 0


@pytest.mark.parametrize(("text", "on"), [("ON", True), ("off", False), ("0.4", False), ("-0.6", True), ("#B0", False)])
def test_boolean(text: str, on: bool) -> None:
    assert read(Boolean(), text) is on
    assert Boolean().show(on) == str(int(on))


@pytest.mark.parametrize(("text", "code"), [("YES", -224), ("1 S", -138), ("'ON'", -104)])
def test_boolean_refuses(text: str, code: int) -> None:
    assert error_of(Boolean(), text) == code


def test_choice_arrives_long_and_answers_short() -> None:
    shape = Choice("CONStant", "NORMal")
    assert read(shape, "NORM") == read(shape, "normal") == "normal"
    assert shape.show("normal") == "NORM"
    assert error_of(shape, "NORMA") == -224
    assert error_of(shape, "1") == -104


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_text_reads_back(text: str) -> None:
    assert read(Text(), Text().show(text)) == text


@given(st.binary(max_size=40))
def test_block_reads_back(content: bytes) -> None:
    assert read(Block(), Block().show(content)) == content


def test_too_long_is_too_much_data() -> None:
    assert error_of(Text(3), "'abcd'") == -223
    assert error_of(Block(3), "#14abcd") == -223


def test_lists() -> None:
    assert read(ChannelList(), "(@1,3:5)") == ((1,), (3,), (4,), (5,))
    assert read(ChannelList(), "(@1!2:2!1)") == ((1, 2), (1, 1), (2, 2), (2, 1))
    assert [entry.stop for entry in read(NumericList(), "(1.5,2:3)")] == [None, 3]


@pytest.mark.parametrize(
    ("text", "code"),
    [("(@1:999999999)", -223), ("(@1!1:1!1!1)", -170), ("(1)", -170), ("1", -104), ("(@1:9999999999)", -170)],
)
def test_channel_list_refuses(text: str, code: int) -> None:
    assert error_of(ChannelList(), text) == code


def test_omittable_and_repeated() -> None:
    data = deque(lexer.data("1,2,3,4")[0])
    assert Repeated(Numeric(), at_most=3).take(data) == (1, 2, 3)
    assert Omittable(Numeric(), None).take(data) == 4
    assert Omittable(Numeric(), None).take(data) is None
