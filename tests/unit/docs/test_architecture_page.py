"""docs/explanation/architecture.md names functions that are there, and the layers that are checked."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEADING = "One value, from the file to the packet and back"


def functions(path: Path) -> set[str]:
    """The functions of a module and the methods of its classes, as Class.method."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    methods = {
        f"{each.name}.{inner.name}"
        for each in body
        if isinstance(each, ast.ClassDef)
        for inner in each.body
        if isinstance(inner, ast.FunctionDef)
    }
    return methods | {each.name for each in body if isinstance(each, ast.FunctionDef)}


@pytest.fixture
def architecture(page):
    return page("explanation/architecture.md")


def test_every_station_of_the_value_is_there(architecture):
    stations = [re.findall(r"`([^`]+)`", row["where"]) for row in architecture.tables(HEADING)[0]]
    assert len(stations) > 20
    for path, function in stations:
        assert function in functions(ROOT / path), f"{path} has no {function}"


def test_the_layers_are_those_that_are_checked(architecture):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    vendors = "(impairlab.drivers.(vendors))"
    layers = [vendors if "impairlab.drivers.scpi" in layer else layer for layer in contracts[0]["layers"]]
    checked = [name for layer in layers for name in re.findall(r"impairlab\.([\w.]+(?:\(vendors\))?)", layer)]
    drawn = architecture.sections["Who may import whom"].partition("sim_hardware >")[0]
    shown = re.findall(r"\b((?:controller|drivers)\.[\w(][\w)]*)", drawn)
    assert checked == shown


def test_every_package_of_the_controller_is_described(architecture):
    packages = {path.parent.name for path in (ROOT / "controller").glob("*/__init__.py")}
    described = set(re.findall(r"controller\.(\w+)", " ".join(architecture.sections)))
    assert described == packages


@pytest.mark.parametrize("folder", ["drivers", "sim_hardware"])
def test_every_package_of_drivers_and_simulators_is_named(architecture, folder):
    packages = {path.parent.name for path in (ROOT / folder).glob("*/__init__.py")}
    assert set(re.findall(rf"`{folder}\.(\w+)", architecture.text)) == packages
