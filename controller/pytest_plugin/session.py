"""What the tests of a session share: the rack, what its appliances can do, and which of them can be trusted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory

import pytest

from impairlab.controller.plan.located import unknown_word
from impairlab.controller.plan.rack import PathRef, Rack
from impairlab.controller.plan.scenario_file import feature_words, read_scenario
from impairlab.controller.pytest_plugin.diary import diary_of
from impairlab.controller.pytest_plugin.exclusive import turn
from impairlab.controller.pytest_plugin.marks import ScenarioMark, scenario_of, whereabouts
from impairlab.controller.pytest_plugin.options import Settings
from impairlab.controller.pytest_plugin.scenario import RunningScenario
from impairlab.controller.pytest_plugin.simulated import Simulation
from impairlab.controller.pytest_plugin.stations import Stations
from impairlab.controller.report.write import write_report
from impairlab.controller.run.rack import connect_appliance
from impairlab.controller.run.scenario_run import ScenarioRun
from impairlab.controller.sequencer.restore import NotRestored, interrupts_held, put_right
from impairlab.drivers.appliance import Appliance
from impairlab.drivers.model import Capabilities, Snapshot
from impairlab.drivers.model.errors import FileError, ImpairlabError
from impairlab.drivers.path import Path

_SCENARIO = pytest.StashKey[RunningScenario]()
_INDIRECT = ("impairlab_path", "impairlab_box")


class RackSession:
    """The rack of a session, and all that tests do with it. What goes wrong on the way ends a test with a message.

    Attributes:
        settings: What the options say.
        simulation: The simulated appliance; None with a rack file, or before anybody has asked for the rack.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.settings = Settings.of(config)
        self.simulation: Simulation | None = None
        self._config = config
        self._worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        self._rack: Rack | None = None
        self._capabilities: dict[str, Capabilities] = {}
        self._distrusted: dict[str, str] = {}
        self._turn = ExitStack()
        self._turns = 0
        self._not_for_long: TemporaryDirectory[str] | None = None

    @property
    def rack(self) -> Rack:
        """The rack, opened by whoever asks first.

        Raises:
            ImpairlabError: It cannot be read, or the simulated appliance cannot be had.
        """
        if self._rack is None:
            if self.settings.rack is not None:
                self._rack = Rack.read(self.settings.rack)
            else:
                self.simulation = Simulation(self.settings.sim, f"SIM-{self._worker}")
                self._rack = self.simulation.rack()
        return self._rack

    def close(self) -> None:
        """End the simulated appliance, and throw away the runs that nobody wants to keep."""
        if self.simulation is not None:
            self.simulation.close()
        if self._not_for_long is not None:
            self._not_for_long.cleanup()

    def expect_rack(self) -> None:
        """Fail the test when there is no rack to be had."""
        with _plainly():
            _ = self.rack

    def expect_features(self, item: pytest.Item, needs: tuple[str, ...]) -> None:
        """Skip the test unless its appliance offers what it needs."""
        known = feature_words()
        for word in needs:
            if word not in known:
                problem = f"{unknown_word('feature', word, known)}; legal: {', '.join(known)}"
                pytest.fail(f"{whereabouts(item)}: impairlab_needs: {problem}", pytrace=False)
        with _plainly():
            appliance = self.place(item).appliance
            offered = self._capabilities_of(appliance)
        missing = [word for word in needs if not offered.supports(word)]
        if missing:
            reason = f"{appliance} does not offer {', '.join(missing)}"
            if self.settings.strict:
                pytest.fail(reason, pytrace=False)
            item.add_marker(pytest.mark.skip(reason=reason))

    def place(self, item: pytest.Item) -> PathRef:
        """Return the path that a test is about.

        Raises:
            FileError: There is no such place, or it is not said which one.
        """
        params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        word = next((str(params[name]) for name in _INDIRECT if name in params), None)
        on, appliances = self.settings.on, self.rack.appliances
        if word is not None:
            return self.rack.bind(word, on.get(word, word))
        if len(on) == 1:
            return self.rack.bind(*next(iter(on.items())))
        if not on and len(appliances) == 1:
            return self.rack.bind("", next(iter(appliances)))
        problem = f"which path is impairlab_path? There are {', '.join(on or appliances) or 'none'}"
        legal = "--impairlab-on for one role, or parametrize('impairlab_path', ['APPLIANCE:PATH'], indirect=True)"
        raise FileError([f"{whereabouts(item)}: {problem}; legal: {legal}"])

    @contextmanager
    def box(self, item: pytest.Item) -> Iterator[Appliance]:
        """Lend a test its appliance; afterwards it is as it was, whatever happened."""
        with ExitStack() as lent:
            with _plainly():
                name = self.place(item).appliance
                lent.enter_context(self._our_turn())
                self._expect_trusted(name)
                box = lent.enter_context(self._connected(name))
                item.user_properties.append(("impairlab.appliance", f"{name}: {box.identity}"))
                box.add_witness(diary_of(item).witness(name))
                if scenario_of(item) is None:  # a scenario's run takes the appliance's lock itself
                    lent.enter_context(_locked(box))
                lent.callback(self._put_back, item, box, box.snapshot())
            yield box

    def path(self, item: pytest.Item, box: Appliance) -> Path:
        """Return a test's path of its appliance."""
        with _plainly():
            return box.path(self.place(item).path)

    def scenario(self, item: pytest.Item) -> RunningScenario:
        """Return the run of a test's scenario, which may still have to begin."""
        if scenario_of(item) is None:
            pytest.fail(f"{whereabouts(item)}: impairlab_run needs a scenario: mark the test with "
                        "@pytest.mark.impairlab_scenario('file.yaml')", pytrace=False)  # fmt: skip
        return item.stash.setdefault(_SCENARIO, RunningScenario())

    def begin_scenario(self, item: pytest.Item, mark: ScenarioMark) -> None:
        """Start a test's scenario; it ends before the test's fixtures do."""
        with _plainly():
            scenario = read_scenario(_shown(mark.file))
            binding = self._binding(item, mark, scenario.roles)
            for place in binding.values():
                self._expect_trusted(place.appliance)
            running, held = self.scenario(item), ExitStack()
            item.addfinalizer(lambda: self._end_scenario(item, running, held))
            held.enter_context(self._our_turn())
            diary_of(item).sources.append(running.entries)
            running.begin(ScenarioRun(scenario, self.rack, binding, self._runs()))
            if self.settings.runs is not None:
                item.user_properties.append(("impairlab.run", str(running.folder.path)))
                diary_of(item).notes.append(f"the run's record: {running.folder.path}")

    def stations(self) -> Stations:
        """Return the rack's stations; skip where it has none."""
        with _plainly():
            named = self.rack.stations
        if self.simulation is not None and self.simulation.stations is not None:
            return self.simulation.stations
        if not named:
            why = self.simulation.no_packets if self.simulation is not None else f"no stations in {self.settings.rack}"
            if self.settings.strict:
                pytest.fail(why, pytrace=False)
            pytest.skip(why)
        return Stations({name: station.prefix for name, station in named.items()})

    def _end_scenario(self, item: pytest.Item, running: RunningScenario, held: ExitStack) -> None:
        with held, _plainly():
            try:
                with interrupts_held():
                    running.end()
            except NotRestored as error:
                self._distrusted[error.appliance] = item.nodeid
                raise
            finally:
                if self.settings.runs is not None and running.has_begun:
                    write_report(running.folder)

    def _binding(self, item: pytest.Item, mark: ScenarioMark, roles: tuple[str, ...]) -> dict[str, PathRef]:
        """Return the path of each role: the marker says, or --impairlab-on, or there is but one appliance."""
        places = {**{role: place for role, place in self.settings.on.items() if role in roles}, **mark.on}
        if not places and len(roles) == len(self.rack.appliances) == 1:
            places = {roles[0]: next(iter(self.rack.appliances))}
        for role in roles:
            if role not in places:
                legal = (
                    f"on={{{role!r}: 'APPLIANCE:PATH'}} in impairlab_scenario, or --impairlab-on {role}=APPLIANCE:PATH"
                )
                raise FileError([f"{whereabouts(item)}: no path plays {role}; legal: {legal}"])
        return {role: self.rack.bind(role, place) for role, place in places.items()}

    def _capabilities_of(self, appliance: str) -> Capabilities:
        if appliance not in self._capabilities:
            with self._our_turn(), self._connected(appliance) as box:
                self._capabilities[appliance] = box.capabilities
        return self._capabilities[appliance]

    def _connected(self, appliance: str) -> Appliance:
        return connect_appliance(appliance, self.rack, os.environ)

    def _put_back(self, item: pytest.Item, box: Appliance, before: Snapshot) -> None:
        with interrupts_held():
            [restoration] = put_right({box.name: box}, {box.name: before}, frozenset({box.name}), "snapshot")
        if not restoration.restored:
            self._distrusted[box.name] = item.nodeid
            why = restoration.error.message if restoration.error is not None else ""
            pytest.fail(f"{box.name} could not be put back in {restoration.attempts} attempts: {why}", pytrace=False)

    def _expect_trusted(self, appliance: str) -> None:
        if appliance in self._distrusted:
            raise ImpairlabError(
                f"nobody knows what is programmed: it could not be put back after {self._distrusted[appliance]}",
                appliance=appliance,
                state_known=False,
            )

    def _runs(self) -> FilePath:
        if self.settings.runs is not None:
            return self.settings.runs
        if self._not_for_long is None:
            self._not_for_long = TemporaryDirectory(prefix="impairlab-runs-")
        return FilePath(self._not_for_long.name)

    @contextmanager
    def _our_turn(self) -> Iterator[None]:
        """Keep other processes off a real rack; who holds it already may hold it once more."""
        if self.settings.rack is None:
            yield
            return
        if self._turns == 0:
            self._turn.enter_context(turn(self.settings.rack, self.settings.wait_s))
        self._turns += 1
        try:
            yield
        finally:
            self._turns -= 1
            if self._turns == 0:
                self._turn.close()


@contextmanager
def _locked(box: Appliance) -> Iterator[None]:
    """Hold the appliance's own lock; where letting go fails, the end of the session does it."""
    box.lock()
    try:
        yield
    finally:
        with suppress(ImpairlabError):
            box.unlock()


@contextmanager
def _plainly() -> Iterator[None]:
    """Let an error of ours end the test with its message and without a traceback."""
    try:
        yield
    except ImpairlabError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _shown(file: FilePath) -> FilePath:
    """Return the path as messages shall show it."""
    return file.relative_to(FilePath.cwd()) if file.is_relative_to(FilePath.cwd()) else file
