"""What the NE-ONE does, however it is asked: emulations, virtual interfaces, and sessions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TypeVar

from impairlab.drivers.model import Conditions, Direction, FlowEntry, LinkState, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import ArmedFaults, LinksDown, SilentlyIgnored, StaleInUse
from impairlab.sim_hardware.itrinegy.modules import MANDATORY, Module, conditions_of

T = TypeVar("T")

DIRECTIONS: tuple[Direction, ...] = ("a-b", "b-a")
EXPIRED = "Unable to find user session"


class BoxError(Exception):
    """A command that is refused, in the words behind --error."""


@dataclass(slots=True)
class Interface:
    """A virtual interface.

    Attributes:
        number: Its id.
        name: Need not be unique.
        target: Which packets it carries; None for none.
        modules: By number.
        settings: What else was told of it, like where it is drawn.
    """

    number: int
    name: str
    target: Target | None = None
    modules: dict[int, Module] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Emulation:
    """A network that is emulated.

    Attributes:
        number: Its id.
        name: Unique.
        user: Who made it.
        runs: Whether packets pass.
        interfaces: By their ids.
    """

    number: int
    name: str
    user: str
    runs: bool = False
    interfaces: dict[int, Interface] = field(default_factory=dict)


class NeOneBox:
    """The box on its data path; one caller at a time.

    Args:
        data_path: What happens to packets.
        faults: Of the instrument.
        clock: Nanoseconds that never go back.
        passwords: By user.
        session_ns: How long a session lasts without a command; None for ever.
    """

    def __init__(
        self,
        data_path: DataPath,
        faults: ArmedFaults,
        clock: Callable[[], int],
        passwords: Mapping[str, str],
        session_ns: int | None,
    ) -> None:
        self._data_path = data_path
        self._faults = faults
        self._clock = clock
        self._passwords = dict(passwords)
        self._session_ns = session_ns
        self.power_on()

    def power_on(self) -> None:
        """Have the emulation that is there at first, and no session."""
        self._data_path.reset()
        self._sessions: dict[str, tuple[str, int]] = {}
        self._in_use_until_ns = 0
        self._next_interface = 1
        first = Emulation(1, "impairlab", "lab", runs=self._faults.strike(LinksDown) is None)
        self.emulations = {1: first}
        for path in self._data_path.plane.paths:
            for direction in DIRECTIONS:
                self.add_interface(first, f"{path} {direction}", Target(path=path, direction=direction))
        self._program()

    def log_in(self, user: str, password: str) -> str:
        """Return a new session. Raises `BoxError`."""
        if self._passwords.get(user) != password:
            raise BoxError("the user name or the password is wrong")
        session = token_hex(8)
        self._sessions[session] = (user, self._clock())
        return session

    def user_of(self, session: str | None) -> str:
        """Return whose session it is. Raises `BoxError`."""
        user, since_ns = self._sessions.get(session or "", ("", 0))
        now_ns = self._clock()
        if not user or (self._session_ns is not None and now_ns - since_ns > self._session_ns):
            self._sessions.pop(session or "", None)
            raise BoxError(f"{EXPIRED} [{session or ''}]")
        self._sessions[session or ""] = (user, now_ns)
        return user

    def expire(self) -> None:
        """Forget every session."""
        self._sessions.clear()

    def emulation(self, number: str | None) -> Emulation:
        """Return an emulation. Raises `BoxError`."""
        found = self.emulations.get(int(number)) if number is not None and number.isdecimal() else None
        if found is None:
            raise BoxError(f"there is no emulation {number!r}")
        return found

    def interface(self, number: str | None) -> Interface:
        """Return a virtual interface. Raises `BoxError`."""
        wanted = int(number) if number is not None and number.isdecimal() else -1
        for emulation in self.emulations.values():
            if wanted in emulation.interfaces:
                return emulation.interfaces[wanted]
        raise BoxError(f"there is no virtual interface {number!r}")

    def add_emulation(self, name: str, user: str) -> Emulation:
        """Make an emulation; it does not run. Raises `BoxError`."""
        if any(each.name == name for each in self.emulations.values()):
            raise BoxError(f"there is an emulation {name!r}")
        made = Emulation(max(self.emulations, default=0) + 1, name, user)
        self.emulations[made.number] = made
        return made

    def add_interface(self, emulation: Emulation, name: str, target: Target | None = None) -> Interface:
        """Make a virtual interface, with the mandatory modules."""
        modules = {module.number: module for module in map(Module.read, MANDATORY)}
        made = Interface(self._next_interface, name, target, modules)
        self._next_interface += 1
        emulation.interfaces[made.number] = made
        return made

    def run(self, emulation: Emulation, *, on: bool) -> None:
        """Start or stop an emulation. Raises `BoxError`."""
        before, emulation.runs = emulation.runs, on
        self._program_or(lambda: setattr(emulation, "runs", before))

    def set_modules(self, interface: Interface, modules: Iterable[Module], settings: Mapping[str, str]) -> None:
        """Give an interface modules, which take the places of their numbers. Raises `BoxError`; nothing has changed."""
        armed = self._faults.strike(StaleInUse)
        if armed is not None:
            self._in_use_until_ns = self._clock() + armed.for_ns
        if self._clock() < self._in_use_until_ns:
            raise BoxError(f"[{interface.name}]: Cannot Open a connection to Input port - likely it's already in use")
        if self._faults.strike(SilentlyIgnored) is not None:
            return
        before = interface.modules
        interface.modules = {**before, **{module.number: module for module in modules}}
        interface.settings.update(settings)
        self._program_or(lambda: setattr(interface, "modules", before))

    def _program_or(self, undo: Callable[[], None]) -> None:
        try:
            self._program()
        except BoxError:
            undo()
            raise

    def _program(self) -> None:
        entries = [
            FlowEntry(target=interface.target, conditions=self._suffered(emulation, interface))
            for emulation in self.emulations.values()
            for interface in emulation.interfaces.values()
            if interface.target is not None
        ]
        self._guarded(lambda: self._data_path.program(entries))

    def _suffered(self, emulation: Emulation, interface: Interface) -> Conditions:
        if not emulation.runs:
            return Conditions.of(LinkState(state="down"))
        return conditions_of(interface.modules.values())

    def _guarded(self, deed: Callable[[], T]) -> T:
        try:
            return deed()
        except CapabilityError as error:
            raise BoxError(f"this simulation cannot do that to packets: {error}") from error
        except ImpairlabError as error:
            raise BoxError(f"the data plane has failed: {error}") from error
