"""What the sequencer works with: appliances and traffic, by what it needs of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from impairlab.drivers.model.applied import Applied, Snapshot, Statistics
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.flows import Target

OnMismatch = Literal["refuse", "nearest"]


class Box(Protocol):
    """An appliance as far as a sequencer uses it; `drivers.appliance.Appliance` is one."""

    def apply_many(
        self, settings: Mapping[Target, Conditions], *, on_mismatch: OnMismatch = "refuse"
    ) -> tuple[Applied, ...]:
        """Replace the conditions of several flows and read them back."""

    def snapshot(self, targets: Iterable[Target] | None = None) -> Snapshot:
        """Return what is programmed."""

    def restore(self, snapshot: Snapshot) -> object:
        """Program what a snapshot holds and prove it by reading back."""

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one flow."""


class Traffic(Protocol):
    """Traffic as far as a sequencer steers it. Any method may raise an ImpairlabError, which ends the run."""

    def prepare(self) -> None:
        """Stand by: everything is launched and nothing is sent."""

    def start(self, at_ns: int) -> None:
        """Let the schedule count from an instant that is still to come. Returns at once."""

    def check(self) -> None:
        """Raise when the traffic has died. Called a few times a second."""

    def stop(self) -> None:
        """Admit nothing new. Returns at once."""

    def finish(self) -> None:
        """Wait until what is under way has come to its end."""

    def abort(self) -> None:
        """End at once, whatever is under way. Called after a failure, whether or not it was started."""


class NoTraffic:
    """None at all."""

    def prepare(self) -> None:
        """Do nothing."""

    def start(self, at_ns: int) -> None:
        """Do nothing."""

    def check(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""
