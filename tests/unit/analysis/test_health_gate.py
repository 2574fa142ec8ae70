"""The gate: what makes a run INVALID, and what does not."""

from typing import Any

import pytest

from impairlab.controller.analysis.health import faults_of
from impairlab.controller.traffic.records import GeneratorHealth

MS = 1_000_000


def health(**changes: Any) -> GeneratorHealth:
    values = {
        "lag_p99_ns": 1 * MS,
        "lag_max_ns": 3 * MS,
        "dispatch_p99_ns": 1 * MS,
        "dispatch_max_ns": 2 * MS,
        "planned": 1000,
        "dispatched": 1000,
        "finished": 1000,
        "incomplete": 0,
        "offered_rate": 10.0,
        "achieved_rate": 10.0,
        "started_ns": 0,
        "ended_ns": 100,
        "wall_offset_ns": 0,
    }
    return GeneratorHealth(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lag_p99_ns": 5 * MS},
        {"planned": 1019},
        {"achieved_rate": 9.85},
        {"planned": 11, "dispatched": 10},
        {"planned": 10, "dispatched": 10, "achieved_rate": 9.2},
        {"planned": 1, "dispatched": 1, "offered_rate": None, "achieved_rate": None},
        {"incomplete": 500, "finished": 500},
    ],
)
def test_a_sound_run(changes: dict[str, Any]) -> None:
    assert faults_of(health(**changes)) == ()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"lag_p99_ns": 6 * MS}, "event loop"),
        ({"dispatch_p99_ns": 6 * MS}, "dispatch"),
        ({"planned": 1030}, "1000 of 1030"),
        ({"achieved_rate": 9.7}, "9.7 instead of 10"),
        ({"achieved_rate": 10.3}, "10.3 instead of 10"),
        ({"planned": 10, "dispatched": 10, "achieved_rate": 8.0}, "8 instead of 10"),
    ],
)
def test_a_run_that_is_not(changes: dict[str, Any], word: str) -> None:
    (reason,) = faults_of(health(**changes))
    assert word in reason


def test_a_small_effect_asks_for_a_quicker_generator() -> None:
    assert faults_of(health(lag_p99_ns=2 * MS), effect_ns=50 * MS) == ()
    assert len(faults_of(health(lag_p99_ns=2 * MS), effect_ns=10 * MS)) == 1


def test_a_generator_that_died_leaves_nothing_to_judge() -> None:
    assert "died" in faults_of(None)[0]
