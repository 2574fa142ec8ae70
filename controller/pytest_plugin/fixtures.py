"""The fixtures, with what `pytest --fixtures` says about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from impairlab.controller.pytest_plugin.opening import session_of

if TYPE_CHECKING:
    from impairlab.controller.pytest_plugin.rack import SharedRack
    from impairlab.controller.pytest_plugin.scenario import RunningScenario
    from impairlab.controller.pytest_plugin.stations import Stations
    from impairlab.drivers.appliance import Appliance
    from impairlab.drivers.path import Path


@pytest.fixture(scope="session")
def impairlab_rack(pytestconfig: pytest.Config) -> SharedRack:
    """The rack: --impairlab-rack, or one simulated appliance called sim-1."""
    return session_of(pytestconfig).rack()


@pytest.fixture
def impairlab_box(request: pytest.FixtureRequest) -> Iterator[Appliance]:
    """A connected appliance, put back as it was after the test and read back to prove it."""
    item = _item(request)
    with session_of(request.config).box(item) as box:
        yield box


@pytest.fixture
def impairlab_path(request: pytest.FixtureRequest, impairlab_box: Appliance) -> Path:
    """A path of impairlab_box: `with impairlab_path.impaired(delay("40 ms"), direction="b-a"): ...`.

    Which one: the indirect parameter of the test, a role or APPLIANCE[:PATH]; else the one role of --impairlab-on; else
    the rack's only appliance.
    """
    return session_of(request.config).path(_item(request), impairlab_box)


@pytest.fixture
def impairlab_run(request: pytest.FixtureRequest) -> RunningScenario:
    """The run of the test's impairlab_scenario: wait for a phase, wait for the end, find the run's folder."""
    return session_of(request.config).scenario(_item(request))


@pytest.fixture(scope="session")
def impairlab_stations(pytestconfig: pytest.Config) -> Stations:
    """Where traffic starts: `impairlab_stations.command_in("client", ["ping", ...])`; skips where there is none."""
    return session_of(pytestconfig).stations()


def _item(request: pytest.FixtureRequest) -> pytest.Item:
    node: pytest.Item = request.node
    return node
