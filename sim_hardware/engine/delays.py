"""Delay laws: draw the delay of one packet, in nanoseconds, never negative."""

from collections.abc import Callable
from math import sqrt
from random import Random

from impairlab.drivers.model import Delay

_PARETO_SHAPE = 3.0
_PARETO_MEAN = _PARETO_SHAPE / (_PARETO_SHAPE - 1)
_PARETO_DEVIATION = sqrt(_PARETO_SHAPE / (_PARETO_SHAPE - 2)) / (_PARETO_SHAPE - 1)

DelayLaw = Callable[[], int]


def delay_law(delay: Delay, random: Random) -> DelayLaw:
    """Return the law of a delay. Draws below 0 become 0, which raises the mean where the spread is wide."""
    if delay.distribution == "constant":
        mean_ns = delay.mean
        return lambda: mean_ns
    draw = _continuous(delay, random)
    return lambda: max(0, round(draw()))


def _continuous(delay: Delay, random: Random) -> Callable[[], float]:
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
        case "table":
            values = tuple(mean + spread * float(deviation) for deviation in delay.table)
            return lambda: random.choice(values)
        case _:
            raise ValueError(f"no law for a {delay.distribution} delay")
