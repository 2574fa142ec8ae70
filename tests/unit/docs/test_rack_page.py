"""docs/reference/rack.md names every key, and its examples are right."""

import re

import pytest

from impairlab.controller.plan.rack import ApplianceEntry, Expected, Rack, Station


@pytest.fixture
def rack_page(page):
    return page("reference/rack.md")


@pytest.mark.parametrize(
    ("heading", "model"),
    [("Top level", Rack), ("An appliance", ApplianceEntry), ("expect", Expected), ("A station", Station)],
)
def test_the_tables_of_keys_are_complete(rack_page, heading, model):
    assert rack_page.column(heading) == list(model.model_fields)
    for row in rack_page.tables(heading)[0]:
        if "required" in row:
            assert (row["required"] == "yes") == model.model_fields[row["key"].strip("`")].is_required()


def test_the_example_reads_and_the_roles_find_their_paths(rack_page):
    [text] = rack_page.blocks("yaml")
    rack = Rack.parse(text)
    assert rack.stations["branch"].prefix == ("ip", "netns", "exec", "branch")
    on = [re.findall(r"`([^`]+)`", row["`--on`"])[0] for row in rack_page.tables("Which path plays a role")[0]]
    places = [str(rack.bind(*text.split("="))) for text in on]
    assert places == ["wan-1:2", "wan-1:1"]


def test_every_form_of_an_address_is_taken(rack_page):
    forms = [form for row in rack_page.tables("Addresses")[0] for form in re.findall(r"`([^`]+)`", row["form"])]
    assert len(forms) == 9
    for form in forms:
        rack = Rack.parse(f"appliances: {{box: {{driver: scpi, address: {form}}}}}")
        assert rack.appliance("box").address == form
