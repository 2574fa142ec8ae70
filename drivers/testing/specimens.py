"""Specimens: conditions that put every field that capabilities declare at its low, its high, a step up, in the middle.

They are made from the capabilities alone, so that a driver is asked for exactly what it says it can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, combinations, islice, product

from pydantic import ValidationError

from impairlab.drivers.model.capabilities import Feature, Range, feature_name, fields_of
from impairlab.drivers.model.conditions import Conditions

_SELECTORS: Mapping[str, str] = {"delay": "distribution", "loss": "model", "rate": "mode", "link": "state"}
_TYPICAL: Mapping[str, tuple[Decimal, ...]] = {
    "time": (Decimal(20_000_000), Decimal(500_000_000)),
    "rate": (Decimal(10_000_000),),
    "size": (Decimal(64_000), Decimal(1_500)),
    "probability": (Decimal("0.01"), Decimal("0.2")),
    "count": (Decimal(2), Decimal(40)),
}
_TABLE_LENGTHS = (3, 512, 1024)
_TABLE_FIELDS = ("table", "pattern.table", "priorities")
_TRIALS = 300
_MOST_ADDED = 3
_CANDIDATES = (1, 2, 6)
_COARSE = 4
"""A quarter of a step is a value of the vocabulary: times, rates, sizes and most counts are whole numbers."""

Value = Decimal | str | bool | tuple[Decimal, ...] | None
"""Of a field in base units; None leaves the field out."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """One field of one feature at one place of its range.

    Attributes:
        feature: Its name.
        field: The field, "" for a feature that has none.
        place: "low", "step" (the low and one step), "middle", "high"; a choice; "typical" of the whole feature.
        conditions: What to set; None when no value of the other fields goes with it.
    """

    feature: str
    field: str
    place: str
    conditions: Conditions | None

    def __str__(self) -> str:
        """Return e.g. "delay.normal spread at its high"."""
        return f"{self.feature} {self.field} at its {self.place}" if self.field else self.feature


def specimens(features: Iterable[Feature], legal: Callable[[Conditions], bool]) -> Iterator[Specimen]:
    """Yield specimens of every feature.

    Args:
        features: Of the appliance.
        legal: Tells whether an appliance takes conditions, cross-field rules included.
    """
    for feature in features:
        yield Specimen(feature.name, "", "typical", _made(feature, {}, legal))
        for field, span in feature.ranges.items():
            for place, value in _places(span).items():
                fixed: Value = (value,) if field in _TABLE_FIELDS else value
                tables = _tables(span, value) if field in _TABLE_FIELDS else (fixed,)
                found = (_made(feature, {field: each}, legal) for each in tables)
                yield Specimen(feature.name, field, place, next((each for each in found if each is not None), None))
        for field, choices in feature.choices.items():
            for choice in choices:
                yield Specimen(feature.name, field, str(choice).lower(), _made(feature, {field: choice}, legal))


def as_specimens(conditions: Conditions) -> Iterator[Specimen]:
    """Yield conditions as a specimen of every field that they set."""
    for impairment in conditions:
        for field, _ in fields_of(impairment):
            yield Specimen(feature_name(impairment), field, "example", conditions)


def beyond(features: Iterable[Feature]) -> Iterator[Conditions]:
    """Yield conditions in which one field is one step above its range, or below it, and all else as it should be."""
    for feature in features:
        for field, span in feature.ranges.items():
            for value in (span.high + span.step, span.low - span.step):
                fixed: Value = (value,) if field in _TABLE_FIELDS else value
                made = _made(feature, {field: fixed}, lambda _: True)
                if made is not None:
                    yield made


def between(features: Iterable[Feature], legal: Callable[[Conditions], bool]) -> Iterator[Conditions]:
    """Yield conditions in which one field lies between two steps; `legal` is told to let that pass."""
    for feature in features:
        for field, span in feature.ranges.items():
            if field in _TABLE_FIELDS or (span.dimension != "probability" and span.step < _COARSE):
                continue
            for steps in (1, 1000):
                made = _made(feature, {field: span.low + span.step * steps + span.step / 4}, legal)
                if made is not None:
                    yield made


def _places(span: Range) -> dict[str, Decimal]:
    first = -(-span.low // span.step) * span.step
    step = first + span.step if first == span.low else first
    middle = span.nearest((span.low + span.high) / 2)
    places = {"low": span.low, "step": step, "middle": middle, "high": span.high}
    return {place: value for place, value in places.items() if place in {"low", "high"} or step <= value < span.high}


def _made(feature: Feature, fixed: Mapping[str, Value], legal: Callable[[Conditions], bool]) -> Conditions | None:
    """Return legal conditions with some fields fixed and the others as ordinary as can be; None if there are none.

    As few of the other fields as possible are set.
    """
    kind, _, form = feature.name.partition(".")
    for values in islice(_trials(feature, fixed), _TRIALS):
        try:
            conditions = Conditions.model_validate({kind: _written(kind, form, feature.ranges, values)})
        except ValidationError:
            continue
        if [feature_name(each) for each in conditions] == [feature.name] and legal(conditions):
            return conditions
    return None


def _trials(feature: Feature, fixed: Mapping[str, Value]) -> Iterator[dict[str, Value]]:
    """Yield values to try: the most ordinary ones first, and as few as possible of the fields that need not be set."""
    needed = _needed(feature, fixed)
    others = [field for field in (*feature.ranges, *feature.choices) if field not in {*fixed, *needed}]
    candidates = {field: list(_candidates(feature, field)) for field in (*needed, *others)}
    for most in _CANDIDATES:
        for count in range(min(len(others), _MOST_ADDED) + 1):
            for added in combinations(others, count):
                free = [*added, *needed]
                for values in product(*(candidates[field][:most] for field in free)):
                    yield {**fixed, **dict(zip(free, values, strict=True))}


def _needed(feature: Feature, fixed: Mapping[str, Value]) -> list[str]:
    """Return the fields that an impairment cannot be without, as far as the vocabulary says so."""
    kind, _, form = feature.name.partition(".")
    try:
        Conditions.model_validate({kind: _written(kind, form, feature.ranges, fixed)})
    except ValidationError as error:
        missing = {_field(detail["loc"]) for detail in error.errors() if detail["type"] == "missing"}
        return [field for field in (*feature.ranges, *feature.choices) if field in missing]
    return []


def _field(location: Sequence[str | int]) -> str:
    """Return the name of a field in capabilities for pydantic's location, which has the tags of unions in it."""
    part = next((f"{part}." for part in ("pattern", "schedule") if part in location[:-1]), "")
    return f"{part}{location[-1]}"


