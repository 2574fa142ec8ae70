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
    unsaved: frozenset[Target]
    waiting_for_trigger: bool

    def conditions(self, path: str, direction: str, flow: int = 0) -> Conditions:
        """Return the active conditions of one flow, neutral when it is not in use."""
        for entry in self.entries:
            if (entry.target.path, entry.target.direction, entry.target.flow) == (path, direction, flow):
                return entry.conditions
        return NEUTRAL


class FlowTable:
    """Staged, committed and active settings of every flow.

    Committed is what the data plane has been told; it becomes active when the data plane has switched.
    """

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths
        self.staged: Flows = {}
        self.committed: Flows = {}
        self.active: Flows = {}

    def stage(self, target: Target, settings: FlowSettings) -> None:
        """Replace the staged settings of one flow."""
        self.staged = _with(self.staged, target, settings)

    def after_commit(self, target: Target) -> Flows:
        """Return what is committed once the staged settings of `target` are."""
        return _with(self.committed, target, self.staged.get(target, DEFAULTS))

    def entries(self, flows: Flows) -> tuple[FlowEntry, ...]:
        """Return what `flows` program. Raises `ScpiError` -221 when the settings of one do not fit together."""
        made = (entry_of(target, flows[target]) for target in self.sorted(flows))
        return tuple(entry for entry in made if entry is not None)

    def sorted(self, flows: Flows) -> list[Target]:
        """Return the targets of `flows` in order of path, direction and flow."""
        return sorted(
            flows, key=lambda each: (self._paths.index(each.path), DIRECTIONS.index(each.direction), each.flow)
        )

    @property
    def unsaved(self) -> frozenset[Target]:
        """The flows whose staged settings are not the active ones."""
        return frozenset(
            target
            for target in {*self.staged, *self.active}
            if self.staged.get(target, DEFAULTS) != self.active.get(target, DEFAULTS)
        )


def _with(flows: Flows, target: Target, settings: FlowSettings) -> Flows:
    others = {each: kept for each, kept in flows.items() if each != target}
    return others if settings == DEFAULTS else {**others, target: settings}
