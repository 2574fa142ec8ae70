"""One direction of a serial line as a model: characters follow each other, each takes its time, none overtakes."""

CHARACTER_BITS = 10
"""Start bit, eight data bits, stop bit: 8N1."""

_SECOND_NS = 1_000_000_000


class PacedLine:
    """Bytes go in at once and come out one character time after the other.

    Args:
        baud: Bits per second, above 0.

    Raises:
        ValueError: When the rate is not positive.
    """

    def __init__(self, baud: int) -> None:
        if baud < 1:
            raise ValueError(f"a line needs a rate above 0 bit/s, not {baud}")
        self._baud = baud
        self._waiting = bytearray()
        self._begun_ns = 0
        self._passed = 0
        self.stopped = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, data: bytes, now_ns: int) -> None:
        """Append characters; the first starts when the line is free."""
        if not self._waiting:
            free_ns = self._end_of(self._passed)
            if now_ns > free_ns:
                self._begun_ns, self._passed = now_ns, 0
        self._waiting += data

    def take(self, now_ns: int) -> bytes:
        """Remove and return the characters that have arrived by now."""
        if self.stopped:
            return b""
        arrived = (now_ns - self._begun_ns) * self._baud // (CHARACTER_BITS * _SECOND_NS)
        count = min(max(arrived - self._passed, 0), len(self._waiting))
        taken = bytes(self._waiting[:count])
        del self._waiting[:count]
        self._passed += count
        return taken

    def stop(self) -> None:
        """XOFF: let nothing more out."""
        self.stopped = True

    def resume(self, now_ns: int) -> None:
        """XON: go on from now, without making up for the pause."""
        if self.stopped:
            self.stopped = False
            self._begun_ns, self._passed = max(now_ns, self._end_of(self._passed)), 0

    def clear(self) -> None:
        """Forget what is on the line."""
        self._waiting.clear()

    @property
    def next_due_ns(self) -> int | None:
        """When the next character has arrived; None while there is none, or the line is stopped."""
        if self.stopped or not self._waiting:
            return None
        return self._end_of(self._passed + 1)

    def _end_of(self, count: int) -> int:
        return self._begun_ns - (-count * CHARACTER_BITS * _SECOND_NS // self._baud)
