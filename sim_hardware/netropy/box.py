"""What the Netropy does, however it is asked: one engine, its paths, their settings and counters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from impairlab.drivers.model import Conditions, Direction, FlowEntry, Impairment, RateLimit, Statistics, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import ArmedFaults, SilentClamp, SilentlyIgnored, StatisticsNotReady
from impairlab.sim_hardware.netropy import house
from impairlab.sim_hardware.netropy.forms import CONDITIONS, Setting

SECOND_NS = 1_000_000_000
DIRECTIONS: tuple[Direction, ...] = ("a-b", "b-a")
ACCESS: tuple[tuple[int, str], ...] = ((1, "out"), (1, "in"), (2, "out"), (2, "in"))
"""Port and way, in the order of `show`."""

_ON_THE_WAY: Mapping[Direction, tuple[tuple[int, str], ...]] = {
    "a-b": ((1, "out"), (2, "in")),
    "b-a": ((2, "out"), (1, "in")),
}


K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class BoxError(Exception):
    """A command that cannot be carried out, in the words behind `*** Error:`."""


@dataclass(slots=True)
class PathState:
    """What is set on one path.

    Attributes:
        conditions: By direction and word.
        bandwidths: Bit/s by access link; only of those that are enabled.
    """

    conditions: dict[tuple[Direction, str], Setting] = field(default_factory=dict)
    bandwidths: dict[tuple[int, str], int] = field(default_factory=dict)

    def setting(self, direction: Direction, word: str) -> Setting:
        """Return what a condition is set to."""
        return self.conditions.get((direction, word), Setting())


class NetropyBox:
    """The box on its data path; one caller at a time.

    Args:
        data_path: What happens to packets.
        faults: Of the instrument.
        clock: Nanoseconds that never go back.
        line_bps: Bit/s of its ports; a bandwidth of that limits nothing.
    """

    def __init__(self, data_path: DataPath, faults: ArmedFaults, clock: Callable[[], int], line_bps: int) -> None:
        self._data_path = data_path
        self._faults = faults
        self._clock = clock
        self.line_bps = line_bps
        self.power_on()

    def power_on(self) -> None:
        """Forget all settings; let packets pass as they are."""
        self.emulates = False
        self._paths = [PathState() for _ in self._data_path.plane.paths]
        self._reset_ns = self._clock()
        self._not_ready_until_ns = 0
        self._rows: list[tuple[int, Counts]] = []
        self._data_path.reset()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the paths; their numbers count from 1."""
        return self._data_path.plane.paths

    def path(self, number: int) -> PathState:
        """Return the settings of a path. Raises `BoxError`."""
        if not 1 <= number <= len(self._paths):
            raise BoxError(f"there is no path {number}; there are 1 to {len(self._paths)}")
        return self._paths[number - 1]

    def emulate(self, *, on: bool) -> None:
        """Let the conditions act, or packets pass as they are. Raises `BoxError`."""
        before, self.emulates = self.emulates, on
        try:
            self._program()
        except BoxError:
            self.emulates = before
            raise

    def set_condition(self, number: int, direction: Direction, word: str, setting: Setting) -> None:
        """Set a condition of a path. Raises `BoxError`; nothing has changed."""
        path = self.path(number)
        if self._faults.strike(SilentlyIgnored) is None:
            self._change(path.conditions, (direction, word), setting)

    def set_bandwidth(self, number: int, access: tuple[int, str], bits_per_second: int) -> None:
        """Set the bandwidth of an access link. Raises `BoxError`; nothing has changed."""
        path = self.path(number)
        if not house.LEAST_BPS <= bits_per_second <= self.line_bps:
            raise BoxError(f"the bandwidth is not within limits ({house.LEAST_BPS} - {self.line_bps} bps)")
        if self._faults.strike(SilentlyIgnored) is None:
            self._change(path.bandwidths, access, bits_per_second)

    def clamped(self, word: str, number: Decimal) -> Decimal:
        """Return what is made of a number of a command, without a word."""
        armed = self._faults.peek(SilentClamp)
        if armed is None or armed.header != word or number <= armed.most:
            return number
        self._faults.strike(SilentClamp)
        return armed.most

    def reset_statistics(self) -> None:
        """Count from zero; for a while there is nothing to be had. Raises `BoxError`."""
        self._guarded(lambda: self._data_path.plane.clear_statistics(None))
        armed = self._faults.strike(StatisticsNotReady)
        self._reset_ns = self._clock()
        self._not_ready_until_ns = self._reset_ns + (armed.for_ns if armed else SECOND_NS)
        self._rows = []

    def counted(self) -> "list[tuple[int, Counts]] | None":
        """Return a row of counts for each second in which somebody asked, the last of now; None while there are none.

        Raises:
            BoxError: The plane has failed.
        """
        now_ns = self._clock()
        if now_ns < self._not_ready_until_ns:
            return None
        seconds = max(1, (now_ns - self._reset_ns) // SECOND_NS)
        counts = self._guarded(self._count)
        self._rows = [*(row for row in self._rows if row[0] != seconds), (seconds, counts)]
        return self._rows

    def _count(self) -> "Counts":
        plane = self._data_path.plane
        return {
            (name, direction): plane.statistics(Target(path=name, direction=direction))
            for name in plane.paths
            for direction in DIRECTIONS
        }

    def _change(self, settings: dict[K, V], key: K, value: V) -> None:
        before = dict(settings)
        settings[key] = value
        try:
            self._program()
        except BoxError:
            settings.clear()
            settings.update(before)
            raise

    def _program(self) -> None:
        entries = [
            FlowEntry(target=Target(path=name, direction=direction), conditions=self._conditions(path, direction))
            for name, path in zip(self.names, self._paths, strict=True)
            for direction in DIRECTIONS
        ]
        self._guarded(lambda: self._data_path.program(entries if self.emulates else ()))

    def _conditions(self, path: PathState, direction: Direction) -> Conditions:
        wanted = [path.setting(direction, word).impairment for word in CONDITIONS]
        return Conditions.of(*(each for each in (*wanted, self._rate(path, direction)) if each is not None))

    def _rate(self, path: PathState, direction: Direction) -> Impairment | None:
        rate = min(path.bandwidths.get(access, self.line_bps) for access in _ON_THE_WAY[direction])
        if rate >= self.line_bps:
            return None
        return RateLimit(rate=rate, mode="link", queue=max(1, rate * house.QUEUE_MS // 8000), layer="l1")

    def _guarded(self, deed: Callable[[], T]) -> T:
        try:
            return deed()
        except CapabilityError as error:
            raise BoxError(f"this simulation cannot do that to packets: {error}") from error
        except ImpairlabError as error:
            raise BoxError(f"the data plane has failed: {error}") from error


Counts = Mapping[tuple[str, Direction], Statistics]
