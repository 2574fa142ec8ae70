"""`python -m ... FD`: the process that makes the namespaces of a `NetnsPlane` and carries its packets in one loop."""

import ctypes
import errno
import gc
import os
import select
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from impairlab.drivers.model import DIRECTIONS, Direction
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.engine import DirectionEngine
from impairlab.sim_hardware.planes.namespaces import (
    Port,
    open_network_namespace,
    open_tap,
    prepare_namespace,
    unshare_network,
)
from impairlab.sim_hardware.planes.netns_setup import A_SIDE, B_SIDE, NetnsReady, NetnsSetup, interface_of
from impairlab.sim_hardware.planes.obstacles import obstacle
from impairlab.sim_hardware.planes.switchboard import Switchboard

_PR_SET_TIMERSLACK = 29
_FRAMES_AT_ONCE = 64
_USER_NAMESPACE = Path("/proc/self/ns/user")
_LARGEST_FRAME = 65_536
_LOOK_AFTER_PARENT_NS = 1_000_000_000


def _port(path_index: int, side: int) -> Port:
    other = A_SIDE + B_SIDE - side
    return Port(
        name=f"port{2 * path_index + side}",
        interface=interface_of(path_index, side),
        hardware=bytes((2, 0, 0, 0, path_index, side)),
        neighbour=interface_of(path_index, other),
        neighbour_hardware=bytes((2, 0, 0, 0, path_index, other)),
    )


Engines = dict[tuple[str, Direction], DirectionEngine]


@dataclass(slots=True)
class _Lane:
    """One direction: what is read here goes through the engine and out there."""

    source: int
    sink: int
    engine: DirectionEngine

    def take_in(self) -> None:
        for _ in range(_FRAMES_AT_ONCE):
            try:
                frame = os.read(self.source, _LARGEST_FRAME)
            except BlockingIOError:
                return
            self.engine.offer(time.monotonic_ns(), frame)

    def let_out(self, now_ns: int) -> None:
        for frame in self.engine.due(now_ns):
            try:
                os.write(self.sink, frame)
            except OSError as error:
                # An interface that somebody took down inside the namespace: the frame ends there.
                if error.errno != errno.EIO:
                    raise


def _lanes(setup: NetnsSetup, engines: Engines) -> tuple[list[_Lane], NetnsReady]:
    taps: dict[tuple[int, int], int] = {}
    namespaces = []
    user_before = _USER_NAMESPACE.readlink()
    for side in (A_SIDE, B_SIDE):
        unshare_network()
        prepare_namespace()
        namespaces.append(open_network_namespace())
        for index in range(len(setup.paths)):
            taps[index, side] = open_tap(_port(index, side))
    lanes = []
    for index, path in enumerate(setup.paths):
        ends: tuple[tuple[Direction, int, int], ...] = (("a-b", A_SIDE, B_SIDE), ("b-a", B_SIDE, A_SIDE))
        lanes += [_Lane(taps[index, a], taps[index, b], engines[path, name]) for name, a, b in ends]
    client, server = namespaces
    return lanes, NetnsReady(client, server, rootless=_USER_NAMESPACE.readlink() != user_before)


def _be_punctual(setup: NetnsSetup) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(1), 0, 0, 0)
    if setup.realtime_priority:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(setup.realtime_priority))
    gc.collect()
    gc.freeze()
    gc.disable()


def _carry(control: Connection, board: Switchboard, lanes: list[_Lane], spin_ns: int) -> None:
    """Carry packets until the control connection closes or the parent is gone."""
    parent = os.getppid()
    by_source = {lane.source: lane for lane in lanes}
    watched = [control.fileno(), *by_source]
    while os.getppid() == parent:
        now_ns = time.monotonic_ns()
        board.switch_if_due(now_ns)
        for lane in lanes:
            lane.let_out(now_ns)
        event_ns = _next_event(board, lanes)
        wait_ns = _LOOK_AFTER_PARENT_NS if event_ns is None else event_ns - time.monotonic_ns() - spin_ns
        readable, _, _ = select.select(watched, [], [], max(0, min(wait_ns, _LOOK_AFTER_PARENT_NS)) / 1e9)
        for descriptor in readable:
            if descriptor in by_source:
                by_source[descriptor].take_in()
            else:
                control.send(board.answer(control.recv()))


def _next_event(board: Switchboard, lanes: list[_Lane]) -> int | None:
    times = [board.next_switch_ns, *(lane.engine.next_release() for lane in lanes)]
    return min((time_ns for time_ns in times if time_ns is not None), default=None)


def main() -> int:
    """Set up, report, carry. 0 when the control connection was closed."""
    control = Connection(int(sys.argv[1]))
    setup: NetnsSetup = control.recv()
    engines: Engines = {
        (path, direction): DirectionEngine(f"{setup.seed} {path} {direction}")
        for path in setup.paths
        for direction in DIRECTIONS
    }
    try:
        lanes, ready = _lanes(setup, engines)
        _be_punctual(setup)
    except OSError as error:
        control.send(ImpairlabError(obstacle(error)))
        return 1
    try:
        control.send(ready)
        _carry(control, Switchboard(engines), lanes, setup.spin_ns)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
