"""Parameter types: program data to the values that command handlers receive, ranges and steps checked.

Sources: SCPI-1999 volume 1, 7 (parameters); IEEE 488.2, 7.7 (program data) and 7.7.2.4 (rounding).
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Generic, Protocol, TypeVar

from impairlab.sim_hardware.scpi import responses
from impairlab.sim_hardware.scpi.errors import ScpiError
from impairlab.sim_hardware.scpi.expressions import ChannelEntry, NumericEntry, channel_list, numeric_list
from impairlab.sim_hardware.scpi.header import is_form_of, short_form
from impairlab.sim_hardware.scpi.lexer import Datum, Kind
from impairlab.sim_hardware.scpi.numbers import EXACT, NUMERIC_KINDS, exact, nearest_integer, show_exact
from impairlab.sim_hardware.scpi.units import Unit

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")

INFINITE = {"INFinity": Decimal("Infinity"), "NINFinity": Decimal("-Infinity"), "NAN": Decimal("NaN")}
"""The words for a number that is none (SCPI-1999 7.2.1.4, 7.2.1.5)."""


class Reader(Protocol[T_co]):
    """Anything that takes what it needs from the front of a command's data."""

    def take(self, data: deque[Datum]) -> T_co:
        """Remove elements from the front of `data` and return their value."""
        ...


class OffStep(Enum):
    """What becomes of a number that lies between two steps."""

    ROUND = "round"
    REFUSE = "refuse"


class Parameter(ABC, Generic[T]):
    """One parameter of one data element; also shows a value of its type as response data."""

    @abstractmethod
    def convert(self, datum: Datum) -> T:
        """Return the value of `datum`. Raises `ScpiError` when it is not one of this type's."""

    @abstractmethod
    def show(self, value: T) -> str:
        """Return `value` as response data."""

    def take(self, data: deque[Datum]) -> T:
        """Convert the first element of `data`. Raises -109 when there is none."""
        return self.convert(_first(data))

    def convert_from(self, datum: Datum, current: Callable[[], T]) -> T:  # noqa: ARG002 - for the steppable types
        """Like `convert`, for a setting whose present value is at hand: UP and DOWN count from it."""
        return self.convert(datum)

    def limit(self, word: Datum) -> T:
        """Return what `X? MIN`, `MAX` or `DEF` asks for. Raises -108 for a type without limits."""
        raise ScpiError(-108, word.lexeme)


def _first(data: deque[Datum]) -> Datum:
    if not data:
        raise ScpiError(-109)
    return data.popleft()


def _wrong_kind(datum: Datum, wanted: str) -> ScpiError:
    return ScpiError(-104, f"{datum.kind.value} for {wanted}")


