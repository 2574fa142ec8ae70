"""Begins each request at its planned instant, whatever became of the ones before: open loop."""

import asyncio
import time
from collections.abc import Callable, Iterator

from .spec import SECOND_NS


class Dispatcher:
    """Calls `begin(number, instant)` for each arrival, on the running loop, from `start_ns` on.

    Args:
        offsets_ns: The arrivals, as nanoseconds after the start, never decreasing.
        start_ns: The start, on the monotonic clock.
        end_ns: When the traffic ends if nobody stops it before, or None if the arrivals have no end.
        begin: Begins one request. Called late if the loop is late, never early, never left out.
    """

    def __init__(
        self, offsets_ns: Iterator[int], start_ns: int, end_ns: int | None, begin: Callable[[int, int], None]
    ) -> None:
        self._offsets_ns = offsets_ns
        self._start_ns = start_ns
        self._end_ns = end_ns
        self._begin = begin
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due_ns = self._next_due()
        self._finished = asyncio.Event()
        self.planned = 0
        """Arrivals that were due so far."""

    def start(self) -> None:
        """Begin what is due and keep going."""
        now_ns = time.monotonic_ns()
        while self._due_ns is not None and self._due_ns <= now_ns:
            self._begin(self.planned, self._due_ns)
            self.planned += 1
            self._due_ns = self._next_due()
        next_ns = self._end_ns if self._due_ns is None else self._due_ns
        if next_ns is None or (self._due_ns is None and next_ns <= now_ns):
            self._finished.set()
        else:
            self._timer = self._loop.call_at(next_ns / SECOND_NS, self.start)

    def stop(self) -> None:
        """Admit no more. Arrivals that were due and not begun stay counted in `planned`. Idempotent."""
        if self._finished.is_set():
            return
        if self._timer is not None:
            self._timer.cancel()
        now_ns = time.monotonic_ns()
        while self._due_ns is not None and self._due_ns <= now_ns:
            self.planned += 1
            self._due_ns = self._next_due()
        self._finished.set()

    async def wait(self) -> None:
        """Wait until the traffic has come to its end or was stopped."""
        await self._finished.wait()

    def _next_due(self) -> int | None:
        offset_ns = next(self._offsets_ns, None)
        return None if offset_ns is None else self._start_ns + offset_ns
