"""A command of the dialect, and its execution: the same for a line of text and for a message of the binary protocol."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from impairlab.sim_hardware.chimera.chassis import Chassis
from impairlab.sim_hardware.chimera.parameters import Parameter, Values
from impairlab.sim_hardware.chimera.reservations import CHASSIS, MODULE, Session, port_resource
from impairlab.sim_hardware.chimera.state import FlowState, PortState
from impairlab.sim_hardware.chimera.status import Status, StatusError
from impairlab.sim_hardware.faults import Pending, SilentClamp, SilentlyIgnored


class Level(Enum):
    """What a command belongs to."""

    CHASSIS = auto()
    MODULE = auto()
    PORT = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command acts, and for whom.

    Attributes:
        chassis: The appliance.
        session: Who sent it.
        port: Number of the port; 0 for commands of a higher level.
        indices: Behind the command's name.
    """

    chassis: Chassis
    session: Session
    port: int = 0
    indices: tuple[int, ...] = ()

    @property
    def state(self) -> PortState:
        """The port."""
        return self.chassis.module.ports[self.port]

    @property
    def flow(self) -> FlowState:
        """The flow that the first index names."""
        return self.state.flows[self.indices[0]]


Show = Callable[[Place], Values]
Take = Callable[[Place, Values], None]


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: In capitals.
        code: Its number in the binary protocol.
        level: What it belongs to.
        indices: The legal values of each index.
        optional: How many indices at the end may be left out, which makes them 0.
        shown: What a query is answered; None where it cannot be read.
        show: Gets that.
        taken: What it is set to; None where it cannot be written.
        take: Sets that.
        needs_reservation: Whether what it belongs to must be reserved for it to be set.
        needs_logon: Whether the session must be logged on.
        announced: The commands whose values change with it, of which sessions of the binary protocol are told.
    """

    name: str
    code: int
    level: Level
    indices: tuple[range, ...] = ()
    optional: int = 0
    shown: tuple[Parameter, ...] | None = None
    show: Show | None = None
    taken: tuple[Parameter, ...] | None = None
    take: Take | None = None
    needs_reservation: bool = True
    needs_logon: bool = True
    announced: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether its last parameter takes the rest."""
        parameters = self.taken or self.shown or ()
        return bool(parameters) and parameters[-1].takes_rest

    def query(self, place: Place) -> Values:
        """Return its values. Raises StatusError."""
        self._enter(place)
        if self.show is None or self.shown is None:
            raise StatusError(Status.NOTREADABLE)
        return self.show(self._complete(place))

    def set(self, place: Place, read: Callable[[Sequence[Parameter]], Values]) -> None:
        """Set it to the values that `read` gets once everything before them is in order. Raises StatusError."""
        self._enter(place)
        if self.take is None or self.taken is None:
            raise StatusError(Status.NOTWRITABLE)
        chassis = place.chassis
        if self.needs_reservation:
            resource = {Level.CHASSIS: CHASSIS, Level.MODULE: MODULE}.get(self.level, port_resource(place.port))
            chassis.reservations.require(resource, place.session)
        values = self._clamped(chassis, read(self.taken))
        if chassis.faults:
            if self.needs_reservation and chassis.faults.strike(Pending) is not None:
                raise StatusError(Status.PENDING)
            if self.needs_reservation and chassis.faults.strike(SilentlyIgnored) is not None:
                return
        place = self._complete(place)
        self.take(place, values)
        for name in self.announced:
            chassis.announce(name, place.port, place.indices)

    def _enter(self, place: Place) -> None:
        if self.needs_logon and not place.session.logged_on:
            raise StatusError(Status.NOTLOGGEDON)
        if self.level is Level.PORT and place.port not in range(len(place.chassis.module.ports)):
            raise StatusError(Status.BADPORT)
        if any(index not in legal for index, legal in zip(place.indices, self.indices, strict=False)):
            raise StatusError(Status.BADINDEX)

    def _complete(self, place: Place) -> Place:
        missing = len(self.indices) - len(place.indices)
        return replace(place, indices=(*place.indices, *(0,) * missing)) if missing else place

    def _clamped(self, chassis: Chassis, values: Values) -> Values:
        clamp = chassis.faults.peek(SilentClamp) if chassis.faults else None
        if clamp is None or clamp.header.upper() != self.name:
            return values
        chassis.faults.strike(SilentClamp)
        most = int(clamp.most)
        return tuple(min(value, most) if isinstance(value, int) else value for value in values)
