"""The instrument's own lock, SYSTem:LOCK: one session may change settings, the others may only ask.

Requests nest; each needs its release, and closing the session releases all (Keysight Truevolt, "SYSTem:LOCK").
"""

from collections.abc import Callable
from typing import Protocol


class Asker(Protocol):
    """Whoever asks for the lock; it is told apart by identity and known by name."""

    name: str


class RemoteLock:
    """Who holds the instrument.

    Args:
        on_change: Called whenever it is taken or becomes free.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._depth = 0
        self.owner: Asker | None = None

    def request(self, asker: Asker) -> bool:
        """Take or deepen the lock; False when someone else holds it."""
        if self.refuses(asker):
            return False
        self.owner = asker
        self._depth += 1
        if self._depth == 1:
            self._on_change()
        return True

    def release(self, asker: Asker) -> None:
        """Give one request back; nothing happens for one who does not hold the lock."""
        if self.owner is not asker:
            return
        self._depth -= 1
        if not self._depth:
            self.owner = None
            self._on_change()

    def release_all(self, asker: Asker) -> None:
        """Give every request of `asker` back."""
        while self.owner is asker:
            self.release(asker)

    def refuses(self, asker: Asker) -> bool:
        """Say whether someone else holds it."""
        return self.owner is not None and self.owner is not asker
