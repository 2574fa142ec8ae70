"""Every form of every impairment survives the files that a run leaves: JSON and back is the same value."""

import pytest

from impairlab.drivers.model import Conditions

SCHEDULES = [{"on": "1 s"}, {"start": "2 s", "on": "1 s", "period": "3 s"}, {"on_packets": 3, "period_packets": 9}]
PATTERNS = [
    {"model": "even", "rate": "0.0000001 %"},
    {"model": "periodic", "every": 7, "burst": 2},
    {"model": "burst", "rate": "1 %", "burst": 4},
    {"model": "random-burst", "rate": "1 %", "shortest": 2, "longest": 9},
    {"model": "single-burst", "packets": 5},
    {"model": "spaced", "law": "gamma", "mean": 40, "spread": 3},
    {"model": "spaced", "law": "table", "mean": 40, "spread": 3, "table": [-1, 0.5]},
    {"model": "gilbert-elliott", "to_bad": "1 %", "to_good": "30 %"},
    {"model": "bit-error", "ber": "0.001 ppb"},
]
DELAYS = [
    {"mean": "1.000000001 s", "spread": "7 ns", "distribution": "poisson"},
    {"mean": "9 ms", "spread": "7 ms", "distribution": "step"},
    {"distribution": "ramp", "start": "9 ms", "end": "1 ms", "hold": "1 s", "rise": "2 s", "keep_order": False},
    {"distribution": "sine", "low": "1 ms", "high": "9 ms", "period": "2 s"},
    {"distribution": "accumulate-burst", "hold": "9 ms", "packets": 7, "mean": "1 ms"},
]
PICKED = [
    {"reorder": {"rate": "1 %", "depth": 2, "depth_most": 5}},
    {"corrupt": {"rate": "1 %", "damages": "tcp"}},
    {"corrupt": {"rate": "1 %", "how": "transpose", "first_byte": 14, "last_byte": 60, "checksums": "fixed"}},
    {"link": {"state": "flap", "down": "1 s", "period": "2 s", "repetitions": 3}},
    {"link": {"state": "random-flap", "up": "1 s", "up_most": "2 s", "down": "3 s", "down_most": "4 s"}},
]
FORMS = [
    *({"delay": delay} for delay in DELAYS),
    *({"loss": pattern} for pattern in PATTERNS),
    *({kind: {"pattern": pattern}} for kind in ("reorder", "duplicate", "corrupt") for pattern in PATTERNS),
    *({"delay": {**DELAYS[number], "schedule": schedule}} for number, schedule in enumerate(SCHEDULES)),
    *({"loss": {"rate": "1 %", "schedule": schedule}} for schedule in SCHEDULES),
    *({"duplicate": {"rate": "1 %", "schedule": schedule}} for schedule in SCHEDULES),
    *PICKED,
]


@pytest.mark.parametrize("written", FORMS, ids=str)
def test_a_form_is_the_same_after_json(written) -> None:
    conditions = Conditions.model_validate(written)
    assert not conditions.is_neutral
    assert Conditions.model_validate_json(conditions.model_dump_json()) == conditions
    assert Conditions.model_validate_json(conditions.model_dump_json(exclude_none=True)) == conditions
