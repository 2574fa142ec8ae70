"""Machine: what the driver asks of the machine whose netem it drives, be it this one or one behind an agent.

`wire.host.Host` is this one. Failures are OSErrors, a request that the kernel refuses is a `KernelRefused`.
"""

from __future__ import annotations

from typing import Protocol, Self

from impairlab.drivers.netem.wire.route import Route


class SpareNamespace(Protocol):
    """A network namespace that is thrown away; a context manager that ends it."""

    @property
    def route(self) -> Route:
        """To the kernel, in the namespace."""

    def send_probes(self, count: int, size: int) -> None:
        """Send numbered packets to its loopback device, which is up."""

    def receive_probes(self) -> list[tuple[int, int, int]]:
        """Return number, delay and arrival (ns) of each that came, in their order."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Machine(Protocol):
    """The machine, from when the driver is connected until `close`."""

    nodename: str
    system: str
    release: str
    ssh_session: str
    namespace: int

    @property
    def route(self) -> Route:
        """To the kernel, in the namespace of the devices."""

    def claim(self, device: str) -> str | None:
        """Claim a device; return who has it where that is somebody else."""

    def holder(self, device: str) -> str | None:
        """Return who has a claim on a device; None where nobody has."""

    def release_claims(self) -> None:
        """Let go of every device."""

    def merging(self, device: str) -> tuple[bool | None, bool | None]:
        """Return whether GRO and LRO of a device are on; None where it cannot say."""

    def set_gro(self, device: str, *, on: bool) -> None:
        """Have what comes in merged by the kernel, or not."""

    def set_lro(self, device: str, *, on: bool) -> None:
        """Have what comes in merged by the hardware, or not."""

    def speed(self, device: str) -> int | None:
        """Return bit/s; None where the device does not say."""

    def read_note(self, name: str) -> str | None:
        """Return a note that lasts until the machine restarts."""

    def write_note(self, name: str, text: str) -> None:
        """Keep a note."""

    def drop_note(self, name: str) -> None:
        """Keep a note no longer."""

    def spare(self) -> SpareNamespace:
        """Return a namespace to try things out in. Raises PermissionError."""

    def close(self) -> None:
        """Let go of everything. A second call does nothing."""
