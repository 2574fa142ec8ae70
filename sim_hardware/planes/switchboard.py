"""The one switch that changes all directions of a plane together, and their counters; in the plane's process."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from impairlab.drivers.model import Direction, FlowEntry, Statistics, Target
from impairlab.sim_hardware.engine import FlowProgram
from impairlab.sim_hardware.planes.worker import (
    ClearRequest,
    LastSwitchRequest,
    ProgramRequest,
    Request,
    StatisticsRequest,
)


class Programmable(Protocol):
    """What carries out the conditions of one direction; see `DirectionEngine`."""

    def switch(self, now_ns: int, programs: Sequence[FlowProgram]) -> None:
        """Replace all that is programmed."""
        ...

    def statistics(self, now_ns: int, flow: int) -> Statistics:
        """Return the counters of a flow."""
        ...

    def clear_statistics(self, flow: int | None = None) -> None:
        """Zero the counters of a flow or of all."""
        ...


class Switchboard:
    """Switches the directions; the loop that carries packets calls `switch_if_due` and answers requests through it."""

    def __init__(self, directions: Mapping[tuple[str, Direction], Programmable]) -> None:
        self._directions = dict(directions)
        self._waiting: ProgramRequest | None = None
        self._last_switch_ns: int | None = None

    def answer(self, request: Request) -> int | Statistics | None:
        """Do what a request asks."""
        match request:
            case ProgramRequest():
                return self._program(request)
            case StatisticsRequest(target):
                direction = self._directions[target.path, target.direction]
                return direction.statistics(time.monotonic_ns(), target.flow)
            case ClearRequest(target):
                self._clear(target)
            case LastSwitchRequest():
                return self._last_switch_ns
        return None

    def _clear(self, target: Target | None) -> None:
        if target is not None:
            self._directions[target.path, target.direction].clear_statistics(target.flow)
            return
        for direction in self._directions.values():
            direction.clear_statistics()

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
        programs: dict[tuple[str, Direction], list[FlowProgram]] = {key: [] for key in self._directions}
        for entry in entries:
            key = (entry.target.path, entry.target.direction)
            programs[key].append(FlowProgram(entry.target.flow, entry.filter, entry.conditions))
        for key, direction in self._directions.items():
            direction.switch(now_ns, programs[key])
        self._last_switch_ns = time.monotonic_ns()
        return self._last_switch_ns
