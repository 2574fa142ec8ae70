"""Delay laws: the delay of one packet, in nanoseconds, never negative."""

from collections.abc import Callable
from math import exp, pi, sin, sqrt
from random import Random

from impairlab.drivers.model import AccumulateBurst, AnyDelay, Delay, RampDelay, SineDelay

_PARETO_SHAPE = 3.0
_PARETO_MEAN = _PARETO_SHAPE / (_PARETO_SHAPE - 1)
_PARETO_DEVIATION = sqrt(_PARETO_SHAPE / (_PARETO_SHAPE - 2)) / (_PARETO_SHAPE - 1)

_EXACT_POISSON = 60.0

DelayLaw = Callable[[int], int]
"""Given the nanoseconds since the delay was set, return the delay of a packet."""


def delay_law(delay: AnyDelay, random: Random) -> DelayLaw:
    """Return the law of a delay. Draws below 0 become 0, which raises the mean where the spread is wide.

    Of packets that are accumulated it is the delay on top.
    """
    match delay:
        case RampDelay():
            return lambda elapsed_ns: _ramp(delay, elapsed_ns)
        case SineDelay():
            return lambda elapsed_ns: _sine(delay, elapsed_ns)
        case AccumulateBurst():
            return lambda _: delay.mean
        case Delay(distribution="constant"):
            return lambda _: delay.mean
    draw = _drawn(delay, random)
    return lambda _: max(0, round(draw()))


def _ramp(delay: RampDelay, elapsed_ns: int) -> int:
    risen_ns = min(max(elapsed_ns - delay.hold, 0), delay.rise)
    return delay.start + (delay.end - delay.start) * risen_ns // delay.rise


def _sine(delay: SineDelay, elapsed_ns: int) -> int:
    swing = sin(2 * pi * (elapsed_ns % delay.period) / delay.period)
    return round((delay.low + delay.high) / 2 + (delay.high - delay.low) / 2 * swing)


def _drawn(delay: Delay, random: Random) -> Callable[[], float]:
    mean, spread = delay.mean, delay.spread
    match delay.distribution:
        case "uniform":
            return lambda: random.uniform(mean - spread, mean + spread)
        case "normal":
            return lambda: random.gauss(mean, spread)
        case "gamma":
            shape, scale = (mean / spread) ** 2, spread * spread / mean
            return lambda: random.gammavariate(shape, scale)
        case "exponential":
            return lambda: mean - spread + random.expovariate(1 / spread)
        case "pareto":
            scale = spread / _PARETO_DEVIATION
            return lambda: mean + scale * (random.paretovariate(_PARETO_SHAPE) - _PARETO_MEAN)
        case "poisson":
            return lambda: spread * poisson(mean / spread, random)
        case "step":
            return lambda: random.choice((mean - spread, mean + spread))
        case "table":
            values = tuple(mean + spread * float(deviation) for deviation in delay.table)
            return lambda: random.choice(values)
        case _:
            raise ValueError(f"no law for a {delay.distribution} delay")


def poisson(mean: float, random: Random) -> int:
    """Draw from a Poisson distribution; far from 0 from the normal one that it then is like."""
    if mean > _EXACT_POISSON:
        return max(0, round(random.gauss(mean, sqrt(mean))))
    floor, product, count = exp(-mean), random.random(), 0
    while product > floor:
        product *= random.random()
        count += 1
    return count
