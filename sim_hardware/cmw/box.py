"""What the network impairments do: entries of every measurement instance, and the data plane that is told of them."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from impairlab.drivers.model import DIRECTIONS, Direction, FlowEntry, Target
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.cmw.entries import Entry
from impairlab.sim_hardware.datapath import DataPath
from impairlab.sim_hardware.faults import ArmedFaults, SilentClamp, SilentlyIgnored
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.scpi import ScpiError

INDICES = range(1, 16)
"""Of NIMPairments<n>: Ix1 to Ix15 of RsCmwDau's repcap.Impairments."""

Place = tuple[int, int]
"""Measurement instance and index, both from 1."""

_AT_FIRST = Entry()


class CmwBox:
    """The entries, and what packets suffer for them; every method is called under the instrument's guard.

    Args:
        plane: What happens to packets.
        clock: Nanoseconds that never go back.
        faults: Of the box itself.
    """

    def __init__(self, plane: Plane, clock: Callable[[], int], faults: ArmedFaults) -> None:
        self._paths = plane.paths
        self._faults = faults
        self._data_path = DataPath(plane, clock, 0, faults)
        self._entries: Mapping[Place, Entry] = {}

    @property
    def active(self) -> tuple[FlowEntry, ...]:
        """What packets suffer now."""
        return self._data_path.active

    def entry(self, place: Place) -> Entry:
        """Return what an entry is set to."""
        return self._entries.get(place, _AT_FIRST)

    def put(self, place: Place, entry: Entry) -> None:
        """Change an entry; at once where it is enabled.

        Raises:
            ScpiError: -221, -240 or -241; nothing has changed.
        """
        if self._faults.strike(SilentlyIgnored) is not None:
            return
        entries = {**self._entries, place: entry}
        if entry.enabled or self.entry(place).enabled:
            self._program(entries)
        self._entries = entries

    def reset(self) -> None:
        """Take every entry back to what it is at first. Raises -240 when the data plane has failed."""
        self._entries = {}
        try:
            self._data_path.reset()
        except ImpairlabError as error:
            raise ScpiError(-240, str(error)) from error

    def clamped(self, header: str, value: Decimal) -> Decimal:
        """Return what a number is taken for: itself, unless `SilentClamp` strikes."""
        clamp = self._faults.peek(SilentClamp)
        if clamp is None or clamp.header != header or value <= clamp.most:
            return value
        self._faults.strike(SilentClamp)
        return clamp.most

    def _program(self, entries: Mapping[Place, Entry]) -> None:
        wanted = [
            flow
            for instance, path in enumerate(self._paths, start=1)
            for direction in DIRECTIONS
            for flow in _flows(path, direction, [entries.get((instance, index), _AT_FIRST) for index in INDICES])
        ]
        try:
            self._data_path.program(wanted)
        except CapabilityError as error:
            raise ScpiError(-241, str(error)) from error
        except ImpairlabError as error:
            raise ScpiError(-240, str(error)) from error


def _flows(path: str, direction: Direction, entries: list[Entry]) -> Iterator[FlowEntry]:
    """Yield one flow a filter, in the order of precedence; what takes everything is flow 0, and ends them."""
    number = 0
    for entry in entries:
        if not entry.enabled:
            continue
        conditions = entry.conditions()
        if entry.takes_everything:
            yield FlowEntry(target=Target(path=path, direction=direction), conditions=conditions)
            return
        for selected in entry.filters(direction):
            number += 1
            target = Target(path=path, direction=direction, flow=number)
            yield FlowEntry(target=target, filter=selected, conditions=conditions)
