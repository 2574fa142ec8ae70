"""JSON bodies: read exactly, written back as numbers."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from impairlab.sim_hardware.transports.http import Json

Read: TypeAlias = "bool | int | Decimal | str | list[Read] | dict[str, Read] | None"
"""A JSON document whose decimal fractions are exact."""

_LARGEST_EXPONENT = 400


class BadBody(Exception):  # noqa: N818 - a fact about the body
    """The body is no JSON document of the wanted form."""


def read_json(body: bytes) -> Read:
    """Return the document.

    Raises:
        BadBody: It is none, or nested too deep, or a number in it has no end.
    """
    try:
        document: Read = json.loads(body, parse_float=_decimal, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise BadBody("nested too deep") from error
    except ValueError as error:
        raise BadBody(f"not JSON: {error}") from error
    return document


def read_object(body: bytes) -> dict[str, Read]:
    """Return the object that the body is; an empty body is an empty object.

    Raises:
        BadBody: It is something else.
    """
    document = read_json(body) if body.strip() else {}
    if not isinstance(document, dict):
        raise BadBody("not a JSON object")
    return document


def written(document: Read) -> Json:
    """Return the document as `json.dumps` writes it; whole numbers without a fraction."""
    if isinstance(document, Decimal):
        return int(document) if document == document.to_integral_value() else float(document)
    if isinstance(document, list):
        return [written(each) for each in document]
    if isinstance(document, Mapping):
        return {key: written(value) for key, value in document.items()}
    return document


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text[:40]} is no number") from error
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"{text[:40]} is beyond all numbers")
    return number


def _refuse_constant(text: str) -> Decimal:
    raise ValueError(f"{text} is not JSON")
