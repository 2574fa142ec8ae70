"""A simulated Chimera to run: a chassis on a data plane, served in text and in the binary protocol."""

import time
from collections.abc import Callable
from typing import Self

from impairlab.sim_hardware.appliance.state import ApplianceState
from impairlab.sim_hardware.chimera.binary import BinaryConversation
from impairlab.sim_hardware.chimera.chassis import DEFAULT_PASSWORD, Chassis, Identity, Settings
from impairlab.sim_hardware.chimera.distributions import LatencyRange
from impairlab.sim_hardware.chimera.house_answers import HouseOptions
from impairlab.sim_hardware.chimera.reservations import Session
from impairlab.sim_hardware.chimera.text import TextConversation
from impairlab.sim_hardware.faults import (
    DialectFault,
    Fault,
    IdleClose,
    IdleDatapath,
    LinksDown,
    ModeReset,
    Pending,
    Reboot,
    ReservedByOther,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
)
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.transports.conversations import ConversationServer

TEXT_PORT = 22_611
BINARY_PORT = 22_606


class SimulatedChimera:
    """A Chimera that is served from construction until `close`; ports 2k and 2k+1 of module 0 are path k of the plane.

    Port 2k impairs what goes from a to b, port 2k+1 what goes from b to a.

    Args:
        plane: What happens to packets; `close` closes it.
        host: Address to listen on.
        port: Port of the text protocol; 0 takes a free one, told by `address`.
        binary_port: Port of the binary protocol; 0 takes a free one, told by `binary_address`.
        password: Of C_LOGON.
        identity: Who the chassis says it is.
        options: What it does where nothing public says what a real one does; see `house_answers`.
        latency_range_ns: Least and greatest latency in normal mode; what a real one has is not public.
        schedule_unit_ns: Unit of PED_SCHEDULE: 10 ms or 1 ms, public sources disagree.
        links_down: Whether the links are down after power-on.
        max_sessions: How many sessions may be logged on; None for any number.
        clock: Measures silence and uptime, in nanoseconds that never go back; who moves it calls `wake`.

    Raises:
        OSError: When an address cannot be had.
    """

    instrument_faults = (
        ReservedByOther,
        SessionExpired,
        IdleClose,
        Pending,
        IdleDatapath,
        ModeReset,
        LinksDown,
        SilentClamp,
        SilentlyIgnored,
    )
    """Faults of its own, beside those of replies and connections."""

    def __init__(
        self,
        plane: Plane,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        binary_port: int = 0,
        password: str = DEFAULT_PASSWORD,
        identity: Identity | None = None,
        options: HouseOptions | None = None,
        latency_range_ns: tuple[int, int] = (0, 1_000_000_000),
        schedule_unit_ns: int = 10_000_000,
        links_down: bool = False,
        max_sessions: int | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        settings = Settings(
            password=password,
            identity=identity or Identity(),
            options=options or HouseOptions(),
            latency_range=LatencyRange(*latency_range_ns),
            schedule_unit_ns=schedule_unit_ns,
            links_down=links_down,
            max_sessions=max_sessions,
        )
        self._plane = plane
        self._chassis = chassis = Chassis(plane, settings, clock)
        self._stranger = Session("elsewhere")
        self._text = ConversationServer(
            lambda peer: TextConversation(chassis, peer),
            host,
            port,
            name="chimera-text",
            power_cycle=chassis.power_cycle,
            clock=clock,
        )
        try:
            self._binary = ConversationServer(
                lambda peer: BinaryConversation(chassis, peer, self._tell),
                host,
                binary_port,
                name="chimera-binary",
                clock=clock,
            )
        except OSError:
            self._text.close()
            raise

    def _tell(self, conversation: BinaryConversation, content: bytes) -> None:
        self._binary.tell(conversation, content)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the servers and the data plane; a second call does nothing."""
        for server in (self._text, self._binary):
            server.close()
        self._plane.close()

    @property
    def address(self) -> str:
        """Where the text protocol is served, e.g. "tcp://127.0.0.1:22611"."""
        return f"tcp://{self._text.address[0]}:{self._text.address[1]}"

    @property
    def binary_address(self) -> tuple[str, int]:
        """Where the binary protocol is served."""
        return self._binary.address

    @property
    def state(self) -> ApplianceState:
        """What is active now, whatever anybody was told; unsaved are the flows whose shadow filter is dirty."""
        chassis = self._chassis
        with chassis.guard:
            dirty = frozenset(
                chassis.target(port, number)
                for port, state in enumerate(chassis.module.ports)
                for number, flow in enumerate(state.flows)
                if dict(flow.shadow) != dict(flow.working)
            )
            return ApplianceState(chassis.entries, dirty)

    def wake(self) -> None:
        """Look at the clock again."""
        for server in (self._text, self._binary):
            server.wake()

    def inject(self, fault: Fault | DialectFault, count: int | None = 1) -> None:
        """Let something go wrong, in both protocols.

        `ReservedByOther`, `ModeReset`, `LinksDown`, `SessionExpired`, `IdleClose` and `Reboot` act at once and ignore
        `count`. `SilentClamp` names a command: "PED_RANDOM".

        Args:
            fault: What.
            count: How many commands or replies it strikes; None until `clear_faults`.

        Raises:
            ValueError: A fault that this dialect has no words for, or a count that is not positive.
        """
        chassis = self._chassis
        match fault:
            case ReservedByOther(holder=holder):
                self._seize(holder)
            case ModeReset():
                with chassis.guard:
                    chassis.set_latency_mode(extended=not chassis.module.extended)
            case LinksDown():
                with chassis.guard:
                    chassis.take_links_down()
            case SessionExpired():
                self._text.disconnect_all()
                self._binary.disconnect_all()
            case IdleClose(after_ns=after_ns):
                self._text.limit_silence(after_ns)
                self._binary.limit_silence(after_ns)
            case Pending() | IdleDatapath() | SilentClamp() | SilentlyIgnored():
                chassis.faults.arm(fault, count)
            case Reboot():
                self._binary.inject(fault)
                self._text.inject(fault)
            case _:
                self._inject_into_servers(fault, count)

    def _inject_into_servers(self, fault: Fault | DialectFault, count: int | None) -> None:
        if not isinstance(fault, Fault):
            raise ValueError(f"a Chimera has no words for {fault}")  # noqa: TRY004 - the value is wrong, for this dialect
        self._text.inject(fault, count)
        self._binary.inject(fault, count)

    def _seize(self, holder: str) -> None:
        with self._chassis.guard:
            self._stranger.owner = holder
            self._chassis.seize(self._stranger)

    def clear_faults(self) -> None:
        """Disarm every fault; the stranger goes home, and the links come up."""
        with self._chassis.guard:
            self._chassis.faults.clear()
            self._chassis.end_reservations(self._stranger)
            self._chassis.take_links_up()
        for server in (self._text, self._binary):
            server.limit_silence(None)
            server.clear_faults()
