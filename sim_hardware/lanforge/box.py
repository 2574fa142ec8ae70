"""What the LANforge ICE does, however it is asked: endpoints, wanpaths, cross-connects, and the plane that is told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import TypeVar

from impairlab.drivers.model import Conditions, Direction, Filter, FlowEntry, LinkState, Statistics, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import (
    ArmedFaults,
    LinksDown,
    Pending,
    SilentClamp,
    SilentlyIgnored,
    StatisticsNotReady,
)
from impairlab.sim_hardware.lanforge.conditions import Corruption, conditions_of
from impairlab.sim_hardware.lanforge.house import MANAGER, Code, Refused
from impairlab.sim_hardware.lanforge.settings import Settings

AS_PARENT, RUNNING, STOPPED = "AS_PARENT", "RUNNING", "STOPPED"
_PORTS_OF_A_PATH = 2
_REPORT_MS = 5_000

_NOTHING_PASSES = Conditions.of(LinkState(state="down"))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WanPath:
    """Some packets of an endpoint, with settings of their own; None for an address is any."""

    name: str
    number: int
    settings: Settings
    source: IPv4Network | None = None
    destination: IPv4Network | None = None
    filter_type: str = "IP"
    state: str = AS_PARENT


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One side of a wanlink: what comes in at its port."""

    name: str
    number: int
    port: int
    settings: Settings
    description: str = ""
    report_ms: int = _REPORT_MS
    paths: Mapping[str, WanPath] = field(default_factory=lambda: MappingProxyType({}))
    corruptions: Mapping[int, Corruption] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class CrossConnect:
    """Two endpoints that are one wanlink; `since_ns` is None while it is stopped."""

    name: str
    ends: tuple[str, str]
    since_ns: int | None = None

    @property
    def state(self) -> str:
        """Running or not."""
        return STOPPED if self.since_ns is None else RUNNING


@dataclass(frozen=True, slots=True)
class Setup:
    """All that is set."""

    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: MappingProxyType({}))
    crosses: Mapping[str, CrossConnect] = field(default_factory=lambda: MappingProxyType({}))

    def endpoint(self, name: str) -> Endpoint:
        """Return an endpoint. Raises `Refused`."""
        if name not in self.endpoints:
            raise Refused(Code.NOT_FOUND, f"Could not find that Endpoint: {name}")
        return self.endpoints[name]

    def cross(self, name: str) -> CrossConnect:
        """Return a cross-connect. Raises `Refused`."""
        if name not in self.crosses:
            raise Refused(Code.NOT_FOUND, f"Could not find that CX: {name}")
        return self.crosses[name]

    def cross_of(self, endpoint: str) -> CrossConnect | None:
        """Return the cross-connect that has an endpoint."""
        return next((cross for cross in self.crosses.values() if endpoint in cross.ends), None)

    def with_endpoint(self, endpoint: Endpoint) -> "Setup":
        """Return the setup with an endpoint changed or added."""
        return replace(self, endpoints={**self.endpoints, endpoint.name: endpoint})

    def with_cross(self, cross: CrossConnect) -> "Setup":
        """Return the setup with a cross-connect changed or added."""
        return replace(self, crosses={**self.crosses, cross.name: cross})


