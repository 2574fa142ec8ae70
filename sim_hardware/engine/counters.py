"""Counters of one flow. Received plus duplicated equals forwarded plus dropped plus what is still inside."""

from dataclasses import asdict, dataclass

from impairlab.drivers.model import Statistics


@dataclass(slots=True)
class Counters:
    """As in `Statistics`; `duplicated` counts the copies, `reordered` packets that left behind a later one."""

    received_packets: int = 0
    received_bytes: int = 0
    forwarded_packets: int = 0
    forwarded_bytes: int = 0
    dropped_loss: int = 0
    dropped_rate: int = 0
    dropped_link: int = 0
    dropped_mtu: int = 0
    corrupted: int = 0
    duplicated: int = 0
    reordered: int = 0
    marked: int = 0

    def at(self, now_ns: int) -> Statistics:
        """Return the counts as they stand."""
        return Statistics(at_ns=now_ns, **asdict(self))
