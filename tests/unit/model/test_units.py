"""Quantities: exact both ways, at every scale, and a complaint that helps when they cannot be read."""

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from impairlab.drivers.model.units import (
    FREQUENCY,
    PROBABILITY,
    RATE,
    SIZE,
    TIME,
    Frequency,
    Probability,
    Rate,
    Size,
    Time,
    UnitError,
    format_frequency,
    format_probability,
    format_rate,
    format_size,
    format_time,
    parse_frequency,
    parse_probability,
    parse_rate,
    parse_size,
    parse_time,
)

quickly = settings(max_examples=80, deadline=None)

LONGEST = 2**63 - 1
QUANTITIES = [
    (TIME, parse_time), (RATE, parse_rate), (SIZE, parse_size), (PROBABILITY, parse_probability),
    (FREQUENCY, parse_frequency),
]  # fmt: skip
FIELDS = {TIME: Time, RATE: Rate, SIZE: Size, PROBABILITY: Probability, FREQUENCY: Frequency}

whole = st.integers(0, LONGEST)
LONGEST_NUMBER = 60
"""Digits that a number may have: more are refused."""

fractions = st.decimals(0, 1, places=15) | st.decimals(0, 1, allow_nan=False).filter(
    lambda fraction: len(fraction.as_tuple().digits) <= LONGEST_NUMBER
)
each_quantity = pytest.mark.parametrize(("quantity", "parse"), QUANTITIES, ids=lambda each: getattr(each, "name", ""))


def base_units_of(number: str, factor: Decimal | Fraction) -> Fraction:
    return Fraction(Decimal(number)) * Fraction(factor)


@quickly
@given(st.integers(-LONGEST, LONGEST))
@example(1)
@example(LONGEST)
def test_times_come_back_from_their_text(nanoseconds: int) -> None:
    assert parse_time(format_time(nanoseconds)) == nanoseconds


@quickly
@given(whole)
@example(99_999_999_999)
def test_rates_and_sizes_come_back_from_their_text(number: int) -> None:
    assert parse_rate(format_rate(number)) == number
    assert parse_size(format_size(number)) == number


@quickly
@given(fractions)
@example(Decimal("1e-9"))
@example(Decimal("0.999999999"))
@example(Decimal("9.99999999999e-5"))
@example(Decimal("1e-15"))
def test_probabilities_come_back_from_their_text(fraction: Decimal) -> None:
    text = format_probability(fraction)
    assert parse_probability(text) == fraction
    assert "e" not in text.lower()


@quickly
@given(st.decimals(0, 10**12, allow_nan=False))
def test_frequencies_come_back_from_their_text(frequency: Decimal) -> None:
    assume(len(frequency.as_tuple().digits) <= 60 and abs(frequency.adjusted()) < 60)  # others are refused by name
    assert parse_frequency(format_frequency(frequency)) == frequency


@quickly
@given(whole, st.sampled_from([format_time, format_rate, format_size]))
def test_text_shows_at_least_one_of_the_largest_unit_that_fits(number: int, show) -> None:
    assume(number)
    assert Decimal(show(number).partition(" ")[0]) >= 1
    assert not re.search(r"\.\d*0 ", show(number))


def test_texts_are_those_people_write() -> None:
    assert [format_time(n) for n in (0, 1, 100, 45_000_000, 1_500_000_000, 3_600_000_000_000)] == [
        "0 s", "1 ns", "100 ns", "45 ms", "1.5 s", "3600 s",
    ]  # fmt: skip
    assert [format_rate(n) for n in (0, 999, 2_500_000)] == ["0 bit/s", "999 bit/s", "2.5 Mbit/s"]
    assert [format_size(n) for n in (0, 68, 64_000)] == ["0 B", "68 B", "64 kB"]
    texts = [format_probability(Decimal(p)) for p in ("0", "1", "0.003", "0.0001", "0.00005", "1e-9")]
    assert texts == ["0 %", "100 %", "0.3 %", "0.01 %", "50 ppm", "0.001 ppm"]
    assert format_frequency(Decimal(4)) == "4 req/s"


