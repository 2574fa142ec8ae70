"""Gates: whether an impairment with a schedule acts on a packet."""

from collections.abc import Callable

from impairlab.drivers.model import AnySchedule, PacketSchedule, Schedule

Gate = Callable[[int], int | None]
"""Given the nanoseconds since the impairment was set, tell once for each packet whether it is acted on: None, or the
number of the window that is open."""


def gate(schedule: AnySchedule | None) -> Gate:
    """Return the gate of a schedule; without one it is always open."""
    match schedule:
        case Schedule():
            return lambda elapsed_ns: _window(elapsed_ns - schedule.start, schedule.on, schedule.period)
        case PacketSchedule():
            return _PacketGate(schedule)
        case None:
            return lambda _: 0


def _window(position: int, on: int, period: int) -> int | None:
    if position < 0:
        return None
    number, place = divmod(position, period) if period else (0, position)
    return number if place < on else None


class _PacketGate:
    def __init__(self, schedule: PacketSchedule) -> None:
        self._schedule = schedule
        self._seen = -1

    def __call__(self, _: int) -> int | None:
        self._seen += 1
        return _window(self._seen, self._schedule.on_packets, self._schedule.period_packets)
