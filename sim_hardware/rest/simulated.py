"""What every simulated appliance with a REST interface is: a box on a plane behind an HTTP server, with faults."""

import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import RLock
from typing import ClassVar, Self, get_args

from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.appliance.state import ApplianceState
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import ArmedFaults, DialectFault, Fault
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.transports.conversations import Conversation, ConversationServer
from impairlab.sim_hardware.transports.http import HttpConversation, HttpRequest, HttpResponse, TlsConversation

_MOST_CONNECTIONS = 64


class SimulatedRest(ABC):
    """Serves from the end of construction until `close`; a context manager. A subclass says what is answered.

    Args:
        plane: What happens to packets; `close` closes it.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        update_ns: How long after a change the data plane switches.
        tls: Serves HTTPS when given; `SelfSigned` makes one.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand. With one of its own the plane
            should be a model, too: it is told when to switch on this clock.

    Attributes:
        instrument_faults: The faults of the instrument that this box can have.
    """

    instrument_faults: ClassVar[tuple[type[object], ...]]

    def __init__(
        self,
        plane: Plane,
        host: str,
        port: int,
        *,
        update_ns: int,
        tls: ssl.SSLContext | None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._plane = plane
        self._tls = tls
        self._clock = clock
        self._guard = RLock()
        self._faults = ArmedFaults()
        self._data_path = DataPath(plane, clock, update_ns, self._faults)
        self._begin()
        self._server = ConversationServer(
            self._converse,
            host,
            port,
            name=type(self).__name__,
            max_connections=_MOST_CONNECTIONS,
            power_cycle=self._power_cycle,
        )

    @abstractmethod
    def _begin(self) -> None:
        """Make the box, before the first request."""

    @abstractmethod
    def _answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; never raises."""

    @abstractmethod
    def _power_on(self) -> None:
        """Lose what a box loses without power. Raises `ImpairlabError` when the plane has failed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Where it is served, "http://127.0.0.1:40312"."""
        host, port = self._server.address
        where = f"[{host}]" if ":" in host else host
        return f"{'http' if self._tls is None else 'https'}://{where}:{port}"

    @property
    def state(self) -> ApplianceState:
        """What is active now, whatever anybody was told."""
        with self._guard:
            return ApplianceState(self._data_path.active, frozenset(), waiting_for_trigger=False)

    def inject(self, fault: Fault | DialectFault, count: int | None = 1) -> None:
        """Let something go wrong, in the instrument or on the way; see `ConversationServer.inject`.

        Raises:
            ValueError: This box cannot have that fault, or `count` is not positive.
        """
        if type(fault) not in {*self.instrument_faults, *get_args(Fault)}:
            legal = sorted(each.__name__ for each in (*self.instrument_faults, *get_args(Fault)))
            raise ValueError(f"this box has no fault {type(fault).__name__}; it has {', '.join(legal)}")
        if isinstance(fault, Fault):
            self._server.inject(fault, count)
        else:
            self._faults.arm(fault, count)

    def clear_faults(self) -> None:
        """Disarm every fault and accept connections again."""
        self._faults.clear()
        self._server.clear_faults()

    def close(self) -> None:
        """Close every connection and the data plane; a second call does nothing."""
        self._server.close()
        self._plane.close()

    def _converse(self, _: str) -> Conversation:
        plain = HttpConversation(self._handle)
        return plain if self._tls is None else TlsConversation(plain, self._tls)

    def _handle(self, request: HttpRequest) -> HttpResponse:
        with self._guard:
            return self._answer(request)

    def _power_cycle(self) -> None:
        with self._guard:
            try:
                self._power_on()
            except ImpairlabError:
                return  # the next request that needs the plane says so
