"""A simulated LANforge ICE to run."""

import time
from collections.abc import Callable, Sequence
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
    Pending,
    Reboot,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StatisticsNotReady,
)
from impairlab.sim_hardware.lanforge.box import LanforgeBox
from impairlab.sim_hardware.lanforge.house import DEFAULT_LINE_BPS
from impairlab.sim_hardware.lanforge.text import TextConversation
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.transports.conversations import ConversationServer

TEXT_PORT = 4_001


class SimulatedLanforge:
    """A LANforge ICE that is served from construction until `close`; a context manager.

    Ports eth1 and eth2 are the first path of the plane, eth3 and eth4 the second; what comes in at the odd one
    goes from a to b. What is not public about the box stands in `house`.

    Args:
        plane: What happens to packets; `close` closes it.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        wanlinks: Cross-connects that run after power-on, one a path: NAME of NAME-A and NAME-B. wl1, wl2, ... if None.
        line_bps: Bit/s of its ports; a rate of that or above limits nothing.
        max_sessions: Connections that it keeps; one beyond them is closed at once. None for any number.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Raises:
        OSError: The address cannot be had.
        ValueError: More wanlinks than the plane has paths, or one twice.
    """

    instrument_faults: ClassVar[tuple[type[object], ...]] = (
        SessionExpired,
        IdleClose,
        Pending,
        IdleDatapath,
        LinksDown,
        StatisticsNotReady,
        SilentClamp,
        SilentlyIgnored,
    )

    def __init__(
        self,
        plane: Plane,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        wanlinks: Sequence[str] | None = None,
        line_bps: int = DEFAULT_LINE_BPS,
        max_sessions: int | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        names = [f"wl{at}" for at in range(1, len(plane.paths) + 1)] if wanlinks is None else list(wanlinks)
        if len(names) > len(plane.paths) or len({*names}) < len(names):
            raise ValueError(f"one wanlink of its own for each of {len(plane.paths)} paths at most, not {names}")
        self._plane = plane
        self._wanlinks = tuple(names)
        self._guard = RLock()
        self._faults = ArmedFaults()
        self._data_path = DataPath(plane, clock, 0, self._faults)
        self._box = box = LanforgeBox(self._data_path, self._faults, clock, line_bps, names)
        self._server = ConversationServer(
            lambda _: TextConversation(box, self._guard),
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
        """What `impairlab.drivers.connect` takes, "tcp://127.0.0.1:4001?paths=wl1"."""
        host, port = self._server.address
        where = f"[{host}]" if ":" in host else host
        return f"tcp://{where}:{port}?paths={','.join(self._wanlinks)}"

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port, for clients other than ours."""
        return self._server.address

    @property
    def state(self) -> ApplianceState:
        """What is active now, whatever anybody was told."""
        with self._guard:
            return ApplianceState(self._data_path.active)

    def wake(self) -> None:
        """Look at the clock again."""
        self._server.wake()

    def inject(self, fault: Fault | DialectFault, count: int | None = 1) -> None:
        """Let something go wrong, in the instrument or on the way; see `ConversationServer.inject`.

        `SessionExpired`, `IdleClose` and `LinksDown`, which reboots it, act at once and ignore `count`.
        `SilentClamp` names a setting, "latency", and its limit in the unit of the command. `Pending` strikes
        nc_show_endpoint.

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
            except ImpairlabError:
                return  # the next command that needs the plane says so
