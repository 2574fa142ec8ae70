"""Network maps of an SNE: which one is meant, which impairments it holds, and in which direction each of them acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from impairlab.drivers.links.json_text import Json
from impairlab.drivers.model.flows import DIRECTIONS, Direction

KINDS: Mapping[str, str] = {
    "delay": "delay", "jitter": "delay", "packetdrop": "loss", "bandwidththrottle": "rate",
    "packetduplication": "duplicate", "packetreorder": "reorder", "biterror": "corrupt",
}  # fmt: skip
"""Kind of impairment of each resource that the driver programs."""

_RESOURCES: Mapping[str, str] = {
    "jitter": "jitter", "delay": "delay", "drop": "packetdrop", "throttle": "bandwidththrottle",
    "duplicat": "packetduplication", "reorder": "packetreorder", "biterror": "biterror",
}  # fmt: skip
"""Resource by a part of the type. Published types: PacketDelayDisruptor, JitterDisruptor, BandwidthThrottleDisruptor
(6.1), PacketDelay, PacketDropCorruptor (11.0); the others are inferred."""


class MapError(ValueError):
    """There is no such map, or it cannot be told which impairment is meant; says what there is."""


@dataclass(frozen=True, slots=True)
class NetworkMap:
    """A map as the box lists it.

    Attributes:
        name: Of the user's.
        identifier: GUID, with braces or without, as the box writes it.
        state: "Unloaded", "Stopped" or "Active".
    """

    name: str
    identifier: str
    state: str

    @property
    def is_active(self) -> bool:
        """Whether it runs."""
        return self.state.lower() == "active"

    def is_called(self, wanted: str) -> bool:
        """Whether it has a name, or a GUID however it is written."""
        return self.name == wanted or _bare(self.identifier) == _bare(wanted)


@dataclass(frozen=True, slots=True)
class Disruptor:
    """One impairment of a map.

    Attributes:
        name: As in the map; several may have the same.
        identifier: GUID.
        type: The box's word for what it is.
        is_enabled: When the map was listed.
    """

    name: str
    identifier: str
    type: str
    is_enabled: bool

    @property
    def resource(self) -> str | None:
        """Where its settings are; None where the driver has no words for it."""
        word = self.type.lower()
        return next((resource for part, resource in _RESOURCES.items() if part in word), None)


def read_maps(content: Json) -> tuple[NetworkMap, ...]:
    """Read the answer to /maps. Raises KeyError, ValueError."""
    return tuple(
        NetworkMap(str(each["mapName"]), str(each["mapId"]), str(each["state"])) for each in _listed(content, "maps")
    )


def read_disruptors(content: Json) -> tuple[Disruptor, ...]:
    """Read the answer to /maps/{id}/impairments, a list or an object with one. Raises KeyError, ValueError."""
    return tuple(
        Disruptor(
            str(each["name"]), str(each["impId"]), str(each["type"]), str(each.get("enabled", True)).lower() == "true"
        )
        for each in _listed(content, "impairments")
    )


def find_map(maps: Sequence[NetworkMap], wanted: str) -> NetworkMap:
    """Return the map of a name or GUID; without either, the only one there is. Raises MapError."""
    found = [each for each in maps if each.is_called(wanted)] if wanted else list(maps)
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{each.name!r} {each.identifier}" for each in maps) or "none"
    if not wanted:
        raise MapError(f"which map is meant is not said: add map=NAME to the address; there are {there}")
    raise MapError(f"{len(found)} maps are called {wanted!r}; there are {there}")


def assigned(disruptors: Sequence[Disruptor], chosen: Mapping[Direction, str]) -> dict[Direction, dict[str, Disruptor]]:
    """Return the impairments of each direction, by resource.

    Args:
        disruptors: Of the map, in its order.
        chosen: Names or GUIDs of each direction's, with commas between them; all empty: of each type the first that
            the map lists acts on a-b, the second on b-a.

    Raises:
        MapError: A name that is not there, is there twice, or is of a type that the driver does not program; two of one
            type in one direction; more than two of one type where nothing is chosen.
    """
    if any(chosen.values()):
        return {direction: _by_resource(_named(disruptors, chosen[direction])) for direction in DIRECTIONS}
    directions: dict[Direction, dict[str, Disruptor]] = {"a-b": {}, "b-a": {}}
    for resource in KINDS:
        same = [each for each in disruptors if each.resource == resource]
        if len(same) > len(DIRECTIONS):
            raise MapError(
                f"the map has {len(same)} of type {same[0].type}: say which act on a-b and on b-a, by name or GUID, "
                f"with a-b=...&b-a=... in the address; there are {_there(disruptors)}"
            )
        for direction, disruptor in zip(DIRECTIONS, same, strict=False):
            directions[direction][resource] = disruptor
    return directions


def _named(disruptors: Sequence[Disruptor], names: str) -> Iterator[Disruptor]:
    for name in filter(None, (name.strip() for name in names.split(","))):
        found = [each for each in disruptors if each.name == name or _bare(each.identifier) == _bare(name)]
        if len(found) != 1:
            raise MapError(f"{len(found)} impairments of the map are called {name!r}; there are {_there(disruptors)}")
        if found[0].resource is None:
            raise MapError(f"{name!r} is of type {found[0].type}, which the driver does not program")
        yield found[0]


def _by_resource(disruptors: Iterable[Disruptor]) -> dict[str, Disruptor]:
    found: dict[str, Disruptor] = {}
    for each in disruptors:
        if each.resource in found:
            raise MapError(f"two of type {each.type} in one direction")
        found[str(each.resource)] = each
    return found


def _listed(content: Json, key: str) -> Iterator[Mapping[str, Json]]:
    listed = content.get(key) if isinstance(content, Mapping) else content
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise ValueError(f"no list of {key}")  # noqa: TRY004 - it is the answer that is wrong
    for each in listed:
        if not isinstance(each, Mapping):
            raise ValueError(f"{each!r} is none of {key}")  # noqa: TRY004 - as above
        yield each


def _there(disruptors: Sequence[Disruptor]) -> str:
    return ", ".join(f"{each.name!r} {each.identifier} ({each.type})" for each in disruptors) or "none"


def _bare(guid: str) -> str:
    return guid.strip("{}").lower()
