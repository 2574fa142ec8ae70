"""The counters of a Chimera, computed from those of the data plane.

Source: xoa-cli reference, PE_DROPTOTAL and its like; the ratios are in parts per million.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from impairlab.drivers.model import Statistics
from impairlab.sim_hardware.chimera.distributions import MILLION
from impairlab.sim_hardware.chimera.state import (
    CORRUPT_ETHERNET,
    CORRUPT_IP,
    CORRUPT_TCP,
    CORRUPT_UDP,
)

_LAYERS = (CORRUPT_ETHERNET, CORRUPT_IP, CORRUPT_UDP, CORRUPT_TCP)


@dataclass(slots=True)
class Ledger:
    """What the counters of a flow do not tell: corrupted packets by type, and where a burst began.

    Attributes:
        by_type: Corrupted packets under types that were set before.
        counted: Corrupted packets that are in `by_type`.
        begun: Hits of an impairment when it was enabled last, by its index.
        cleared_received: Bytes and packets received before they were cleared last.
        cleared_sent: Bytes and packets sent before they were cleared last.
    """

    by_type: dict[int, int] = field(default_factory=dict)
    counted: int = 0
    begun: dict[int, int] = field(default_factory=dict)
    cleared_received: tuple[int, int] = (0, 0)
    cleared_sent: tuple[int, int] = (0, 0)

    def book(self, kind: int, corrupted: int) -> None:
        """Count what has been corrupted since the last time to a type."""
        self.by_type[kind] = self.by_type.get(kind, 0) + corrupted - self.counted
        self.counted = corrupted


@dataclass(frozen=True, slots=True)
class Counted:
    """Counters of a flow, or of several together."""

    received: int = 0
    programmed: int = 0
    bandwidth: int = 0
    other: int = 0
    delayed: int = 0
    jittered: int = 0
    duplicated: int = 0
    misordered: int = 0
    corrupted: int = 0
    by_layer: tuple[int, ...] = (0,) * len(_LAYERS)

    def drops(self) -> tuple[int, ...]:
        """Return counts and ratios: total, programmed, bandwidth, other."""
        return self._with_ratios(
            self.programmed + self.bandwidth + self.other, self.programmed, self.bandwidth, self.other
        )

    def corruptions(self) -> tuple[int, ...]:
        """Return counts and ratios: total, FCS, IP, UDP, TCP."""
        return self._with_ratios(self.corrupted, *self.by_layer)

    def one(self, count: int) -> tuple[int, ...]:
        """Return a count and its ratio."""
        return self._with_ratios(count)

    def _with_ratios(self, *counts: int) -> tuple[int, ...]:
        ratios = (count * MILLION // self.received if self.received else 0 for count in counts)
        return (*counts, *ratios)


def counted(statistics: Statistics, ledger: Ledger, kind: int) -> Counted:
    """Return the counters of a flow whose type of corruption is `kind` now."""
    corrupted = statistics.corrupted or 0
    ledger.book(kind, corrupted)
    return Counted(
        received=statistics.received_packets or 0,
        programmed=statistics.dropped_loss or 0,
        bandwidth=statistics.dropped_rate or 0,
        other=(statistics.dropped_link or 0) + (statistics.dropped_mtu or 0),
        delayed=statistics.delayed or 0,
        jittered=statistics.jittered or 0,
        duplicated=statistics.duplicated or 0,
        misordered=statistics.reordered or 0,
        corrupted=corrupted,
        by_layer=tuple(ledger.by_type.get(layer, 0) for layer in _LAYERS),
    )


def together(flows: Iterable[Counted]) -> Counted:
    """Return the sums."""
    all_of = tuple(flows)
    return Counted(
        received=sum(each.received for each in all_of),
        programmed=sum(each.programmed for each in all_of),
        bandwidth=sum(each.bandwidth for each in all_of),
        other=sum(each.other for each in all_of),
        delayed=sum(each.delayed for each in all_of),
        jittered=sum(each.jittered for each in all_of),
        duplicated=sum(each.duplicated for each in all_of),
        misordered=sum(each.misordered for each in all_of),
        corrupted=sum(each.corrupted for each in all_of),
        by_layer=tuple(map(sum, zip(*(each.by_layer for each in all_of), strict=True))),
    )
