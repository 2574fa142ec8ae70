"""Waiting for an absolute instant, as exactly as a plain process can."""

from __future__ import annotations

import time
from typing import Protocol

SPIN_NS = 300_000
"""How long before the instant sleeping gives way to spinning: a plain sleep wakes about 0.1 ms late at the median."""


class Clock(Protocol):
    """Monotonic nanoseconds, and waiting for an instant on them."""

    def now_ns(self) -> int:
        """Return the present instant."""

    def sleep_until(self, instant_ns: int) -> None:
        """Return at the instant, never before it; at once when it has passed."""


class MonotonicClock:
    """time.monotonic_ns(). Sleeps until shortly before the instant, then spins."""

    def now_ns(self) -> int:
        """Return time.monotonic_ns()."""
        return time.monotonic_ns()

    def sleep_until(self, instant_ns: int) -> None:
        """Return at the instant, never before it."""
        nap_ns = instant_ns - SPIN_NS - time.monotonic_ns()
        if nap_ns > 0:
            time.sleep(nap_ns / 1e9)
        while time.monotonic_ns() < instant_ns:
            pass
