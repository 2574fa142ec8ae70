"""The ten memories of *SAV and *RCL and their names; they outlive *RST and a power cycle."""

from impairlab.sim_hardware.appliance.state import Flows
from impairlab.sim_hardware.scpi import ScpiError

SLOTS = 10


class Memories:
    """Settings of all flows, kept by number."""

    def __init__(self) -> None:
        self._kept: dict[int, Flows] = {}
        self._names: dict[int, str] = {}

    def save(self, slot: int, flows: Flows) -> None:
        """Keep `flows` in `slot`."""
        self._kept[slot] = flows

    def recall(self, slot: int) -> Flows:
        """Return what `slot` holds. Raises -314 when it is empty."""
        if slot not in self._kept:
            raise ScpiError(-314, str(slot))
        return self._kept[slot]

    def delete(self, slot: int) -> None:
        """Empty `slot` and forget its name."""
        self._kept.pop(slot, None)
        self._names.pop(slot, None)

    def holds(self, slot: int) -> bool:
        """Say whether something is kept in `slot`."""
        return slot in self._kept

    def rename(self, slot: int, name: str) -> None:
        """Name `slot`."""
        self._names[slot] = name

    def name(self, slot: int) -> str:
        """Return the name of `slot`, empty when it has none."""
        return self._names.get(slot, "")

    @property
    def names(self) -> list[str]:
        """The names of all slots in order."""
        return [self.name(slot) for slot in range(SLOTS)]
