"""What the LANforge does, however it is asked: WanLinks, their endpoints and counters."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from impairlab.drivers.model import Conditions, Direction, FlowEntry, Statistics, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import ArmedFaults, LinksDown, SilentClamp, SilentlyIgnored
from impairlab.sim_hardware.lanforge import house
from impairlab.sim_hardware.lanforge.endpoint import Endpoint, NotDone, Settings, blocked

T = TypeVar("T")

DIRECTIONS: tuple[Direction, ...] = ("a-b", "b-a")


class BoxError(Exception):
    """A command that is refused.

    Attributes:
        code: Of RSLT.
    """

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(slots=True)
class WanLink:
    """A cross-connect.

    Attributes:
        name: Unique.
        ends: The endpoints that impair a-b and b-a.
        runs: Whether it forwards.
    """

    name: str
    ends: tuple[Endpoint, Endpoint]
    runs: bool


class LanforgeBox:
    """The box on its data path; one caller at a time.

    Args:
        data_path: What happens to packets.
        faults: Of the instrument.
    """

    def __init__(self, data_path: DataPath, faults: ArmedFaults) -> None:
        self._data_path = data_path
        self._faults = faults
        self.power_on()

    def power_on(self) -> None:
        """Have the WanLinks that are there at first, and no impairment."""
        self._data_path.reset()
        self._endpoints: dict[str, Endpoint] = {}
        self._wanlinks: dict[str, WanLink] = {}
        runs = self._faults.strike(LinksDown) is None
        for number in range(1, len(self._data_path.plane.paths) + 1):
            ends = tuple(self._made(f"wl{number}-{side}", number, f"eth{number}") for side in "AB")
            self._wanlinks[f"wl{number}"] = WanLink(f"wl{number}", (ends[0], ends[1]), runs)
        self._program()

    def endpoint(self, name: str) -> Endpoint:
        """Return an endpoint. Raises `BoxError`."""
        if name not in self._endpoints:
            raise BoxError(house.NO_SUCH, f"no endpoint {name!r}; there are {', '.join(self._endpoints)}")
        return self._endpoints[name]

    def wanlink(self, name: str) -> WanLink:
        """Return a cross-connect. Raises `BoxError`."""
        if name not in self._wanlinks:
            raise BoxError(house.NO_SUCH, f"no cx {name!r}; there are {', '.join(self._wanlinks)}")
        return self._wanlinks[name]

    def add_endpoint(self, name: str, resource: int, port: str, settings: Settings) -> None:
        """Make an endpoint. Raises `BoxError`."""
        if name in self._endpoints:
            raise BoxError(house.IN_USE, f"there is an endpoint {name!r}")
        if not 1 <= resource <= len(self._data_path.plane.paths):
            raise BoxError(house.NO_SUCH, f"no resource {resource}; there are 1 to {len(self._data_path.plane.paths)}")
        self._made(name, resource, port).settings = settings

    def add_wanlink(self, name: str, one: Endpoint, other: Endpoint) -> None:
        """Join two endpoints of one path; it does not run. Raises `BoxError`."""
        if name in self._wanlinks or any(end in each.ends for each in self._wanlinks.values() for end in (one, other)):
            raise BoxError(house.IN_USE, f"there is a cx {name!r}, or one of its endpoints is another's")
        if one is other or one.resource != other.resource:
            raise BoxError(house.BAD_VALUE, "a cx has two endpoints, of one resource")
        self._wanlinks[name] = WanLink(name, (one, other), runs=False)

    def set_state(self, name: str, state: str) -> None:
        """Start, stop or remove a cross-connect. Raises `BoxError`."""
        one = self.wanlink(name)
        before = dict(self._wanlinks), {each.name: each.runs for each in self._wanlinks.values()}
        if state == "DELETED":
            del self._wanlinks[name]
        else:
            one.runs = state in {"RUNNING", "SWITCH"}
        rivals = [each for each in self._on(one.ends[0].resource) if each is not one and one.runs]
        if state == "RUNNING" and any(each.runs for each in rivals):
            one.runs = before[1][name]
            raise BoxError(house.IN_USE, "another cx of these ports runs; use SWITCH")
        for each in rivals:
            each.runs = False
        self._program_or(lambda: self._restore(*before))

    def set(self, endpoint: Endpoint, settings: Settings) -> None:
        """Set an endpoint. Raises `BoxError`; nothing has changed."""
        if self._faults.strike(SilentlyIgnored) is not None:
            return
        before, endpoint.settings = endpoint.settings, self._clamped(settings)
        self._program_or(lambda: setattr(endpoint, "settings", before))

    def statistics(self, endpoint: Endpoint) -> Statistics:
        """Return the counters of an endpoint. Raises `BoxError`."""
        return self._guarded(lambda: self._data_path.plane.statistics(self._target(endpoint)))

    def clear(self, endpoint: Endpoint) -> None:
        """Count from zero. Raises `BoxError`."""
        self._guarded(lambda: self._data_path.plane.clear_statistics(self._target(endpoint)))

    def runs(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint's cross-connect runs."""
        return any(endpoint in each.ends and each.runs for each in self._wanlinks.values())

    def _made(self, name: str, resource: int, port: str) -> Endpoint:
        self._endpoints[name] = made = Endpoint(name, len(self._endpoints) + 1, resource, port)
        return made

    def _on(self, resource: int) -> list[WanLink]:
        return [each for each in self._wanlinks.values() if each.ends[0].resource == resource]

    def _restore(self, wanlinks: dict[str, WanLink], states: dict[str, bool]) -> None:
        self._wanlinks = wanlinks
        for name, runs in states.items():
            wanlinks[name].runs = runs

    def _clamped(self, settings: Settings) -> Settings:
        armed = self._faults.peek(SilentClamp)
        if armed is None or getattr(settings.info, armed.header, 0) <= armed.most:
            return settings
        self._faults.strike(SilentClamp)
        return replace(settings, info=replace(settings.info, **{armed.header: int(armed.most)}))

    def _target(self, endpoint: Endpoint) -> Target:
        found = [each for each in self._wanlinks.values() if endpoint in each.ends]
        side = found[0].ends.index(endpoint) if found else 0
        return Target(path=self._data_path.plane.paths[endpoint.resource - 1], direction=DIRECTIONS[side])

    def _program_or(self, undo: Callable[[], None]) -> None:
        try:
            self._program()
        except BoxError:
            undo()
            raise

    def _program(self) -> None:
        self._guarded(lambda: self._data_path.program([*self._entries()]))

    def _entries(self) -> Iterable[FlowEntry]:
        for number, path in enumerate(self._data_path.plane.paths, 1):
            running = next((each for each in self._on(number) if each.runs), None)
            for side, direction in enumerate(DIRECTIONS):
                conditions = blocked() if running is None else self._suffered(running.ends[side])
                yield FlowEntry(target=Target(path=path, direction=direction), conditions=conditions)

    def _suffered(self, endpoint: Endpoint) -> Conditions:
        try:
            return endpoint.settings.conditions()
        except NotDone as reason:
            raise BoxError(house.NOT_DONE, f"{endpoint.name}: {reason}") from reason
        except ValueError as error:
            raise BoxError(house.BAD_VALUE, f"{endpoint.name}: these do not go together") from error

    def _guarded(self, deed: Callable[[], T]) -> T:
        try:
            return deed()
        except CapabilityError as error:
            raise BoxError(house.NOT_DONE, str(error)) from error
        except ImpairlabError as error:
            raise BoxError(house.FAILED, f"the data plane has failed: {error}") from error
