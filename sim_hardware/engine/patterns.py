"""Pattern processes: one yes or no a packet, with the long-run share and the runs that the pattern names."""

from collections.abc import Callable
from functools import lru_cache
from math import expm1, log1p
from random import Random

from impairlab.drivers.model import (
    BitErrors,
    Burst,
    Even,
    GilbertElliott,
    Outage,
    Periodic,
    RandomBurst,
    Spaced,
)
from impairlab.drivers.model import Random as RandomPattern
from impairlab.sim_hardware.engine.delays import poisson

PatternProcess = Callable[[int], bool]
"""Given the length of a frame in bytes, tell whether it is hit."""


ContinuousPattern = RandomPattern | Even | Periodic | Burst | RandomBurst | Spaced | GilbertElliott | BitErrors | Outage
"""Every pattern that goes on for ever."""


def pattern_process(pattern: ContinuousPattern, random: Random) -> PatternProcess:
    """Return the process of a pattern; it draws from `random` and from nothing else."""
    match pattern:
        case RandomPattern():
            rate = float(pattern.rate)
            return lambda _: random.random() < rate
        case Even():
            return _Even(pattern)
        case Periodic():
            return _Periodic(pattern)
        case Burst():
            leave_good, leave_bad = pattern.as_chain()
            return _TwoStates(GilbertElliott(to_bad=leave_good, to_good=leave_bad), random)
        case RandomBurst():
            return _RandomBursts(pattern, random)
        case Spaced():
            return _Spaced(pattern, random)
        case GilbertElliott():
            return _TwoStates(pattern, random)
        case BitErrors():
            return _BitErrors(pattern, random)
        case Outage():
            return lambda _: True


class _Even:
    """The share that is due adds up; a packet is hit when it makes a whole one. Exact, however long it runs."""

    def __init__(self, pattern: Even) -> None:
        self._part, self._whole = pattern.rate.as_integer_ratio()
        self._due = 0

    def __call__(self, _: int) -> bool:
        self._due += self._part
        if self._due < self._whole:
            return False
        self._due -= self._whole
        return True


class _Periodic:
    """The last `burst` of every `every` packets are hit, counted from the first packet on."""

    def __init__(self, pattern: Periodic) -> None:
        self._every = pattern.every
        self._kept = pattern.every - pattern.burst
        self._position = -1

    def __call__(self, _: int) -> bool:
        self._position = (self._position + 1) % self._every
        return self._position >= self._kept


class _RandomBursts:
    """Bursts of equally likely lengths, one after the other."""

    def __init__(self, pattern: RandomBurst, random: Random) -> None:
        self._random = random
        self._rate = float(pattern.rate)
        self._lengths = pattern.shortest, pattern.longest
        self._left = 0

    def __call__(self, _: int) -> bool:
        if not self._left and self._random.random() < self._rate:
            self._left = self._random.randint(*self._lengths)
        if not self._left:
            return False
        self._left -= 1
        return True


class _Spaced:
    """Counts down to the next hit."""

    def __init__(self, pattern: Spaced, random: Random) -> None:
        self._draw = _spacing(pattern, random)
        self._left = self._next()

    def _next(self) -> int:
        return max(1, round(self._draw()))

    def __call__(self, _: int) -> bool:
        self._left -= 1
        if self._left:
            return False
        self._left = self._next()
        return True


def _spacing(pattern: Spaced, random: Random) -> Callable[[], float]:
    mean, spread = float(pattern.mean), float(pattern.spread)
    match pattern.law:
        case "uniform":
            return lambda: random.uniform(mean - spread, mean + spread)
        case "normal":
            return lambda: random.gauss(mean, spread)
        case "poisson":
            return lambda: float(poisson(mean, random))
        case "gamma":
            return lambda: random.gammavariate((mean / spread) ** 2, spread * spread / mean)
        case "table":
            values = tuple(mean + spread * float(deviation) for deviation in pattern.table)
            return lambda: random.choice(values)


class _TwoStates:
    """Gilbert-Elliott. The first state is drawn from the long-run shares, so that short runs are not biased to good."""

    def __init__(self, chain: GilbertElliott, random: Random) -> None:
        self._random = random.random
        self._leave_good, self._leave_bad = float(chain.to_bad), float(chain.to_good)
        self._hit_in_good, self._hit_in_bad = float(chain.good_loss), float(chain.bad_loss)
        moves = self._leave_good + self._leave_bad
        self._bad = moves > 0 and random.random() < self._leave_good / moves

    def __call__(self, _: int) -> bool:
        hit_here = self._hit_in_bad if self._bad else self._hit_in_good
        hit = self._random() < hit_here
        if self._random() < (self._leave_bad if self._bad else self._leave_good):
            self._bad = not self._bad
        return hit


class _BitErrors:
    """P(hit) = 1 - (1 - ber) ** bits, exact for tiny ratios. Bits are those of the frame without FCS."""

    def __init__(self, pattern: BitErrors, random: Random) -> None:
        self._random = random.random
        ber = float(pattern.ber)

        @lru_cache(maxsize=2048)
        def probability(length: int) -> float:
            return 1.0 if ber >= 1 else -expm1(8 * length * log1p(-ber))

        self._probability = probability

    def __call__(self, length: int) -> bool:
        return self._random() < self._probability(length)
