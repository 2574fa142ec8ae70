"""Accumulation: packets wait for each other and leave together."""

from typing import Generic, TypeVar

from impairlab.drivers.model import AccumulateBurst

P = TypeVar("P")


class Accumulator(Generic[P]):
    """The group that gathers now: released when the first has waited long enough, or when it is complete."""

    def __init__(self, delay: AccumulateBurst) -> None:
        self._delay = delay
        self._leaves_ns = -1
        self._group: list[P] = []

    def wait(self, now_ns: int) -> int:
        """Return until when a packet that comes now waits at the most; it may begin a new group."""
        if now_ns >= self._leaves_ns:
            self._leaves_ns = now_ns + self._delay.hold
            self._group = []
        return self._leaves_ns

    def join(self, packet: P) -> list[P]:
        """Take a packet into the group; return the whole group if it is complete and leaves now."""
        self._group.append(packet)
        if len(self._group) != self._delay.packets:
            return []
        group, self._group, self._leaves_ns = self._group, [], -1
        return group
