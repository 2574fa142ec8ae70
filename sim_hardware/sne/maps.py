"""Network maps: which ports are joined through which impairments. The format is ours, see `house`.

JSON, for /maps/json:

    {"mapName": "wan", "format": "impairlab-1",
     "links": [{"from": 0, "to": 1, "disruptors": [{"name": "Delay Packet", "type": "PacketDelayDisruptor"}]}]}

XML, for /maps/upload:

    <map name="wan" format="impairlab-1">
      <link from="0" to="1"><disruptor name="Delay Packet" type="PacketDelayDisruptor"/></link>
    </map>
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

from impairlab.drivers.model import Direction
from impairlab.sim_hardware.rest.bodies import BadBody, Read, read_object
from impairlab.sim_hardware.rest.refusals import Refused
from impairlab.sim_hardware.sne import house
from impairlab.sim_hardware.sne.resources import RESOURCE_BY_KIND, Resource
from impairlab.sim_hardware.sne.settings import Settings, defaults

FORMAT = "impairlab-1"
_LONGEST_NAME = 100
_MOST_LINKS = 64
_MOST_DISRUPTORS = 256


@dataclass(slots=True)
class Disruptor:
    """One impairment of a map.

    Attributes:
        guid: Its `impId`.
        name: Need not be unique.
        resource: Of which type.
        settings: As GET answers them.
    """

    guid: str
    name: str
    resource: Resource
    settings: Settings


@dataclass(slots=True)
class Link:
    """Packets that come in at one port and go out at another, and what they pass on the way. Ports count from 0."""

    from_port: int
    to_port: int
    disruptors: list[Disruptor]

    @property
    def direction(self) -> Direction:
        """Which way of its path it is."""
        return "a-b" if self.from_port < self.to_port else "b-a"


@dataclass(slots=True)
class Map:
    """A map and what it is doing.

    Attributes:
        guid: Its `mapId`, in braces.
        name: Unique.
        links: At most one for each way of a path.
        loaded: Whether it can be started.
        active: Whether packets go through it.
        user: Who uploaded it; "" without users.
        down: The ports whose link is down, from 0.
    """

    guid: str
    name: str
    links: list[Link]
    user: str
    loaded: bool = False
    active: bool = False
    down: set[int] = field(default_factory=set)

    @property
    def ports(self) -> list[int]:
        """Its ports, from 0, in order."""
        return sorted({port for link in self.links for port in (link.from_port, link.to_port)})

    @property
    def disruptors(self) -> list[Disruptor]:
        """Its impairments, link by link."""
        return [disruptor for link in self.links for disruptor in link.disruptors]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A link as it was written: ports, and name and type of each disruptor."""

    from_port: Read
    to_port: Read
    disruptors: tuple[tuple[Read, Read], ...]


def map_from_json(content: bytes, user: str, paths: int) -> Map:
    """Read a map from JSON.

    Raises:
        Refused: It cannot be read, or asks for ports that are no path.
    """
    try:
        document = read_object(content)
    except BadBody as error:
        raise Refused(house.BAD_MAP, f"the map is {error}") from error
    links = document.get("links")
    entries = [_entry_from_json(each) for each in links] if isinstance(links, list) else []
    return _made(document.get("mapName"), document.get("format"), entries, user, paths)


def _entry_from_json(link: Read) -> _Entry:
    disruptors = link.get("disruptors", []) if isinstance(link, dict) else None
    if not isinstance(link, dict) or not isinstance(disruptors, list):
        raise Refused(house.BAD_MAP, "a link has the keys from, to and disruptors")
    pairs = [(each.get("name"), each.get("type")) if isinstance(each, dict) else (None, None) for each in disruptors]
    return _Entry(link.get("from"), link.get("to"), tuple(pairs))


def map_from_xml(content: bytes, user: str, paths: int) -> Map:
    """Read a map from XML.

    Raises:
        Refused: It cannot be read, or asks for ports that are no path.
    """
    if b"<!" in content:
        raise Refused(house.BAD_MAP, "a map has no document type and no comments")
    try:
        root = ET.fromstring(content)  # noqa: S314 - without a document type there are no entities to expand
    except (ET.ParseError, ValueError) as error:
        raise Refused(house.BAD_MAP, f"the map is not XML: {error}") from error
    entries = [
        _Entry(
            _port(link.get("from")),
            _port(link.get("to")),
            tuple((each.get("name"), each.get("type")) for each in link.iter("disruptor")),
        )
        for link in root.iter("link")
    ]
    return _made(root.get("name"), root.get("format"), entries, user, paths)


def _port(text: str | None) -> Read:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 4 else text


def _made(name: Read, written_as: Read, entries: list[_Entry], user: str, paths: int) -> Map:
    if written_as != FORMAT:
        raise Refused(house.BAD_MAP, f"the format must be {FORMAT!r}, and this simulation knows no other")
    if not _is_name(name):
        raise Refused(house.BAD_MAP, f"a map has a name of 1 to {_LONGEST_NAME} printable characters")
    if not 1 <= len(entries) <= _MOST_LINKS or sum(len(each.disruptors) for each in entries) > _MOST_DISRUPTORS:
        raise Refused(house.BAD_MAP, f"a map has 1 to {_MOST_LINKS} links and at most {_MOST_DISRUPTORS} disruptors")
    guids = _guids(str(name))
    made = Map(f"{{{next(guids).upper()}}}", str(name), [], user)
    taken: set[tuple[int, int]] = set()
    for entry in entries:
        ports = _joined(entry, paths)
        if ports in taken:
            raise Refused(house.BAD_MAP, f"two links from port {ports[0]} to port {ports[1]}")
        taken.add(ports)
        made.links.append(Link(*ports, [_disruptor(next(guids).upper(), *pair) for pair in entry.disruptors]))
    return made


def _guids(name: str) -> Iterator[str]:
    number = 0
    while True:
        yield str(uuid5(NAMESPACE_URL, f"impairlab:sne:{name}:{number}"))
        number += 1


def _joined(entry: _Entry, paths: int) -> tuple[int, int]:
    start, end = entry.from_port, entry.to_port
    for port in (start, end):
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 2 * paths:
            raise Refused(house.BAD_MAP, f"ports are whole numbers from 0 to {2 * paths - 1}, not {port!r}")
    if not isinstance(start, int) or not isinstance(end, int) or start ^ 1 != end:
        raise Refused(house.BAD_MAP, f"ports {start} and {end} are not the two ends of a path: 0 and 1, 2 and 3, ...")
    return start, end


def _disruptor(guid: str, name: Read, kind: Read) -> Disruptor:
    if not _is_name(name):
        raise Refused(house.BAD_MAP, f"a disruptor has a name of 1 to {_LONGEST_NAME} printable characters")
    resource = RESOURCE_BY_KIND.get(kind) if isinstance(kind, str) else None
    if resource is None:
        raise Refused(house.BAD_MAP, f"no disruptor of type {kind!r}; there are {', '.join(RESOURCE_BY_KIND)}")
    return Disruptor(guid, str(name), resource, defaults(resource))


def _is_name(name: Read) -> bool:
    return isinstance(name, str) and 1 <= len(name) <= _LONGEST_NAME and name.isprintable()
