"""One request of the Attero's REST interface on its way to a deed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from impairlab.sim_hardware.attero import house
from impairlab.sim_hardware.attero.box import PORTS, POSITIONS, Place
from impairlab.sim_hardware.rest.bodies import BadBody, Read, read_object
from impairlab.sim_hardware.rest.refusals import Refused
from impairlab.sim_hardware.transports.http import HttpRequest

Deed: TypeAlias = Callable[..., Read]
"""Given a call and the variable segments of its path, do something and return what is answered."""

Routes: TypeAlias = Iterator[tuple[str, str, Deed]]

RESETS = ("reset", "resetall")


@dataclass(frozen=True, slots=True)
class Call:
    """What a request says beside its path."""

    request: HttpRequest
    query: Mapping[str, str]

    def object(self) -> dict[str, Read]:
        """Return the body, an object; empty for none. Raises `Refused`."""
        try:
            return read_object(self.request.body)
        except BadBody as error:
            raise Refused(house.BAD_BODY, f"The body is {error}.") from error

    def argument(self, name: str) -> Read:
        """Return what the body or else the query has under a name; None for nothing. Raises `Refused`."""
        return self.object().get(name, self.query.get(name))


def port_of(text: str) -> str:
    """Return a port. Raises `Refused`."""
    for port in PORTS:
        if port.casefold() == text.casefold():
            return port
    raise Refused(house.NO_RESOURCE, f"No port {text[:40]!r}: {' or '.join(PORTS)}.")


def position_of(text: str) -> int:
    """Return a position. Raises `Refused`."""
    if not (text.isascii() and text.isdigit() and len(text) == 1 and int(text) in POSITIONS):
        raise Refused(house.NO_RESOURCE, f"No position {text[:40]!r}: 0 - {POSITIONS[-1]}.")
    return int(text)


def place_of(port: str, position: str) -> Place:
    """Return a place. Raises `Refused`."""
    return port_of(port), position_of(position)
