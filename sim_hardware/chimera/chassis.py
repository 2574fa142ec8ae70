"""What the appliance does, in whichever protocol it is told: state, reservations, data plane and counters."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import RLock

from impairlab.drivers.model import FlowEntry, Statistics, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.counters import Ledger
from impairlab.sim_hardware.chimera.distributions import LatencyRange
from impairlab.sim_hardware.chimera.house_answers import HouseOptions
from impairlab.sim_hardware.chimera.mapping import Mapper
from impairlab.sim_hardware.chimera.reservations import Reservations, Session
from impairlab.sim_hardware.chimera.state import FLOWS, FlowState, ModuleState, PortState, without_latencies
from impairlab.sim_hardware.chimera.status import Status, StatusError
from impairlab.sim_hardware.faults import ArmedFaults, IdleDatapath
from impairlab.sim_hardware.planes import Plane

DEFAULT_PASSWORD = "xena"  # noqa: S105 - public, of every chassis
EXTENDED_FACTOR = 10


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the chassis says it is."""

    name: str = "impairlab simulator"
    model: str = "Chimera simulator"
    serial: int = 1
    version: tuple[int, int] = (447, 0)
    revision: str = "Chimera-100G-5S-2P"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a test chooses about a simulated chassis.

    Attributes:
        password: Of C_LOGON.
        identity: Who it says it is.
        options: Answers of the house.
        latency_range: In normal mode.
        schedule_unit_ns: Unit of PED_SCHEDULE.
        links_down: Whether the links are down after power-on.
        max_sessions: How many may be logged on; None for any number.
    """

    password: str = DEFAULT_PASSWORD
    identity: Identity = field(default_factory=Identity)
    options: HouseOptions = field(default_factory=HouseOptions)
    latency_range: LatencyRange = field(default_factory=lambda: LatencyRange(0, 1_000_000_000))
    schedule_unit_ns: int = 10_000_000
    links_down: bool = False
    max_sessions: int | None = None


class Chassis:
    """A chassis with one module on a data plane. Every method is called under `guard`.

    Args:
        plane: What happens to packets.
        settings: What the test chooses.
        clock: Nanoseconds that never go back.

    Attributes:
        guard: Keeps the threads of the protocols apart.
        faults: Those of the chassis itself.
        entries: What the data plane has been told.
        sessions: Those that are open, by number.
        watchers: Called with the name of a command, a port and indices when its value has changed.
    """

    def __init__(self, plane: Plane, settings: Settings, clock: Callable[[], int]) -> None:
        self.guard = RLock()
        self.faults = ArmedFaults()
        self.settings = settings
        self.clock = clock
        self.plane = plane
        self.sessions: dict[int, Session] = {}
        self.watchers: list[Callable[[str, int, tuple[int, ...]], None]] = []
        self.reservations = Reservations(2 * len(plane.paths))
        self.entries: tuple[FlowEntry, ...] = ()
        self._mapper = Mapper(plane.paths, settings.schedule_unit_ns)
        self._ledgers: dict[Target, Ledger] = {}
        self._opened = 0
        self.module = self._fresh()
        plane.program((), None)
        self._program(self.module)

    def _fresh(self) -> ModuleState:
        pairs = range(len(self.plane.paths)) if self.settings.links_down else ()
        return ModuleState((PortState(),) * self.reservations.ports, links_down=frozenset(pairs))

    def power_cycle(self) -> None:
        """Lose everything: sessions, reservations, settings and counters."""
        with self.guard:
            self.reservations.clear()
            self._ledgers.clear()
            self.module = self._fresh()
            with suppress(ImpairlabError, StatusError):  # a data plane that has failed does not keep it from starting
                self.plane.clear_statistics(None)
                self._program(self.module)

    def open_session(self, peer: str) -> Session:
        """Begin a session."""
        with self.guard:
            self._opened += 1
            session = Session(peer)
            self.sessions[self._opened] = session
            return session

    def close_session(self, session: Session) -> None:
        """End a session; what it holds is released."""
        with self.guard:
            self.sessions = {number: each for number, each in self.sessions.items() if each is not session}
            self.end_reservations(session)

    def end_reservations(self, session: Session) -> None:
        """Release everything that a session holds."""
        self._announce_reservations(self.reservations.end(session))

    def seize(self, holder: Session) -> None:
        """Give every port to somebody, whoever had it."""
        self._announce_reservations(self.reservations.seize(holder))

    def announce(self, name: str, port: int, indices: tuple[int, ...]) -> None:
        """Tell those who watch that the value of a command has changed."""
        for watcher in tuple(self.watchers):
            watcher(name, port, indices)

    def _announce_reservations(self, resources: Iterable[str]) -> None:
        for resource in resources:
            level, _, number = resource.partition(" ")
            for name in ("RESERVATION", "RESERVEDBY"):
                self.announce(f"{level[0].upper()}_{name}", int(number or 0), ())

    @property
    def latency_range(self) -> LatencyRange:
        """The legal latencies in the mode that is set."""
        normal = self.settings.latency_range
        return replace(normal, high=normal.high * EXTENDED_FACTOR) if self.module.extended else normal

    def change(self, change: Callable[[ModuleState], ModuleState]) -> None:
        """Change the state, and with it what happens to packets.

        Raises:
            StatusError: Nothing has changed.
        """
        wanted = change(self.module)
        self._program(wanted)
        self.module = wanted

    def change_port(self, port: int, change: Callable[[PortState], PortState]) -> None:
        """Change one port; see `change`."""
        self.change(lambda module: module.with_port(port, change))

    def change_flow(self, port: int, flow: int, change: Callable[[FlowState], FlowState]) -> None:
        """Change one flow of a port; see `change`."""
        self.change_port(port, lambda state: state.with_flow(flow, change))

    def set_latency_mode(self, *, extended: bool) -> None:
        """Set the latency mode; another one resets all latencies. See `change`."""
        if extended == self.module.extended:
            return
        self.change(lambda module: without_latencies(module, extended=extended))

    def take_links_down(self) -> None:
        """Let the links of all pairs be down, as they may be after power-on."""
        pairs = frozenset(range(len(self.plane.paths)))
        self.change(lambda module: replace(module, links_down=pairs))

    def take_links_up(self) -> None:
        """Let the links of all pairs come up."""
        if not self.module.links_down:
            return
        self.change(lambda module: replace(module, links_down=frozenset()))

    def _program(self, wanted: ModuleState) -> None:
        entries = self._mapper.entries(wanted)
        if entries == self.entries:
            return
        if self.faults.strike(IdleDatapath) is not None:
            return
        try:
            self.plane.program(entries, None)
        except CapabilityError:
            raise house.BEYOND_PLANE.error() from None
        except ImpairlabError:
            raise StatusError(Status.FAILED) from None
        self.entries = entries

    def target(self, port: int, flow: int) -> Target:
        """Return where a flow of a port acts."""
        direction = "b-a" if port % 2 else "a-b"
        return Target.model_validate({"path": self.plane.paths[port // 2], "direction": direction, "flow": flow})

    def statistics(self, port: int, flow: int) -> Statistics:
        """Return the counters of a flow. Raises StatusError when the data plane fails."""
        try:
            return self.plane.statistics(self.target(port, flow))
        except ImpairlabError:
            raise StatusError(Status.FAILED) from None

    def ledger(self, port: int, flow: int) -> Ledger:
        """Return what is remembered beside the counters of a flow."""
        return self._ledgers.setdefault(self.target(port, flow), Ledger())

    def clear_statistics(self, port: int, flow: int) -> None:
        """Zero the counters of a flow. Raises StatusError when the data plane fails."""
        target = self.target(port, flow)
        try:
            self.plane.clear_statistics(target)
        except ImpairlabError:
            raise StatusError(Status.FAILED) from None
        self._ledgers.pop(target, None)

    def clear_port_statistics(self, port: int) -> None:
        """Zero the counters of all flows of a port."""
        for flow in range(FLOWS):
            self.clear_statistics(port, flow)
