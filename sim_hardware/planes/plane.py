"""What an appliance asks of its data plane, whatever carries the packets."""

from collections.abc import Sequence
from typing import Protocol

from impairlab.drivers.model import Conditions, FlowEntry, Statistics, Target

FILTER = "filter"
"""The option of a plane that can tell flows apart; without it there is only flow 0, everything else."""

EVERY_OPTION = frozenset({*Conditions.model_fields, FILTER})
"""Every kind of impairment of the model, and filters."""


class Plane(Protocol):
    """Impairs the packets of its paths.

    Calls come from one thread at a time, not always the same one.
    """

    @property
    def options(self) -> frozenset[str]:
        """What this plane does honestly: kinds of impairment (`delay`, `loss`, ... as in `Conditions`) and `filter`."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of its paths, in order of the ports."""
        ...

    def program(self, entries: Sequence[FlowEntry], at_ns: int | None) -> int:
        """Replace everything that is programmed, in one switch.

        Args:
            entries: The full state: every flow in use, at most one entry a target. A target that is not among them is
                neutral; a flow above 0 that is not among them matches nothing. A flow above 0 brings its filter.
            at_ns: When to switch, on time.monotonic_ns(); None or a time that has passed is at once. The call may
                return before the switch. A later call replaces a switch that has not happened yet.

        Returns:
            The time of the switch on time.monotonic_ns(): measured when it has happened, else the planned one.

        Raises:
            CapabilityError: The plane cannot do this honestly; nothing has changed.
            ImpairlabError: The plane has failed.
        """
        ...

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one flow; all None for a flow without counters."""
        ...

    def clear_statistics(self, target: Target | None) -> None:
        """Zero the counters of one flow, or of all with None."""
        ...

    def close(self) -> None:
        """Let packets pass unimpaired or not at all, and release everything; a second call does nothing."""
        ...
