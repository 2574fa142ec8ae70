"""A simulated NE-ONE to run."""

import time
from collections.abc import Callable, Mapping
from threading import RLock
from typing import ClassVar, Self, get_args

from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.appliance.state import ApplianceState
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import (
    ArmedFaults,
    DialectFault,
    Fault,
    IdleDatapath,
    LinksDown,
    Reboot,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StaleInUse,
)
from impairlab.sim_hardware.itrinegy.box import BoxError, NeOneBox
from impairlab.sim_hardware.itrinegy.commands import LineConversation
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.transports.conversations import ConversationServer


class SimulatedNeOne:
    """An iTrinegy NE-ONE that is served from construction until `close`; a context manager.

    Its virtual interfaces 2i - 1 and 2i are the directions a-b and b-a of path i of the plane.

    Args:
        plane: What happens to packets; `close` closes it.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        passwords: By user.
        session_ns: How long a session lasts without a command; None for ever.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Raises:
        OSError: The address cannot be had.
    """

    instrument_faults: ClassVar[tuple[type[object], ...]] = (
        SessionExpired,
        StaleInUse,
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
        passwords: Mapping[str, str] | None = None,
        session_ns: int | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._users = {"lab": ""} if passwords is None else dict(passwords)
        self._plane = plane
        self._guard = RLock()
        self._faults = ArmedFaults()
        self._data_path = DataPath(plane, clock, 0, self._faults)
        self._box = box = NeOneBox(self._data_path, self._faults, clock, self._users, session_ns)
        self._server = ConversationServer(
            lambda _: LineConversation(box, self._guard, self._faults),
            host,
            port,
            name="sim-ne-one",
            power_cycle=self._power_cycle,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """What `impairlab.drivers.connect` takes, "tcp://lab@127.0.0.1:40312?emulation=1&paths=1:1/2"."""
        host, port = self._server.address
        where = f"[{host}]" if ":" in host else host
        user = next(iter(self._users), "lab")
        paths = ",".join(f"{path}:{2 * at + 1}/{2 * at + 2}" for at, path in enumerate(self._plane.paths))
        return f"tcp://{user}@{where}:{port}?emulation=1&paths={paths}"

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

        `SessionExpired` and `LinksDown`, which switches it off and on, act at once and ignore `count`. `SilentClamp`
        names module and field: "Random_Drop/Loss_Percent".

        Raises:
            ValueError: This box cannot have that fault, or `count` is not positive.
        """
        match fault:
            case SessionExpired():
                with self._guard:
                    self._box.expire()
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
