"""Conditions to the arguments of `set_wanlink_info` and `set_wl_corruption`, and what `nc_show_endpoint` says back.

Sources: github.com/greearb/lanforge-scripts, lf_icemod.pl (arguments and their ranges) and LANforge/Endpoint.pm (what
an endpoint shows); Candela's lfcli_ug for the corruptions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import Delay
from impairlab.drivers.model.impairments import Corrupt, Duplicate, RateLimit, Reorder
from impairlab.drivers.model.losses import AnyLoss, Outage, RandomBurstLoss, RandomLoss

MILLION = 1_000_000
KIBIBYTE = 1024
US = 1_000
MS = 1_000_000
FLAGS: Mapping[str, int] = {"random": 0x1, "flip": 0x4, "transpose": 0x8}
FIXES_CHECKSUMS = 0x20
RULE = 0
"""Of the six corruptions that an endpoint has, the one that this driver uses."""

_AUTO = "-1"
_DEFAULT_AMOUNTS = ("1", "10")
_HEAD = re.compile(r"^WanLink\s+\[(?P<name>.*)\]\s+\((?P<flags>.*)\)\s*$", re.MULTILINE)
_VALUE = re.compile(r"([A-Za-z]+):\s+(-?\d+)(bps|ms|us|KB|B)?(?=\s|$)")
_TOTAL = re.compile(r"^\s*([RT]x [A-Za-z ]+):\s+Total:\s+(\d+)", re.MULTILINE)


class NotInOurWordsError(ValueError):
    """What is set has no place in conditions."""


@dataclass(frozen=True, slots=True)
class Unshown:
    """What an endpoint does not show, as it was last written: how far packets are moved, and the corruption."""

    reorder: Reorder | None = None
    corrupt: Corrupt | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an endpoint shows.

    Attributes:
        runs: Whether it passes packets.
        settings: By name: times in ns, rates in bit/s, sizes in bytes, frequencies per million.
        totals: Counters by name.
    """

    runs: bool
    settings: Mapping[str, int]
    totals: Mapping[str, int]

    @classmethod
    def read(cls, name: str, text: str) -> Endpoint:
        """Read what `nc_show_endpoint` answers. Raises ValueError."""
        head = _HEAD.search(text)
        if head is None or head["name"] != name:
            raise ValueError(f"no WanLink [{name}]")
        scale = {"ms": MS, "us": US, "KB": KIBIBYTE}
        found = [(each[1], int(each[2]) * scale.get(each[3] or "", 1)) for each in _VALUE.finditer(text)]
        settings: dict[str, int] = {}
        for key, value in found:
            settings.setdefault(key, value)
        for needed in ("MaxTxRate", "Latency", "MaxJitter", "DropFreq", "DupFreq", "ReorderFreq"):
            if needed not in settings:
                raise ValueError(f"no {needed}")
        totals = {each[1]: int(each[2]) for each in _TOTAL.finditer(text)}
        return cls("NOT_RUNNING" not in head["flags"], settings, totals)


def info_words(endpoint: str, conditions: Conditions, line: int | None) -> str:
    """Return the command that sets all of an endpoint but its corruptions; conditions are legal.

    Args:
        endpoint: Its name.
        conditions: All of them.
        line: Bit/s that count as no limit; None leaves the speed alone.
    """
    latency, jitter = _times(conditions.delay)
    least_drop, most_drop, drops = _drops(conditions.loss)
    speed, extra = ("NA", "NA") if line is None else _speed(conditions.rate, line)
    reorder, duplicate = conditions.reorder, conditions.duplicate
    nearest, farthest = _DEFAULT_AMOUNTS if reorder is None else _amounts(reorder)
    arguments = (
        speed,
        latency,
        jitter,
        _per_million(reorder.rate if reorder else Decimal(0)),
        extra,
        drops,
        _per_million(duplicate.rate if duplicate else Decimal(0)),
        "NA",  # the capture that is played back
        str(MILLION if jitter != "0" else 0),
        least_drop,
        most_drop,
        nearest,
        farthest,
    )
    return f"set_wanlink_info {endpoint} {' '.join(arguments)}"


