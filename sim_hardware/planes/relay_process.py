"""`python -m ... FD`: the process of a `RelayPlane`; accepts, connects on, and carries bytes in one loop."""

import ctypes
import errno
import gc
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Control

from impairlab.drivers.model import DIRECTIONS, Direction
from impairlab.drivers.model.errors import ConnectError
from impairlab.sim_hardware.planes.relay_setup import RelayReady, RelaySetup
from impairlab.sim_hardware.planes.stream import Stream
from impairlab.sim_hardware.planes.stream_law import StreamLaw
from impairlab.sim_hardware.planes.switchboard import Switchboard

_PR_SET_TIMERSLACK = 29
_LOOK_AFTER_PARENT_NS = 1_000_000_000
_MOST_CONNECTIONS = 450
"""Two descriptors each, and select(2) takes 1024; more wait in the backlog. epoll would round to milliseconds."""

Laws = dict[tuple[str, Direction], StreamLaw]


class _Connection:
    """A client's connection and the one to the service."""

    def __init__(self, client: socket.socket, service: tuple[str, int], there: StreamLaw, back: StreamLaw) -> None:
        self.client = client
        self.server = socket.socket(socket.AF_INET6 if ":" in service[0] else socket.AF_INET)
        for end in (self.client, self.server):
            end.settimeout(0)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self.server.connect_ex(service)
        self._refusal = 0 if code == errno.EINPROGRESS else code
        self.connecting = True
        self.refused = False
        self.there = Stream(self.client, self.server, there)
        self.back = Stream(self.server, self.client, back)

    def take_answer(self) -> None:
        """Take note that the service accepted, or did not."""
        self.refused = bool(self._refusal or self.server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        self.connecting = False

    def carry(self, stream: Stream, readable: set[int]) -> None:
        """Take in and let out, on one of the two streams."""
        now_ns = time.monotonic_ns()
        if stream.source.fileno() in readable and stream.takes_in_at(now_ns) == now_ns:
            stream.take_in(now_ns)
        now_ns = time.monotonic_ns()
        stream.let_out(now_ns)
        if stream.sink_gone:
            opposite = self.back if stream is self.there else self.there
            opposite.take_reset(now_ns)

    @property
    def broken(self) -> bool:
        """Whether both peers are to see a reset."""
        return self.refused or self.there.was_reset or self.back.was_reset

    @property
    def done(self) -> bool:
        return self.there.done and self.back.done

    def close(self) -> None:
        self.client.close()
        self.server.close()

    def reset(self) -> None:
        """Close so that both peers see a reset."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


@dataclass(slots=True)
class _Watch:
    """What to wait for in one turn of the loop."""

    readable: list[int]
    writable: list[int]
    until_ns: int


class _Relay:
    def __init__(self, setup: RelaySetup, laws: Laws) -> None:
        self._laws = laws
        self._services = {service.path: (service.host, service.port) for service in setup.services}
        self.listeners = {path: socket.create_server((setup.host, 0), backlog=1024) for path in self._services}
        for listener in self.listeners.values():
            listener.settimeout(0)
        self._connections: list[_Connection] = []

    def watch(self, now_ns: int) -> _Watch:
        watch = _Watch([], [], now_ns + _LOOK_AFTER_PARENT_NS)
        if len(self._connections) < _MOST_CONNECTIONS:
            watch.readable += [listener.fileno() for listener in self.listeners.values()]
        for connection in self._connections:
            if connection.connecting:
                watch.writable.append(connection.server.fileno())
                continue
            for stream in (connection.there, connection.back):
                self._watch_stream(stream, now_ns, watch)
        return watch

    @staticmethod
    def _watch_stream(stream: Stream, now_ns: int, watch: _Watch) -> None:
        if stream.blocked:
            watch.writable.append(stream.sink.fileno())
        takes_in_ns = stream.takes_in_at(now_ns)
        if takes_in_ns == now_ns:
            watch.readable.append(stream.source.fileno())
        elif takes_in_ns is not None:
            watch.until_ns = min(watch.until_ns, takes_in_ns)
        release_ns = stream.next_release()
        if release_ns is not None:  # may have become due by now
            watch.until_ns = min(watch.until_ns, release_ns)

    def carry(self, readable: set[int], writable: set[int]) -> None:
        """Connect, take in, let out, part, accept."""
        for connection in self._connections:
            if connection.connecting and connection.server.fileno() in writable:
                connection.take_answer()
        for connection, stream in self._in_turn():
            connection.carry(stream, readable)
        for connection in self._connections:
            if connection.broken:
                connection.reset()
            elif connection.done:
                connection.close()
        self._connections = [each for each in self._connections if not (each.broken or each.done)]
        for path, listener in self.listeners.items():
            if listener.fileno() in readable:
                self._accept(path, listener)

    def _in_turn(self) -> list[tuple[_Connection, Stream]]:
        """Return all streams, those first that have waited longest: whoever shares a limit has the same part of it."""
        streams = [
            (connection, stream)
            for connection in self._connections
            if not (connection.connecting or connection.refused)
            for stream in (connection.there, connection.back)
        ]
        return sorted(streams, key=lambda pair: pair[1].took_in_ns)

    def _accept(self, path: str, listener: socket.socket) -> None:
        with suppress(BlockingIOError, ConnectionError):
            client, _ = listener.accept()
            laws = self._laws[path, "a-b"], self._laws[path, "b-a"]
            self._connections.append(_Connection(client, self._services[path], *laws))

    def ready(self) -> RelayReady:
        return RelayReady({path: listener.getsockname()[1] for path, listener in self.listeners.items()})


def _laws(setup: RelaySetup) -> Iterator[tuple[tuple[str, Direction], StreamLaw]]:
    for service in setup.services:
        for direction in DIRECTIONS:
            yield (service.path, direction), StreamLaw(f"{setup.seed} {service.path} {direction}")


def _run(control: Control, board: Switchboard, relay: _Relay) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        watch = relay.watch(time.monotonic_ns())
        until_ns = min(watch.until_ns, board.next_switch_ns or watch.until_ns)
        wait_s = max(0, until_ns - time.monotonic_ns()) / 1e9
        readable, writable, _ = select.select([control.fileno(), *watch.readable], watch.writable, [], wait_s)
        if control.fileno() in readable:
            control.send(board.answer(control.recv()))
        board.switch_if_due(time.monotonic_ns())
        relay.carry(set(readable), set(writable))


def main() -> int:
    """Set up, report, carry. 0 when the control connection was closed."""
    control = Control(int(sys.argv[1]))
    setup: RelaySetup = control.recv()
    laws = dict(_laws(setup))
    try:
        relay = _Relay(setup, laws)
    except OSError as error:
        control.send(ConnectError(f"no relay on {setup.host}: {error}"))
        return 1
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(1), 0, 0, 0)
    gc.freeze()
    try:
        control.send(relay.ready())
        _run(control, Switchboard(laws), relay)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
