"""The verdicts of a run: every claim of its scenario judged as far as the run went, and one outcome for all.

Which requests a verdict is about: those *planned* within its phase, whenever they finished. There is no guard band, no
request near a change of conditions is left out. What happens at a change is what such a run is made to show, and to
drop it by when a request finished would drop the slow ones first. The price is that the last requests of a phase may
feel the next one; the phase table counts those that outlasted their phase, and a scenario that wants clean phases
leaves a neutral one between them.

A run that was cut short is INVALID as a whole. Of its verdicts those keep their own outcome whose phases went on until
their planned end without a request that the cut cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from impairlab.controller.analysis.judge import Observed, judge, overall
from impairlab.controller.analysis.metrics import planned_between
from impairlab.controller.analysis.verdict import Outcome, Verdict, show
from impairlab.controller.plan.documents import ErrorRecord, RunRecord
from impairlab.controller.plan.verdicts import VerdictSpec
from impairlab.controller.traffic.log import TrafficLog

from .reading import Content
from .view import Judged

_HOW = {"snapshot": "as it was before the run", "neutral": "with nothing impaired", "untouched": "untouched"}


@dataclass(frozen=True)
class Verdicts:
    """What a run says in the end.

    Attributes:
        overall: The worst of all outcomes; INVALID when the run was cut short; None when no verdict was asked for.
        judged: Each verdict, in the scenario's order.
        reason: Why, in a line.
        notices: What a reader must know before trusting anything.
    """

    overall: Outcome | None
    judged: tuple[Judged, ...]
    reason: str
    notices: tuple[str, ...]


def verdicts_of(content: Content) -> Verdicts:
    """Judge a run."""
    judged = tuple(_judged(spec, content) for spec in content.record.start.verdicts)
    outcome = overall([row.verdict for row in judged]) if content.finished else Outcome.INVALID
    notices = (*_not_restored(content.record), *_late(content.record), *content.notices)
    return Verdicts(outcome, judged, _reason(outcome, judged, content), notices)


def traffic_of(spec: VerdictSpec, content: Content) -> str:
    """The traffic that a verdict is about: the one it names, or the only one; empty where there is none."""
    return spec.traffic or next(iter(content.logs), "")


def _judged(spec: VerdictSpec, content: Content) -> Judged:
    traffic = traffic_of(spec, content)
    log = content.logs.get(traffic)
    phases = content.record.phases
    if log is None:
        told = f"there is no log of the traffic {traffic}" if traffic else "the scenario has no traffic to judge"
        verdict = judge(spec, Observed((), None, phases)).invalid([told])
    else:
        verdict = judge(spec, Observed(log.records, log.health, phases))
        verdict = verdict.invalid([*([verdict.reason] if verdict.outcome is Outcome.INVALID else []),
                                   *_cut(spec, content, log)] if not content.finished else [])  # fmt: skip
    return Judged(spec.phase, verdict, traffic if len(content.logs) > 1 else "")


def _cut(spec: VerdictSpec, content: Content, log: TrafficLog) -> Iterator[str]:
    """Why a run that was cut short cannot carry a verdict."""
    for phase in (spec.phase, spec.worse_than):
        if phase is None or phase not in content.record.phases:
            continue  # that a phase never came, the judge says itself
        planned = planned_between(log.records, *content.record.phases[phase])
        cancelled = sum(record.status == "cancelled" for record in planned)
        if phase not in content.complete_phases:
            yield f"the phase {phase} was cut short"
        elif cancelled:
            yield f"{cancelled} requests of the phase {phase} were cancelled when the run was cut short"


def _ended(record: RunRecord) -> str:
    """How the run ended, of one that was cut short."""
    if record.stop is None:
        failed = next((event.error for event in reversed(record.events) if event.error is not None), None)
        told = f"; the last error on record is {_named(failed)}" if failed is not None else ""
        return f"its record has no end: it was killed, or it still goes on, and nothing says what is programmed{told}"
    if record.stop.outcome == "aborted":
        return f"the run was aborted by its user {_so_far(record)}"
    why = "" if record.stop.error is None else f": {_named(record.stop.error)}"
    return f"the run failed {_so_far(record)}{why}"


def _so_far(record: RunRecord) -> str:
    if record.stop is None:
        return ""
    return f"after {record.stop.steps_done} of {record.stop.steps_planned} steps"


def _named(error: ErrorRecord) -> str:
    where = f" on {error.appliance}" if error.appliance else ""
    command = f" (last command {error.command})" if error.command else ""
    return f"{error.name}{where}: {error.message}{command}"


def _not_restored(record: RunRecord) -> Iterator[str]:
    if record.stop is None:
        return
    for put in record.stop.restorations:
        if not put.restored:
            why = "" if put.error is None else f": {put.error.name}: {put.error.message}"
            tries = "1 attempt" if put.attempts == 1 else f"{put.attempts} attempts"
            yield f"{put.appliance} was NOT restored, in {tries}{why}. It may still be impaired."
        elif record.stop.outcome != "success":
            yield f"{put.appliance} was left {_HOW.get(put.how, put.how)}, read back."


def _late(record: RunRecord) -> Iterator[str]:
    late = [event for event in record.events if event.late]
    if late:
        worst = max(event.lateness_ns for event in late)
        yield f"{len(late)} of the timeline's steps began late, by up to {worst / 1e6:.3g} ms."


def _reason(outcome: Outcome | None, judged: Sequence[Judged], content: Content) -> str:
    if not content.finished:
        return _ended(content.record)
    if outcome is None:
        return "the scenario asked for no verdict"
    speaking = [row for row in judged if row.verdict.outcome is outcome]
    if outcome is Outcome.PASS:
        return "the only verdict holds" if len(judged) == 1 else f"all {len(judged)} verdicts hold"
    verb = {Outcome.FAIL: "failed", Outcome.INCONCLUSIVE: "inconclusive", Outcome.INVALID: "invalid"}[outcome]
    told = f"{len(speaking)} of {len(judged)} verdict{'s' * (len(judged) > 1)} {verb}"
    return f"{told} ({_why(speaking[0].verdict)}{'; …' * (len(speaking) > 1)})"


def _why(verdict: Verdict) -> str:
    if verdict.outcome is Outcome.INVALID or verdict.estimate is None:
        return f"{verdict.claim}: {verdict.reason}"
    found = f"{verdict.estimate * 100:.3g} %" if verdict.unit == "1" else show(verdict.estimate, verdict.unit)
    return f"{verdict.claim}: it is {found}, {verdict.reason}"
