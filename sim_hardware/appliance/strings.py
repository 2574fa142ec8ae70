"""A flow as one string: `CONDitions` and `FILTer:DEFinition`.

Source: docs/reference/scpi.md, "A flow as one string".
"""

from collections.abc import Callable
from functools import lru_cache

from impairlab.sim_hardware.appliance.fields import (
    ALL_FILTER_FIELDS,
    CONDITION_FIELDS,
    FILTER_FIELDS,
    FILTER_STATE,
    IMPAIRMENTS,
)
from impairlab.sim_hardware.appliance.settings import DEFAULTS, AnyField, FlowSettings
from impairlab.sim_hardware.scpi import ErrorEntry, ScpiError
from impairlab.sim_hardware.scpi.syntax import Unit, parse_message

_FILTER_NODE = "FILT:"
_CACHED_HEADERS = 512

Installed = Callable[[AnyField], None]
"""Raises -241 for a setting whose option is not installed."""


def show_conditions(settings: FlowSettings) -> str:
    """Return the impairments that are on, as settings joined by `;`."""
    return ";".join(
        field.show_setting(settings)
        for switch, others in IMPAIRMENTS
        if settings.get(switch)
        for field in (switch, *others)
        if field.matters(settings)
    )


def show_filter(settings: FlowSettings) -> str:
    """Return the filter as settings joined by `;`, empty when it is off."""
    if not settings.get(FILTER_STATE):
        return ""
    given = [field for field in FILTER_FIELDS if field.header in settings.values]
    return ";".join(field.show_setting(settings, within=_FILTER_NODE) for field in (FILTER_STATE, *given))


def read_conditions(text: str, settings: FlowSettings, check: Installed) -> FlowSettings:
    """Return `settings` with the impairments of `text` and no others. Raises `ScpiError`."""
    return _read(text, ":", settings.without(CONDITION_FIELDS), CONDITION_FIELDS, check)


def read_filter(text: str, settings: FlowSettings, check: Installed) -> FlowSettings:
    """Return `settings` with the filter of `text` and nothing else filtered. Raises `ScpiError`."""
    return _read(text, ":FILTer:", settings.without(ALL_FILTER_FIELDS), ALL_FILTER_FIELDS, check)


def _read(text: str, node: str, settings: FlowSettings, fields: tuple[AnyField, ...], check: Installed) -> FlowSettings:
    for part in filter(str.strip, text.split(";")):  # no legal value holds a semicolon
        for unit in parse_message(node + part.strip()):
            settings = _stage(settings, unit, fields, check)
    return settings


def _stage(
    settings: FlowSettings, unit: Unit | ErrorEntry, fields: tuple[AnyField, ...], check: Installed
) -> FlowSettings:
    if isinstance(unit, ErrorEntry):
        raise ScpiError(unit.code, unit.text.partition(";")[2])
    if unit.header.endswith("?"):
        raise ScpiError(-224, unit.header)
    field = _field(unit.header, fields)
    check(field)
    return field.stage(settings, unit.data, DEFAULTS)


@lru_cache(maxsize=_CACHED_HEADERS)
def _field(header: str, fields: tuple[AnyField, ...]) -> AnyField:
    for field in fields:
        if field.answers_to(header):
            return field
    raise ScpiError(-113, header)
