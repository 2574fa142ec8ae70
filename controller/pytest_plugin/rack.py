"""The rack that the tests of a session share: where it comes from, whose turn it is, and which appliance to trust."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from impairlab.controller.plan.rack import Rack
from impairlab.controller.pytest_plugin.exclusive import turn
from impairlab.controller.pytest_plugin.options import Settings
from impairlab.controller.pytest_plugin.simulated import Simulation
from impairlab.controller.pytest_plugin.stations import Stations
from impairlab.controller.run.rack import connect_appliance
from impairlab.drivers.appliance import Appliance
from impairlab.drivers.model import Capabilities
from impairlab.drivers.model.errors import ImpairlabError


class SharedRack:
    """The rack of a session: a file, or one simulated appliance of this process.

    Attributes:
        settings: What the options say.
        worker: Name of this process among the workers of pytest-xdist; "main" where there are none.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        self._opened: Rack | ImpairlabError | None = None
        self._simulation: Simulation | None = None
        self._capabilities: dict[str, Capabilities] = {}
        self._distrusted: dict[str, str] = {}
        self._turn = ExitStack()
        self._turns = 0
        self._closing = ExitStack()

    def close(self) -> None:
        """End the simulated appliance, and throw away the runs that nobody wants to keep."""
        self._closing.close()

    @property
    def rack(self) -> Rack:
        """What there is. Who asks first opens it.

        Raises:
            ImpairlabError: It cannot be read, or the simulated appliance cannot be had; the same for all who ask.
        """
        if self._opened is None:
            try:
                self._opened = self._open()
            except ImpairlabError as error:
                self._opened = error
        if isinstance(self._opened, ImpairlabError):
            raise self._opened
        return self._opened

    @property
    def simulation(self) -> Simulation | None:
        """The simulated appliance, to look at and to inject faults into; None where a rack file says what there is."""
        _ = self.rack
        return self._simulation

    @property
    def stations(self) -> Stations | str:
        """Where traffic starts from, or why there is no such place."""
        if self.simulation is not None:
            return self.simulation.stations or self.simulation.no_packets
        prefixes = {name: station.prefix for name, station in self.rack.stations.items()}
        return Stations(prefixes) if prefixes else f"there are no stations in {self.settings.rack}"

    @cached_property
    def runs(self) -> Path:
        """The folder that runs of scenarios get their folders in."""
        if self.settings.runs is not None:
            return self.settings.runs
        return Path(self._closing.enter_context(TemporaryDirectory(prefix="impairlab-runs-")))

    def connected(self, appliance: str) -> Appliance:
        """Return a new connection. Raises what `connect_appliance` raises."""
        return connect_appliance(appliance, self.rack, os.environ)

    def capabilities(self, appliance: str) -> Capabilities:
        """Return what an appliance can do; it is asked once."""
        if appliance not in self._capabilities:
            with self.turn(), self.connected(appliance) as box:
                self._capabilities[appliance] = box.capabilities
        return self._capabilities[appliance]

    def distrust(self, appliance: str, test: str) -> None:
        """Note that an appliance could not be put back after a test."""
        self._distrusted[appliance] = test

    def expect_trusted(self, appliance: str) -> None:
        """Raise ImpairlabError when an appliance could not be put back before."""
        if appliance in self._distrusted:
            raise ImpairlabError(
                f"nobody knows what is programmed: it could not be put back after {self._distrusted[appliance]}",
                appliance=appliance,
                state_known=False,
            )

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep other processes off a rack file meanwhile; who has the turn may take it once more.

        Raises:
            LockedByOther: The wait was too long.
        """
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

    def _open(self) -> Rack:
        if self.settings.rack is not None:
            return Rack.read(shown(self.settings.rack))
        self._simulation = Simulation(self.settings.sim, f"SIM-{self.worker}")
        self._closing.callback(self._simulation.close)
        return self._simulation.rack()


def shown(file: Path) -> Path:
    """Return the path as messages shall show it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
