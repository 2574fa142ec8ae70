"""Who has reserved what: the chassis, its module and its ports, each for one session.

Source: PyPI tdl-xoa-driver 1.11.0, C_RESERVATION, M_RESERVATION, P_RESERVATION and C_OWNER.
"""

from dataclasses import dataclass, field

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.status import Status, StatusError

DEFAULT_TIMEOUT_S = 130
RELEASED, BY_YOU, BY_OTHER = range(3)
RELEASE, RESERVE, RELINQUISH = range(3)

CHASSIS = "chassis"
MODULE = "module"


def port_resource(number: int) -> str:
    """Return the resource that a port is."""
    return f"port {number}"


@dataclass(eq=False, slots=True)
class Session:
    """One connection, text or binary; also somebody who is not connected to us at all and holds a reservation.

    Attributes:
        peer: Where it comes from.
        owner: What it calls itself; empty before C_OWNER.
        logged_on: Whether it has given the password.
        timeout_s: How long it may be silent.
        operations: How many commands it has sent.
        is_over: Whether it was ended by C_LOGOFF.
    """

    peer: str
    owner: str = ""
    logged_on: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S
    operations: int = 0
    is_over: bool = False


@dataclass(slots=True)
class Reservations:
    """The reservations of one chassis with one module.

    Args:
        ports: How many ports it has.
    """

    ports: int
    _holders: dict[str, Session] = field(default_factory=dict)

    def status(self, resource: str, session: Session) -> int:
        """Return RELEASED, BY_YOU or BY_OTHER."""
        holder = self._holders.get(resource)
        if holder is None:
            return RELEASED
        return BY_YOU if holder is session else BY_OTHER

    def holder(self, resource: str) -> str:
        """Return the owner's name, empty for none."""
        holder = self._holders.get(resource)
        return "" if holder is None else holder.owner

    def require(self, resource: str, session: Session) -> None:
        """Refuse a change of what is not reserved. Raises StatusError."""
        if self._holders.get(resource) is not session:
            raise StatusError(Status.NOTRESERVED)

    def act(self, resource: str, session: Session, action: int) -> None:
        """Release, reserve or relinquish. Raises StatusError."""
        holder = self._holders.get(resource)
        if action == RELINQUISH:
            self._holders.pop(resource, None)
        elif action == RELEASE:
            if holder is not session:
                raise house.RELEASE_OF_FOREIGN.error()
            del self._holders[resource]
        else:
            self._reserve(resource, session)

    def _reserve(self, resource: str, session: Session) -> None:
        if not session.owner:
            raise house.NO_OWNER.error()
        ports = [port_resource(number) for number in range(self.ports)]
        related = {CHASSIS: [MODULE, *ports], MODULE: [CHASSIS, *ports]}.get(resource, [CHASSIS, MODULE])
        if any(self.status(each, session) == BY_OTHER for each in [resource, *related]):
            raise house.RESERVED_BY_OTHER.error()
        if resource == CHASSIS and any(self.status(each, session) != BY_YOU for each in ports):
            raise StatusError(Status.NOTVALID)
        self._holders[resource] = session

    def seize(self, holder: Session) -> list[str]:
        """Give every port to somebody, whoever had it; return what has changed hands."""
        ports = [port_resource(number) for number in range(self.ports)]
        self._holders.update(dict.fromkeys(ports, holder))
        return ports

    def end(self, session: Session) -> list[str]:
        """Release everything that a session holds; return it."""
        held = [resource for resource, holder in self._holders.items() if holder is session]
        for resource in held:
            del self._holders[resource]
        return held

    def clear(self) -> None:
        """Release everything."""
        self._holders.clear()
