"""What was done to the path: the lanes of the impairment band and the rows of the applied table, from the events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from impairlab.controller.plan.documents import EventDocument, SampleDocument
from impairlab.controller.plan.timeline import Change
from impairlab.drivers.model.applied import Applied, Statistics
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.impairments import LinkState
from impairlab.drivers.model.losses import Outage

from .view import AppliedRow, AppliedStep, Counters, Lane, Severity, StateSpan

MOST_STATES = 300
"""On a lane: with more of them they are narrower than a mark."""
MOST_ROWS = 1_500
"""In the table: with more of them nobody reads it, and the page grows beyond what can be mailed."""

Numbered = tuple[int, EventDocument]


def numbered(events: Sequence[EventDocument]) -> list[Numbered]:
    """The events that asked for changes, counted from 1; the band and the table name them by this number."""
    return list(enumerate((event for event in events if event.changes), start=1))


def lanes(steps: Sequence[Numbered], zero_ns: int, end_ns: int) -> tuple[Lane, ...]:
    """One lane for each flow that was touched, in the order of the first touch. `end_ns` counts from `zero_ns`.

    A state that begins at the end, such as the neutral one that a timeline ends in, has no room on the band.
    """
    states: dict[str, list[StateSpan]] = {}
    for step, event in steps:
        for change in event.changes if event.planned_ns - zero_ns < end_ns else ():
            states.setdefault(_lane_name(change), []).append(_state(step, event, change, zero_ns, end_ns))
    return tuple(Lane(name, _drawable(tuple(_chained(found)), end_ns)) for name, found in states.items())


def applied_steps(steps: Sequence[Numbered], zero_ns: int) -> tuple[AppliedStep, ...]:
    """Every field that was written, step by step."""
    return tuple(_step(number, event, zero_ns) for number, event in steps)


def fitting(steps: Sequence[AppliedStep], most: int = MOST_ROWS) -> tuple[AppliedStep, ...]:
    """The steps that there is room for, in order: every eventful one before any other, then the first ones."""
    room, kept = most, set()
    for step in sorted(steps, key=lambda step: not step.eventful):
        room -= len(step.rows) + 1
        if room < 0:
            break
        kept.add(step.number)
    return tuple(step for step in steps if step.number in kept)


def counters(samples: Sequence[SampleDocument]) -> tuple[Counters, ...]:
    """What the packet counters of each flow grew by from the first reading to the last."""
    readings: dict[str, list[Statistics]] = {}
    for sample in samples:
        readings.setdefault(f"{sample.appliance} {sample.target}", []).append(sample.statistics)
    return tuple(_counted(target, found[0], found[-1]) for target, found in readings.items())


def _counted(target: str, first: Statistics, last: Statistics) -> Counters:
    before, after = (reading.model_dump(exclude={"at_ns"}, exclude_none=True) for reading in (first, last))
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    if last.at_ns == first.at_ns or min(grown.values(), default=0) < 0:
        return Counters(target, _named(after))
    return Counters(target, _named(grown), last.at_ns - first.at_ns)


def _named(values: Mapping[str, int]) -> dict[str, int]:
    return {name.replace("_", " "): value for name, value in values.items()}


def severity(conditions: Conditions) -> Severity:
    """Down where nothing comes through, impaired where anything else is asked, else neutral."""
    impairments = tuple(conditions)
    if any(isinstance(i, Outage) or (isinstance(i, LinkState) and i.state == "down") for i in impairments):
        return Severity.DOWN
    return Severity.IMPAIRED if impairments else Severity.NEUTRAL


def _lane_name(change: Change) -> str:
    flow = f" flow {change.target.flow}" if change.target.flow else ""
    return f"{change.role} {change.target.direction}{flow}"


def _state(step: int, event: EventDocument, change: Change, zero_ns: int, end_ns: int) -> StateSpan:
    mine = [field for field in event.applied.get(change.appliance, ()) if field.target == change.target]
    sent_ns = min((field.sent_ns for field in mine), default=event.sent_ns)
    acknowledged_ns = max((field.acknowledged_ns for field in mine), default=event.acknowledged_ns)
    return StateSpan(
        step=step,
        planned_ns=event.planned_ns - zero_ns,
        sent_ns=sent_ns - zero_ns,
        acknowledged_ns=None if acknowledged_ns is None else acknowledged_ns - zero_ns,
        end_ns=end_ns,
        label=str(change.conditions),
        severity=severity(change.conditions),
    )


def _chained(states: Sequence[StateSpan]) -> Iterator[StateSpan]:
    """Each state until the next one is planned: from there on the band shows the change going on."""
    for state, following in pairwise([*states, None]):
        if state is not None:
            yield state if following is None else state.until(following.planned_ns)


def _drawable(states: Sequence[StateSpan], end_ns: int) -> tuple[StateSpan, ...]:
    """The states, or, where they are more than can be told apart, runs of them as one, drawn as the worst of them."""
    if len(states) <= MOST_STATES:
        return tuple(states)
    runs = groupby(states, key=lambda state: max(0, state.planned_ns) * MOST_STATES // end_ns)
    return tuple(_as_one(tuple(run)) for _, run in runs)


def _as_one(states: Sequence[StateSpan]) -> StateSpan:
    if len(states) == 1:
        return states[0]
    worst = max((state.severity for state in states), key=list(Severity).index)
    label = f"{len(states)} states, steps {states[0].step} to {states[-1].step}"
    return replace(states[0], end_ns=states[-1].end_ns, severity=worst, label=label)


def _step(number: int, event: EventDocument, zero_ns: int) -> AppliedStep:
    planned = event.event == "step"
    error = event.error
    return AppliedStep(
        number=number,
        label=_label(event),
        planned_ns=event.planned_ns - zero_ns if planned else None,
        late_ns=event.lateness_ns if planned else None,
        late=event.late,
        error="" if error is None else f"{error.name}: {error.message}",
        rows=tuple(_row(event, appliance, field) for appliance, fields in event.applied.items() for field in fields),
    )


def _label(event: EventDocument) -> str:
    """The phase, and what happens in it unless that is its beginning."""
    return event.phase if event.label == "phase" else f"{event.phase}, {event.label}"


def _row(event: EventDocument, appliance: str, field: Applied) -> AppliedRow:
    return AppliedRow(
        target=f"{appliance} {field.target}",
        field=field.field,
        asked=field.asked,
        sent=field.sent,
        read_back=field.read_back,
        late_ns=field.acknowledged_ns - event.planned_ns if event.event == "step" else None,
        took_ns=field.acknowledged_ns - field.sent_ns,
    )
