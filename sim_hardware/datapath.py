"""The way from a box's settings to its data plane: whole states, switched a while after they were asked for."""

from collections.abc import Callable, Sequence

from impairlab.drivers.model import FlowEntry
from impairlab.sim_hardware.faults import ArmedFaults, IdleDatapath
from impairlab.sim_hardware.planes import Plane


class DataPath:
    """What a box has told its plane.

    Args:
        plane: What happens to packets.
        clock: Nanoseconds that never go back.
        update_ns: How long after a change the plane switches. Changes that come meanwhile take effect with it.
        faults: `IdleDatapath` strikes here.
    """

    def __init__(self, plane: Plane, clock: Callable[[], int], update_ns: int, faults: ArmedFaults) -> None:
        self.plane = plane
        self._clock = clock
        self._update_ns = update_ns
        self._faults = faults
        self._active: tuple[FlowEntry, ...] = ()
        self._coming: tuple[FlowEntry, ...] = ()
        self._switch_ns: int | None = None

    def program(self, entries: Sequence[FlowEntry]) -> None:
        """Have the plane do this and nothing else.

        Raises:
            CapabilityError: The plane cannot; nothing has changed.
            ImpairlabError: The plane has failed.
        """
        self._advance()
        wanted = tuple(entry for entry in entries if entry.filter is not None or not entry.conditions.is_neutral)
        if self._faults.strike(IdleDatapath) is not None:
            return
        if self._switch_ns is None and self._update_ns:
            at_ns: int | None = self._clock() + self._update_ns
        else:
            at_ns = self._switch_ns
        self.plane.program(wanted, at_ns)
        self._coming, self._switch_ns = wanted, at_ns
        if at_ns is None:
            self._active = wanted

    def reset(self) -> None:
        """Let packets pass as they are, at once."""
        self.plane.program((), None)
        self._active, self._coming, self._switch_ns = (), (), None

    @property
    def is_pending(self) -> bool:
        """Whether a change has not taken effect yet."""
        self._advance()
        return self._switch_ns is not None

    @property
    def active(self) -> tuple[FlowEntry, ...]:
        """What packets suffer now."""
        self._advance()
        return self._active

    def _advance(self) -> None:
        if self._switch_ns is not None and self._clock() >= self._switch_ns:
            self._active, self._switch_ns = self._coming, None
