"""Loss processes: one yes or no a packet, with the long-run share and the burst lengths that the model names."""

from collections.abc import Callable
from functools import lru_cache
from math import expm1, log1p
from random import Random

from impairlab.drivers.model import (
    AnyLoss,
    BitErrorLoss,
    BurstLoss,
    GilbertElliottLoss,
    Outage,
    PeriodicLoss,
    RandomLoss,
)

LossProcess = Callable[[int], bool]
"""Given the length of a frame in bytes, tell whether it is lost."""


def loss_process(loss: AnyLoss, random: Random) -> LossProcess:
    """Return the process of a loss model; it draws from `random` and from nothing else."""
    match loss:
        case RandomLoss():
            rate = float(loss.rate)
            return lambda _: random.random() < rate
        case PeriodicLoss():
            return _Periodic(loss)
        case BurstLoss():
            return _TwoStates(loss.as_gilbert_elliott(), random)
        case GilbertElliottLoss():
            return _TwoStates(loss, random)
        case BitErrorLoss():
            return _BitErrors(loss, random)
        case Outage():
            return lambda _: True


class _Periodic:
    """The last `burst` of every `every` packets are lost, counted from the first packet on."""

    def __init__(self, loss: PeriodicLoss) -> None:
        self._every = loss.every
        self._kept = loss.every - loss.burst
        self._position = -1

    def __call__(self, _: int) -> bool:
        self._position = (self._position + 1) % self._every
        return self._position >= self._kept


class _TwoStates:
    """Gilbert-Elliott. The first state is drawn from the long-run shares, so that short runs are not biased to good."""

    def __init__(self, loss: GilbertElliottLoss, random: Random) -> None:
        self._random = random.random
        self._leave_good, self._leave_bad = float(loss.to_bad), float(loss.to_good)
        self._lost_in_good, self._lost_in_bad = float(loss.good_loss), float(loss.bad_loss)
        moves = self._leave_good + self._leave_bad
        self._bad = moves > 0 and random.random() < self._leave_good / moves

    def __call__(self, _: int) -> bool:
        lost_here = self._lost_in_bad if self._bad else self._lost_in_good
        lost = self._random() < lost_here
        if self._random() < (self._leave_bad if self._bad else self._leave_good):
            self._bad = not self._bad
        return lost


class _BitErrors:
    """P(lost) = 1 - (1 - ber) ** bits, exact for tiny ratios. Bits are those of the frame without FCS."""

    def __init__(self, loss: BitErrorLoss, random: Random) -> None:
        self._random = random.random
        ber = float(loss.ber)

        @lru_cache(maxsize=2048)
        def probability(length: int) -> float:
            return 1.0 if ber >= 1 else -expm1(8 * length * log1p(-ber))

        self._probability = probability

    def __call__(self, length: int) -> bool:
        return self._random() < self._probability(length)