class Numeric(Parameter[Decimal]):
    """A number, delivered in the base unit exactly as sent, or rounded to the nearest step.

    Args:
        unit: Which suffixes are legal; without one a suffix is -138.
        minimum: Least value; less is -222. Gives MIN its meaning.
        maximum: Greatest value; more is -222. Gives MAX its meaning.
        default: Gives DEF its meaning.
        step: Values lie on its multiples; gives UP and DOWN their meaning. Limits must be multiples too.
        off_step: Whether a value between steps is rounded, halves away from zero, or refused with -224.
        also: Further legal words and their values, such as `INFINITE`.

    Raises:
        ValueError: When the limits contradict each other or do not lie on the step.
    """

    def __init__(
        self,
        unit: Unit | None = None,
        *,
        minimum: Decimal | int | str | None = None,
        maximum: Decimal | int | str | None = None,
        default: Decimal | int | str | None = None,
        step: Decimal | int | str | None = None,
        off_step: OffStep = OffStep.ROUND,
        also: dict[str, Decimal] | None = None,
    ) -> None:
        self.unit = unit
        self.step = _exact_or_none(step)
        self.off_step = off_step
        limits = {"MINimum": minimum, "MAXimum": maximum, "DEFault": default}
        self._limits = {word: Decimal(value) for word, value in limits.items() if value is not None}
        self._words = {**self._limits, **(also or {})}
        self.minimum = self._limits.get("MINimum")
        self.maximum = self._limits.get("MAXimum")
        self.default = self._limits.get("DEFault")
        for word, value in self._limits.items():
            if self._outside(value) or self._on_step(value) != value:
                raise ValueError(f"{word} {value} is not within the limits or not on the step {self.step}")

    def convert(self, datum: Datum) -> Decimal:
        """Return the number in the base unit.

        Raises:
            ScpiError: -104 no number, -131 or -138 wrong suffix, -222 out of range, -224 unknown word or off the step.
        """
        if datum.kind is Kind.CHARACTER and self._words:
            return _look_up(datum, self._words)
        if datum.kind not in NUMERIC_KINDS:
            raise _wrong_kind(datum, "a number")
        return self._accepted(EXACT.multiply(exact(datum), self._factor(datum.suffix)))

    def convert_from(self, datum: Datum, current: Callable[[], Decimal]) -> Decimal:
        """Like `convert`; UP and DOWN are one step from the present value."""
        if datum.kind is Kind.CHARACTER and self.step is not None:
            if is_form_of(datum.lexeme, "UP"):
                return self._accepted(EXACT.add(current(), self.step))
            if is_form_of(datum.lexeme, "DOWN"):
                return self._accepted(EXACT.subtract(current(), self.step))
        return self.convert(datum)

    def limit(self, word: Datum) -> Decimal:
        """Return the limit that `word` names. Raises -224 for one this parameter does not have."""
        if word.kind is not Kind.CHARACTER or not self._limits:
            raise ScpiError(-108, word.lexeme)
        return _look_up(word, self._limits)

    def show(self, value: Decimal) -> str:
        """Return the number exactly, without unit."""
        return show_exact(value)

    def _factor(self, suffix: str) -> Decimal:
        if not suffix:
            return Decimal(1)
        if self.unit is None:
            raise ScpiError(-138, suffix)
        factor = self.unit.factor(suffix)
        if factor is None:
            raise ScpiError(-131, suffix)
        return factor

    def _accepted(self, value: Decimal) -> Decimal:
        if self._outside(value):
            raise ScpiError(-222, show_exact(value))
        stepped = self._on_step(value)
        if stepped != value and self.off_step is OffStep.REFUSE:
            raise ScpiError(-224, f"{show_exact(value)} is between steps")
        return stepped

    def _outside(self, value: Decimal) -> bool:
        below = self.minimum is not None and value < self.minimum
        return below or (self.maximum is not None and value > self.maximum)

    def _on_step(self, value: Decimal) -> Decimal:
        if self.step is None:
            return value
        return EXACT.multiply(nearest_integer(EXACT.divide(value, self.step)), self.step)


class Integer(Parameter[int]):
    """A whole number within limits; a fraction is rounded, halves away from zero.

    Args:
        unit: Which suffixes are legal; without one a suffix is -138.
        minimum: Least value.
        maximum: Greatest value.
        default: Gives DEF its meaning.
        step: Values lie on its multiples.
        off_step: What becomes of a value between steps.
    """

    def __init__(
        self,
        unit: Unit | None = None,
        *,
        minimum: int,
        maximum: int,
        default: int | None = None,
        step: int = 1,
        off_step: OffStep = OffStep.ROUND,
    ) -> None:
        self._number = Numeric(unit, minimum=minimum, maximum=maximum, default=default, step=step, off_step=off_step)

    def convert(self, datum: Datum) -> int:
        """Return the whole number; errors as for `Numeric`."""
        return int(self._number.convert(datum))

    def convert_from(self, datum: Datum, current: Callable[[], int]) -> int:
        """Like `convert`; UP and DOWN are one step from the present value."""
        return int(self._number.convert_from(datum, lambda: Decimal(current())))

    def limit(self, word: Datum) -> int:
        """Return the limit that `word` names."""
        return int(self._number.limit(word))

    def show(self, value: int) -> str:
        """Return the number in decimal."""
        return str(value)


class Boolean(Parameter[bool]):
    """ON, OFF or a number that is rounded, where anything but 0 is on (SCPI-1999 7.3)."""

    def convert(self, datum: Datum) -> bool:
        """Return whether it is on. Raises -104 for other data, -138 with a suffix, -224 for another word."""
        if datum.kind is Kind.CHARACTER:
            return _look_up(datum, {"ON": True, "OFF": False})
        if datum.kind not in NUMERIC_KINDS:
            raise _wrong_kind(datum, "ON or OFF")
        if datum.suffix:
            raise ScpiError(-138, datum.suffix)
        return nearest_integer(exact(datum)) != 0

    def show(self, value: bool) -> str:  # noqa: FBT001 - the value of the parameter is the point
        """Return 1 or 0, never a word."""
        return "1" if value else "0"


