"""What one direction of a path does to byte streams: when bytes may be taken in and when they are let out again.

A stream that is relayed can be late, slow or stalled. It cannot lose, reorder or damage anything: each side's TCP is
complete in itself. A link that is down takes nothing in, so that the sender stalls; what is inside comes out.
"""

from collections.abc import Sequence
from random import Random

from impairlab.drivers.model import NEUTRAL, AccumulateBurst, AnyDelay, PacketSchedule, RateLimit, Rule, Statistics
from impairlab.sim_hardware.engine import FlowProgram
from impairlab.sim_hardware.engine.delays import DelayLaw, delay_law
from impairlab.sim_hardware.engine.lines import LineLaw, line_law
from impairlab.sim_hardware.engine.rates import TokenBucket
from impairlab.sim_hardware.engine.schedules import Gate, gate

KINDS = frozenset({"delay", "rate", "link"})

RULES = (
    Rule(
        "delay.keep_order",
        "keep_order true: a byte stream cannot overtake itself",
        lambda c: c.delay is None or c.delay.distribution == "constant" or _keeps_order(c.delay),
    ),
    Rule(
        "delay",
        "no accumulate-burst: a relay sees no packets",
        lambda c: not isinstance(c.delay, AccumulateBurst),
    ),
    Rule(
        "delay.schedule",
        "a schedule in time: a relay sees no packets",
        lambda c: c.delay is None or not isinstance(c.delay.schedule, PacketSchedule),
    ),
    Rule(
        "rate.mode",
        "shaper or link: a relay cannot drop from a byte stream",
        lambda c: c.rate is None or c.rate.mode != "policer",
    ),
    Rule(
        "rate.layer",
        "l2, which a relay takes as bytes of content: it sees no frames",
        lambda c: c.rate is None or c.rate.layer == "l2",
    ),
)

_NS = 10**9
_LARGEST_BITE = 65_536
_SMALLEST_BITE = 1_448
_BITES_PER_SECOND = 200


def _keeps_order(delay: AnyDelay) -> bool:
    return isinstance(delay, AccumulateBurst) or delay.keep_order


class StreamLaw:
    """The law of one direction, shared by all connections of the path."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._conditions = NEUTRAL
        self._delay: DelayLaw | None = None
        self._bucket: TokenBucket | None = None
        self._delay_gate: Gate = gate(None)
        self._delay_since_ns = 0
        self._line: LineLaw | None = None
        self._link_since_ns = 0
        self._last_leave_ns = 0
        self.received_bytes = 0
        self.forwarded_bytes = 0

    def switch(self, now_ns: int, programs: Sequence[FlowProgram]) -> None:
        """Replace what is programmed; a stream has only flow 0. Bytes inside keep their times."""
        conditions = programs[0].conditions if programs else NEUTRAL
        before, self._conditions = self._conditions, conditions
        if conditions.delay != before.delay:
            self._delay = None if conditions.delay is None else delay_law(conditions.delay, self._random)
            self._delay_gate = gate(None if conditions.delay is None else conditions.delay.schedule)
            self._delay_since_ns = now_ns
        if conditions.rate != before.rate:
            self._bucket = self._bucket_for(now_ns, conditions.rate)
        if conditions.link != before.link:
            self._link_since_ns = now_ns
            self._line = None if conditions.link is None else line_law(conditions.link, self._random)

    def _bucket_for(self, now_ns: int, limit: RateLimit | None) -> TokenBucket | None:
        if limit is None:
            return None
        depth_bits = 0 if limit.mode == "link" else 8 * limit.burst
        bucket = self._bucket or TokenBucket(limit.rate, depth_bits)
        bucket.change(max(now_ns, self._last_leave_ns), limit.rate, depth_bits)
        return bucket

    def takes_in_at(self, now_ns: int) -> int | None:
        """Return when bytes may be taken in, `now_ns` for at once; None as long as the link stays down."""
        at_ns = now_ns
        limit = self._conditions.rate
        if limit is not None:
            at_ns = max(at_ns, self._last_leave_ns - limit.queue * 8 * _NS // limit.rate)
        if self._line is None:
            return at_ns
        down_ns = self._line(at_ns - self._link_since_ns)
        return None if down_ns is None else at_ns + down_ns

    def bite(self) -> int:
        """Return how many bytes to take in at once: little enough that the rate is smooth and shared."""
        if self._bucket is None:
            return _LARGEST_BITE
        return max(_SMALLEST_BITE, min(_LARGEST_BITE, self._bucket.rate // 8 // _BITES_PER_SECOND))

    def release(self, now_ns: int, length: int) -> int:
        """Return when bytes that are taken in now are let out; the caller keeps the order of each stream."""
        self.received_bytes += length
        leaves_ns = now_ns
        if self._bucket is not None:
            leaves_ns = self._bucket.ready(now_ns, 8 * length)
            self._bucket.take(now_ns, 8 * length)
            self._last_leave_ns = leaves_ns
        elapsed_ns = leaves_ns - self._delay_since_ns
        if self._delay is None or self._delay_gate(elapsed_ns) is None:
            return leaves_ns
        return leaves_ns + self._delay(elapsed_ns)

    def statistics(self, now_ns: int, flow: int) -> Statistics:
        """Return what a relay can count: bytes."""
        if flow:
            return Statistics(at_ns=now_ns)
        return Statistics(at_ns=now_ns, received_bytes=self.received_bytes, forwarded_bytes=self.forwarded_bytes)

    def clear_statistics(self, flow: int | None = None) -> None:
        """Zero the counters."""
        if not flow:
            self.received_bytes = self.forwarded_bytes = 0
