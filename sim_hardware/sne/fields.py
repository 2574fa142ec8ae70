"""What may stand in one field of a setting."""

from dataclasses import dataclass
from decimal import Decimal

from impairlab.sim_hardware.rest.bodies import Read

_TRUTHS = {"true": True, "false": False}


class BadValue(Exception):  # noqa: N818 - a fact about the value
    """A value is not legal; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`, whole or not."""

    low: Decimal
    high: Decimal
    default: Decimal | int
    whole: bool = False

    def read(self, value: Read) -> Read:
        """Return the value. Raises `BadValue`."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not self.low <= value <= self.high:
            raise BadValue(f"must be a number from {self.low} to {self.high}")
        if self.whole and value != int(value):
            raise BadValue(f"must be a whole number from {self.low} to {self.high}")
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false, or one of these as a string, as the vendor's sample client sends them."""

    default: bool = False

    def read(self, value: Read) -> Read:
        """Return the value. Raises `BadValue`."""
        if isinstance(value, str) and value in _TRUTHS:
            return _TRUTHS[value]
        if not isinstance(value, bool):
            raise BadValue("must be true or false")
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words or numbers; the first is the default."""

    legal: tuple[str | int, ...]

    @property
    def default(self) -> str | int:
        """The first."""
        return self.legal[0]

    def read(self, value: Read) -> Read:
        """Return the value. Raises `BadValue`."""
        if isinstance(value, bool) or value not in self.legal:
            raise BadValue(f"must be one of {', '.join(map(str, self.legal))}")
        return value


Field = Number | Flag | Choice


def number(low: str, high: str, default: str | None = None) -> Number:
    """Return a field for a number, `low` by default."""
    return Number(Decimal(low), Decimal(high), Decimal(default or low))


def whole(low: int, high: int, default: int | None = None) -> Number:
    """Return a field for a whole number, `low` by default."""
    return Number(Decimal(low), Decimal(high), low if default is None else default, whole=True)
