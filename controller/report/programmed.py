"""What was done to the path: the lanes of the impairment band and the rows of the applied table, from the events."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from impairlab.controller.plan.documents import EventDocument, SampleDocument
from impairlab.controller.plan.timeline import Change
from impairlab.drivers.model.applied import Applied
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.impairments import LinkState, Outage

from .view import AppliedRow, Counters, Lane, Severity, StateSpan

Numbered = tuple[int, EventDocument]


def numbered(events: Sequence[EventDocument]) -> list[Numbered]:
    """The events that asked for changes, counted from 1; the band and the table name them by this number."""
    return list(enumerate((event for event in events if event.changes), start=1))


def lanes(steps: Sequence[Numbered], zero_ns: int, end_ns: int) -> tuple[Lane, ...]:
    """One lane for each flow that was touched, in the order of the first touch. `end_ns` counts from `zero_ns`."""
    states: dict[str, list[StateSpan]] = {}
    for step, event in steps:
        for change in event.changes:
            states.setdefault(_lane_name(change), []).append(_state(step, event, change, zero_ns, end_ns))
    return tuple(Lane(name, tuple(_chained(found))) for name, found in states.items())


def applied_rows(steps: Sequence[Numbered], zero_ns: int) -> tuple[AppliedRow, ...]:
    """Every field that was written, step by step."""
    return tuple(
        _row(step, event, appliance, field, zero_ns)
        for step, event in steps
        for appliance, fields in event.applied.items()
        for field in fields
    )


def counters(samples: Sequence[SampleDocument]) -> tuple[Counters, ...]:
    """The last reading of the packet counters of each flow."""
    last = {(sample.appliance, sample.target): sample.statistics for sample in samples}
    return tuple(
        Counters(
            f"{appliance} {target}",
            {
                name.replace("_", " "): value
                for name, value in statistics.model_dump(exclude={"at_ns"}, exclude_none=True).items()
            },
        )
        for (appliance, target), statistics in last.items()
    )


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


def _row(step: int, event: EventDocument, appliance: str, field: Applied, zero_ns: int) -> AppliedRow:
    planned = event.event == "step"
    return AppliedRow(
        step=step,
        planned_ns=event.planned_ns - zero_ns if planned else None,
        target=f"{appliance} {field.target}",
        field=field.field,
        asked=field.asked,
        sent=field.sent,
        read_back=field.read_back,
        late_ns=field.acknowledged_ns - event.planned_ns if planned else None,
        took_ns=field.acknowledged_ns - field.sent_ns,
    )
