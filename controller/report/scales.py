"""Scales: from measured values to places on the page, and the ticks that people read them by."""

from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, log10

MS = 1_000_000
SECOND = 1_000_000_000
_TIME_STEPS_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(seconds * 1_000 for seconds in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600)),
)


@dataclass(frozen=True)
class Linear:
    """A straight map of [low, high] to [start, end]; what lies outside is put on the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        span = self.high - self.low or 1.0
        share = min(1.0, max(0.0, (value - self.low) / span))
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class Logarithmic:
    """A logarithmic map of [low, high], both above 0, to [start, end]; what lies outside is put on the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value; 0 and less are on the low edge, infinity on the high one."""
        if value <= self.low:
            return self.start
        if value >= self.high:
            return self.end
        share = log10(value / self.low) / log10(self.high / self.low)
        return self.start + share * (self.end - self.start)


def latency_scale(values: list[float], start: float, end: float) -> Logarithmic:
    """A logarithmic scale that holds all finite values, with ends a person can read."""
    finite = [value for value in values if isfinite(value) and value > 0]
    low, high = (min(finite), max(finite)) if finite else (10.0 * MS, 1_000.0 * MS)
    low, high = _rounded(low / 1.15, down=True), _rounded(high * 1.15, down=False)
    return Logarithmic(low, max(high, low * 4), start, end)


def latency_ticks(scale: Logarithmic) -> list[float]:
    """1, 2, 5 of every decade, or fewer where they would stand closer than 22 units."""
    decade = abs(scale.end - scale.start) / log10(scale.high / scale.low)
    steps = (1, 2, 5) if decade * log10(2) >= 22 else (1, 3) if decade * log10(3) >= 22 else (1,)
    exponents = range(floor(log10(scale.low)), ceil(log10(scale.high)) + 1)
    ticks = [step * 10.0**exponent for exponent in exponents for step in steps]
    return [tick for tick in ticks if scale.low * 0.999 <= tick <= scale.high * 1.001]


def time_ticks(length_ns: int, wanted: int = 10) -> list[int]:
    """Whole, even instants from 0 to the end, about as many as wanted."""
    step = next((step for step in _TIME_STEPS_MS if length_ns <= step * MS * wanted), 86_400_000) * MS
    return list(range(0, length_ns + 1, step))


def duration(ns: float) -> str:
    """A time for people, with three figures: "4.25 ms", "1.3 s"; "never" for a failure."""
    if ns == inf:
        return "never"
    if ns == -inf:
        return "unknown"
    size = abs(ns)
    for unit, factor in (("s", SECOND), ("ms", MS), ("µs", 1_000)):
        if size >= factor:
            return f"{_figures(ns / factor)} {unit}"
    return f"{ns:.0f} ns"


def instant(ns: float) -> str:
    """An instant on the time axis: seconds up to two minutes, else minutes and seconds."""
    if abs(ns) < 120 * SECOND:
        return f"{ns / SECOND:.10g} s"
    minutes, seconds = divmod(round(ns / SECOND), 60)
    return f"{minutes}:{seconds:02d}"


def _figures(number: float) -> str:
    """Three figures, never an exponent."""
    digits = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rounded(value: float, *, down: bool) -> float:
    """The nearest 1, 1.5, 2, 3, 5 or 7 times a power of ten below or above."""
    power = 10.0 ** floor(log10(value))
    marks = [mark * power for mark in (1, 1.5, 2, 3, 5, 7, 10)]
    if down:
        return max(mark for mark in marks if mark <= value * 1.0001)
    return min(mark for mark in marks if mark >= value * 0.9999)
