"""What is programmed on an appliance: the staged settings of every flow, the committed ones and the active ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from impairlab.drivers.model import DIRECTIONS, NEUTRAL, Conditions, FlowEntry, Target
from impairlab.sim_hardware.appliance.settings import DEFAULTS, FlowSettings
from impairlab.sim_hardware.appliance.values import entry_of

Flows = Mapping[Target, FlowSettings]
"""The settings of the flows that are not at their defaults."""


@dataclass(frozen=True, slots=True)
class ApplianceState:
    """What an appliance is doing, for a test that wants to know the truth.

    Attributes:
        entries: What is active, by path, direction and flow; flows not in use are left out.
        unsaved: The flows whose staged settings are not the active ones.
        waiting_for_trigger: Whether a trigger would commit.
    """

    entries: tuple[FlowEntry, ...]
    unsaved: frozenset[Target] = frozenset()
    waiting_for_trigger: bool = False

    def conditions(self, path: str, direction: str, flow: int = 0) -> Conditions:
        """Return the active conditions of one flow, neutral when it is not in use."""
        for entry in self.entries:
            if (entry.target.path, entry.target.direction, entry.target.flow) == (path, direction, flow):
                return entry.conditions
        return NEUTRAL


@dataclass(frozen=True, slots=True)
class Programmed:
    """The settings of all flows that were found to fit together, and what they are in terms of the model.

    Attributes:
        flows: The settings.
        made: What each programs; None for a flow that is not in use.
    """

    flows: Flows
    made: Mapping[Target, FlowEntry | None]

    @property
    def entries(self) -> tuple[FlowEntry, ...]:
        """What is programmed, by path, direction and flow."""
        return tuple(entry for entry in self.made.values() if entry is not None)

    @property
    def impairs(self) -> bool:
        """Whether some flow is not neutral."""
        return any(not entry.conditions.is_neutral for entry in self.entries)


NOTHING = Programmed({}, {})


class FlowTable:
    """Staged, committed and active settings of every flow.

    Committed is what the data plane has been told; it becomes active when the data plane has switched.
    """

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths
        self.staged: Flows = {}
        self.committed = NOTHING
        self.active = NOTHING

    def stage(self, target: Target, settings: FlowSettings) -> None:
        """Replace the staged settings of one flow."""
        self.staged = _with(self.staged, target, settings)

    def after_commit(self, target: Target) -> Flows:
        """Return what is committed once the staged settings of `target` are."""
        return _with(self.committed.flows, target, self.staged.get(target, DEFAULTS))

    def fitted(self, flows: Flows) -> Programmed:
        """Return what `flows` program; flows that are committed as they are are not looked at again.

        Raises:
            ScpiError: -221 when the settings of a flow do not fit together.
        """
        known = self.committed
        made = {
            target: known.made[target] if known.flows.get(target) is flows[target] else entry_of(target, flows[target])
            for target in sorted(flows, key=self._rank)
        }
        return Programmed(flows, made)

    def _rank(self, target: Target) -> tuple[int, int, int]:
        return self._paths.index(target.path), DIRECTIONS.index(target.direction), target.flow

    @property
    def unsaved(self) -> frozenset[Target]:
        """The flows whose staged settings are not the active ones."""
        staged, active = self.staged, self.active.flows
        return frozenset(
            target for target in {*staged, *active} if staged.get(target, DEFAULTS) != active.get(target, DEFAULTS)
        )


def _with(flows: Flows, target: Target, settings: FlowSettings) -> Flows:
    others = {each: kept for each, kept in flows.items() if each != target}
    return others if settings == DEFAULTS else {**others, target: settings}
