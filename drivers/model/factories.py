"""Short words for building impairments in Python: `delay("45 ms", jitter="8 ms")`, `loss("0.3 %", burst=4)`.

A bare number is SI: seconds, bit/s, bytes, fraction of one. All raise pydantic's ValidationError (a ValueError) that
names the field and what is legal.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from impairlab.drivers.model.delays import Delay, Distribution
from impairlab.drivers.model.impairments import Corrupt, Duplicate, LinkState, RateLimit, Reorder
from impairlab.drivers.model.losses import (
    BitErrorLoss,
    BurstLoss,
    GilbertElliottLoss,
    Outage,
    PeriodicLoss,
    RandomLoss,
)

Amount = str | float | Decimal
Duration = str | float | Decimal | timedelta


def delay(
    mean: Duration,
    *,
    jitter: Duration = 0,
    distribution: Distribution | None = None,
    keep_order: bool = True,
) -> Delay:
    """One-way delay. With a jitter the default distribution is normal, and jitter its standard deviation."""
    chosen = distribution or ("normal" if jitter else "constant")
    return Delay(mean=mean, spread=jitter, distribution=chosen, keep_order=keep_order)


def loss(rate: Amount, *, burst: float | Decimal | None = None) -> RandomLoss | BurstLoss:
    """Random loss, or with `burst` (mean packets lost in a row, >= 1) loss in bursts."""
    return RandomLoss(rate=rate) if burst is None else BurstLoss(rate=rate, burst=burst)


def periodic_loss(every: int, *, burst: int = 1) -> PeriodicLoss:
    """Lose `burst` consecutive packets out of every `every`."""
    return PeriodicLoss(every=every, burst=burst)


def gilbert_elliott(
    to_bad: Amount, to_good: Amount, *, bad_loss: Amount = 1, good_loss: Amount = 0
) -> GilbertElliottLoss:
    """Two-state loss; see `GilbertElliottLoss`."""
    return GilbertElliottLoss(to_bad=to_bad, to_good=to_good, bad_loss=bad_loss, good_loss=good_loss)


def bit_errors(ber: Amount) -> BitErrorLoss:
    """Loss from a bit error ratio, e.g. Decimal("1e-9")."""
    return BitErrorLoss(ber=ber)


def outage() -> Outage:
    """Lose everything."""
    return Outage()


def rate(
    limit: Amount,
    *,
    mode: Literal["shaper", "policer", "link"] = "shaper",
    burst: Amount = 3_028,
    queue: Amount = 256_000,
) -> RateLimit:
    """Limit the bit rate; burst and queue are bytes."""
    return RateLimit(rate=limit, mode=mode, burst=burst, queue=queue)


def reorder(share: Amount, *, depth: int = 1) -> Reorder:
    """Hold back a share of the packets until `depth` later ones have passed."""
    return Reorder(rate=share, depth=depth)


def duplicate(share: Amount, *, copies: int = 1) -> Duplicate:
    """Send a share of the packets `copies` times more."""
    return Duplicate(rate=share, copies=copies)


def corrupt(share: Amount, *, bits: int = 1) -> Corrupt:
    """Flip `bits` bits in a share of the packets."""
    return Corrupt(rate=share, bits=bits)


def link_down() -> LinkState:
    """Take the line down."""
    return LinkState(state="down")


def link_flap(down: Duration, period: Duration) -> LinkState:
    """Take the line down for `down` in every `period`."""
    return LinkState(state="flap", down=down, period=period)
