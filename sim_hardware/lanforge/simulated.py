"""A simulated LANforge-ICE to run."""

import time
from collections.abc import Callable
from threading import RLock
from typing import ClassVar, Self, get_args

from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.appliance.state import ApplianceState
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import (
    ArmedFaults,
    DialectFault,
    Fault,
    IdleClose,
    IdleDatapath,
    LinksDown,
    Reboot,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
)
from impairlab.sim_hardware.lanforge.box import BoxError, LanforgeBox
from impairlab.sim_hardware.lanforge.commands import CliConversation
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.transports.conversations import ConversationServer


class SimulatedLanforge:
    """A LANforge-ICE that is served from construction until `close`; a context manager.

    The WanLink wl<i> is path i of the plane, its endpoint wl<i>-A impairs what goes from a to b.

    Args:
        plane: What happens to packets; `close` closes it.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        max_sessions: Connections that it keeps; one beyond them is closed at once. None for any number.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Raises:
        OSError: The address cannot be had.
    """

    instrument_faults: ClassVar[tuple[type[object], ...]] = (
        SessionExpired,
        IdleClose,
        IdleDatapath,
        LinksDown,
        SilentClamp,
        SilentlyIgnored,
    )

    def __init__(
        self,
        plane: Plane,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        max_sessions: int | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._plane = plane
        self._guard = RLock()
        self._faults = ArmedFaults()
        self._data_path = DataPath(plane, clock, 0, self._faults)
        self._box = box = LanforgeBox(self._data_path, self._faults)
        self._server = ConversationServer(
            lambda _: CliConversation(box, self._guard),
            host,
            port,
            name="sim-lanforge",
            max_connections=max_sessions,
            power_cycle=self._power_cycle,
            clock=clock,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """What `impairlab.drivers.connect` takes, "tcp://127.0.0.1:40312?paths=wl1"."""
        host, port = self._server.address
        where = f"[{host}]" if ":" in host else host
        paths = ",".join(f"wl{number}" for number in range(1, len(self._plane.paths) + 1))
        return f"tcp://{where}:{port}?paths={paths}"

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port, for clients other than ours."""
        return self._server.address

    @property
    def state(self) -> ApplianceState:
        """What is active now, whatever anybody was told."""
        with self._guard:
            return ApplianceState(self._data_path.active)

    def inject(self, fault: Fault | DialectFault, count: int | None = 1) -> None:
        """Let something go wrong, in the instrument or on the way; see `ConversationServer.inject`.

        `SessionExpired`, `IdleClose` and `LinksDown`, which switches it off and on, act at once and ignore `count`.
        `SilentClamp` names a setting: "latency", in ns.

        Raises:
            ValueError: This box cannot have that fault, or `count` is not positive.
        """
        match fault:
            case SessionExpired():
                self._server.disconnect_all()
            case IdleClose(after_ns=after_ns):
                self._server.limit_silence(after_ns)
            case LinksDown():
                self._faults.arm(fault, 1)
                self._server.inject(Reboot())
            case _ if isinstance(fault, Fault):
                self._server.inject(fault, count)
            case _ if type(fault) in self.instrument_faults:
                self._faults.arm(fault, count)
            case _:
                legal = sorted(each.__name__ for each in (*self.instrument_faults, *get_args(Fault)))
                raise ValueError(f"this box has no fault {type(fault).__name__}; it has {', '.join(legal)}")

    def clear_faults(self) -> None:
        """Disarm every fault and accept connections again."""
        self._faults.clear()
        self._server.limit_silence(None)
        self._server.clear_faults()

    def close(self) -> None:
        """Close every connection and the data plane; a second call does nothing."""
        self._server.close()
        self._plane.close()

    def _power_cycle(self) -> None:
        with self._guard:
            try:
                self._box.power_on()
            except (BoxError, ImpairlabError):
                return  # the next command that needs the plane says so
