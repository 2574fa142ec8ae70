"""Hits: whether a packet suffers what a pattern and a schedule together say."""

from collections.abc import Callable
from random import Random

from impairlab.drivers.model import AnyLoss, AnySchedule, Corrupt, Duplicate, Reorder, SingleBurst
from impairlab.drivers.model import Random as RandomPattern
from impairlab.sim_hardware.engine.patterns import ContinuousPattern, pattern_process
from impairlab.sim_hardware.engine.schedules import gate

Hits = Callable[[int, int], bool]
"""Given the time and the length of a frame, tell once for each packet whether it is hit."""


def hits(impairment: AnyLoss | Reorder | Duplicate | Corrupt, now_ns: int, random: Random) -> Hits:
    """Return what an impairment hits that is set now."""
    match impairment:
        case SingleBurst():
            return _Bursts(impairment, impairment.schedule, now_ns)
        case Reorder() | Duplicate() | Corrupt():
            pattern = impairment.pattern or RandomPattern(rate=impairment.rate)
            if isinstance(pattern, SingleBurst):
                return _Bursts(pattern, impairment.schedule, now_ns)
            return _gated(pattern, impairment.schedule, now_ns, random)
    return _gated(impairment, impairment.schedule, now_ns, random)


def _gated(pattern: ContinuousPattern, schedule: AnySchedule | None, since_ns: int, random: Random) -> Hits:
    """A process that stands still while the gate is shut."""
    process = pattern_process(pattern, random)
    if schedule is None:
        return lambda _, length: process(length)
    window = gate(schedule)
    return lambda now_ns, length: window(now_ns - since_ns) is not None and process(length)


class _Bursts:
    """A burst begins whenever the gate opens, and is finished once it has begun."""

    def __init__(self, pattern: SingleBurst, schedule: AnySchedule | None, since_ns: int) -> None:
        self._packets = pattern.packets
        self._gate = gate(schedule)
        self._since_ns = since_ns
        self._left = 0
        self._begun: int | None = None

    def __call__(self, now_ns: int, _: int) -> bool:
        window = self._gate(now_ns - self._since_ns)
        if window is not None and window != self._begun:
            self._begun, self._left = window, self._packets
        if not self._left:
            return False
        self._left -= 1
        return True