def _candidates(feature: Feature, field: str) -> Iterator[Value]:
    if field in feature.choices:
        yield from feature.choices[field]
        return
    span = feature.ranges[field]
    typical = (span.nearest(value) for value in _TYPICAL[span.dimension] if span.low <= value <= span.high)
    ordinary = dict.fromkeys(chain(typical, _places(span).values()))
    if field in _TABLE_FIELDS:
        yield from (table for value in ordinary for table in _tables(span, value))
    else:
        yield from ordinary


def _tables(span: Range, value: Decimal) -> Iterator[tuple[Decimal, ...]]:
    yield (value,)
    lower, upper = span.nearest(max(span.low, Decimal(-1))), span.nearest(min(span.high, Decimal(1)))
    for length in _TABLE_LENGTHS:
        yield (value, *((lower, upper)[at % 2] for at in range(length - 1)))


def _written(kind: str, form: str, ranges: Mapping[str, Range], values: Mapping[str, Value]) -> dict[str, object]:
    """Return an impairment as a mapping that the vocabulary reads."""
    written: dict[str, object] = {}
    if form and kind in _SELECTORS:
        written[_SELECTORS[kind]] = form
    elif form:
        written["pattern"] = {"model": form}
    for field, value in values.items():
        if value is None:
            continue
        part, _, name = field.rpartition(".")
        place = written.setdefault(part, {}) if part else written
        if isinstance(place, dict):
            place[name] = _spelled(value, ranges.get(field))
    return written


def _spelled(value: Value, span: Range | None) -> object:
    if isinstance(value, tuple):
        return value
    return f"{value} ns" if span is not None and span.dimension == "time" else value
