"""Path and Flow: say what happens to packets in one place, for as long as a `with` lasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Literal

from impairlab.drivers.model.applied import Applied, Snapshot, Statistics
from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.drivers.model.flows import DIRECTIONS, EVERYTHING_ELSE, Direction, Filter, Target
from impairlab.drivers.model.impairments import Impairment

if TYPE_CHECKING:
    from impairlab.drivers.appliance import Appliance, OnMismatch


class Flow:
    """One flow of one direction of a path."""

    def __init__(self, appliance: Appliance, target: Target) -> None:
        self.target = target
        self._appliance = appliance

    def __repr__(self) -> str:
        return f"<{self._appliance.name} {self.target}>"

    def apply(self, *impairments: Impairment, on_mismatch: OnMismatch = "refuse") -> tuple[Applied, ...]:
        """Replace what is set by these impairments, for good; see `Appliance.apply_many`."""
        return self._appliance.apply(self.target, Conditions.of(*impairments), on_mismatch=on_mismatch)

    def impaired(
        self, *impairments: Impairment, on_mismatch: OnMismatch = "refuse"
    ) -> AbstractContextManager[tuple[Applied, ...]]:
        """Replace what is set by these impairments for as long as the `with` lasts; see `impaired`."""
        return impaired(self._appliance, {self.target: Conditions.of(*impairments)}, on_mismatch)

    def clear(self) -> tuple[Applied, ...]:
        """Impair nothing."""
        return self._appliance.apply(self.target, NEUTRAL)

    def read(self) -> Conditions:
        """Return what is programmed."""
        return self._appliance.read(self.target).conditions

    def set_filter(self, selector: Filter | None) -> None:
        """Select packets; None puts the flow out of use. See `Appliance.set_filter`."""
        self._appliance.set_filter(self.target, selector)

    def statistics(self) -> Statistics:
        """Return the counters."""
        return self._appliance.statistics(self.target)

    def clear_statistics(self) -> None:
        """Set the counters to zero."""
        self._appliance.clear_statistics(self.target)


class Path:
    """A port pair of an appliance, with two directions."""

    def __init__(self, appliance: Appliance, name: str) -> None:
        self.name = name
        self._appliance = appliance

    def __repr__(self) -> str:
        return f"<{self._appliance.name} path {self.name}>"

    @property
    def a_to_b(self) -> Flow:
        """Everything else in direction a-b (everything, when no flow has a filter)."""
        return self.flow("a-b")

    @property
    def b_to_a(self) -> Flow:
        """Everything else in direction b-a (everything, when no flow has a filter)."""
        return self.flow("b-a")

    def flow(self, direction: Direction, number: int = EVERYTHING_ELSE) -> Flow:
        """Return a flow: 0 is everything else, 1.. are those with a filter."""
        return Flow(self._appliance, Target(path=self.name, direction=direction, flow=number))

    def apply(
        self,
        *impairments: Impairment,
        direction: Direction | Literal["both"] = "both",
        on_mismatch: OnMismatch = "refuse",
    ) -> tuple[Applied, ...]:
        """Replace what is set on everything else by these impairments, for good and in one commit."""
        return self._appliance.apply_many(self._settings(impairments, direction), on_mismatch=on_mismatch)

    def impaired(
        self,
        *impairments: Impairment,
        direction: Direction | Literal["both"] = "both",
        on_mismatch: OnMismatch = "refuse",
    ) -> AbstractContextManager[tuple[Applied, ...]]:
        """Replace what is set on everything else by these impairments for as long as the `with` lasts.

        Each direction gets them whole: a delay of 10 ms in both makes a round trip 20 ms longer. See `impaired`.
        """
        return impaired(self._appliance, self._settings(impairments, direction), on_mismatch)

    def clear(self) -> tuple[Applied, ...]:
        """Impair nothing in either direction."""
        return self.apply()

    def _settings(
        self, impairments: tuple[Impairment, ...], direction: Direction | Literal["both"]
    ) -> dict[Target, Conditions]:
        conditions = Conditions.of(*impairments)
        directions = DIRECTIONS if direction == "both" else (direction,)
        return {self.flow(each).target: conditions for each in directions}


@contextmanager
def impaired(
    appliance: Appliance, settings: Mapping[Target, Conditions], on_mismatch: OnMismatch = "refuse"
) -> Iterator[tuple[Applied, ...]]:
    """Snapshot the flows, apply the settings, yield the records; afterwards restore the snapshot and prove it.

    The restoration is also made after an exception, Ctrl-C included.

    Raises:
        CapabilityError: Before anything is sent.
        VerifyMismatch: What was restored does not read back.
        BaseExceptionGroup: Both the body and the restoration failed.
    """
    violations = appliance.check(settings, on_mismatch)
    if violations:
        raise CapabilityError(violations, appliance=appliance.name)
    before = appliance.snapshot(settings)
    with _restored(appliance, before):
        yield appliance.apply_many(settings, on_mismatch=on_mismatch)


@contextmanager
def _restored(appliance: Appliance, snapshot: Snapshot) -> Iterator[None]:
    try:
        yield
    except BaseException as failure:
        try:
            appliance.restore(snapshot)
        except ImpairlabError as unrestored:
            raise BaseExceptionGroup(
                f"{appliance.name} failed and was not restored", [failure, unrestored]
            ) from failure
        raise
    appliance.restore(snapshot)
