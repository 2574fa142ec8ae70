"""Responses: split at the separators that are outside of quotes, and read strings and errors."""

from __future__ import annotations

import re
from collections.abc import Sequence

from impairlab.drivers.model.errors import (
    InstrumentCommandError,
    InstrumentDeviceError,
    InstrumentError,
    InstrumentExecutionError,
    InstrumentQueryError,
)

_QUOTED = r'"(?:[^"]|"")*"'
_UNIT = re.compile(rf'(?:{_QUOTED}|[^;"])*')
_ERROR = re.compile(rf"([+-]?\d+),({_QUOTED})(?:,|$)")


def split_units(text: str) -> list[str]:
    """Split at semicolons (between response units, or between the settings of a string). Raises ValueError."""
    units, at = [], 0
    while True:
        match = _UNIT.match(text, at)
        end = match.end() if match else at
        units.append(text[at:end])
        if end == len(text):
            return units
        if text[end] != ";":
            raise ValueError(f"a quote is not closed in {text!r}")
        at = end + 1


def quote(text: str) -> str:
    """Return SCPI string data (IEEE 488.2 7.7.5): quotes inside are doubled."""
    return '"' + text.replace('"', '""') + '"'


def unquote(text: str) -> str:
    """Read SCPI string data. Raises ValueError."""
    if not re.fullmatch(_QUOTED, text):
        raise ValueError(f"{text!r} is not a string")
    return text[1:-1].replace('""', '"')


def read_errors(text: str) -> list[tuple[int, str]]:
    """Read the answer of SYSTem:ERRor:ALL? and leave out "no error". Raises ValueError."""
    errors, at = [], 0
    while at < len(text) or not text:
        match = _ERROR.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is not a list of errors")
        errors.append((int(match.group(1)), unquote(match.group(2))))
        at = match.end()
    return [error for error in errors if error[0] != 0]


def instrument_error(
    errors: Sequence[tuple[int, str]], *, appliance: str, command: str, state_known: bool
) -> InstrumentError:
    """Return the error of the class that the first number belongs to (SCPI-1999 vol. 2, 21.8)."""
    code = errors[0][0]
    if -199 <= code <= -100:
        kind: type[InstrumentError] = InstrumentCommandError
    elif -299 <= code <= -200:
        kind = InstrumentExecutionError
    elif -499 <= code <= -400:
        kind = InstrumentQueryError
    else:
        kind = InstrumentDeviceError
    return kind(errors, appliance=appliance, command=command, state_known=state_known)
