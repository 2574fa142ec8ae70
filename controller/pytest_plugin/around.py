"""A scenario around a test: begun when the test's fixtures are ready, ended before they are torn down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from impairlab.controller.plan.scenario_file import read_scenario
from impairlab.controller.pytest_plugin.diary import diary_of
from impairlab.controller.pytest_plugin.marks import ScenarioMark
from impairlab.controller.pytest_plugin.places import binding_of
from impairlab.controller.pytest_plugin.rack import SharedRack, shown
from impairlab.controller.pytest_plugin.scenario import RunningScenario
from impairlab.controller.report.write import write_report
from impairlab.controller.run.scenario_run import ScenarioRun
from impairlab.controller.sequencer.restore import NotRestored, interrupts_held

_KEY = pytest.StashKey[RunningScenario]()


def running_scenario(item: pytest.Item) -> RunningScenario:
    """Return the run of a test's scenario, which may still have to begin."""
    return item.stash.setdefault(_KEY, RunningScenario())


def begin(stack: ExitStack, item: pytest.Item, mark: ScenarioMark, shared: SharedRack) -> None:
    """Check a test's scenario and start it; the end of the stack ends it.

    Raises:
        ImpairlabError: A fault of the file, each with its place, or what the run raised before its first phase; at the
            end of the stack: what it raised later.
    """
    scenario = read_scenario(shown(mark.file))
    binding = binding_of(item, mark, scenario.roles, shared)
    stack.enter_context(shared.turn())
    for place in binding.values():
        shared.expect_trusted(place.appliance)
    running, diary = running_scenario(item), diary_of(item)
    diary.sources.append(running.entries)
    stack.callback(_end, item, running, shared)
    with _distrusting(item, shared):
        running.begin(ScenarioRun(scenario, shared.rack, binding, shared.runs))
    if shared.settings.runs is not None:
        item.user_properties.append(("impairlab.run", str(running.folder.path)))
        diary.notes.append(f"the run's record: {running.folder.path}")


def _end(item: pytest.Item, running: RunningScenario, shared: SharedRack) -> None:
    item.stash[_KEY] = RunningScenario()  # a test that is run again needs another
    try:
        with _distrusting(item, shared), interrupts_held():
            running.end()
    finally:
        if shared.settings.runs is not None and running.has_begun:
            write_report(running.folder)


@contextmanager
def _distrusting(item: pytest.Item, shared: SharedRack) -> Iterator[None]:
    """Note which appliance a run could not put back."""
    try:
        yield
    except NotRestored as error:
        shared.distrust(error.appliance, item.nodeid)
        raise
