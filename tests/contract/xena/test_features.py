"""Every feature that the driver states: its example, and its ranges at both ends and one step from the lower."""

from decimal import Decimal

import pytest

from impairlab.drivers.model.capabilities import Capabilities, feature_name
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.xena.capabilities import capabilities, common_range
from impairlab.drivers.xena.translation import Translator

UNIT_NS = 10_000_000
LOW_NS, HIGH_NS = 1_900, 1_000_000_000
NS = Decimal("1E-9")

CAPABILITIES = capabilities(("1",), (LOW_NS, HIGH_NS), UNIT_NS)
KINDS_AND_PREFIXES = (("loss", ""), ("duplicate", "pattern."), ("corrupt", "pattern."))

RULED_OUT = {
    "delay.uniform": {"mean low", "mean step", "mean high", "spread high"},
    "delay.normal": {"mean low", "mean step", "mean high", "spread high"},
    "delay.step": {"mean low", "mean step", "mean high", "spread high"},
    "delay.gamma": {"mean low", "mean step", "mean high", "spread low", "spread step", "spread high"},
    "delay.poisson": {"mean high"},
    "delay.table": {
        "mean low", "mean step", "mean high", "spread low", "spread step", "spread high", "table low", "table step",
        "table high",
    },
    **{
        f"{kind}.spaced": {
            f"{prefix}{end}"
            for end in (
                "mean low", "mean step", "mean high", "spread step", "spread high",
                "table low", "table step", "table high",
            )
        }
        for kind, prefix in KINDS_AND_PREFIXES
    },
    **{
        f"{kind}.random-burst": {f"{prefix}shortest high", f"{prefix}longest low"}
        for kind, prefix in KINDS_AND_PREFIXES
    },
    "reorder.even": {"pattern.rate high"},
    "delay.accumulate-burst": {"schedule.period step"},
    "link.flap": {"down high", "period low", "period step"},
}  # fmt: skip
"""What is illegal beside the rest of the example: what fits together is in `CORNERS`."""

TIED = {
    "delay.accumulate-burst": {"hold": "schedule.on", "schedule.on": "hold"},
    **{
        f"{kind}.single-burst": {"schedule.on": "schedule.period", "schedule.period": "schedule.on"}
        for kind in ("loss", "reorder", "duplicate", "corrupt")
    },
}
"""Fields that are always the same."""

