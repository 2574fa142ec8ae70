"""From settings to what packets suffer, in terms of the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from impairlab.drivers.model import Conditions, Corrupt, Delay, Duplicate, RateLimit, Reorder
from impairlab.drivers.model.losses import AnyLoss, RandomBurstLoss, RandomLoss
from impairlab.sim_hardware.lanforge.house import JITTER_TABLE, LEAST_JITTER_SHARE, REORDER_HOLD_MS, Code, Refused
from impairlab.sim_hardware.lanforge.settings import MILLION, Settings

RANDOM_BYTE, FIXED_BYTE, BIT_FLIP, TRANSPOSE, CHAIN, FIX_CHECKSUMS = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
"""Flags of set_wl_corruption."""

EVERY_FLAG = RANDOM_BYTE | FIXED_BYTE | BIT_FLIP | TRANSPOSE | CHAIN | FIX_CHECKSUMS
LAST_OFFSET = 65_535
_NS_PER_US = 1_000
_HOW: Mapping[int, str] = {RANDOM_BYTE: "random", BIT_FLIP: "flip", TRANSPOSE: "transpose"}


@dataclass(frozen=True, slots=True)
class Corruption:
    """One of the six rules of an endpoint; `rate` in packets of a million."""

    flags: int = BIT_FLIP
    byte: int = 0
    min_offset: int = 0
    max_offset: int = LAST_OFFSET
    rate: int = 0


def conditions_of(settings: Settings, rules: Sequence[Corruption], line_bps: int) -> Conditions:
    """Return what packets suffer. Raises `Refused` for what the data plane cannot do."""
    acting = [rule for rule in rules if rule.rate]
    if len(acting) > 1:
        raise Refused(Code.CANNOT, "this simulation does one corruption at a time")
    return Conditions(
        delay=_delay(settings),
        loss=_loss(settings),
        reorder=_reorder(settings),
        duplicate=Duplicate(rate=_share(settings.dup_freq)) if settings.dup_freq else None,
        corrupt=_corrupt(acting[0]) if acting else None,
        rate=_rate(settings, line_bps),
    )


def _share(per_million: int) -> Decimal:
    return Decimal(per_million) / MILLION


def _time(us: int) -> str:
    return f"{us} us"


def _delay(settings: Settings) -> Delay | None:
    base, most, share = settings.latency, settings.max_jitter, min(settings.jitter_freq, MILLION)
    if not most or not share:
        return Delay.model_validate(_time(base)) if base else None
    if share == MILLION:
        half_ns = most * _NS_PER_US // 2
        law = {"mean": f"{base * _NS_PER_US + half_ns} ns", "spread": f"{half_ns} ns", "distribution": "uniform"}
        return Delay.model_validate(law)
    if share < LEAST_JITTER_SHARE:
        raise Refused(Code.CANNOT, f"this simulation does a jitter_freq of 0, or {LEAST_JITTER_SHARE} and more")
    return Delay.model_validate(
        {"mean": _time(base), "spread": "1 us", "distribution": "table", "table": _now_and_then(most, share)}
    )


def _now_and_then(most_us: int, share: int) -> tuple[Decimal, ...]:
    """Return equally likely delays on top, of which `share` in a million are spread over 0 to `most_us`."""
    hit = JITTER_TABLE * share // MILLION
    missed = round(hit * MILLION / share) - hit
    spread = (Decimal(most_us) * (2 * step + 1) / (2 * hit) for step in range(hit))
    return (*(Decimal(0) for _ in range(missed)), *spread)


def _loss(settings: Settings) -> AnyLoss | None:
    if not settings.drop_freq:
        return None
    rate = _share(settings.drop_freq)
    if settings.max_drop_amt == 1:
        return RandomLoss(rate=rate)
    return RandomBurstLoss(rate=rate, shortest=settings.min_drop_amt, longest=settings.max_drop_amt)


def _reorder(settings: Settings) -> Reorder | None:
    if not settings.reorder_freq:
        return None
    least, most = settings.min_reorder_amt, settings.max_reorder_amt
    return Reorder.model_validate(
        {
            "rate": _share(settings.reorder_freq),
            "depth": least,
            "depth_most": most if most > least else 0,
            "hold": f"{REORDER_HOLD_MS} ms",
        }
    )


def _rate(settings: Settings, line_bps: int) -> RateLimit | None:
    if settings.max_rate >= line_bps:
        return None
    return RateLimit(rate=settings.max_rate, mode="link", queue=settings.buffer_bytes, layer="l2")


def _corrupt(rule: Corruption) -> Corrupt:
    how = _HOW.get(rule.flags & ~FIX_CHECKSUMS)
    if how is None:
        raise Refused(
            Code.CANNOT, "this simulation flips bits, makes bytes random or transposes them, one of the three"
        )
    return Corrupt.model_validate(
        {
            "rate": _share(rule.rate),
            "how": how,
            "first_byte": rule.min_offset,
            "last_byte": rule.max_offset,
            "checksums": "fixed" if rule.flags & FIX_CHECKSUMS else "kept",
        }
    )
