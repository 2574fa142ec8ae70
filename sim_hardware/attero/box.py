"""What the Attero-100G does, however it is asked: profiles on two ports, bursts on demand, statistics."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from impairlab.drivers.model import DIRECTIONS, EVERYTHING_ELSE, FlowEntry, Statistics, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.attero import house
from impairlab.sim_hardware.attero.corruption import NEW, Corruption
from impairlab.sim_hardware.attero.profiles import Profile, conditions_of
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import ArmedFaults, SilentClamp, SilentlyIgnored, StatisticsNotReady
from impairlab.sim_hardware.rest.refusals import Refused

PORTS = ("Port1", "Port2")
POSITIONS = range(8)

Place = tuple[str, int]
"""A port and a position."""

T = TypeVar("T")


class AtteroBox:
    """The box on its data path; one caller at a time.

    Args:
        data_path: What happens to packets, on its first path.
        faults: Of the instrument.
        clock: Nanoseconds that never go back.
        default_position: Which profile takes the packets that no other does.
        second_ns: The unit of Duration and Period.
    """

    def __init__(
        self,
        data_path: DataPath,
        faults: ArmedFaults,
        clock: Callable[[], int],
        default_position: int,
        second_ns: int,
    ) -> None:
        self.default_position = default_position
        self._data_path = data_path
        self._faults = faults
        self._clock = clock
        self._second_ns = second_ns
        self.power_on()

    def power_on(self) -> None:
        """Forget all settings; let packets pass as they are."""
        self._profiles: Mapping[Place, Profile] = {
            (port, position): self.first(position) for port in PORTS for position in POSITIONS
        }
        self.symbol_errors: dict[str, Corruption] = dict.fromkeys(PORTS, NEW)
        self._not_ready_until_ns = 0
        self._counted_since_ns = self._clock()
        self._data_path.reset()

    def first(self, position: int) -> Profile:
        """Return the profile of a position as nobody has touched it."""
        is_default = position == self.default_position
        return Profile(enable=is_default, name="Default" if is_default else f"Profile {position}")

    def profile(self, place: Place) -> Profile:
        """Return the settings of a profile."""
        return self._profiles[place]

    def set(self, profiles: Mapping[Place, Profile]) -> None:
        """Replace the settings of some profiles, in one switch. Raises `Refused`; nothing has changed then."""
        if self._faults.strike(SilentlyIgnored) is not None:
            return
        after = {**self._profiles, **profiles}
        self._program(after)
        self._profiles = after

    def clamped(self, header: str, value: int) -> int:
        """Return a value, or the most of it that a fault takes without saying so."""
        armed = self._faults.peek(SilentClamp)
        if armed is None or armed.header != header or value <= armed.most:
            return value
        self._faults.strike(SilentClamp)
        return int(armed.most)

    def fire(self, place: Place, kind: str) -> None:
        """Begin a burst of one kind of corruption now. Raises `Refused`."""
        profile = self._profiles[place]
        fired = replace(profile.corruptions[kind], fired=True)
        armed = replace(profile, corruptions={**profile.corruptions, kind: fired})
        quiet = replace(profile, corruptions={**profile.corruptions, kind: NEW})
        self._program({**self._profiles, place: quiet})  # a burst that is programmed already is over: begin another
        self._program(after := {**self._profiles, place: armed})
        self._profiles = after

    def statistics(self, port: str, positions: Iterable[int] = POSITIONS) -> list[Statistics]:
        """Return the counters of some profiles of a port. Raises `Refused`."""
        if self._clock() < self._not_ready_until_ns:
            raise Refused(house.NOT_READY, "The statistics are not ready.")
        targets = [self._target(port, position) for position in positions]
        return [self._guarded(partial(self._data_path.plane.statistics, target)) for target in targets]

    def clear_statistics(self) -> None:
        """Set all counters to zero. Raises `Refused`."""
        self._guarded(lambda: self._data_path.plane.clear_statistics(None))
        self._counted_since_ns = self._clock()
        not_ready = self._faults.strike(StatisticsNotReady)
        if not_ready is not None:
            self._not_ready_until_ns = self._clock() + not_ready.for_ns

    @property
    def counted_for_ns(self) -> int:
        """How long ago the counters were set to zero."""
        return self._clock() - self._counted_since_ns

    def _program(self, profiles: Mapping[Place, Profile]) -> None:
        self._guarded(lambda: self._data_path.program(list(self._entries(profiles))))

    def _entries(self, profiles: Mapping[Place, Profile]) -> Iterable[FlowEntry]:
        for (port, position), profile in profiles.items():
            is_default = position == self.default_position
            if profile.enable and (is_default or profile.filter is not None):
                selects = None if is_default or profile.filter is None else profile.filter.selects
                conditions = conditions_of(profile, self._second_ns)
                yield FlowEntry(target=self._target(port, position), filter=selects, conditions=conditions)

    def _target(self, port: str, position: int) -> Target:
        flow = EVERYTHING_ELSE if position == self.default_position else position + 1
        return Target(path=self._data_path.plane.paths[0], direction=DIRECTIONS[PORTS.index(port)], flow=flow)

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except CapabilityError as error:
            raise Refused(house.NOT_DONE, f"This data plane cannot do it: {error}") from error
        except ImpairlabError as error:
            raise Refused(house.PLANE_FAILED, str(error)) from error
