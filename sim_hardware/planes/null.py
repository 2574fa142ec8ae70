"""A data plane without packets: it keeps what it was told, for tests of everything above it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from impairlab.drivers.model import FlowEntry, Statistics, Target
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.planes.plane import EVERY_OPTION


@dataclass(frozen=True, slots=True)
class Program:
    """One call of `Plane.program`."""

    entries: tuple[FlowEntry, ...]
    at_ns: int | None


class NullPlane:
    """Records programs; counts nothing but what a test puts into `counters`.

    Attributes:
        programs: Every program so far, the oldest first.
        counters: Statistics to answer, by flow; a test sets them.
        cleared: Every argument of `clear_statistics` so far.
        closed: Whether `close` was called.
        failure: Raised by the next programs as long as it is set.
    """

    def __init__(
        self,
        paths: Sequence[str] = ("1",),
        options: frozenset[str] = EVERY_OPTION,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.paths = tuple(paths)
        self.options = options
        self._clock = clock
        self.programs: list[Program] = []
        self.counters: Mapping[Target, Statistics] = {}
        self.cleared: list[Target | None] = []
        self.closed = False
        self.failure: ImpairlabError | None = None

    def program(self, entries: Sequence[FlowEntry], at_ns: int | None) -> int:
        """Record the state; the switch is at `at_ns` or now."""
        if self.failure is not None:
            raise self.failure
        self.programs.append(Program(tuple(entries), at_ns))
        return max(self._clock(), at_ns or 0)

    def statistics(self, target: Target) -> Statistics:
        """Return what the test put there."""
        return self.counters.get(target) or Statistics(at_ns=self._clock())

    def clear_statistics(self, target: Target | None) -> None:
        """Record the call."""
        self.cleared.append(target)

    def close(self) -> None:
        """Record it."""
        self.closed = True