CORNERS = {
    "a wide uniform delay": {
        "delay": {"distribution": "uniform", "mean": 500_001_000 * NS, "spread": 499_999_000 * NS}
    },
    "the narrowest step of delays": {"delay": {"distribution": "step", "mean": 2_000 * NS, "spread": 100 * NS}},
    "three deviations below it": {"delay": {"distribution": "normal", "mean": 2_200 * NS, "spread": 100 * NS}},
    "three deviations above it": {"delay": {"distribution": "normal", "mean": 999_999_700 * NS, "spread": 100 * NS}},
    "a gamma delay of shape 2": {"delay": {"distribution": "gamma", "mean": 2_000_000 * NS, "spread": 1_414_214 * NS}},
    "the least gamma delay": {"delay": {"distribution": "gamma", "mean": 100 * NS, "spread": 100 * NS}},
    "every gap": {"loss": {"model": "spaced", "law": "uniform", "mean": 4_194_288 // 2, "spread": 4_194_288 // 2}},
    "gaps of 3 or 4": {"loss": {"model": "spaced", "law": "uniform", "mean": "3.5", "spread": "0.5"}},
    "the least normal gap": {"loss": {"model": "spaced", "law": "normal", "mean": 3, "spread": 1}},
    "a poisson gap": {"loss": {"model": "spaced", "law": "poisson", "mean": 9}},
    "a gamma gap": {"loss": {"model": "spaced", "law": "gamma", "mean": 20, "spread": "14.142136"}},
    "a table of gaps": {
        "loss": {"model": "spaced", "law": "table", "mean": 1000, "spread": "0.5", "table": [2 * n for n in range(512)]}
    },
    "the least and the greatest bit error ratio": {
        "loss": {"model": "bit-error", "ber": Decimal("1E-18")},
        "corrupt": {"pattern": {"model": "bit-error", "ber": Decimal("0.9")}},
    },
    "all packets but one in a million": {"loss": {"model": "even", "rate": "999999 ppm"}},
    "as many misordered as allowed": {"reorder": {"pattern": {"model": "even", "rate": "30303 ppm"}, "depth": 32}},
    "accumulated once": {"delay": {"distribution": "accumulate-burst", "hold": "20 ms", "schedule": {"on": "20 ms"}}},
    "all at once": {
        "delay": "40 ms", "loss": "1 %", "duplicate": "2 %", "rate": "1 Gbit/s",
        "reorder": {"pattern": {"model": "even", "rate": "1 %"}}, "corrupt": {"rate": "3 %", "damages": "tcp"},
    },
}  # fmt: skip

BROKEN = {
    "delay.mean": [
        {"delay": {"distribution": "normal", "mean": 2_100 * NS, "spread": 100 * NS}},
        {"delay": {"distribution": "uniform", "mean": 2_000 * NS, "spread": 200 * NS}},
        {"delay": {"distribution": "step", "mean": "1 s", "spread": "1 ms"}},
        {"delay": {"distribution": "gamma", "mean": "500 ms", "spread": "125100 us"}},
        {"delay": {"distribution": "poisson", "mean": "1 s", "spread": "1 ns"}},
    ],
    "delay.spread": [{"delay": {"distribution": "gamma", "mean": "45 ms", "spread": "8 ms"}}],
    "delay.table": [
        {"delay": {"distribution": "table", "mean": "40 ms", "spread": "1 ms", "table": [1] * 1023}},
        {"delay": {"distribution": "table", "mean": "40 ms", "spread": "1 us", "table": ["0.01"] * 1024}},
        {"delay": {"distribution": "table", "mean": "40 ms", "spread": "1 ms", "table": [-40] * 1024}},
    ],
    "delay.schedule": [
        {"delay": {"distribution": "accumulate-burst", "hold": "20 ms"}},
        {"delay": {"distribution": "accumulate-burst", "hold": "20 ms", "schedule": {"on": "10 ms"}}},
    ],
    "reorder.schedule.on": [
        {
            "reorder": {
                "pattern": {"model": "single-burst", "packets": 1}, "schedule": {"on": "10 ms", "period": "1 s"},
            }
        }
    ],
    "loss.ber": [{"loss": {"model": "bit-error", "ber": Decimal("1.5E-6")}}],
    "loss.mean": [
        {"loss": {"model": "spaced", "law": "uniform", "mean": 3, "spread": "0.5"}},
        {"loss": {"model": "spaced", "law": "normal", "mean": 5, "spread": 2}},
        {"loss": {"model": "spaced", "law": "poisson", "mean": 4_194_288}},
    ],
    "loss.spread": [{"loss": {"model": "spaced", "law": "gamma", "mean": 20, "spread": 9}}],
    "loss.table": [{"loss": {"model": "spaced", "law": "table", "mean": 5, "spread": 1, "table": [1] * 511}}],
    "duplicate.pattern.ber": [{"duplicate": {"pattern": {"model": "bit-error", "ber": Decimal("1.5E-6")}}}],
    "reorder.pattern.rate": [{"reorder": {"pattern": {"model": "even", "rate": "30304 ppm"}, "depth": 32}}],
    "corrupt.damages": [
        {"corrupt": {"rate": "1 %"}},
        {"corrupt": {"pattern": {"model": "bit-error", "ber": Decimal("1E-6")}, "damages": "tcp"}},
    ],
    "delay.schedule.on": [{"delay": {"mean": "40 ms", "schedule": {"on": "1 s"}}}],
    "loss.schedule.period": [{"loss": {"rate": "1 %", "schedule": {"on": "1 s"}}}],
    "loss.schedule.on_packets": [{"loss": {"rate": "1 %", "schedule": {"on_packets": 5}}}],
}  # fmt: skip
"""What an appliance would refuse or clamp, or has no word for, by the field that the violation names."""


def _values(conditions: Conditions, values: dict[str, Decimal]) -> Conditions:
    """Return the conditions with some fields changed, checked by the model again."""
    (impairment,) = conditions
    fields = _bare(impairment)
    for field, value in values.items():
        part, _, nested = field.rpartition(".")
        kind = getattr(impairment, part) if part else impairment
        old = getattr(kind, nested)
        new = (value,) * 1024 if isinstance(old, tuple) else type(old)(value)
        text = kind.model_copy(update={nested: new}).model_dump(mode="json")[nested]
        (fields[part] if part else fields)[nested] = text
    return Conditions.of(type(impairment).model_validate(fields))


def _bare(value) -> dict:
    return {**value.model_dump(mode="json", exclude_none=True, exclude={"rate"} if _has_pattern(value) else None)}


def _has_pattern(value) -> bool:
    return getattr(value, "pattern", None) is not None


def _with_schedules(conditions: Conditions, name: str) -> Conditions:
    """Give the example a schedule, where the feature has one and the example has none."""
    (impairment,) = conditions
    if "schedule.on" not in CAPABILITIES.features[name].ranges:
        return conditions
    schedule = {"on": "10 ms", "period": "655350 ms"}
    if name.endswith("single-burst"):
        schedule["on"] = schedule["period"]
    if name == "delay.accumulate-burst":
        schedule["on"] = "20 ms"
    return Conditions.of(type(impairment).model_validate({**_bare(impairment), "schedule": schedule}))


def test_there_is_an_example_of_every_feature(example) -> None:
    assert set(example) == set(CAPABILITIES.features)
    for name, conditions in example.items():
        (impairment,) = conditions
        assert feature_name(impairment) == name


@pytest.mark.parametrize("name", CAPABILITIES.features)
def test_example_is_legal_and_comes_back(name: str, example) -> None:
    translator = Translator(UNIT_NS)
    for conditions in (example[name], _with_schedules(example[name], name)):
        assert CAPABILITIES.check(conditions) == ()
        assert translator.conditions(translator.program(conditions)) == conditions


@pytest.mark.parametrize("name", CAPABILITIES.features)
def test_ends_of_every_range_come_back_or_are_ruled_out(name: str, example) -> None:
    translator = Translator(UNIT_NS)
    ruled_out = set()
    base = _with_schedules(example[name], name)
    for field, legal in CAPABILITIES.features[name].ranges.items():
        for end, value in (("low", legal.low), ("high", legal.high), ("step", min(legal.low + legal.step, legal.high))):
            try:
                conditions = _values(base, dict.fromkeys({field, TIED.get(name, {}).get(field, field)}, value))
            except ValueError:
                ruled_out.add(f"{field} {end}")
                continue
            if CAPABILITIES.check(conditions):
                ruled_out.add(f"{field} {end}")
                continue
            assert translator.conditions(translator.program(conditions)) == conditions, (field, end)
    assert ruled_out == RULED_OUT.get(name, set())


@pytest.mark.parametrize("name", CORNERS)
def test_corners_of_what_fits_together_come_back(name: str) -> None:
    conditions = Conditions.model_validate(CORNERS[name])
    translator = Translator(UNIT_NS)
    assert CAPABILITIES.check(conditions) == ()
    assert translator.conditions(translator.program(conditions)) == conditions


@pytest.mark.parametrize(
    ("field", "fields"), [(field, each) for field, examples in BROKEN.items() for each in examples]
)
def test_what_does_not_fit_together_is_found_offline(field: str, fields: dict) -> None:
    violations = CAPABILITIES.check(Conditions.model_validate(fields))
    assert field in {violation.field for violation in violations}
    assert all(violation.legal for violation in violations)


@pytest.mark.parametrize("unit_ns", [1_000_000, 10_000_000])
def test_schedule_counts_in_the_unit_of_the_address(unit_ns: int, example) -> None:
    translator = Translator(unit_ns)
    conditions = example["loss.random"]
    (distribution,) = translator.program(conditions).distributions.values()
    assert distribution.schedule == (50_000_000 // unit_ns, 200_000_000 // unit_ns)
    assert translator.conditions(translator.program(conditions)) == conditions


def test_common_range_is_on_the_step_and_inside_all() -> None:
    assert common_range([(1_850, 10_000), (1_710, 9_999)]) == (1_900, 9_900)
    with pytest.raises(ValueError, match="no delay is legal everywhere"):
        common_range([(0, 100), (200, 300)])


def test_what_is_not_documented_is_said_to_be_inferred() -> None:
    stated: Capabilities = CAPABILITIES
    inferred = {name for name, feature in stated.features.items() if feature.provenance.basis == "inferred"}
    assert inferred == {
        "delay.step", "delay.poisson", "delay.table", "loss.outage", "corrupt.bit-error", "loss.spaced",
        "duplicate.spaced", "corrupt.spaced",
    }  # fmt: skip
    assert not any(feature.provenance.basis == "verified" for feature in stated.features.values())
