"""A simulated Netropy to run."""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import ClassVar, Self, get_args
from urllib.parse import quote

import paramiko

from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.appliance.state import ApplianceState
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import (
    ArmedFaults,
    DialectFault,
    Fault,
    IdleClose,
    IdleDatapath,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StatisticsNotReady,
)
from impairlab.sim_hardware.netropy import house
from impairlab.sim_hardware.netropy.box import NetropyBox
from impairlab.sim_hardware.netropy.shell import Manners, ShellConversation
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.transports.conversations import ConversationServer
from impairlab.sim_hardware.transports.ssh import SshGate, fingerprint, new_host_key, read_public_key


class SimulatedNetropy:
    """An Apposite Netropy that is served from construction until `close`, over SSH; a context manager.

    Path i of its engine 1 is path i of the plane; from port 1 to port 2 is from a to b.

    Args:
        plane: What happens to packets; `close` closes it.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        passwords: By user.
        authorized_keys: Public keys with which any of these users may log in, as lines of OpenSSH's `authorized_keys`.
        host_key: By which it is known; a new one unless given.
        max_sessions: Shells that it keeps; one beyond them is closed at once. None for any number.
        page_lines: Lines of an answer after which it waits for a key; None never.
        ansi: Whether it colours the prompt.
        line_bps: Bit/s of its ports.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Raises:
        OSError: The address cannot be had.
        ValueError: A public key that is none.
    """

    instrument_faults: ClassVar[tuple[type[object], ...]] = (
        SessionExpired,
        IdleClose,
        IdleDatapath,
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
        passwords: Mapping[str, str] | None = None,
        authorized_keys: Sequence[str] = (),
        host_key: paramiko.PKey | None = None,
        max_sessions: int | None = None,
        page_lines: int | None = None,
        ansi: bool = False,
        line_bps: int = house.DEFAULT_LINE_BPS,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._users = {"admin": ""} if passwords is None else dict(passwords)
        self._host_key = host_key or new_host_key()
        keys = [read_public_key(line) for line in authorized_keys]
        self._plane = plane
        self._guard = RLock()
        self._faults = ArmedFaults()
        self._data_path = DataPath(plane, clock, 0, self._faults)
        self._box = box = NetropyBox(self._data_path, self._faults, clock, line_bps)
        manners = Manners(page_lines, ansi)
        self._server = ConversationServer(
            lambda _: ShellConversation(box, self._guard, manners),
            host,
            port,
            name="sim-netropy",
            max_connections=max_sessions,
            power_cycle=self._power_cycle,
            gate=SshGate(self._host_key, self._users, keys, "sim-netropy"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def fingerprint(self) -> str:
        """Of its host key, "SHA256:..."."""
        return fingerprint(self._host_key)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port, for clients other than ours."""
        return self._server.address

    @property
    def address(self) -> str:
        """What `impairlab.drivers.connect` takes, "ssh://admin@127.0.0.1:40312?fingerprint=SHA256:..."."""
        host, port = self._server.address
        where = f"[{host}]" if ":" in host else host
        user = next(iter(self._users), "admin")
        return f"ssh://{user}@{where}:{port}?fingerprint={quote(self.fingerprint, safe=':')}"

    @property
    def state(self) -> ApplianceState:
        """What is active now, whatever anybody was told."""
        with self._guard:
            return ApplianceState(self._data_path.active)

    @property
    def sessions(self) -> int:
        """How many shells are open."""
        return self._server.connection_count

    def inject(self, fault: Fault | DialectFault, count: int | None = 1) -> None:
        """Let something go wrong, in the instrument or on the way; see `ConversationServer.inject`.

        `SessionExpired` and `IdleClose` act at once and ignore `count`. `SilentClamp` names a condition: "delay".

        Raises:
            ValueError: This box cannot have that fault, or `count` is not positive.
        """
        match fault:
            case SessionExpired():
                self._server.disconnect_all()
            case IdleClose(after_ns=after_ns):
                self._server.limit_silence(after_ns)
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
