"""A data plane for machines without namespaces: TCP connections to a local port, relayed to a service, late or slow.

It impairs streams, not packets. There is no loss, no reordering and no effect on the sender's TCP beyond a full window:
the relay answers the handshake and acknowledges at once, on both sides. UDP is not relayed.
"""

import socket
from collections.abc import Mapping, Sequence
from typing import Self

from impairlab.drivers.model import FlowEntry, Statistics, Target
from impairlab.drivers.model.errors import ConnectError
from impairlab.sim_hardware.planes.admission import refuse_impossible
from impairlab.sim_hardware.planes.relay_setup import RelayReady, RelaySetup, Service
from impairlab.sim_hardware.planes.stream_law import KINDS, RULES
from impairlab.sim_hardware.planes.worker import (
    ClearRequest,
    LastSwitchRequest,
    ProgramRequest,
    StatisticsRequest,
    Worker,
)

_SERVICE_ANSWERS_S = 5.0


class RelayPlane:
    """One listening port for each path; side a connects to it, side b is the service that the path leads to.

    Does delay (order kept), rate (shaper or link) and link. Everything else is refused: in a byte stream nothing can be
    lost, doubled, damaged or overtaken. A rate counts bytes of content; its queue pushes back instead of dropping, and
    connections that push at the same time have equal parts of it.

    The outage of a stream is a link that is down: nothing is taken in and nothing is lost. What was taken in before
    still comes out at its time; what arrives meanwhile is held and goes on when the link is up again. There is no
    retransmission timer that has to expire first, so a stream recovers sooner than across a real outage. A new
    connection is accepted even so, and stalls.

    The end of a direction and a reset travel like bytes. A service that refuses a connection is a reset to the client.
    450 connections are carried at a time; more wait until one ends.

    Args:
        services: Host and TCP port of the service, by path. Each must listen already.
        host: Address to listen on.
        seed: Same seed and same reads: same delays.

    Raises:
        ConnectError: No service there, or `host` is not an address of this machine.
    """

    options = KINDS

    def __init__(self, services: Mapping[str, tuple[str, int]], *, host: str = "127.0.0.1", seed: int = 0) -> None:
        self.paths = tuple(services)
        self._host = host
        listed = tuple(_reached(path, *address) for path, address in services.items())
        self._worker = Worker("impairlab.sim_hardware.planes.relay_process", RelaySetup(listed, host, seed))
        if not isinstance(self._worker.ready, RelayReady):
            raise TypeError(self._worker.ready)
        self._ports = self._worker.ready.ports

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def address(self, path: str) -> tuple[str, int]:
        """Return where clients of a path connect to."""
        return self._host, self._ports[path]

    def program(self, entries: Sequence[FlowEntry], at_ns: int | None) -> int:
        """Replace everything that is programmed; see `Plane.program`. A switch ahead returns the planned time at once.

        Raises:
            CapabilityError: Something that a relay of streams cannot do honestly; nothing has changed.
            ImpairlabError: The process of the plane is gone.
        """
        refuse_impossible(entries, self.paths, self.options, RULES)
        answer = self._worker.ask(ProgramRequest(tuple(entries), at_ns))
        if not isinstance(answer, int):
            raise TypeError(answer)
        return answer

    def last_switch_ns(self) -> int | None:
        """Return when the last switch really happened; None before the first."""
        answer = self._worker.ask(LastSwitchRequest())
        return answer if isinstance(answer, int) else None

    def statistics(self, target: Target) -> Statistics:
        """Return the byte counters of a direction; a relay sees no packets."""
        refuse_impossible([FlowEntry(target=target.model_copy(update={"flow": 0}))], self.paths, self.options)
        answer = self._worker.ask(StatisticsRequest(target))
        if not isinstance(answer, Statistics):
            raise TypeError(answer)
        return answer

    def clear_statistics(self, target: Target | None) -> None:
        """Zero the counters of one direction, or of all with None."""
        self._worker.ask(ClearRequest(target))

    def close(self) -> None:
        """End the process and every connection through it; a second call does nothing."""
        self._worker.close()


def _reached(path: str, host: str, port: int) -> Service:
    """Return the address at which a service answers, so that nothing has to be looked up for each connection."""
    try:
        with socket.create_connection((host, port), timeout=_SERVICE_ANSWERS_S) as connection:
            address, number, *_ = connection.getpeername()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConnectError(f"path {path} leads to no service: {host}:{port}: {reason}") from error
    return Service(path, address, number)
