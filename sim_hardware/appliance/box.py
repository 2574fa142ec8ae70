"""What the appliance does, whatever language it is told in: staging, commits, trigger, memories, statistics.

Source: docs/reference/scpi.md, "Staged and active", "Trigger", "Memories" and "Status".
"""

from collections.abc import Callable
from decimal import Decimal
from enum import IntFlag

from impairlab.drivers.model import Statistics, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.appliance.memories import Memories
from impairlab.sim_hardware.appliance.settings import DEFAULTS, FlowSettings
from impairlab.sim_hardware.appliance.state import NOTHING, ApplianceState, Flows, FlowTable, Programmed
from impairlab.sim_hardware.appliance.trigger import Layer, TriggerModel
from impairlab.sim_hardware.faults import SilentClamp, SilentlyIgnored
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.scpi import Instrument, Operation, ScpiError


class Condition(IntFlag):
    """Bits of the operation status that the appliance itself drives."""

    SETTLING = 1 << 1
    WAITING_FOR_TRIGGER = 1 << 5
    WAITING_FOR_ARM = 1 << 6
    IMPAIRING = 1 << 8
    STAGED = 1 << 9


_OWN_BITS = sum(Condition)
PLANE_FAILED = 1 << 9
"""Bit of the questionable status."""


class Box:
    """An appliance on a data plane; every method is called under the instrument's guard.

    Args:
        plane: What happens to packets.
        clock: As of the instrument.
        settle_ns: How long after a commit the data plane switches.
    """

    def __init__(self, plane: Plane, clock: Callable[[], int], settle_ns: int) -> None:
        self.plane = plane
        self.memories = Memories()
        self._clock = clock
        self._settle_ns = settle_ns
        self._table = FlowTable(plane.paths)
        self._switching: Operation | None = None
        self.trigger_model = TriggerModel(self._check_staged, self.commit_all)

    def power_on(self, instrument: Instrument) -> None:
        """Start up neutral; the memories are as they were. A failing data plane is reported, not raised."""
        self._instrument = instrument
        try:
            self.reset()
        except ScpiError as error:
            instrument.report(error)

    def reset(self) -> None:
        """Make all flows neutral at once. Raises -240 when the data plane fails."""
        self._switching = None
        self.trigger_model.reset()
        self._table = FlowTable(self.plane.paths)
        self._show_status()
        self._program(NOTHING, at_ns=None)

    @property
    def state(self) -> ApplianceState:
        """What is active now."""
        table = self._table
        return ApplianceState(table.active.entries, table.unsaved, self.trigger_model.layer is Layer.TRIGGER)

    def active(self, target: Target) -> FlowSettings:
        """Return the active settings of one flow."""
        return self._table.active.flows.get(target, DEFAULTS)

    def staged(self, target: Target) -> FlowSettings:
        """Return the staged settings of one flow."""
        return self._table.staged.get(target, DEFAULTS)

    def active_flows(self) -> list[Target]:
        """Return the flows whose active settings are not all defaults, in order."""
        return list(self._table.active.made)

    def stage(self, target: Target, settings: FlowSettings) -> None:
        """Replace the staged settings of one flow."""
        faults = self._instrument.faults
        if faults and faults.strike(SilentlyIgnored) is not None:
            return
        if faults and (clamp := faults.strike(SilentClamp)) is not None:
            settings = _clamped(settings, clamp)
        self._table.stage(target, settings)
        self._show_status()

    def clear_all(self) -> None:
        """Stage neutral for every flow."""
        self._table.staged = {}
        self._show_status()

    def commit(self, target: Target) -> None:
        """Commit the staged settings of one flow. Raises -221, -240 or -241."""
        self._switch_to(self._table.after_commit(target))

    def commit_all(self) -> None:
        """Commit the staged settings of all flows. Raises -221, -240 or -241."""
        self._switch_to(self._table.staged)

    def initiate(self) -> None:
        """Leave the idle state of the trigger model; see `TriggerModel`."""
        self.trigger_model.initiate()
        self._show_status()

    def arm(self) -> None:
        """Arm, if that is waited for. Raises -212 if not, and what a commit raises."""
        self.trigger_model.arm()
        self._show_status()

    def trigger(self) -> None:
        """Commit if a trigger is waited for. Raises -211 if not, and what a commit raises."""
        self.trigger_model.trigger()
        self._show_status()

    def bus_event(self) -> None:
        """*TRG: arm or trigger, whichever is waited for. Raises -211 if neither is, and what a commit raises."""
        self.trigger_model.bus_event()
        self._show_status()

    def abort(self) -> None:
        """Stop waiting."""
        self.trigger_model.abort()
        self._show_status()

    def save(self, slot: int) -> None:
        """Keep the active settings in a memory."""
        self.memories.save(slot, self._table.active.flows)

    def recall(self, slot: int) -> None:
        """Stage and commit what a memory holds. Raises -314 when it is empty, and what a commit raises."""
        self._table.staged = self.memories.recall(slot)
        self._show_status()
        self.commit_all()

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one flow. Raises -240 when the data plane fails."""
        try:
            return self.plane.statistics(target)
        except ImpairlabError as error:
            raise self._plane_failed(error) from error

    def clear_statistics(self, target: Target | None) -> None:
        """Zero the counters of one flow, or of all. Raises -240 when the data plane fails."""
        try:
            self.plane.clear_statistics(target)
        except ImpairlabError as error:
            raise self._plane_failed(error) from error

    def is_alive(self) -> bool:
        """Say whether the data plane answers."""
        try:
            self.plane.statistics(Target(path=self.plane.paths[0], direction="a-b"))
        except ImpairlabError:
            return False
        return True

    def _check_staged(self) -> None:
        self._table.fitted(self._table.staged)

    def _switch_to(self, flows: Flows) -> None:
        at_ns = self._clock() + self._settle_ns if self._settle_ns else None
        programmed = self._table.fitted(flows)
        switch_ns = self._program(programmed, at_ns)
        self._table.committed = programmed
        earlier = self._switching
        remaining_ns = max(0, switch_ns - self._clock())
        self._switching = self._instrument.operations.start("commit", remaining_ns, lambda: self._switched(programmed))
        if earlier is not None:
            earlier.abort()  # it ends with the new one; only now, so that there is never no operation pending
        if remaining_ns == 0:
            self._switching.complete()
        self._show_status()

    def _switched(self, programmed: Programmed) -> None:
        self._switching = None
        self._table.active = programmed
        self._show_status()

    def _program(self, programmed: Programmed, at_ns: int | None) -> int:
        try:
            switch_ns = self.plane.program(programmed.entries, at_ns)
        except CapabilityError as error:
            raise ScpiError(-241, str(error)) from error
        except ImpairlabError as error:
            raise self._plane_failed(error) from error
        self._instrument.status.questionable.lower_bits(PLANE_FAILED)
        return switch_ns

    def _plane_failed(self, error: ImpairlabError) -> ScpiError:
        self._instrument.status.questionable.raise_bits(PLANE_FAILED)
        return ScpiError(-240, str(error))

    def _show_status(self) -> None:
        table = self._table
        bits = (
            (Condition.SETTLING, self._switching is not None),
            (Condition.WAITING_FOR_TRIGGER, self.trigger_model.layer is Layer.TRIGGER),
            (Condition.WAITING_FOR_ARM, self.trigger_model.layer is Layer.ARM),
            (Condition.IMPAIRING, table.active.impairs),
            (Condition.STAGED, bool(table.unsaved)),
        )
        group = self._instrument.status.operation
        group.condition = (group.condition & ~_OWN_BITS) | sum(bit for bit, is_set in bits if is_set)


def _clamped(settings: FlowSettings, clamp: SilentClamp) -> FlowSettings:
    value = settings.values.get(clamp.header)
    if not isinstance(value, Decimal) or value <= clamp.most:
        return settings
    return FlowSettings({**settings.values, clamp.header: clamp.most})