def corruption_words(endpoint: str, corrupt: Corrupt | None) -> str:
    """Return the command that sets the corruption of an endpoint, or takes it away."""
    if corrupt is None:
        return f"set_wl_corruption {endpoint} {RULE} 0 0 0 0 0"
    flags = FLAGS[corrupt.how] | (FIXES_CHECKSUMS if corrupt.checksums == "fixed" else 0)
    rate = _per_million(corrupt.rate if corrupt.rate is not None else Decimal(0))
    return f"set_wl_corruption {endpoint} {RULE} {flags} 0 {corrupt.first_byte} {corrupt.last_byte} {rate}"


def read_conditions(endpoint: Endpoint, unshown: Unshown, line: int | None) -> Conditions:
    """Return what an endpoint is set to.

    Args:
        endpoint: As it shows itself.
        unshown: What it does not show.
        line: Bit/s that count as no limit.

    Raises:
        NotInOurWordsError: Something is set that conditions have no place for.
    """
    shown = endpoint.settings
    return Conditions(
        delay=_read_delay(shown),
        loss=_read_loss(shown),
        reorder=_read_reorder(shown, unshown.reorder),
        duplicate=Duplicate(rate=Decimal(shown["DupFreq"]) / MILLION) if shown["DupFreq"] else None,
        corrupt=unshown.corrupt,
        rate=_read_rate(shown, line),
    )


def _times(delay: object) -> tuple[str, str]:
    """Return latency and greatest jitter: with jitter packets take `latency` to `latency` + `jitter`."""
    if not isinstance(delay, Delay):
        return "0", "0"
    return _time(delay.mean - delay.spread), _time(2 * delay.spread)


def _time(nanoseconds: int) -> str:
    milliseconds, rest = divmod(nanoseconds, MS)
    return f"{nanoseconds // US}us" if rest else str(milliseconds)


def _drops(loss: AnyLoss | None) -> tuple[str, str, str]:
    match loss:
        case RandomLoss():
            return "1", "1", _per_million(loss.rate)
        case RandomBurstLoss():
            return str(loss.shortest), str(loss.longest), _per_million(loss.rate)
        case Outage():
            return "1", "1", str(MILLION)
        case _:
            return "1", "1", "0"


def _amounts(reorder: Reorder) -> tuple[str, str]:
    return str(reorder.depth), str(max(reorder.depth, reorder.depth_most))


def _speed(rate: RateLimit | None, line: int) -> tuple[str, str]:
    return (str(line), _AUTO) if rate is None else (str(rate.rate), str(rate.queue // KIBIBYTE))


def _per_million(share: Decimal) -> str:
    return str(int(share * MILLION))


def _read_delay(shown: Mapping[str, int]) -> Delay | None:
    latency, jitter = shown["Latency"], shown["MaxJitter"]
    often = shown.get("JitterFreq", 0)
    if not jitter or not often:
        return Delay(mean=Decimal(latency) / 10**9) if latency else None
    if often < MILLION:
        raise NotInOurWordsError(f"JitterFreq {often}: jitter here is of every packet, {MILLION}")
    if jitter % (2 * US):
        raise NotInOurWordsError(f"MaxJitter of {jitter} ns: half of it is no whole number of microseconds")
    half = Decimal(jitter // 2)
    return Delay(mean=(latency + half) / 10**9, spread=half / 10**9, distribution="uniform")


def _read_loss(shown: Mapping[str, int]) -> AnyLoss | None:
    often = shown["DropFreq"]
    least, most = max(shown.get("MinDropAmt", 1), 1), max(shown.get("MaxDropAmt", 1), 1)
    if not often:
        return None
    if (least, most) != (1, 1):
        return RandomBurstLoss(rate=Decimal(often) / MILLION, shortest=least, longest=most)
    return Outage() if often >= MILLION else RandomLoss(rate=Decimal(often) / MILLION)


def _read_reorder(shown: Mapping[str, int], written: Reorder | None) -> Reorder | None:
    often = Decimal(shown["ReorderFreq"]) / MILLION
    if not often:
        return None
    if written is None or written.rate != often:
        raise NotInOurWordsError(f"ReorderFreq {shown['ReorderFreq']}, by as many packets as it does not show")
    return written


def _read_rate(shown: Mapping[str, int], line: int | None) -> RateLimit | None:
    if line is None or shown["MaxTxRate"] >= line:
        return None
    if shown["MaxTxRate"] <= 0:
        raise NotInOurWordsError(f"MaxTxRate {shown['MaxTxRate']}")
    return RateLimit(rate=shown["MaxTxRate"], mode="link", queue=max(shown.get("ExtraBuf", 0), 0))
