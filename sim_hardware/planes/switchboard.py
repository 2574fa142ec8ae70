"""The engines of all directions of a plane and the one switch that changes them together, in the plane's process."""

import time
from collections.abc import Sequence

from impairlab.drivers.model import DIRECTIONS, Direction, FlowEntry, Statistics, Target
from impairlab.sim_hardware.engine import DirectionEngine, FlowProgram
from impairlab.sim_hardware.planes.worker import (
    ClearRequest,
    LastSwitchRequest,
    ProgramRequest,
    Request,
    StatisticsRequest,
)


class Switchboard:
    """Holds the engines; the loop that carries packets calls `switch_if_due` and answers requests through it."""

    def __init__(self, paths: Sequence[str], seed: int) -> None:
        self.engines: dict[tuple[str, Direction], DirectionEngine] = {
            (path, direction): DirectionEngine(f"{seed} {path} {direction}")
            for path in paths
            for direction in DIRECTIONS
        }
        self._waiting: ProgramRequest | None = None
        self._last_switch_ns: int | None = None

    def answer(self, request: Request) -> int | Statistics | None:
        """Do what a request asks."""
        match request:
            case ProgramRequest():
                return self._program(request)
            case StatisticsRequest(target):
                engine = self.engines[target.path, target.direction]
                return engine.statistics(time.monotonic_ns(), target.flow)
            case ClearRequest(target):
                self._clear(target)
            case LastSwitchRequest():
                return self._last_switch_ns
        return None

    def _clear(self, target: Target | None) -> None:
        if target is not None:
            self.engines[target.path, target.direction].clear_statistics(target.flow)
            return
        for engine in self.engines.values():
            engine.clear_statistics()

    def _program(self, request: ProgramRequest) -> int:
        self._waiting = None
        now_ns = time.monotonic_ns()
        if request.at_ns is not None and request.at_ns > now_ns:
            self._waiting = request
            return request.at_ns
        return self._switch(now_ns, request.entries)

    @property
    def next_switch_ns(self) -> int | None:
        """When the waiting switch is to happen."""
        return None if self._waiting is None else self._waiting.at_ns

    def switch_if_due(self, now_ns: int) -> None:
        """Do the waiting switch when its time has come."""
        waiting = self._waiting
        if waiting is not None and waiting.at_ns is not None and waiting.at_ns <= now_ns:
            self._waiting = None
            self._switch(now_ns, waiting.entries)

    def _switch(self, now_ns: int, entries: Sequence[FlowEntry]) -> int:
        programs: dict[tuple[str, Direction], list[FlowProgram]] = {key: [] for key in self.engines}
        for entry in entries:
            key = (entry.target.path, entry.target.direction)
            programs[key].append(FlowProgram(entry.target.flow, entry.filter, entry.conditions))
        for key, engine in self.engines.items():
            engine.switch(now_ns, programs[key])
        self._last_switch_ns = time.monotonic_ns()
        return self._last_switch_ns

    def next_event_ns(self) -> int | None:
        """When the next release or switch is due."""
        times = [release for engine in self.engines.values() if (release := engine.next_release()) is not None]
        if self.next_switch_ns is not None:
            times.append(self.next_switch_ns)
        return min(times, default=None)
