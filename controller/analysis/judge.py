"""Judging a run: each claim of the scenario against the requests of its phase, and one outcome for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from impairlab.controller.plan.verdicts import VerdictSpec
from impairlab.controller.traffic.records import GeneratorHealth, RequestRecord

from .health import faults_of
from .metrics import planned_between, verdict_metric
from .verdict import Outcome, Verdict, failure_rate_at_most, quantile_at_most, quantile_worse_by_at_most

_WORST_FIRST = (Outcome.INVALID, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)


@dataclass(frozen=True)
class Observed:
    """What one traffic saw.

    Attributes:
        records: Its requests.
        health: How well the generator did, or None if it died before it could say.
        phases: By name when each phase was on, [begin, end) in nanoseconds on the monotonic clock.
    """

    records: Sequence[RequestRecord]
    health: GeneratorHealth | None
    phases: Mapping[str, tuple[int, int]]

    def within(self, phase: str) -> list[RequestRecord]:
        """The requests that were planned in a phase; none for a phase that never came."""
        return planned_between(self.records, *self.phases[phase]) if phase in self.phases else []


def judge(spec: VerdictSpec, observed: Observed, *, seed: int = 1) -> Verdict:
    """Judge one claim. `seed` fixes the bootstrap.

    INVALID when the generator was too late for what the claim is about, and when the phase never came.
    """
    records = observed.within(spec.phase)
    missing = [phase for phase in (spec.phase, spec.worse_than) if phase is not None and phase not in observed.phases]
    verdict = replace(_judged(spec, records, observed, seed), claim=str(spec))
    effect_ns = verdict.threshold if verdict.unit == "ns" else None
    unsound = faults_of(observed.health, effect_ns)
    return verdict.invalid([*(f"the phase {phase} never came" for phase in missing), *unsound])


def overall(verdicts: Sequence[Verdict]) -> Outcome | None:
    """The worst of all: INVALID, then FAIL, then INCONCLUSIVE, then PASS. None of no verdicts."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return next((outcome for outcome in _WORST_FIRST if outcome in outcomes), None)


def _judged(spec: VerdictSpec, records: Sequence[RequestRecord], observed: Observed, seed: int) -> Verdict:
    if spec.quantile is None:
        failures = sum(not record.ok for record in records)
        return failure_rate_at_most(failures, len(records), limit=float(spec.at_most or 0))
    metric, q = verdict_metric(spec.metric), float(spec.quantile)
    values = metric.values(records)
    if spec.worse_than is None:
        return quantile_at_most(values, metric=metric, q=q, limit=float(spec.at_most or 0))
    baseline = metric.values(observed.within(spec.worse_than))
    margin = float(spec.by_at_most or 0)
    return quantile_worse_by_at_most(values, baseline, metric=metric, q=q, by_at_most=margin, seed=seed)
