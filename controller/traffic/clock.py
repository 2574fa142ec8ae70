"""An event loop that keeps time well enough to measure with."""

import asyncio
import selectors
from select import select


class MicrosecondSelector(selectors.EpollSelector):
    """Epoll, with timeouts that are not rounded up to whole milliseconds.

    epoll_wait(2) counts in milliseconds and CPython rounds up to them: a plain asyncio timer fires 0.5 ms late at the
    median. select(2) on the epoll descriptor waits for the same events and counts in microseconds.
    """

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As `selectors.BaseSelector.select`, with `timeout` in seconds."""
        if timeout is not None and timeout > 0:
            select([self.fileno()], [], [], timeout)
            timeout = 0
        return super().select(timeout)


def measuring_loop() -> asyncio.AbstractEventLoop:
    """A loop on `MicrosecondSelector`. Its clock is `time.monotonic()`."""
    return asyncio.SelectorEventLoop(MicrosecondSelector())
