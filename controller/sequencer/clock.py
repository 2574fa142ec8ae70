"""Waiting for an absolute instant, as exactly as a plain process can."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from impairlab.drivers.model.errors import ImpairlabError

SPIN_NS = 300_000
"""How long before the instant sleeping gives way to spinning: a plain sleep wakes about 0.1 ms late at the median."""
TURN_S = 0.0002


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


class Stopped(ImpairlabError):  # noqa: N818 - it ends a run in good order
    """A run was told to end before its timeline was over."""


class StoppableClock:
    """time.monotonic_ns(), for a run that another thread may end while it waits."""

    def __init__(self) -> None:
        self._told = threading.Event()

    def stop(self) -> None:
        """Let whoever waits, now or later, raise Stopped."""
        self._told.set()

    def now_ns(self) -> int:
        """Return time.monotonic_ns()."""
        return time.monotonic_ns()

    def sleep_until(self, instant_ns: int) -> None:
        """Return at the instant, never before it.

        Raises:
            Stopped: `stop` was called.
        """
        nap_ns = instant_ns - SPIN_NS - time.monotonic_ns()
        if self._told.wait(max(nap_ns, 0) / 1e9):
            raise Stopped("told to end before its timeline was over")
        while time.monotonic_ns() < instant_ns:
            pass


@contextmanager
def short_turns() -> Iterator[None]:
    """Let this process's threads take turns of 0.2 ms meanwhile; left alone they take 5 ms (sys.setswitchinterval).

    A live view that draws, or a test that computes, would else make a step late by as much.
    """
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(min(TURN_S, usual_s))
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)