class Choice(Parameter[str]):
    """One of some words, delivered as its long form in lower case: `CONStant` arrives as `constant`.

    Args:
        spellings: Each word as a manual prints it, capitals for the short form.
    """

    def __init__(self, *spellings: str) -> None:
        self._words = {spelling: spelling.lower() for spelling in spellings}
        self._short = {spelling.lower(): short_form(spelling) for spelling in spellings}

    def convert(self, datum: Datum) -> str:
        """Return the word in long form. Raises -104 for other data, -224 for a word that is not offered."""
        if datum.kind is not Kind.CHARACTER:
            raise _wrong_kind(datum, "a word")
        return _look_up(datum, self._words)

    def show(self, value: str) -> str:
        """Return the short form, in capitals."""
        return self._short[value]


class Text(Parameter[str]):
    """A quoted string, of at most `longest` characters; a longer one is -223."""

    def __init__(self, longest: int | None = None) -> None:
        self.longest = longest

    def convert(self, datum: Datum) -> str:
        """Return the characters between the quotes, doubled quotes made single."""
        if datum.kind is not Kind.STRING:
            raise _wrong_kind(datum, "a string")
        quote = datum.lexeme[0]
        return _not_longer(datum.lexeme[1:-1].replace(quote * 2, quote), self.longest)

    def show(self, value: str) -> str:
        """Return it in double quotes."""
        return responses.show_string(value)


class Block(Parameter[bytes]):
    """An arbitrary block of at most `longest` bytes; a longer one is -223."""

    def __init__(self, longest: int | None = None) -> None:
        self.longest = longest

    def convert(self, datum: Datum) -> bytes:
        """Return the bytes of the block."""
        if datum.kind is not Kind.BLOCK:
            raise _wrong_kind(datum, "a block")
        return _not_longer(datum.lexeme, self.longest).encode("latin-1")

    def show(self, value: bytes) -> str:
        """Return a definite length block."""
        return responses.show_block(value)


class NumericList:
    """A numeric list `(1,2:5)` of at most `at_most` entries."""

    def __init__(self, at_most: int = 64) -> None:
        self._at_most = at_most

    def take(self, data: deque[Datum]) -> tuple[NumericEntry, ...]:
        """Return the entries. Raises -170 for a malformed list, -223 for too many."""
        return _bounded(numeric_list(_first(data)), self._at_most)


class ChannelList:
    """A channel list `(@1,3:5)`, delivered as single channels, at most `at_most` of them."""

    def __init__(self, at_most: int = 64) -> None:
        self._at_most = at_most

    def take(self, data: deque[Datum]) -> tuple[tuple[int, ...], ...]:
        """Return every channel, ranges spread out. Raises -170 for a malformed list, -223 for too many."""
        entries: tuple[ChannelEntry, ...] = _bounded(channel_list(_first(data)), self._at_most)
        return _bounded((channel for entry in entries for channel in entry.channels()), self._at_most)


class Omittable(Generic[T, S]):
    """A parameter that may be left out; `otherwise` stands in for it."""

    def __init__(self, parameter: Reader[T], otherwise: S) -> None:
        self._parameter = parameter
        self._otherwise = otherwise

    def take(self, data: deque[Datum]) -> T | S:
        """Return the value sent, or the stand-in."""
        return self._parameter.take(data) if data else self._otherwise


class Repeated(Generic[T]):
    """At least one value of the same type, at most `at_most`; what comes after is left where it is."""

    def __init__(self, parameter: Reader[T], at_most: int) -> None:
        self._parameter = parameter
        self._at_most = at_most

    def take(self, data: deque[Datum]) -> tuple[T, ...]:
        """Return the values."""
        values = [self._parameter.take(data)]
        while data and len(values) < self._at_most:
            values.append(self._parameter.take(data))
        return tuple(values)


def _exact_or_none(value: Decimal | int | str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _look_up(datum: Datum, words: dict[str, T]) -> T:
    for spelling, value in words.items():
        if is_form_of(datum.lexeme, spelling):
            return value
    raise ScpiError(-224, datum.lexeme)


def _not_longer(content: str, longest: int | None) -> str:
    if longest is not None and len(content) > longest:
        raise ScpiError(-223, f"{len(content)} where {longest} fit")
    return content


def _bounded(items: Iterable[T], at_most: int) -> tuple[T, ...]:
    kept = tuple(islice(items, at_most + 1))
    if len(kept) > at_most:
        raise ScpiError(-223, f"more than {at_most} in a list")
    return kept