class LanforgeBox:
    """The box on its data path; one caller at a time.

    Args:
        data_path: What happens to packets.
        faults: Of the instrument.
        clock: Nanoseconds that never go back.
        line_bps: Bit/s of its ports.
        wanlinks: Cross-connects that are there after power-on, the first on ports 1 and 2.
    """

    def __init__(
        self,
        data_path: DataPath,
        faults: ArmedFaults,
        clock: Callable[[], int],
        line_bps: int,
        wanlinks: Sequence[str],
    ) -> None:
        self._data_path = data_path
        self._faults = faults
        self._clock = clock
        self._wanlinks = tuple(wanlinks)
        self.line_bps = line_bps
        self.power_on()

    def power_on(self) -> None:
        """Forget everything that was set."""
        self._not_ready_until_ns = 0
        self._cached: dict[str, Mapping[int, Statistics]] = {}
        self._data_path.reset()
        since_ns = None if self._faults.strike(LinksDown) is not None else self.now_ns
        setup = Setup()
        for at, name in enumerate(self._wanlinks):
            ends = (f"{name}-A", f"{name}-B")
            for side, end in enumerate(ends, start=1):
                number = _PORTS_OF_A_PATH * at + side
                setup = setup.with_endpoint(Endpoint(end, number, number, Settings(self.line_bps)))
            setup = setup.with_cross(CrossConnect(name, ends, since_ns))
        self.setup = setup
        self._data_path.program([*self._entries(setup)])

    @property
    def now_ns(self) -> int:
        """Of the clock."""
        return self._clock()

    @property
    def ports(self) -> int:
        """How many ports there are, from 1."""
        return _PORTS_OF_A_PATH * len(self._data_path.plane.paths)

    def place(self, port: int) -> tuple[str, Direction]:
        """Return the path of a port, and the direction of what comes in there."""
        return self._data_path.plane.paths[(port - 1) // _PORTS_OF_A_PATH], "a-b" if port % 2 else "b-a"

    def adopt(self, setup: Setup) -> None:
        """Make this what is set, and have the plane do it. Raises `Refused`; nothing has changed."""
        if self._faults.strike(SilentlyIgnored) is not None:
            return
        self._refuse_shared_ports(setup)
        entries = [*self._entries(setup)]
        self._guarded(lambda: self._data_path.program(entries))
        self.setup = setup

    def clamped(self, name: str, number: Decimal) -> Decimal:
        """Return what is made of a number of a setting, without a word."""
        armed = self._faults.peek(SilentClamp)
        if armed is None or armed.header != name or number <= armed.most:
            return number
        self._faults.strike(SilentClamp)
        return armed.most

    def counted(self, endpoint: Endpoint, *, cached: bool) -> Mapping[int, Statistics]:
        """Return the counters of an endpoint by flow, 0 is what no wanpath has. Raises `Refused`."""
        if cached and endpoint.name in self._cached:
            return self._cached[endpoint.name]
        if self._faults.strike(Pending) is not None or self.now_ns < self._not_ready_until_ns:
            raise Refused(Code.TIMED_OUT, "Timed out waiting for resource 1")
        counts = self._guarded(
            lambda: {target.flow: self._data_path.plane.statistics(target) for target in self._targets(endpoint)}
        )
        self._cached[endpoint.name] = counts
        return counts

    def clear_counters(self, endpoints: Sequence[Endpoint]) -> None:
        """Count from zero. Raises `Refused`."""
        self._guarded(lambda: self._clear(endpoints))
        armed = self._faults.strike(StatisticsNotReady)
        if armed is not None:
            self._not_ready_until_ns = self.now_ns + armed.for_ns

    def _clear(self, endpoints: Sequence[Endpoint]) -> None:
        for endpoint in endpoints:
            self._cached.pop(endpoint.name, None)
            for target in self._targets(endpoint):
                self._data_path.plane.clear_statistics(target)

    def _targets(self, endpoint: Endpoint) -> Iterator[Target]:
        path, direction = self.place(endpoint.port)
        for flow in (0, *(each.number for each in endpoint.paths.values())):
            yield Target(path=path, direction=direction, flow=flow)

    def _refuse_shared_ports(self, setup: Setup) -> None:
        taken: dict[int, str] = {}
        for cross in setup.crosses.values():
            for end in cross.ends if cross.since_ns is not None else ():
                port = setup.endpoint(end).port
                if port in taken:
                    raise Refused(Code.CONFLICT, f"{taken[port]} is running on eth{port}")
                taken[port] = cross.name

    def _entries(self, setup: Setup) -> Iterator[FlowEntry]:
        running = [
            setup.endpoint(end) for cross in setup.crosses.values() if cross.since_ns is not None for end in cross.ends
        ]
        for endpoint in running:
            yield from self._flows(endpoint)
        served = {self.place(endpoint.port) for endpoint in running}
        for place in map(self.place, range(1, self.ports + 1)):
            if place not in served:
                yield FlowEntry(target=Target(path=place[0], direction=place[1]), conditions=_NOTHING_PASSES)

    def _flows(self, endpoint: Endpoint) -> Iterator[FlowEntry]:
        path, direction = self.place(endpoint.port)
        own = conditions_of(endpoint.settings, [*endpoint.corruptions.values()], self.line_bps)
        yield FlowEntry(target=Target(path=path, direction=direction), conditions=own)
        for each in endpoint.paths.values():
            if each.state == STOPPED:
                continue
            if each.filter_type != "IP":
                raise Refused(Code.CANNOT, f"this simulation has no filter by {each.filter_type}")
            yield FlowEntry(
                target=Target(path=path, direction=direction, flow=each.number),
                filter=Filter(source=each.source, destination=each.destination),
                conditions=conditions_of(each.settings, (), self.line_bps),
            )

    def _guarded(self, deed: Callable[[], T]) -> T:
        try:
            return deed()
        except CapabilityError as error:
            raise Refused(Code.CANNOT, f"this simulation cannot do that to packets: {error}") from error
        except ImpairlabError as error:
            raise Refused(Code.CANNOT, f"the data plane has failed: {error}") from error


def manager_is_known(name: str) -> bool:
    """Say whether a test manager is the one there is, or stands for all."""
    return name in {MANAGER, "all"}
