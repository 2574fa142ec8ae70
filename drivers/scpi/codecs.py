"""Codecs: one value of an impairment to SCPI text and back, exactly. Numbers never pass through binary floating point.

Text on the wire is in base units: seconds, bit/s, bytes, fraction of one. These are SI, so what is decoded is a bare SI
number, as the models take it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

Value = int | Decimal | bool | str | tuple[object, ...]

NAN = Decimal("9.91E+37")
"""What SCPI answers for a number that is not there."""


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[Ee][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Codec:
    """How one kind of value is written and read.

    Attributes:
        encode: Value in the model's unit to text.
        decode: Text to a value that the model takes. Raises ValueError.
    """

    encode: Callable[[Value], str]
    decode: Callable[[str], Value]


def number_text(number: Decimal) -> str:
    """Return the shortest exact text without exponent."""
    return f"{number.normalize():f}"


def read_number(text: str) -> Decimal:
    """Return a number as IEEE 488.2 8.7.2 to 8.7.4 writes it: no comma, no space, no unit. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number")
    return Decimal(text)


def _read_whole(text: str) -> int:
    number = read_number(text)
    if number != int(number):
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


def _decimal(value: Value) -> Decimal:
    if isinstance(value, int | Decimal):
        return Decimal(value)
    raise TypeError(f"{value!r} is not a number")


def _numbers(value: Value) -> list[Decimal]:
    if not isinstance(value, tuple):
        raise TypeError(f"{value!r} is not a table")
    return [_decimal(each) for each in value if isinstance(each, int | Decimal)]


def _read_switch(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError(f"{text!r} is neither 0 nor 1")
    return text == "1"


NUMBER = Codec(lambda value: number_text(_decimal(value)), read_number)
"""Bit/s, bytes, fractions and counts that may have a fraction."""

COUNT = Codec(lambda value: number_text(_decimal(value)), _read_whole)

SECONDS = Codec(lambda value: number_text(_decimal(value).scaleb(-9)), read_number)
"""Nanoseconds in the model, seconds on the wire."""

SWITCH = Codec(lambda value: "1" if value else "0", _read_switch)

NUMBERS = Codec(
    lambda value: ",".join(map(number_text, _numbers(value))), lambda text: tuple(map(read_number, text.split(",")))
)

COUNTS = Codec(
    lambda value: ",".join(map(number_text, _numbers(value))), lambda text: tuple(map(_read_whole, text.split(",")))
)


def words(texts: Mapping[str, str]) -> Codec:
    """Return the codec of a choice, given the short form of each of the model's words."""
    back = {text: word for word, text in texts.items()}

    def decode(text: str) -> str:
        if text not in back:
            raise ValueError(f"{text!r} is none of {', '.join(back)}")
        return back[text]

    return Codec(lambda value: texts[str(value)], decode)
