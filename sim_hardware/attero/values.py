"""What may stand in a body of the Attero-100G.

Source: the help of the quickcalls, Spirent/iTest-assets `di_attero100G`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from impairlab.sim_hardware.rest.bodies import Read

TOKEN_KEY = "AuthToken"  # noqa: S105 - the name of a key

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,12})?)%")
_EXPONENT = re.compile(r"(\d(?:\.\d{1,12})?[Ee]-?\d{1,2})")
_LEAST_RATE, _MOST_RATE = Decimal("1E-7"), Decimal(1)


class BadArgument(Exception):  # noqa: N818 - the name of the box's own error
    """A value is not legal; the message is what the client is told."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of packets as the box writes it, "0.1%" or "1E-3".

    Attributes:
        text: As it came.
        share: From 1E-7 to 1.
    """

    text: str
    share: Decimal

    @classmethod
    def read(cls, value: Read) -> "Rate":
        """Read a rate. Raises `BadArgument`."""
        text = value if isinstance(value, str) else ""
        percent, exponent = _PERCENT.fullmatch(text), _EXPONENT.fullmatch(text)
        share = Decimal(percent[1]) / 100 if percent else Decimal(exponent[1]) if exponent else None
        if share is None or not _LEAST_RATE <= share <= _MOST_RATE:
            raise BadArgument(
                "Rate value must be in format X.XXX% or XE-X, in the range 0.00001% - 100% or 1E-7 - 1E-0.\n"
                "Parameter name: Rate"
            )
        return cls(text, share)


def only(body: Mapping[str, Read], *legal: str) -> Mapping[str, Read]:
    """Return a body if it has no other keys than these. Raises `BadArgument`."""
    for key in body:
        if key not in {*legal, TOKEN_KEY}:
            raise BadArgument(f"Unknown parameter.\nParameter name: {key[:100]}")
    return body


def required(body: Mapping[str, Read], name: str) -> Read:
    """Return what a key holds. Raises `BadArgument` when there is none."""
    if name not in body:
        raise BadArgument(f"A value is required.\nParameter name: {name}")
    return body[name]


def truth(value: Read, name: str) -> bool:
    """Read true or false. Raises `BadArgument`."""
    if not isinstance(value, bool):
        raise BadArgument(f"Value must be true or false.\nParameter name: {name}")
    return value


def integer(value: Read, name: str, low: int, high: int, unit: str = "") -> int:
    """Read an integer. Raises `BadArgument`, with the words that are in print for the delay."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        words = f"{low} - {high} {unit}".rstrip()
        raise BadArgument(f"{name} value must be an integer in the range {words}.\nParameter name: {name}")
    return value


def integer_text(value: Read, name: str, low: int, high: int) -> int:
    """Read an integer that is documented as a string; the number is taken as well. Raises `BadArgument`."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    return integer(value, name, low, high)


def choice(value: Read, name: str, legal: tuple[str, ...]) -> str:
    """Read one of some words. Raises `BadArgument`."""
    if not isinstance(value, str) or value not in legal:
        raise BadArgument(f"{name} value must be one of {', '.join(legal)}.\nParameter name: {name}")
    return value


def words(value: Read, name: str, longest: int = 100) -> str:
    """Read a short printable text. Raises `BadArgument`."""
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not value.isprintable():
        raise BadArgument(f"{name} must be 1 to {longest} printable characters.\nParameter name: {name}")
    return value