@quickly
@given(st.integers(0, 10**9))
def test_nothing_drifts_at_one_in_a_thousand_million(parts: int) -> None:
    fraction = Decimal(parts).scaleb(-9)
    assert parse_probability(f"{parts} ppb") == fraction
    assert parse_probability(f"{parts}e-7 %") == fraction
    assert parse_probability(float(fraction)) == fraction
    assert Fraction(parse_probability(fraction)) == Fraction(parts, 10**9)


@quickly
@given(st.integers(0, 10**15))
def test_nothing_drifts_at_one_nanosecond(nanoseconds: int) -> None:
    seconds = Decimal(nanoseconds).scaleb(-9)
    assert parse_time(f"{nanoseconds} ns") == nanoseconds
    assert parse_time(f"{seconds:f} s") == parse_time(seconds) == nanoseconds
    assert parse_time(f"{nanoseconds}e-6 ms") == nanoseconds


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_time, "1 h", 3_600_000_000_000), (parse_time, "1 min", 60_000_000_000), (parse_time, "1 µs", 1000),
        (parse_time, "1 \N{GREEK SMALL LETTER MU}s", 1000), (parse_time, "1us", 1000),
        (parse_rate, "1 kbps", 1000), (parse_rate, "1 Mbit/s", 10**6), (parse_rate, "1 Gbps", 10**9),
        (parse_rate, "1 Tbit/s", 10**12), (parse_size, "1 KiB", 1024), (parse_size, "1 MiB", 1_048_576),
        (parse_size, "1 GiB", 1_073_741_824), (parse_size, "1 MB", 10**6), (parse_size, "3 bytes", 3),
        (parse_probability, "1 ppm", Decimal("0.000001")), (parse_frequency, "2 Hz", 2), (parse_frequency, "2 /s", 2),
    ],
)  # fmt: skip
def test_units_are_worth_what_the_standards_say(parse, text: str, value) -> None:
    assert parse(text) == value


def test_a_float_means_its_shortest_text() -> None:
    assert parse_time(0.1) == 100_000_000
    assert parse_time(0.1 + 0.2 - 0.00000000000000004) == 300_000_000
    assert parse_time(1e-9) == 1
    assert parse_probability(0.3) == Decimal("0.3")
    with pytest.raises(UnitError, match="finer than 1 ns"):
        parse_time(0.1 + 0.2)


def test_a_bare_number_is_si() -> None:
    assert parse_time(2) == 2_000_000_000
    assert parse_time(timedelta(days=1, microseconds=1)) == 86_400_000_001_000
    assert parse_rate(1000) == 1000
    assert parse_size(Decimal(68)) == 68
    assert parse_frequency(0.5) == Decimal("0.5")


numbers = st.from_regex(r"([0-9]{1,12}(\.[0-9]{0,9})?|\.[0-9]{1,9})(e[+-]?[0-9])?", fullmatch=True)
almost_quantities = st.from_regex(r"[+-]?[0-9.]{1,4}(e[+-]?[0-9]{1,25})? ?[a-zA-Z/%]{0,5}", fullmatch=True)


@quickly
@given(st.sampled_from(QUANTITIES), st.data(), numbers, st.sampled_from(["", " ", "  "]))
def test_what_is_read_is_exact_in_every_unit(entry, data, number: str, space: str) -> None:
    quantity, _ = entry
    unit = data.draw(st.sampled_from(sorted(quantity.units)))
    exact = base_units_of(number, quantity.units[unit])
    read = Fraction(quantity.parse_text(f" {number}{space}{unit} "))
    if unit == "req/min":
        assert abs(read - exact) <= exact * Fraction(1, 10**59)
    else:
        assert read == exact


@pytest.mark.parametrize("count", [1, 7, 60, 90, 3600])
def test_a_minute_has_sixty_seconds(count: int) -> None:
    assert abs(Fraction(parse_frequency(f"{count} req/min")) - Fraction(count, 60)) < Fraction(1, 10**55)
    assert parse_frequency(f"{count * 60} req/min") == count


