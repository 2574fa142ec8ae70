"""Numbers stay exact from program data to response data."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.sim_hardware.scpi import lexer
from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.numbers import exact, nearest_integer, show_exact, show_nondecimal

exact_numbers = st.builds(
    lambda mantissa, exponent: Decimal(f"{mantissa}E{exponent}"),
    st.integers(-(10**60), 10**60),
    st.integers(-300, 300),
)


@given(exact_numbers)
def test_what_is_shown_reads_back_the_same(value: Decimal) -> None:
    assert exact(lexer.number(show_exact(value))) == value


@given(st.integers(0, 2**64 - 1), st.sampled_from([2, 8, 16]))
def test_nondecimal_reads_back_the_same(value: int, base: int) -> None:
    assert exact(lexer.datum(show_nondecimal(value, base))) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("0.045", "0.045"),
        ("4.50E-2", "0.045"),
        ("1E-9", "1.0E-09"),
        ("0.000000123", "0.000000123"),
        ("1E15", "1.0E+15"),
        ("100000000000", "100000000000"),
        ("-0.0", "0"),
        ("-12.5E20", "-1.25E+21"),
    ],
)
def test_form_of_a_number(value: str, shown: str) -> None:
    assert show_exact(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1E32001", -123),
        ("1E-32001", -123),
        ("1E" + "9" * 5000, -123),
        ("1" * 256, -124),
        ("0." + "1" * 256, -124),
    ],
)
def test_number_beyond_the_limits(text: str, code: int) -> None:
    with pytest.raises(ScpiError) as caught:
        exact(lexer.number(text))
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["0" * 500 + "1", "1E+0032000", "1 E 5", "+.5e-3", "1" * 255])
def test_number_within_the_limits(text: str) -> None:
    assert exact(lexer.number(text)) == Decimal(text.replace(" ", ""))


@pytest.mark.parametrize(("value", "whole"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("10.4", 10)])
def test_halves_round_away_from_zero(value: str, whole: int) -> None:
    assert nearest_integer(Decimal(value)) == whole


@pytest.mark.parametrize(("text", "code"), [(".", -120), ("-.", -120), ("+", -121), ("-A", -121), ("#HG", -121)])
def test_malformed_number(text: str, code: int) -> None:
    with pytest.raises(ScpiError) as caught:
        lexer.datum(text)
    assert caught.value.code == code
