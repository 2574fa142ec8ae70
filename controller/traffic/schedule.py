"""Arrival instants, drawn ahead of time from a seed. Nothing the service does can move them."""

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import count, takewhile

from .spec import SECOND_NS, InferenceTraffic


def arrivals(traffic: InferenceTraffic) -> Iterator[int]:
    """The arrival instants without end, as nanoseconds after the start of the traffic, never decreasing.

    The rate is the mean of the process and is not rescaled to hit a total: rescaling would destroy the randomness that
    was asked for. Constant arrivals are exact (no drift) and begin at 0; random ones begin after the first gap.
    """
    if traffic.arrivals == "constant":
        spacing_ns = Fraction(SECOND_NS) / Fraction(traffic.rate)
        yield from (int(i * spacing_ns) for i in count())
    draw = random.Random(traffic.seed)
    rate_per_ns = float(traffic.rate) / SECOND_NS
    shape = float(traffic.burstiness or 1)
    at_ns = 0.0
    while True:
        if traffic.arrivals == "gamma":
            at_ns += draw.gammavariate(shape, 1 / (shape * rate_per_ns))
        else:
            at_ns += draw.expovariate(rate_per_ns)
        yield int(at_ns)


def schedule(traffic: InferenceTraffic, until_ns: int) -> tuple[int, ...]:
    """All arrivals before `until_ns`."""
    return tuple(takewhile(lambda at_ns: at_ns < until_ns, arrivals(traffic)))
