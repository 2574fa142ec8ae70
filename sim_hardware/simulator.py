"""Simulator: what every simulated appliance offers to tests and to the command line, whatever its dialect."""

from typing import Protocol, Self

from impairlab.sim_hardware.appliance.state import ApplianceState
from impairlab.sim_hardware.faults import DialectFault, Fault


class Simulator(Protocol):
    """A simulated appliance that is served; a context manager that closes it, and its data plane with it."""

    @property
    def address(self) -> str:
        """What `impairlab.drivers.connect` takes, e.g. "tcp://127.0.0.1:22611"."""
        ...

    @property
    def state(self) -> ApplianceState:
        """What is active now, whatever anybody was told."""
        ...

    def inject(self, fault: Fault | DialectFault, count: int | None = 1) -> None:
        """Let something go wrong `count` times, or until the faults are cleared when that is None.

        Raises:
            ValueError: A fault that this dialect has no words for.
        """
        ...

    def clear_faults(self) -> None:
        """Disarm every fault."""
        ...

    def close(self) -> None:
        """Close the servers and the data plane; a second call does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
