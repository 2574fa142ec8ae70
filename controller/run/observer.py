"""What a run tells while it goes on, for a live view."""

from __future__ import annotations

from typing import Protocol

from impairlab.controller.traffic.records import Progress
from impairlab.drivers.model import Conditions, Direction


class RunObserver(Protocol):
    """Follows a run. Calls come from several threads, must be quick and must not raise."""

    def phase_began(self, name: str) -> None:
        """A phase of the scenario begins."""

    def conditions_changed(self, role: str, direction: Direction, conditions: Conditions) -> None:
        """A direction of a role's path has acknowledged new conditions."""

    def request_finished(self, progress: Progress) -> None:
        """A request of the traffic came to its end, well or not."""


class Silent:
    """Takes no notice."""

    def phase_began(self, name: str) -> None:
        """Do nothing."""

    def conditions_changed(self, role: str, direction: Direction, conditions: Conditions) -> None:
        """Do nothing."""

    def request_finished(self, progress: Progress) -> None:
        """Do nothing."""
