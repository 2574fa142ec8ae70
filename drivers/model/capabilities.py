"""Capabilities: what an appliance can do, as data that a driver states and anyone can check offline.

A check answers with every violation at once, before a byte is sent. Values that lie in range and off the appliance's
step are refused or, when asked for, moved to the nearest step and recorded: never clipped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Literal

from pydantic import Field

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.flows import Target
from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.impairments import Impairment
from impairlab.drivers.model.units import (
    format_probability,
    format_rate,
    format_size,
    format_time,
)

Dimension = Literal["time", "rate", "size", "probability", "count"]

_FORMS = ("model", "distribution", "mode", "state")
"""Fields that choose the form of an impairment."""

_PARTS = ("pattern", "schedule")
"""Fields that hold a value with fields of its own."""

_TAGS = {*_FORMS, "kind", "counts"}

FieldValue = int | Decimal | bool | str | tuple[object, ...] | None


def format_value(value: object, dimension: Dimension | None) -> str:
    """Return exact text with its unit."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return str(value).lower() if isinstance(value, bool) else str(value)
    match dimension:
        case "time":
            return format_time(int(value))
        case "rate":
            return format_rate(int(value))
        case "size":
            return format_size(int(value))
        case "probability":
            return format_probability(Decimal(value))
        case _:
            return f"{value:f}" if isinstance(value, Decimal) else str(value)


class Provenance(Frozen):
    """Where a stated capability comes from.

    Attributes:
        basis: documented (a public text says so), inferred (nobody says so), verified (seen on hardware).
        detail: The text, or serial number, firmware and date.
    """

    basis: Literal["documented", "inferred", "verified"]
    detail: str = ""


class Range(Frozen):
    """The legal values of one field in base units (ns, bit/s, B, fraction of one, packets), both ends included."""

    dimension: Dimension
    low: Decimal
    high: Decimal
    step: Decimal = Field(gt=0)

    def nearest(self, value: Decimal) -> Decimal:
        """Return the closest legal value; halves go to the even step. Steps count from zero."""
        with localcontext() as context:
            context.prec = 60
            steps = (value / self.step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
            nearest = min(max(steps * self.step, self.low), self.high)
            return value if nearest == value else nearest

    def describe(self) -> str:
        """Return e.g. "0 s .. 10 s in steps of 100 ns"."""
        low, high, step = (format_value(v, self.dimension) for v in (self.low, self.high, self.step))
        return f"{low} .. {high} in steps of {step}"


class Violation(Frozen):
    """One thing an appliance cannot do.

    Attributes:
        where: Target, file position or "" .
        field: e.g. "delay.mean".
        problem: What is wrong with the value asked for.
        legal: What would be legal.
    """

    where: str = ""
    field: str
    problem: str
    legal: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.where + ' ' if self.where else ''}{self.field}: {self.problem}; legal: {self.legal}"


class Feature(Frozen):
    """One kind of impairment in one of its forms, e.g. "delay.normal" or "reorder".

    Attributes:
        name: As `feature_name` gives it.
        ranges: Legal range by field; of a table, of each of its numbers.
        choices: Legal values by field, for fields that are not numbers. A field in neither keeps its default.
        provenance: Where this is known from.
    """

    name: str
    ranges: Mapping[str, Range] = {}
    choices: Mapping[str, tuple[str | bool, ...]] = {}
    provenance: Provenance


@dataclass(frozen=True)
class Rule:
    """A cross-field rule: `holds` is given whole conditions; `text` says what must be true."""

    name: str
    text: str
    holds: Callable[[Conditions], bool]


@dataclass(frozen=True)
class PlaceRule:
    """A rule about what may be set where.

    Attributes:
        name: Field or feature that it is about.
        text: What must be true, for people who read the capabilities.
        violations: Is given a target and whole conditions, talks to nobody, and returns what breaks the rule. `where`
            is filled in by `Capabilities.check_at`.
    """

    name: str
    text: str
    violations: Callable[[Target, Conditions], Iterable[Violation]]


def form_of(impairment: Impairment) -> tuple[str, str] | None:
    """Return the field that chooses the form and the form: ("model", "burst"), ("pattern.model", "even"), or None."""
    for selector in _FORMS:
        form = getattr(impairment, selector, None)
        if form is not None:
            return selector, str(form)
    pattern = getattr(impairment, "pattern", None)
    return None if pattern is None else ("pattern.model", pattern.model)


