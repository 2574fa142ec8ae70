"""What hooks and fixtures ask of the session; what goes wrong ends the test with a message and without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from impairlab.controller.plan.located import unknown_word
from impairlab.controller.plan.scenario_file import feature_words
from impairlab.controller.pytest_plugin.around import begin, running_scenario
from impairlab.controller.pytest_plugin.boxes import lend
from impairlab.controller.pytest_plugin.marks import ScenarioMark, scenario_of, skip_as_unmet, whereabouts
from impairlab.controller.pytest_plugin.options import Settings
from impairlab.controller.pytest_plugin.places import place_of
from impairlab.controller.pytest_plugin.rack import SharedRack
from impairlab.drivers.model.errors import ImpairlabError

if TYPE_CHECKING:
    from impairlab.controller.pytest_plugin.scenario import RunningScenario
    from impairlab.controller.pytest_plugin.stations import Stations
    from impairlab.drivers.appliance import Appliance
    from impairlab.drivers.path import Path


class RackSession:
    """All that tests do with the session's rack."""

    def __init__(self, config: pytest.Config) -> None:
        self._shared = SharedRack(Settings.of(config))

    def close(self) -> None:
        """Close what was opened."""
        self._shared.close()

    def rack(self) -> SharedRack:
        """Return the rack, opened."""
        with _plainly():
            _ = self._shared.rack
        return self._shared

    def stations(self) -> Stations:
        """Return the rack's stations; skip where it has none."""
        with _plainly():
            stations = self._shared.stations
        if isinstance(stations, str):
            self._expect_no_strictness(stations)
            pytest.skip(stations)
        return stations

    def expect_features(self, item: pytest.Item, needs: tuple[str, ...]) -> None:
        """Skip the test unless its appliance offers what it needs."""
        known = feature_words()
        for word in needs:
            if word not in known:
                problem = f"{unknown_word('feature', word, known)}; legal: {', '.join(known)}"
                pytest.fail(f"{whereabouts(item)}: impairlab_needs: {problem}", pytrace=False)
        with _plainly():
            appliance = place_of(item, self._shared).appliance
            offered = self._shared.capabilities(appliance)
        missing = [word for word in needs if not offered.supports(word)]
        if missing:
            reason = f"{appliance} does not offer {', '.join(missing)}"
            self._expect_no_strictness(reason)
            skip_as_unmet(item, reason)

    @contextmanager
    def box(self, item: pytest.Item) -> Iterator[Appliance]:
        """Lend a test its appliance."""
        stack = ExitStack()
        with _plainly(), stack:
            name = place_of(item, self._shared).appliance
            yield lend(stack, item, name, self._shared, alone=scenario_of(item) is None)

    def path(self, item: pytest.Item, box: Appliance) -> Path:
        """Return a test's path of its appliance."""
        with _plainly():
            return box.path(place_of(item, self._shared).path)

    def scenario(self, item: pytest.Item) -> RunningScenario:
        """Return the run of a test's scenario."""
        if scenario_of(item) is None:
            hint = "mark the test with @pytest.mark.impairlab_scenario('file.yaml')"
            pytest.fail(f"{whereabouts(item)}: impairlab_run needs a scenario: {hint}", pytrace=False)
        return running_scenario(item)

    def begin_scenario(self, item: pytest.Item, mark: ScenarioMark) -> None:
        """Start a test's scenario; it ends before the test's fixtures do."""
        stack = ExitStack()

        def end() -> None:
            with _plainly():
                stack.close()

        item.addfinalizer(end)
        with _plainly():
            begin(stack, item, mark, self._shared)

    def _expect_no_strictness(self, reason: str) -> None:
        if self._shared.settings.strict:
            pytest.fail(reason, pytrace=False)


@contextmanager
def _plainly() -> Iterator[None]:
    """Let an error of ours end the test with its message and without a traceback."""
    try:
        yield
    except ImpairlabError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
