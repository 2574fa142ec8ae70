"""Units: text and numbers to exact values, and back.

Times are integer nanoseconds, rates integer bit/s, sizes integer bytes, probabilities Decimal fractions of one.
`parse_x(format_x(value)) == value` holds for every value. Nothing passes through binary floating point: a float given
in Python is read by its shortest decimal text, so 0.1 means 0.1. In Python a bare number is SI (seconds, bit/s, bytes,
fraction of one). In a file every dimensioned number needs its unit; the `*_text` parsers are the strict form.

The types `Time`, `Rate`, `Size`, `Probability` and `Frequency` are for pydantic fields: they accept what the parsers
accept, refuse bare numbers when the validation context says `{"units": "required"}` (files), and serialise to text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, localcontext
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

_NUMBERS = (int, float, Decimal)

_NUMBER_WITH_UNIT = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s\d].*?)?\s*")

TIME_UNITS: Mapping[str, Decimal] = {
    "ns": Decimal(1), "us": Decimal(10) ** 3, "µs": Decimal(10) ** 3, "μs": Decimal(10) ** 3, "ms": Decimal(10) ** 6,
    "s": Decimal(10) ** 9, "min": 60 * Decimal(10) ** 9, "h": 3600 * Decimal(10) ** 9,
}  # fmt: skip
RATE_UNITS: Mapping[str, Decimal] = {
    f"{prefix}{unit}": factor
    for unit in ("bit/s", "bps")
    for prefix, factor in (("", Decimal(1)), ("k", Decimal(10) ** 3), ("M", Decimal(10) ** 6),
                           ("G", Decimal(10) ** 9), ("T", Decimal(10) ** 12))
}  # fmt: skip
SIZE_UNITS: Mapping[str, Decimal] = {
    "B": Decimal(1), "byte": Decimal(1), "bytes": Decimal(1), "kB": Decimal(10) ** 3, "MB": Decimal(10) ** 6,
    "GB": Decimal(10) ** 9, "KiB": Decimal(2) ** 10, "MiB": Decimal(2) ** 20, "GiB": Decimal(2) ** 30,
}  # fmt: skip
PROBABILITY_UNITS: Mapping[str, Decimal] = {
    "%": Decimal("1e-2"), "ppm": Decimal("1e-6"), "ppb": Decimal("1e-9"),
}  # fmt: skip
FREQUENCY_UNITS: Mapping[str, Decimal | Fraction] = {
    "req/s": Decimal(1), "/s": Decimal(1), "Hz": Decimal(1), "req/min": Fraction(1, 60),
}  # fmt: skip

_DIGITS = 60
"""Of any number, and on either side of its point: far beyond what anyone means, and bounded."""

_EXACT = Context(prec=_DIGITS, traps=[Inexact, InvalidOperation, Overflow])


class UnitError(ValueError):
    """A quantity cannot be read: the message says what was given and what would be legal."""


class Quantity:
    """One dimension: its name, its units and the number of base units in one SI unit."""

    def __init__(self, name: str, units: Mapping[str, Decimal | Fraction], *, per_si: int, example: str) -> None:
        self.name = name
        self.units = units
        self.per_si = per_si
        self.example = example

    def parse_text(self, text: str) -> Decimal:
        """Read a number with its unit; the result is in base units, exact.

        Raises:
            UnitError: no number, no unit, or an unknown unit.
        """
        match = _NUMBER_WITH_UNIT.fullmatch(text)
        if match is None:
            raise UnitError(f"{text!r} is not a {self.name}; write it like {self.example!r}")
        number, unit = match.group(1), match.group(2)
        if unit is None:
            raise UnitError(f"{text!r} has no unit; a {self.name} needs one of {self._legal()}, like {self.example!r}")
        if unit not in self.units:
            raise UnitError(f"unknown unit {unit!r} in {text!r}; a {self.name} takes {self._legal()}")
        return _in_base_units(number, self.units[unit])

    def parse(self, value: str | float | Decimal) -> Decimal:
        """Read text with a unit, or a bare number in SI. The result is in base units, exact."""
        if isinstance(value, str):
            return self.parse_text(value)
        if isinstance(value, bool) or not isinstance(value, _NUMBERS):
            raise UnitError(f"{value!r} is not a {self.name}; write it like {self.example!r}")
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        if not number.is_finite():
            raise UnitError(f"{value!r} is not a finite {self.name}")
        return _in_base_units(number, Decimal(self.per_si))

    def _legal(self) -> str:
        return ", ".join(unit for unit in self.units if unit.isascii())


def _in_base_units(number: str | Decimal, factor: Decimal | Fraction) -> Decimal:
    """Return the product; only a number of req/min can need rounding, in its 60th digit."""
    numerator, denominator = factor.as_integer_ratio()
    try:
        multiple = _EXACT.multiply(_EXACT.create_decimal(number), numerator)
    except DecimalException as error:
        raise UnitError(f"{number} is out of any usable range, or has more than {_DIGITS} digits") from error
    if multiple and abs(multiple.adjusted()) >= _DIGITS:
        raise UnitError(f"{number} is out of any usable range")
    with localcontext() as context:
        context.prec = _DIGITS
        return multiple / denominator


TIME = Quantity("time", TIME_UNITS, per_si=10**9, example="45 ms")
RATE = Quantity("bit rate", RATE_UNITS, per_si=1, example="100 Mbit/s")
SIZE = Quantity("size", SIZE_UNITS, per_si=1, example="64 kB")
PROBABILITY = Quantity("probability", PROBABILITY_UNITS, per_si=1, example="0.3 %")
FREQUENCY = Quantity("frequency", FREQUENCY_UNITS, per_si=1, example="4 req/s")


def _whole(quantity: Quantity, value: str | float | Decimal, base: str) -> int:
    exact = quantity.parse(value)
    if exact != exact.to_integral_value():
        raise UnitError(f"{value!r} is finer than 1 {base}, the resolution of a {quantity.name}")
    if abs(exact) >= Decimal(2) ** 63:
        raise UnitError(f"{value!r} is out of any usable range for a {quantity.name}")
    return int(exact)


def parse_time(value: str | float | Decimal | timedelta) -> int:
    """Return nanoseconds. A bare number is seconds. Raises UnitError; finer than 1 ns is an error, not a rounding."""
    if isinstance(value, timedelta):
        return ((value.days * 86400 + value.seconds) * 10**6 + value.microseconds) * 1000
    return _whole(TIME, value, "ns")


def parse_rate(value: str | float | Decimal) -> int:
    """Return bit/s. A bare number is bit/s. Raises UnitError."""
    return _whole(RATE, value, "bit/s")


def parse_size(value: str | float | Decimal) -> int:
    """Return bytes. A bare number is bytes. Raises UnitError."""
    return _whole(SIZE, value, "B")


def parse_probability(value: str | float | Decimal) -> Decimal:
    """Return a fraction in [0, 1]. A bare number is that fraction ("0.3 %" == 0.003). Raises UnitError."""
    fraction = PROBABILITY.parse(value)
    if not 0 <= fraction <= 1:
        raise UnitError(f"{value!r} is outside 0 % .. 100 %")
    return _plain(fraction)


def parse_frequency(value: str | float | Decimal) -> Decimal:
    """Return events a second. A bare number is per second. Raises UnitError."""
    frequency = FREQUENCY.parse(value)
    if frequency < 0:
        raise UnitError(f"{value!r} is negative")
    return _plain(frequency)


def _plain(number: Decimal) -> Decimal:
    """Strip trailing zeros without an exponent for whole numbers, so equal values have equal text."""
    with localcontext() as context:
        context.prec = _DIGITS
        stripped = number.normalize()
        return stripped.quantize(Decimal(1)) if stripped == stripped.to_integral_value() else stripped


def _format(value: int | Decimal, units: tuple[tuple[str, Decimal], ...]) -> str:
    """Use the largest unit in which the number is at least one; exact, no exponent."""
    amount = Decimal(value)
    for unit, factor in units:
        if abs(amount) >= factor or factor == units[-1][1]:
            with localcontext() as context:
                context.prec = _DIGITS
                return f"{_plain(amount / factor):f} {unit}"
    raise AssertionError(units)


def format_time(nanoseconds: int) -> str:
    """Exact text in s, ms, us or ns: 45_000_000 -> "45 ms"."""
    return _format(nanoseconds, (("s", TIME_UNITS["s"]), ("ms", TIME_UNITS["ms"]), ("us", TIME_UNITS["us"]),
                                 ("ns", TIME_UNITS["ns"]))) if nanoseconds else "0 s"  # fmt: skip


def format_rate(bits_per_second: int) -> str:
    """Exact text: 100_000_000 -> "100 Mbit/s"."""
    return _format(bits_per_second, tuple((f"{p}bit/s", RATE_UNITS[f"{p}bit/s"]) for p in ("T", "G", "M", "k", "")))


def format_size(size: int) -> str:
    """Exact text: 64_000 -> "64 kB"."""
    return _format(size, tuple((unit, SIZE_UNITS[unit]) for unit in ("GB", "MB", "kB", "B")))


def format_probability(fraction: Decimal) -> str:
    """Exact text: 0.003 -> "0.3 %", 0.0000005 -> "0.5 ppm"."""
    if fraction == 0:
        return "0 %"
    unit = "%" if fraction >= Decimal("1e-4") else "ppm"
    return _format(fraction, ((unit, PROBABILITY_UNITS[unit]),))


def format_frequency(frequency: Decimal) -> str:
    """Exact text: 4 -> "4 req/s"."""
    return f"{_plain(frequency):f} req/s"


def _field(parse: Callable[[str | float | Decimal], int | Decimal], quantity: Quantity) -> BeforeValidator:
    def validate(value: str | float | Decimal, info: ValidationInfo) -> int | Decimal:
        context = info.context if isinstance(info.context, dict) else {}
        if context.get("units") == "required" and not isinstance(value, str):
            raise UnitError(f"{value!r} has no unit; write it like {quantity.example!r}")
        return parse(value)

    return BeforeValidator(validate)


def _schema(quantity: Quantity) -> WithJsonSchema:
    units = "|".join(re.escape(unit) for unit in quantity.units)
    number = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
    return WithJsonSchema(
        {"type": "string", "pattern": rf"^\s*{number}\s*({units})\s*$", "examples": [quantity.example]}
    )


Time = Annotated[
    int, _field(parse_time, TIME), PlainSerializer(format_time, return_type=str, when_used="json"), _schema(TIME)
]
Rate = Annotated[
    int, _field(parse_rate, RATE), PlainSerializer(format_rate, return_type=str, when_used="json"), _schema(RATE)
]
Size = Annotated[
    int, _field(parse_size, SIZE), PlainSerializer(format_size, return_type=str, when_used="json"), _schema(SIZE)
]
Probability = Annotated[
    Decimal,
    _field(parse_probability, PROBABILITY),
    PlainSerializer(format_probability, return_type=str, when_used="json"),
    _schema(PROBABILITY),
]
Frequency = Annotated[
    Decimal, _field(parse_frequency, FREQUENCY), PlainSerializer(format_frequency, return_type=str, when_used="json"),
    _schema(FREQUENCY),
]  # fmt: skip