def feature_name(impairment: Impairment) -> str:
    """Return the feature an impairment needs: "delay.normal", "loss.burst", "reorder", "corrupt.bit-error".

    An impairment that hits a plain share of the packets is named by its kind alone, with a pattern by that as well.
    """
    form = form_of(impairment)
    return impairment.kind if form is None else f"{impairment.kind}.{form[1]}"


def fields_of(impairment: Impairment) -> Iterator[tuple[str, FieldValue]]:
    """Yield (field, value) of what an impairment sets beside its form, in declaration order.

    The fields of its pattern and of its schedule are named "pattern.every", "schedule.on"; without one there are none.
    """
    for name in type(impairment).model_fields:
        value = getattr(impairment, name)
        if name in _PARTS:
            if value is not None:
                for nested in type(value).model_fields:
                    if nested not in _TAGS:
                        yield f"{name}.{nested}", getattr(value, nested)
        elif name not in _TAGS:
            yield name, value


def _default(impairment: Impairment, field: str) -> object:
    """Return the value a field has when it is left out; of a required field, something that no value equals."""
    part, _, nested = field.rpartition(".")
    owner = getattr(impairment, part) if part else impairment
    return type(owner).model_fields[nested].default


@dataclass(frozen=True)
class Capabilities:
    """What an appliance can do.

    Attributes:
        paths: Names of its paths.
        flows: Filtered flows in a direction, beside "everything else".
        filter_fields: Fields of `Filter` it can match on.
        features: By name.
        exclusive: Groups of feature names (or kinds) of which at most one may be set at a time in a flow.
        rules: Cross-field rules.
        place_rules: What some paths, directions or flows cannot do although others can; only `check_at` looks at them.
        effect: When a change acts: at once, or at a commit.
        hitless: Whether a change leaves packets in flight alone; None where nobody says.
        update_interval_ns: Smallest sensible time between two changes.
        statistics: Names of the counters it has.
    """

    paths: tuple[str, ...]
    features: Mapping[str, Feature]
    flows: int = 0
    filter_fields: frozenset[str] = frozenset()
    exclusive: tuple[frozenset[str], ...] = ()
    rules: tuple[Rule, ...] = ()
    place_rules: tuple[PlaceRule, ...] = ()
    effect: Literal["immediate", "commit"] = "immediate"
    hitless: bool | None = None
    update_interval_ns: int = 0
    statistics: tuple[str, ...] = ()

    def supports(self, need: str) -> bool:
        """Whether a need like "delay", "delay.normal" or "loss.burst" is met."""
        return need in self.features or any(name.partition(".")[0] == need for name in self.features)

    def check(self, conditions: Conditions, where: str = "", *, on_step: bool = True) -> tuple[Violation, ...]:
        """Return every violation; empty when all is legal. `on_step=False` lets values lie between steps."""
        return tuple(
            found.model_copy(update={"where": where})
            for violations in (
                *(self._check_one(impairment, on_step=on_step) for impairment in conditions),
                self._check_together(conditions),
            )
            for found in violations
        )

    @property
    def rule_lines(self) -> tuple[str, ...]:
        """What must be true beyond ranges, a line a rule."""
        cross_field = [f"{rule.name}: {rule.text}" for rule in self.rules]
        return (*cross_field, *(f"{rule.name}: {rule.text}" for rule in self.place_rules))

    def check_at(self, target: Target, conditions: Conditions, *, on_step: bool = True) -> tuple[Violation, ...]:
        """Return every violation of conditions on one flow; empty when all is legal there.

        This is what an appliance itself asks before it sends anything.
        """
        found = (
            *self.check_target(target),
            *self.check(conditions, on_step=on_step),
            *(violation for rule in self.place_rules for violation in rule.violations(target, conditions)),
        )
        return tuple(violation.model_copy(update={"where": str(target)}) for violation in found)

    def check_target(self, target: Target) -> tuple[Violation, ...]:
        """Return what is wrong with a target."""
        violations = []
        if target.path not in self.paths:
            violations.append(Violation(field="path", problem=f"no path {target.path!r}", legal=_words(self.paths)))
        if target.flow > self.flows:
            violations.append(Violation(field="flow", problem=f"no flow {target.flow}", legal=f"0 .. {self.flows}"))
        return tuple(violations)

    def nearest(self, conditions: Conditions) -> Conditions:
        """Return the conditions with every value on the appliance's nearest step. Check first: ranges still hold."""
        moved: dict[str, Impairment] = {}
        for impairment in conditions:
            ranges = self.features[feature_name(impairment)].ranges
            steps = {field: _moved(value, ranges[field]) for field, value in fields_of(impairment) if field in ranges}
            moved[impairment.kind] = _updated(impairment, steps)
        return conditions.model_copy(update=moved)

    def _check_one(self, impairment: Impairment, *, on_step: bool) -> Iterator[Violation]:
        name = feature_name(impairment)
        feature = self.features.get(name)
        if feature is None:
            kind, _, form = name.partition(".")
            offered = sorted(n.partition(".")[2] for n in self.features if n.partition(".")[0] == kind)
            if form and offered:
                yield Violation(field=kind, problem=f"{form!r} not offered", legal=_words(offered))
            else:
                kinds = sorted({n.partition(".")[0] for n in self.features})
                yield Violation(field=kind, problem="not offered by this appliance", legal=_words(kinds))
            return
        for field, value in fields_of(impairment):
            yield from _check_field(feature, impairment, field, value, on_step=on_step)

    def _check_together(self, conditions: Conditions) -> Iterator[Violation]:
        present = {feature_name(impairment) for impairment in conditions} | {i.kind for i in conditions}
        for group in self.exclusive:
            clash = sorted(group & present)
            if len(clash) > 1:
                yield Violation(field=clash[0], problem=f"cannot be combined with {_words(clash[1:])}",
                                legal=f"one of {_words(sorted(group))}")  # fmt: skip
        for rule in self.rules:
            if not rule.holds(conditions):
                yield Violation(field=rule.name, problem="cross-field rule broken", legal=rule.text)


