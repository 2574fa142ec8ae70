"""docs/reference/scenario.md names every key, field, default and word that there is, and its examples are right."""

import re
from decimal import Decimal
from typing import get_args

import pytest
from ruamel.yaml import YAML

from impairlab.controller.plan import scenario_file
from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.scenario import ANCHORS
from impairlab.controller.plan.scenario_file import feature_words, parse_scenario
from impairlab.controller.plan.traffic import TrafficSpec
from impairlab.controller.plan.verdicts import MetricName, VerdictSpec
from impairlab.controller.run.checks import check_on_rack
from impairlab.drivers import model
from impairlab.drivers.model import Conditions, units
from impairlab.drivers.model.capabilities import format_value
from impairlab.drivers.model.errors import FileError
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

KINDS = {
    "delay": get_args(model.AnyDelay),
    "loss": get_args(model.AnyLoss),
    "reorder": (model.Reorder,),
    "duplicate": (model.Duplicate,),
    "corrupt": (model.Corrupt,),
    "rate": (model.RateLimit,),
    "link": get_args(model.AnyLink),
    "ecn": (model.EcnMark,),
    "pfc": (model.PfcPause,),
    "mtu": (model.Mtu,),
}
FAULTY = "scenario: faulty"
DIMENSIONS = {"time": "time", "probability": "probability", "size": "size", "bit rate": "rate"}


@pytest.fixture
def scenario_page(page):
    return page("reference/scenario.md")


def keys_of(spec):
    return [field.alias or name for name, field in spec.model_fields.items()]


def as_written(default, takes):
    if default is None or default == ():
        return ""
    return format_value(default, DIMENSIONS.get(takes))


def defaults_of(heading):
    """By field: the defaults of every form that has it."""
    found: dict[str, set[object]] = {}
    for form in KINDS[heading]:
        for name, field in form.model_fields.items():
            if name != "kind":
                found.setdefault(name, set()).add("required" if field.is_required() else field.default)
    return found


def test_every_kind_of_impairment_has_a_section():
    assert list(KINDS) == list(Conditions.model_fields)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_an_impairment_is_there_with_its_default(scenario_page, kind):
    defaults = defaults_of(kind)
    rows = scenario_page.tables(kind)[0]
    assert {row["field"].strip("`") for row in rows} == set(defaults)
    for row in rows:
        field, said = row["field"].strip("`"), row["default"].strip("`")
        if len(defaults[field]) == 1:
            [default] = defaults[field]
            assert said == ("required" if default == "required" else as_written(default, row["takes"])), field


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_of_an_impairment_is_what_its_comment_says(scenario_page, kind):
    lines = [
        line for block in scenario_page.blocks("yaml") for line in block.splitlines() if re.match(rf"{kind}: ", line)
    ]
    assert lines
    for line in lines:
        example, _, comment = line.partition("#")
        value = YAML(typ="safe").load(example)
        assert str(Conditions.model_validate(value, context={"units": "required"})) == comment.strip(), line


def test_every_scenario_on_the_page_is_well_written(scenario_page):
    scenarios = [each for each in scenario_page.blocks("yaml") if each.startswith("scenario:") and FAULTY not in each]
    assert [parse_scenario(text).name for text in scenarios] == ["brown-out", "anchors", "windows"]


def test_the_words_of_needs_are_those_that_there_are(scenario_page):
    words = []
    for row in scenario_page.tables("needs")[0]:
        kind = row["kind"].strip("`")
        words += [kind, *(f"{kind}.{form}" for form in re.findall(r"`([\w-]+)`", row["forms"]))]
    assert words == list(feature_words())


def test_the_tables_of_keys_are_complete(scenario_page):
    assert scenario_page.column("Top level") == list(scenario_file._TOP)
    assert scenario_page.column("traffic") == keys_of(TrafficSpec)
    assert sorted(scenario_page.column("verdicts")) == sorted(keys_of(VerdictSpec))
    assert scenario_page.column("verdicts", table=1) == list(get_args(MetricName))
    assert scenario_page.column("Anchors") == list(ANCHORS)
    assert scenario_page.column("delay", table=1) == list(get_args(model.Distribution))
    assert scenario_page.column("Schedules") == list(
        dict.fromkeys(keys_of(model.Schedule) + keys_of(model.PacketSchedule))
    )


def test_the_defaults_of_traffic_are_right(scenario_page):
    defaults = TrafficSpec.model_validate({"url": "http://host:1", "rate": "1 req/s"}).model_dump(mode="json")
    for row in scenario_page.tables("traffic")[0]:
        key, said = row["key"].strip("`"), row["default"].strip("`")
        if said != "required":
            value = defaults["station" if key == "from" else key]
            assert said == ("" if value is None else str(value)), key


def test_units_of_every_quantity_are_legal_and_complete(scenario_page):
    known = {
        "time": units.TIME_UNITS, "bit rate": units.RATE_UNITS, "size": units.SIZE_UNITS,
        "probability": units.PROBABILITY_UNITS, "frequency": units.FREQUENCY_UNITS,
    }  # fmt: skip
    for row in scenario_page.tables("Quantities")[0]:
        if row["quantity"] in known:
            said = set(re.findall(r"`([^`]+)`", row["units"]))
            bases = {unit.lstrip("kMGT") if row["quantity"] == "bit rate" else unit for unit in known[row["quantity"]]}
            missing = {unit for unit in bases if unit.isascii()} - said - {"byte", "bytes"}
            assert not missing
            assert said - {"k", "M", "G", "T"} <= bases


@pytest.mark.parametrize("word", scenario_file._NOT_YET)
def test_what_is_not_there_yet_is_said(scenario_page, word):
    assert f"`{word}`" in scenario_page.sections["Not there yet"]


def test_the_share_that_bursts_can_lose_is_as_said():
    with pytest.raises(ValueError, match="cannot lose"):
        model.BurstLoss(rate=Decimal("0.8"), burst=Decimal(4))
    model.BurstLoss(rate=Decimal("0.79"), burst=Decimal(4))


def test_the_faults_of_the_faulty_file_are_as_shown(scenario_page):
    [faulty] = [block for block in scenario_page.blocks("yaml") if FAULTY in block]
    with pytest.raises(FileError) as raised:
        parse_scenario(faulty, "faulty.yaml")
    assert list(raised.value.faults) == scenario_page.blocks("text")[0].splitlines()


def test_what_the_appliance_cannot_do_is_as_shown(scenario_page):
    text = """\
scenario: too-much
needs: {wan: [delay.normal]}
phases:
  - slow: {for: 2 s, wan: {b-a: {delay: {mean: 20 s, jitter: 8 ms}}}}
"""
    with SimulatedAppliance(NullPlane()) as appliance:
        host, port = appliance.serve_scpi("127.0.0.1", 0)
        rack = Rack.model_validate({"appliances": {"wan-1": {"driver": "scpi", "address": f"tcp://{host}:{port}"}}})
        with pytest.raises(FileError) as raised:
            check_on_rack(parse_scenario(text), rack, {"wan": rack.bind("wan", "wan-1")}, environment={})
    assert list(raised.value.faults) == scenario_page.blocks("text")[1].splitlines()
