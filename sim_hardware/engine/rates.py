"""Bit-rate limits on a model clock: a token bucket without rounding drift, a policer and a shaper on top of it."""

from collections import deque

from impairlab.drivers.model import RateLimit

_NS = 10**9
_LAYER1_EXTRA = 24
"""FCS 4, preamble and start delimiter 8, inter-packet gap 12 bytes (IEEE 802.3)."""


class TokenBucket:
    """A token bucket as the instant at which it would be full, kept to a fraction 1 / rate of a nanosecond."""

    def __init__(self, rate: int, depth_bits: int) -> None:
        self.rate = rate
        self.depth_bits = depth_bits
        self._full_ns = 0
        self._part = 0

    def ready(self, at_ns: int, bits: int) -> int:
        """Return when `bits` may go, `at_ns` at the earliest. More bits than the depth wait for the rest."""
        full_ns, part = self._full_from(at_ns)
        return max(at_ns, full_ns - (-(part + (bits - self.depth_bits) * _NS) // self.rate))

    def take(self, at_ns: int, bits: int) -> None:
        """Spend `bits` at their `ready` instant, asked for at `at_ns`."""
        full_ns, part = self._full_from(at_ns)
        more_ns, self._part = divmod(part + bits * _NS, self.rate)
        self._full_ns = full_ns + more_ns

    def change(self, at_ns: int, rate: int, depth_bits: int) -> None:
        """Go on at another rate from `at_ns`; tokens already there stay, and no new ones are given away."""
        full_ns, part = self._full_from(at_ns)
        missing = (full_ns - at_ns) * self.rate + part + (depth_bits - self.depth_bits) * _NS
        more_ns, self._part = divmod(max(0, missing), rate)
        self._full_ns = at_ns + more_ns
        self.rate, self.depth_bits = rate, depth_bits

    def _full_from(self, at_ns: int) -> tuple[int, int]:
        return (self._full_ns, self._part) if self._full_ns >= at_ns else (at_ns, 0)


class _Limit:
    def __init__(self, limit: RateLimit) -> None:
        self._bucket = TokenBucket(limit.rate, _depth(limit))
        self._extra = _LAYER1_EXTRA if limit.layer == "l1" else 0

    def change(self, now_ns: int, limit: RateLimit) -> None:
        """Go on with another limit of the same mode."""
        self._bucket.change(now_ns, limit.rate, _depth(limit))
        self._extra = _LAYER1_EXTRA if limit.layer == "l1" else 0

    def _bits(self, length: int) -> int:
        return 8 * (length + self._extra)


def _depth(limit: RateLimit) -> int:
    return 0 if limit.mode == "link" else 8 * limit.burst


class Policer(_Limit):
    """Drops what exceeds the rate and its burst allowance."""

    def passes(self, now_ns: int, length: int) -> bool:
        """Whether a frame of `length` bytes conforms; only a conforming frame uses up tokens."""
        bits = self._bits(length)
        if self._bucket.ready(now_ns, bits) > now_ns:
            return False
        self._bucket.take(now_ns, bits)
        return True


class Shaper(_Limit):
    """A first-in first-out queue that is emptied at the rate; also a slower line, which is a shaper without burst.

    A frame occupies the queue until its transmission begins.
    """

    def __init__(self, limit: RateLimit) -> None:
        super().__init__(limit)
        self._capacity = limit.queue
        self._waiting: deque[tuple[int, int]] = deque()
        self._queued_bytes = 0
        self._last_ns = 0

    def change(self, now_ns: int, limit: RateLimit) -> None:
        """Go on with another limit; frames in the queue keep their times and later ones go behind them."""
        super().change(max(now_ns, self._last_ns), limit)
        self._capacity = limit.queue

    def depart(self, now_ns: int, length: int) -> int | None:
        """Return when the last bit of a frame has left; None when the queue has no room for it."""
        bits = self._bits(length)
        leaves_ns = self._bucket.ready(now_ns, bits)
        begins_ns = leaves_ns - bits * _NS // self._bucket.rate
        self._forget_begun(now_ns)
        if begins_ns > now_ns:
            if self._queued_bytes + length > self._capacity:
                return None
            self._waiting.append((begins_ns, length))
            self._queued_bytes += length
        self._bucket.take(now_ns, bits)
        self._last_ns = leaves_ns
        return leaves_ns

    def _forget_begun(self, now_ns: int) -> None:
        while self._waiting and self._waiting[0][0] <= now_ns:
            self._queued_bytes -= self._waiting.popleft()[1]
