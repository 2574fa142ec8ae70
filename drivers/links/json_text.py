"""JSON whose numbers pass through no binary floating point on the way in, and none that loses digits on the way out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

Json: TypeAlias = "bool | int | Decimal | str | Sequence[Json] | Mapping[str, Json] | None"

_EXACT_DIGITS = 15
"""A decimal number of so many digits survives the way through a binary float (IEEE 754 double)."""


def read_json(body: bytes) -> Json:
    """Return what a body says. Raises ValueError when it is no JSON, or has a number that is none (NaN, Infinity)."""
    content: Json = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    return content


def write_json(content: Json) -> bytes:
    """Return the text. Raises ValueError for a number of more than 15 digits."""
    return json.dumps(_plain(content)).encode()


def _plain(content: Json) -> object:
    if isinstance(content, Decimal):
        return _number(content)
    if isinstance(content, Mapping):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [_plain(each) for each in content]
    return content


def _number(number: Decimal) -> int | float:
    if number == number.to_integral_value():
        return int(number)
    if len(number.normalize().as_tuple().digits) > _EXACT_DIGITS:
        raise ValueError(f"{number} has more than {_EXACT_DIGITS} digits")
    return float(number)


def _refuse(constant: str) -> Decimal:
    raise ValueError(f"{constant} is no number in JSON")