def _check_field(
    feature: Feature, impairment: Impairment, field: str, value: object, *, on_step: bool
) -> Iterator[Violation]:
    name = f"{impairment.kind}.{field}"
    if field in feature.ranges:
        for number in _numbers(value):
            yield from _check_number(name, feature.ranges[field], number, on_step=on_step)
    elif field in feature.choices:
        if value not in feature.choices[field]:
            legal_words = _words(format_value(choice, None) for choice in feature.choices[field])
            yield Violation(field=name, problem=f"{format_value(value, None)} is not offered", legal=legal_words)
    elif value != _default(impairment, field):
        yield Violation(field=name, problem="cannot be set on this appliance", legal="leave it out")


def _check_number(name: str, legal: Range, number: int | Decimal, *, on_step: bool) -> Iterator[Violation]:
    text = format_value(number, legal.dimension)
    if not legal.low <= number <= legal.high:
        yield Violation(field=name, problem=f"{text} is out of range", legal=legal.describe())
    elif on_step and (nearest := legal.nearest(Decimal(number))) != number:
        near = format_value(nearest, legal.dimension)
        yield Violation(field=name, problem=f"{text} is off step, nearest is {near}", legal=legal.describe())


def _numbers(value: object) -> Iterator[int | Decimal]:
    """Yield the numbers of a field: one, or those of a table."""
    for each in value if isinstance(value, tuple) else (value,):
        if isinstance(each, int | Decimal):
            yield each


def _updated(impairment: Impairment, values: Mapping[str, object]) -> Impairment:
    """Return the impairment with other values of some fields, those of its parts included."""
    update: dict[str, object] = {field: value for field, value in values.items() if "." not in field}
    for part in _PARTS:
        nested = {f.partition(".")[2]: value for f, value in values.items() if f.startswith(f"{part}.")}
        if nested:
            update[part] = getattr(impairment, part).model_copy(update=nested)
    return impairment.model_copy(update=update)


def _moved(value: object, legal: Range) -> object:
    if isinstance(value, tuple):
        return tuple(_moved(each, legal) for each in value)
    if isinstance(value, int | Decimal):
        return type(value)(legal.nearest(Decimal(value)))
    return value


def _words(items: Iterable[str]) -> str:
    return ", ".join(items) or "nothing"
