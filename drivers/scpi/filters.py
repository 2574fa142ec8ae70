"""Filters: a flow's filter to the string that FILTer:DEFinition takes, and back."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from impairlab.drivers.links.scpi_response import split_units, unquote
from impairlab.drivers.model.flows import Filter

HEADERS: Mapping[str, str] = {
    "vlan": "VLAN",
    "dscp": "DSCP",
    "protocol": "PROT",
    "source": "SOUR:ADDR",
    "source_port": "SOUR:PORT",
    "destination": "DEST:ADDR",
    "destination_port": "DEST:PORT",
}
"""Header of each of the model's fields, relative to FILTer."""

_FIELDS = {header: field for field, header in HEADERS.items()}
_ADDRESSES = {"source", "destination"}


def write_filter(selector: Filter | None) -> str:
    """Return the string that FILTer:DEFinition takes; empty puts the filter out of use."""
    if selector is None:
        return ""
    settings = ["STAT 1"]
    for field, header in HEADERS.items():
        value = getattr(selector, field)
        if value is not None:
            text = f'"{value}"' if field in _ADDRESSES else str(value).upper()
            settings.append(f"{header} {text}")
    return ";".join(settings)


def read_filter(text: str) -> Filter | None:
    """Read the string that FILTer:DEFinition? answers; None when the filter is off.

    Raises:
        ValueError: A header that is not known, or a value that cannot be read.
    """
    if not text:
        return None
    fields: dict[str, str] = {}
    for unit in split_units(text):
        header, _, value = unit.partition(" ")
        if header == "STAT" and value == "1":
            continue
        if header not in _FIELDS:
            raise ValueError(f"{unit!r} is no setting of a filter")
        field = _FIELDS[header]
        fields[field] = unquote(value) if field in _ADDRESSES else value.lower()
    try:
        return Filter.model_validate(fields)
    except ValidationError as error:
        raise ValueError(f"{text!r} is no filter: {error}") from error
