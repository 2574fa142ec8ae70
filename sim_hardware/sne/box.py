"""What the SNE does, however it is asked: maps, their life cycle, impairments, links and reservations."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from impairlab.drivers.model import Conditions, FlowEntry, LinkState, Statistics, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import (
    ArmedFaults,
    LinksDown,
    Pending,
    ReservedByOther,
    SilentClamp,
    SilentlyIgnored,
    StaleInUse,
    StatisticsNotReady,
)
from impairlab.sim_hardware.rest.bodies import Read
from impairlab.sim_hardware.rest.refusals import Refused
from impairlab.sim_hardware.sne import house
from impairlab.sim_hardware.sne.conditions import CannotDo, conditions_of
from impairlab.sim_hardware.sne.fields import BadValue
from impairlab.sim_hardware.sne.maps import Disruptor, Link, Map
from impairlab.sim_hardware.sne.resources import ENABLED
from impairlab.sim_hardware.sne.settings import Settings, changed
from impairlab.sim_hardware.sne.users import Reservations

_MOST_MAPS = 64

T = TypeVar("T")


class SneBox:
    """The box on its data path; one caller at a time.

    Args:
        data_path: What happens to packets.
        faults: Of the instrument.
        clock: Nanoseconds that never go back.
        bandwidth_unit: Bit/s of a bandwidth of 1.
    """

    def __init__(self, data_path: DataPath, faults: ArmedFaults, clock: Callable[[], int], bandwidth_unit: int) -> None:
        self._data_path = data_path
        self._faults = faults
        self._clock = clock
        self._bandwidth_unit = bandwidth_unit
        self.power_on()

    def power_on(self) -> None:
        """Forget all maps and reservations; let packets pass as they are."""
        self._maps: dict[str, Map] = {}
        self.reservations = Reservations()
        self._stale_until_ns = 0
        self._not_ready_until_ns = 0
        self._data_path.reset()

    @property
    def paths(self) -> int:
        """How many pairs of ports there are."""
        return len(self._data_path.plane.paths)

    @property
    def maps(self) -> list[Map]:
        """Every map, in the order of the uploads."""
        return list(self._maps.values())

    def find(self, name: str) -> Map:
        """Return the map of this name or GUID. Raises `Refused`."""
        wanted = _bare(name)
        for one in self._maps.values():
            if one.name == name or _bare(one.guid) == wanted:
                return one
        raise Refused(house.NO_MAP, f"no map {name!r}")

    def find_disruptor(self, one: Map, name: str, resource: str | None = None) -> Disruptor:
        """Return the impairment of this name or GUID, of the type of a resource if one is named. Raises `Refused`."""
        named = [each for each in one.disruptors if _bare(each.guid) == _bare(name)]
        named = named or [each for each in one.disruptors if each.name == name]
        if not named:
            raise Refused(house.NO_IMPAIRMENT, f"no impairment {name!r} in map {one.name!r}")
        if len(named) > 1:
            guids = ", ".join(each.guid for each in named)
            raise Refused(house.AMBIGUOUS, f"{len(named)} impairments are called {name!r}: use one of {guids}")
        if resource is not None and named[0].resource.name != resource:
            raise Refused(house.NO_IMPAIRMENT, f"{name!r} is a {named[0].resource.kind} and has no {resource}")
        return named[0]

    def upload(self, one: Map) -> None:
        """Keep a map. Raises `Refused`."""
        if any(each.name == one.name for each in self._maps.values()):
            raise Refused(house.NAME_TAKEN, f"there is a map {one.name!r}")
        if len(self._maps) >= _MOST_MAPS:
            raise Refused(house.FULL, f"{_MOST_MAPS} maps are here")
        self._maps[one.guid] = one

    def load(self, one: Map, user: str) -> None:
        """Make a map ready to be started. Raises `Refused`."""
        self.require(user, one.ports)
        stale = self._faults.strike(StaleInUse)
        if stale is not None:
            self._stale_until_ns = self._clock() + stale.for_ns
        if self._clock() < self._stale_until_ns:
            raise Refused(house.IN_USE, f"port {one.ports[0]} is in use")
        for other in self._maps.values():
            if other is not one and other.active and set(other.ports) & set(one.ports):
                raise Refused(house.IN_USE, f"map {other.name!r} uses its ports")
        one.loaded = True

    def start(self, one: Map, user: str) -> None:
        """Let packets go through a map. Raises `Refused`."""
        self.require(user, one.ports)
        if not one.loaded:
            raise Refused(house.NOT_LOADED, f"map {one.name!r} is not loaded")
        if one.active:
            return
        one.down = set(one.ports) if self._faults.strike(LinksDown) is not None else set()
        one.active = True
        self._program_or(lambda: setattr(one, "active", False))
        for link in one.links:
            self._guarded(partial(self._data_path.plane.clear_statistics, self._target(link)))
        not_ready = self._faults.strike(StatisticsNotReady)
        if not_ready is not None:
            self._not_ready_until_ns = self._clock() + not_ready.for_ns

    def stop(self, one: Map, user: str) -> None:
        """Let packets pass its ports as they are. Raises `Refused`."""
        self.require(user, one.ports)
        if not one.active:
            raise Refused(house.WRONG_STATE, f"map {one.name!r} does not run")
        one.active = False
        self._program_or(lambda: setattr(one, "active", True))

    def unload(self, one: Map, user: str) -> None:
        """Undo `load`. Raises `Refused`."""
        self.require(user, one.ports)
        if one.active or not one.loaded:
            raise Refused(house.WRONG_STATE, f"map {one.name!r} {'runs' if one.active else 'is not loaded'}")
        one.loaded = False

    def delete(self, one: Map, user: str) -> None:
        """Forget a map. Raises `Refused`."""
        self.require(user, one.ports)
        if one.active:
            raise Refused(house.WRONG_STATE, f"map {one.name!r} runs")
        del self._maps[one.guid]

    def change(self, one: Map, disruptor: Disruptor, body: Mapping[str, Read], user: str) -> None:
        """Change the settings of an impairment; at once where its map is running. Raises `Refused`."""
        self.require(user, one.ports)
        try:
            after = changed(disruptor.resource, disruptor.settings, body, self._clamp_of(disruptor))
        except BadValue as error:
            raise Refused(house.BAD_VALUE, str(error)) from error
        if self._faults.strike(SilentlyIgnored) is not None:
            return
        self._replace(one, disruptor, after)

    def enable(self, one: Map, disruptor: Disruptor, wanted: str | None, user: str) -> None:
        """Switch an impairment on or off. Raises `Refused`."""
        self.change(one, disruptor, {ENABLED: wanted}, user)

    def set_link(self, one: Map, port: int, user: str, *, up: bool) -> None:
        """Set the link of a port, counted from 0. Raises `Refused`."""
        self.require(user, one.ports)
        before = set(one.down)
        one.down = before - {port} if up else before | {port}
        self._program_or(lambda: setattr(one, "down", before))

    def statistics(self, one: Map) -> list[tuple[Link, Statistics]]:
        """Return the counters of each link of a map. Raises `Refused`."""
        if self._clock() < self._not_ready_until_ns:
            raise Refused(house.NOT_READY, "the statistics are not ready")
        plane = self._data_path.plane
        return [(link, self._guarded(partial(plane.statistics, self._target(link)))) for link in one.links]

    def update_pending(self) -> bool:
        """Say whether a change has not taken effect yet."""
        return self._faults.strike(Pending) is not None or self._data_path.is_pending

    def require(self, user: str, ports: Iterable[int]) -> None:
        """Raise `Refused` when another user has reserved one of these ports, or a fault says so."""
        wanted = tuple(ports)
        other = self._faults.strike(ReservedByOther)
        if other is not None:
            raise Refused(house.RESERVED, f"port {wanted[0] if wanted else 0} is reserved by {other.holder}")
        self.reservations.require(user, wanted)

    def _replace(self, one: Map, disruptor: Disruptor, after: Settings) -> None:
        before, disruptor.settings = disruptor.settings, after
        if one.active:
            self._program_or(lambda: setattr(disruptor, "settings", before))

    def _clamp_of(self, disruptor: Disruptor) -> Callable[[str, Read], Read]:
        def clamp(name: str, value: Read) -> Read:
            armed = self._faults.peek(SilentClamp)
            beyond = armed is not None and not isinstance(value, bool | str | list | dict | None) and value > armed.most
            if armed is None or not beyond or armed.header != f"{disruptor.resource.name}/{name}":
                return value
            self._faults.strike(SilentClamp)
            return armed.most

        return clamp

    def _program_or(self, undo: Callable[[], None]) -> None:
        """Program the plane with what is running; undo the change where it cannot be done."""
        try:
            self._guarded(lambda: self._data_path.program(self._entries()))
        except CannotDo as reason:
            undo()
            raise Refused(house.NOT_DONE, f"this simulation cannot do it: {reason}") from reason
        except Refused:
            undo()
            raise

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except CapabilityError as error:
            raise Refused(house.NOT_DONE, f"this data plane cannot do it: {error}") from error
        except ImpairlabError as error:
            raise Refused(house.PLANE_FAILED, str(error)) from error

    def _entries(self) -> list[FlowEntry]:
        entries: dict[Target, FlowEntry] = {}
        for one in self._maps.values():
            if not one.active:
                continue
            for link in one.links:
                target = self._target(link)
                conditions = conditions_of(link.disruptors, self._bandwidth_unit)
                entries[target] = FlowEntry(target=target, conditions=conditions)
            for port in one.down:
                for target in self._both_ways(port):
                    known = entries.get(target, FlowEntry(target=target)).conditions
                    down = known.merged(Conditions(link=LinkState(state="down")))
                    entries[target] = FlowEntry(target=target, conditions=down)
        return list(entries.values())

    def _target(self, link: Link) -> Target:
        return Target(path=self._data_path.plane.paths[link.from_port // 2], direction=link.direction)

    def _both_ways(self, port: int) -> tuple[Target, Target]:
        path = self._data_path.plane.paths[port // 2]
        return Target(path=path, direction="a-b"), Target(path=path, direction="b-a")


def _bare(guid: str) -> str:
    return guid.strip("{}").upper()
