"""Judging: the claim as written, about the requests of its phase and no others; what is not sound is INVALID."""

from typing import Any

import pytest

from impairlab.controller.analysis.judge import Observed, judge, overall
from impairlab.controller.analysis.verdict import Outcome, Verdict
from impairlab.controller.plan.verdicts import VerdictSpec
from impairlab.controller.traffic.records import GeneratorHealth, RequestRecord

MS, SECOND = 1_000_000, 1_000_000_000
PHASES = {"baseline": (0, 100 * SECOND), "impaired": (100 * SECOND, 200 * SECOND)}


def answered(number: int, at_ns: int, ttft_ms: int) -> RequestRecord:
    return RequestRecord(
        id=number, request_id=f"r{number}", t_sched_ns=at_ns, send_ns=0, first_ns=ttft_ms * MS, end_ns=ttft_ms * MS,
        closed_ns=ttft_ms * MS, status="ok",
    )  # fmt: skip


def failed(number: int, at_ns: int) -> RequestRecord:
    return RequestRecord(
        id=number, request_id=f"r{number}", t_sched_ns=at_ns, send_ns=0, closed_ns=SECOND, status="reset"
    )


def health(**changes: Any) -> GeneratorHealth:
    fields = {
        "lag_p99_ns": 100_000, "lag_max_ns": MS, "dispatch_p99_ns": 100_000, "dispatch_max_ns": MS, "planned": 800,
        "dispatched": 800, "finished": 800, "incomplete": 0, "offered_rate": 4.0, "achieved_rate": 4.0, "started_ns": 0,
        "ended_ns": 200 * SECOND, "wall_offset_ns": 0,
    }  # fmt: skip
    return GeneratorHealth.model_validate({**fields, **changes})


def run(**changes: Any) -> Observed:
    quick = [answered(n, n * SECOND // 4, 100 + n % 10) for n in range(400)]
    slow = [answered(400 + n, 100 * SECOND + n * SECOND // 4, 300 + n % 10) for n in range(390)]
    lost = [failed(790 + n, 198 * SECOND) for n in range(10)]
    return Observed(**{"records": [*quick, *slow, *lost], "health": health(), "phases": PHASES, **changes})


def claim(**fields: Any) -> VerdictSpec:
    return VerdictSpec.model_validate({"metric": "ttft", "quantile": "p95", "in": "impaired", **fields})


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"at_most": "400 ms"}, Outcome.PASS),
        ({"at_most": "200 ms"}, Outcome.FAIL),
        ({"at_most": "200 ms", "in": "baseline"}, Outcome.PASS),
        ({"at_most": "400 ms", "quantile": "p99"}, Outcome.FAIL),
        ({"at_most": "400 ms", "quantile": "p99.9", "in": "baseline"}, Outcome.INCONCLUSIVE),
        ({"worse_than": "baseline", "by_at_most": "250 ms"}, Outcome.PASS),
        ({"worse_than": "baseline", "by_at_most": "150 ms"}, Outcome.FAIL),
        ({"metric": "failure_rate", "quantile": None, "at_most": "10 %"}, Outcome.PASS),
        ({"metric": "failure_rate", "quantile": None, "at_most": "0.1 %"}, Outcome.FAIL),
    ],
)
def test_a_claim_is_about_its_own_phase(fields: dict[str, Any], outcome: Outcome) -> None:
    spec = claim(**fields)
    verdict = judge(spec, run())
    assert verdict.outcome is outcome
    assert verdict.claim == str(spec)


def test_a_failure_counts_as_infinitely_late() -> None:
    verdict = judge(claim(at_most="400 ms"), run())
    assert (verdict.n, verdict.failures) == (400, 10)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"health": None}, "died"),
        ({"health": health(dispatch_p99_ns=50 * MS)}, "dispatch"),
        ({"phases": {"baseline": (0, SECOND)}}, "the phase impaired never came"),
    ],
)
def test_an_unsound_measurement_is_invalid_whatever_the_numbers_say(changes: dict[str, Any], reason: str) -> None:
    verdict = judge(claim(at_most="400 ms"), run(**changes))
    assert verdict.outcome is Outcome.INVALID
    assert reason in verdict.reason


def test_the_generator_must_be_far_better_than_what_the_claim_is_about() -> None:
    late = run(health=health(lag_p99_ns=3 * MS))
    assert judge(claim(at_most="400 ms"), late).outcome is Outcome.PASS
    assert judge(claim(at_most="20 ms"), late).outcome is Outcome.INVALID


def test_the_worst_verdict_is_that_of_the_run() -> None:
    passed, beaten = judge(claim(at_most="400 ms"), run()), judge(claim(at_most="200 ms"), run())
    open_, unsound = (
        judge(claim(at_most="400 ms", quantile="p99.9", **{"in": "baseline"}), run()),
        passed.invalid(["x"]),
    )
    found: list[Verdict] = []
    assert overall(found) is None
    for verdict in (passed, open_, beaten, unsound):
        found.append(verdict)
        assert overall(found) is verdict.outcome