@each_quantity
@pytest.mark.parametrize("text", ["", " ", "fast", "ms", "1,5 ms", "--1 s", "1..2 s", "0x10 B", "1 2 s", "1 s s"])
def test_malformed_text_says_what_was_given_and_what_is_legal(quantity, parse, text: str) -> None:
    with pytest.raises(UnitError) as raised:
        parse(text)
    message = str(raised.value)
    assert repr(text) in message
    assert quantity.name in message
    assert quantity.example in message or all(unit in message for unit in quantity.units if unit.isascii())


@each_quantity
def test_missing_and_unknown_units_list_the_known_ones(quantity, parse) -> None:
    known = [unit for unit in quantity.units if unit.isascii()]
    with pytest.raises(UnitError, match="has no unit") as missing:
        parse("45")
    with pytest.raises(UnitError, match="unknown unit 'parsec'") as unknown:
        parse("45 parsec")
    assert all(unit in str(error.value) for unit in known for error in (missing, unknown))


@quickly
@given(st.sampled_from(QUANTITIES), st.text(max_size=12) | almost_quantities)
@example((TIME, parse_time), "1e999999999 s")
@example((TIME, parse_time), "1e99999999999999999999 s")
@example((PROBABILITY, parse_probability), "1e-999999999 %")
@example((FREQUENCY, parse_frequency), "1e70 req/s")
@example((PROBABILITY, parse_probability), "0." + "1" * 70 + " %")
def test_any_text_is_either_read_or_refused_by_name(entry, text: str) -> None:
    quantity, parse = entry
    try:
        value = parse(text)
    except UnitError:
        return
    number, unit = re.fullmatch(r"\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(\D+?)\s*", text).groups()
    assert unit == "req/min" or Fraction(value) == base_units_of(number, quantity.units[unit])


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("-Infinity"), True, None, [1], 1e300, -1e300])
@each_quantity
def test_numbers_that_are_none_are_refused(quantity, parse, number) -> None:
    with pytest.raises(UnitError):
        parse(number)


def test_what_is_finer_than_the_base_unit_is_refused_not_rounded() -> None:
    for parse, text in ((parse_time, "0.5 ns"), (parse_rate, "1.5 bit/s"), (parse_size, "0.1 B"), (parse_time, 1e-10)):
        with pytest.raises(UnitError, match="finer than 1"):
            parse(text)
    for parse, text in ((parse_probability, "100.0000001 %"), (parse_probability, "-1 ppb")):
        with pytest.raises(UnitError, match=r"outside 0 % \.\. 100 %"):
            parse(text)
    with pytest.raises(UnitError, match="negative"):
        parse_frequency("-1 req/s")
    with pytest.raises(UnitError, match="out of any usable range"):
        parse_time("9223372036854775808 ns")
    assert parse_time("9223372036854775807 ns") == LONGEST


@each_quantity
def test_a_field_in_a_file_wants_its_unit(quantity, parse) -> None:
    field = TypeAdapter(FIELDS[quantity])
    assert field.validate_python(1) == parse(1)
    assert field.validate_python(quantity.example, context={"units": "required"}) == parse(quantity.example)
    for bare in (1, 1.0, Decimal(1)):
        with pytest.raises(ValidationError, match=f"has no unit; write it like {quantity.example!r}"):
            field.validate_python(bare, context={"units": "required"})
    assert field.validate_json(field.dump_json(parse(quantity.example))) == parse(quantity.example)
    assert isinstance(field.dump_python(parse(quantity.example), mode="json"), str)


@quickly
@given(st.sampled_from(QUANTITIES), st.data(), numbers)
def test_the_schema_takes_what_the_parser_takes(entry, data, number: str) -> None:
    quantity, _ = entry
    pattern = TypeAdapter(FIELDS[quantity]).json_schema()["pattern"]
    unit = data.draw(st.sampled_from([*quantity.units, "", "x", "Ms", "MS", "kb"]))
    try:
        quantity.parse_text(f"{number} {unit}")
    except UnitError:
        assert not re.search(pattern, f"{number} {unit}")
    else:
        assert re.search(pattern, f"{number} {unit}")
