"""What the counters of a chain amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic_ns

from impairlab.drivers.model.applied import Statistics
from impairlab.drivers.netem.topology import Role, StageState
from impairlab.drivers.netem.wire.messages import Counters
from impairlab.drivers.netem.wire.netem import NetemState


def statistics_of(chain: Sequence[Counters], *, separate: bool) -> Statistics:
    """A discipline counts as dropped what those below it dropped when they were handed it, too."""
    head, tail = chain[0], chain[-1]
    dropped_rate = tail.drops if len(chain) == (3 if separate else 2) else 0
    middle = chain[1].drops if separate else dropped_rate
    return Statistics(
        at_ns=monotonic_ns(),
        received_packets=head.packets + head.drops + head.queued,
        forwarded_packets=head.packets,
        forwarded_bytes=head.octets,
        dropped_total=head.drops,
        dropped_loss=head.drops - middle,
        dropped_rate=dropped_rate,
        dropped_other=middle - dropped_rate,
    )


def longest_stay_ns(states: Mapping[Role, StageState]) -> int:
    """Return how long a packet can stay at most, queues of bottlenecks left out: they drain at their rate."""
    return sum(state.latency_ns + 4 * state.jitter_ns for state in states.values() if isinstance(state, NetemState))
