"""What is set on a WanLink endpoint or a WanPath, word by word.

Source of names, order, ranges and units: greearb/lanforge-scripts @0175c2c, lf_icemod.pl (usage), lf_ice.pl
(add_wanpath) and py-scripts/lf_create_wanpath.py; the amounts in ms also as `500us`: candelatech.com/lfcli_ug.php.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from impairlab.sim_hardware.lanforge.house import AUTO_BUFFER_KB, MOST_BPS, Code, Refused

KEEP = "NA"
MILLION = 1_000_000
AUTO = -1
_FRAME = 1_514
_US_PER_MS = 1_000
_NUMBER = re.compile(r"(-?\d{1,18})(us|ms)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in us, shares in packets of a million, the buffer in KB."""

    max_rate: int
    latency: int = 0
    max_jitter: int = 0
    reorder_freq: int = 0
    extra_buffer: int = AUTO_BUFFER_KB
    drop_freq: int = 0
    dup_freq: int = 0
    jitter_freq: int = MILLION
    min_drop_amt: int = 1
    max_drop_amt: int = 1
    min_reorder_amt: int = 1
    max_reorder_amt: int = 10
    max_lateness: int = AUTO

    @property
    def buffer_bytes(self) -> int:
        """What is shown as MaxBuf."""
        return (AUTO_BUFFER_KB if self.extra_buffer == AUTO else self.extra_buffer) * 1_024 + _FRAME


@dataclass(frozen=True, slots=True)
class Limits:
    """Least and most as they are written; `is_time`: in ms, and kept in us."""

    least: int
    most: int
    is_time: bool = False


_SHARE = Limits(0, MILLION)
_AMOUNT = Limits(1, 1_000)
LIMITS: Mapping[str, Limits] = {
    "max_rate": Limits(1, MOST_BPS),
    "latency": Limits(0, MILLION, is_time=True),
    "max_jitter": Limits(0, MILLION, is_time=True),
    "reorder_freq": _SHARE,
    "extra_buffer": Limits(AUTO, MILLION),
    "drop_freq": _SHARE,
    "dup_freq": _SHARE,
    "jitter_freq": Limits(0, 10 * MILLION),
    "min_drop_amt": _AMOUNT,
    "max_drop_amt": _AMOUNT,
    "min_reorder_amt": _AMOUNT,
    "max_reorder_amt": _AMOUNT,
    "max_lateness": Limits(AUTO, MILLION),
}

INFO = ("max_rate", "latency", "max_jitter", "reorder_freq", "extra_buffer", "drop_freq", "dup_freq")
MORE_INFO = ("jitter_freq", "min_drop_amt", "max_drop_amt", "min_reorder_amt", "max_reorder_amt", "max_lateness")
PATH_INFO = ("max_rate", "latency", "max_jitter", "extra_buffer", "reorder_freq", "drop_freq", "dup_freq")
"""The order of the words: set_wanlink_info around its capture, and add_wanpath."""

Clamp = Callable[[str, Decimal], Decimal]
"""What is made of a number of a setting, without a word."""


def is_kept(word: str) -> bool:
    """Say whether a word leaves a setting alone."""
    return word.upper() == KEEP


def changed(settings: Settings, names: Sequence[str], words: Sequence[str], clamped: Clamp) -> Settings:
    """Return settings with what the words say; one for each name, those at the end may be missing. Raises `Refused`."""
    changes = {name: _read(name, word, clamped) for name, word in zip(names, words, strict=False) if not is_kept(word)}
    after = replace(settings, **changes)
    for what in ("drop_amt", "reorder_amt"):
        least, most = getattr(after, f"min_{what}"), getattr(after, f"max_{what}")
        if least > most:
            raise Refused(Code.BAD_ARGUMENT, f"min_{what} {least} is above max_{what} {most}")
    return after


def _read(name: str, word: str, clamped: Clamp) -> int:
    limits = LIMITS[name]
    match = _NUMBER.fullmatch(word)
    if match is None or (match[2] and not limits.is_time):
        raise Refused(Code.BAD_ARGUMENT, f"{name} is a whole number of {limits.least} to {limits.most}, not {word!r}")
    scale = _US_PER_MS if limits.is_time else 1
    value = int(match[1]) * (1 if match[2] == "us" else scale)
    if not limits.least * scale <= value <= limits.most * scale:
        raise Refused(Code.BAD_ARGUMENT, f"{name} is {limits.least} to {limits.most}, not {word}")
    return int(clamped(name, Decimal(value) / scale) * scale)


def shown_time(us: int) -> str:
    """Return a time as it is shown."""
    return f"{us}us" if us % _US_PER_MS else f"{us // _US_PER_MS}ms"
