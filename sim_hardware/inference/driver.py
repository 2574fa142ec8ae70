"""Runs the step engine on an asyncio loop: tokens reach their request's queue when they are due."""

import asyncio
import selectors
import time
from select import select

from .engine import StepEngine, Token

_SECOND_NS = 1_000_000_000


class PreciseSelector(selectors.EpollSelector):
    """An epoll selector whose timeouts are not rounded up to whole milliseconds.

    epoll_wait takes milliseconds and CPython rounds up to them, which would show as noise on every token. The epoll
    descriptor can itself be waited for with select, which takes microseconds.
    """

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As `selectors.BaseSelector.select`; the timeout is in seconds and good to a microsecond."""
        if timeout is not None and timeout > 0:
            select([self.fileno()], [], [], timeout)
            timeout = 0
        return super().select(timeout)


class EngineDriver:
    """Drives one engine from within the running loop. Not for use from other threads."""

    def __init__(self, engine: StepEngine) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._queues: dict[int, asyncio.Queue[Token]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def submit(self, request: int, prompt_tokens: int, output_tokens: int) -> asyncio.Queue[Token]:
        """Hand a request to the engine; its tokens arrive in the queue returned."""
        queue = self._queues[request] = asyncio.Queue()
        self._engine.submit(request, prompt_tokens, output_tokens, time.monotonic_ns())
        self._run()
        return queue

    def cancel(self, request: int) -> None:
        """Take a request back, finished or not."""
        if self._queues.pop(request, None) is not None:
            self._engine.cancel(request)

    def freeze(self, duration_ns: int) -> None:
        """Stop the engine for a while."""
        self._run()
        self._engine.freeze(duration_ns, time.monotonic_ns())
        self._run()

    def close(self) -> None:
        """Stop the clock. Queues get no more tokens."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        for token in self._engine.advance(time.monotonic_ns()):
            queue = self._queues.get(token.request)
            if queue is not None:
                queue.put_nowait(token)
        self.close()
        event_ns = self._engine.next_event_ns()
        if event_ns is not None:
            self._timer = self._loop.call_at(event_ns / _SECOND_NS, self._run)
