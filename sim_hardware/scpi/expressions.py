"""Numeric lists `(1,2:5)` and channel lists `(@1!2:3!4,5)` (SCPI-1999 volume 1, 8.3).

The readers are generators: what stands before a fault is delivered, then -170 or -171 is raised.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.lexer import Datum, Kind
from impairlab.sim_hardware.scpi.numbers import exact

_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?"
_NUMERIC_ENTRY = re.compile(rf"({_NUMBER})(?::({_NUMBER})|(?!:))")
_CHANNEL = r"[+-]?[0-9]{1,9}(?:![+-]?[0-9]{1,9})*"
_CHANNEL_ENTRY = re.compile(rf"({_CHANNEL})(?::({_CHANNEL})|(?!:))")


@dataclass(frozen=True, slots=True)
class NumericEntry:
    """One entry of a numeric list: a number, or a range when `stop` is given."""

    start: Decimal
    stop: Decimal | None


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """One entry of a channel list: a channel, or a range of channels; each has one number a dimension."""

    start: tuple[int, ...]
    stop: tuple[int, ...] | None

    def channels(self) -> Iterator[tuple[int, ...]]:
        """Yield every channel of the entry, the last dimension fastest; a range may count down."""
        stop = self.stop or self.start
        return _combinations([_span(first, last) for first, last in zip(self.start, stop, strict=True)])


def numeric_list(datum: Datum) -> Iterator[NumericEntry]:
    """Yield the entries of a numeric list. Raises -104 for other data, -170 where the list cannot go on."""
    for match in _entries(datum, "(", _NUMERIC_ENTRY):
        first, last = (exact(Datum(Kind.DECIMAL, text, 0)) if text else None for text in match.groups())
        if first is not None:
            yield NumericEntry(first, last)


def channel_list(datum: Datum) -> Iterator[ChannelEntry]:
    """Yield the entries of a channel list. Raises -104 for other data, -170 where the list cannot go on."""
    for match in _entries(datum, "(@", _CHANNEL_ENTRY):
        start = tuple(map(int, match[1].split("!")))
        stop = tuple(map(int, match[2].split("!"))) if match[2] else None
        if stop and len(stop) != len(start):
            raise ScpiError(-170, match[0])
        yield ChannelEntry(start, stop)


def _entries(datum: Datum, opening: str, entry: re.Pattern[str]) -> Iterator[re.Match[str]]:
    if datum.kind is not Kind.EXPRESSION:
        raise ScpiError(-104, f"{datum.kind.value} for a list")
    text = datum.lexeme
    if not text.startswith(opening):
        raise ScpiError(-170, text)
    at = len(opening)
    while True:
        match = entry.match(text, at)
        if match is None:
            raise ScpiError(-170, text[at:])
        yield match
        at = match.end()
        if text[at] == ")":
            return
        if text[at] != ",":
            raise ScpiError(-170, text[at:])
        at += 1


def _combinations(spans: Sequence[range]) -> Iterator[tuple[int, ...]]:
    """Like `itertools.product`, which would first write every range out in memory."""
    if not spans:
        yield ()
        return
    for first in spans[0]:
        for rest in _combinations(spans[1:]):
            yield (first, *rest)


def _span(first: int, last: int) -> range:
    return range(first, last + 1) if first <= last else range(first, last - 1, -1)
