"""Counters of one flow. Received plus duplicated equals forwarded plus dropped plus what is still inside."""

from dataclasses import asdict, dataclass

from impairlab.drivers.model import Statistics


@dataclass(slots=True)
class Counters:
    """As in `Statistics`; `duplicated` counts the copies, `reordered` packets that left behind a later one.

    Attributes:
        dropped_other: Frames whose FCS was damaged: the next receiver drops them.
        delayed: Packets that were delayed by the delay in force.
        jittered: Those of them whose delay was no constant one.
    """

    received_packets: int = 0
    received_bytes: int = 0
    forwarded_packets: int = 0
    forwarded_bytes: int = 0
    dropped_loss: int = 0
    dropped_rate: int = 0
    dropped_link: int = 0
    dropped_mtu: int = 0
    dropped_other: int = 0
    delayed: int = 0
    jittered: int = 0
    corrupted: int = 0
    duplicated: int = 0
    reordered: int = 0
    marked: int = 0

    def at(self, now_ns: int) -> Statistics:
        """Return the counts as they stand."""
        counts = asdict(self)
        dropped = sum(count for name, count in counts.items() if name.startswith("dropped_"))
        return Statistics(at_ns=now_ns, dropped_total=dropped, **counts)
