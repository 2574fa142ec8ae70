"""The pytest plug-in: appliances, real or simulated, for tests; every name of it begins with `impairlab`.

Nothing here imports an appliance, a plan or a simulator before a test asks for one: `session` does, and it is
imported last of all.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from impairlab.controller.pytest_plugin import fixtures
from impairlab.controller.pytest_plugin.diary import TITLE, diary_of, new_diary
from impairlab.controller.pytest_plugin.marks import NEEDS, SCENARIO, needs_of, scenario_of, unmet_need
from impairlab.controller.pytest_plugin.opening import close_session, session_of
from impairlab.controller.pytest_plugin.options import Settings, add_options


class AfterFixtures:
    """The hooks whose turn comes when all fixtures of a test are ready."""

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Start a test's scenario."""
        scenario = scenario_of(item)
        if scenario is not None and not _only_planned(item):
            session_of(item.config).begin_scenario(item, scenario)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and their ini settings."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, register the other parts, and refuse ini settings that are wrong."""
    Settings.of(config)
    for line in (NEEDS, SCENARIO):
        config.addinivalue_line("markers", line)
    config.pluginmanager.register(fixtures, "impairlab-fixtures")
    config.pluginmanager.register(AfterFixtures(), "impairlab-after-fixtures")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which rack it is, where it is none that everybody has."""
    rack = Settings.of(config).rack
    return None if rack is None else f"impairlab: rack {rack}"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what tests have opened."""
    close_session(config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Read a test's markers, and skip it for what it needs, before its fixtures begin and after pytest's own skips."""
    new_diary(item)
    scenario_of(item)
    needs = needs_of(item)
    if needs and not _only_planned(item):
        session_of(item.config).expect_features(item, needs)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Note when the test's body began."""
    diary_of(item).begin()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a failure what was applied when, and of a skipped test where it stands, not where this was found out."""
    report = yield
    need = unmet_need(item)
    if report.skipped and need is not None:
        path, line, _ = item.reportinfo()
        report.longrepr = (str(path), (line or 0) + 1, f"Skipped: {need}")
    text = diary_of(item).text() if report.failed else ""
    if text:
        report.sections.append((TITLE, text))
    return report


def _only_planned(item: pytest.Item) -> bool:
    """Whether pytest was asked to show what it would set up, and to do nothing."""
    return bool(item.config.getoption("setupplan", default=False))
