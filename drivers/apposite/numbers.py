"""Numbers as Netropy writes and shows them: milliseconds, per cent, bit rates with their units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

_NUMBER = re.compile(r"(?<![\w.])(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(?P<unit>[a-zA-Zµ%]+)?")

_MS = Decimal(10) ** 6
TIMES: Mapping[str, Decimal] = {
    "us": Decimal(10) ** 3, "µs": Decimal(10) ** 3, "ms": _MS, "s": Decimal(10) ** 9, "sec": Decimal(10) ** 9,
    "second": Decimal(10) ** 9, "seconds": Decimal(10) ** 9,
}  # fmt: skip
RATES: Mapping[str, Decimal] = {
    "bps": Decimal(1), "kbps": Decimal(10) ** 3, "mbps": Decimal(10) ** 6, "gbps": Decimal(10) ** 9,
}  # fmt: skip
_RATE_WORDS = (("Gbps", 10**9), ("Mbps", 10**6), ("Kbps", 10**3))


def plain(number: Decimal) -> str:
    """Return a number without exponent and without zeros at its end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def milliseconds(nanoseconds: int) -> str:
    """Return a time as `set delay` takes it."""
    return plain(Decimal(nanoseconds) / _MS)


def seconds(nanoseconds: int) -> str:
    """Return a time as `set network-outage` takes it."""
    return plain(Decimal(nanoseconds).scaleb(-9))


def percent(share: Decimal) -> str:
    """Return a share as `set loss` takes it."""
    return plain(100 * share)


def scientific(number: Decimal) -> str:
    """Return a bit error rate as `set loss ber` takes it: "1e-18"."""
    return f"{number.normalize():e}"


def bit_rate(bits_per_second: int) -> str:
    """Return a rate as `set bw fixed` takes it, in the largest unit in which it is whole: "10 Gbps"."""
    for unit, factor in _RATE_WORDS:
        if bits_per_second % factor == 0:
            return f"{bits_per_second // factor} {unit}"
    return f"{bits_per_second} bps"


def times_in(text: str, default_unit: str) -> list[int]:
    """Return the times in a text, in ns. One without a unit has that of the next that has one, else the default.

    Raises:
        ValueError: A unit that is none, or a fraction of a nanosecond.
    """
    found = _numbers_in(text)
    unit, times = default_unit, []
    for number, own in reversed(found):
        unit = own or unit
        if unit not in TIMES:
            raise ValueError(f"{unit!r} in {text!r} is not a unit of time")
        exact = number * TIMES[unit]
        if exact != int(exact):
            raise ValueError(f"{number} {unit} is finer than 1 ns")
        times.append(int(exact))
    return times[::-1]


def shares_in(text: str) -> list[Decimal]:
    """Return the shares of one in a text that gives them in per cent."""
    return [(number / 100).normalize() for number, _ in _numbers_in(text)]


def counts_in(text: str) -> list[int]:
    """Return the whole numbers in a text. Raises ValueError."""
    numbers = [number for number, _ in _numbers_in(text)]
    if any(number != int(number) for number in numbers):
        raise ValueError(f"{text!r} counts in fractions")
    return [int(number) for number in numbers]


def numbers_in(text: str) -> list[Decimal]:
    """Return the numbers in a text."""
    return [number for number, _ in _numbers_in(text)]


def rate_in(text: str) -> int:
    """Return the bit rate that a text begins with, in bit/s. Raises ValueError."""
    numbers: Sequence[tuple[Decimal, str]] = _numbers_in(text)
    if not numbers or numbers[0][1].lower() not in RATES:
        raise ValueError(f"{text!r} is not a bit rate, like 10 Mbps")
    number, unit = numbers[0]
    exact = number * RATES[unit.lower()]
    if exact != int(exact):
        raise ValueError(f"{text!r} is finer than 1 bit/s")
    return int(exact)


def _numbers_in(text: str) -> list[tuple[Decimal, str]]:
    words = {"%", *TIMES, *RATES}
    return [
        (Decimal(found["number"]), found["unit"] if (found["unit"] or "").lower() in words else "")
        for found in _NUMBER.finditer(text)
    ]
