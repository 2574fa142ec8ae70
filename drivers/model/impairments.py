"""Impairments: what can be done to packets, as frozen values.

A value says what is wanted, in exact units, and nothing about any appliance. Shorthand is accepted wherever it cannot
be misread, in Python and in files alike: `Delay` from "45 ms", `Loss` from "0.3 %", {"rate": "1 %", "burst": 4}.

The order in which an appliance or simulator applies them to a packet is fixed: link state, policer, loss, corruption,
duplication, rate (queue and serialisation), delay, reordering.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from impairlab.drivers.model.delays import AnyDelay
from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.losses import AnyLoss
from impairlab.drivers.model.patterns import Pattern
from impairlab.drivers.model.schedule import ScheduleField, scheduled
from impairlab.drivers.model.units import (
    Probability,
    Rate,
    Size,
    Time,
    format_probability,
    format_rate,
    format_size,
    format_time,
)


class _Picked(Frozen):
    """What hits a share of the packets.

    Attributes:
        rate: Share of packets hit, each independently. Required, unless there is a pattern.
        pattern: Which packets are hit, in place of a rate.
        schedule: When it acts; always without one.
    """

    rate: Probability = Decimal(0)
    pattern: Pattern | None = None
    schedule: ScheduleField | None = None

    @model_validator(mode="after")
    def _rate_or_pattern(self) -> Self:
        if self.pattern is None and "rate" not in self.model_fields_set:
            raise ValueError("a rate is required, or a pattern in its place")
        if self.pattern is not None and self.rate:
            raise ValueError("a rate and a pattern exclude each other")
        return self

    @property
    def _share(self) -> str:
        return format_probability(self.rate) if self.pattern is None else str(self.pattern)


class Reorder(_Picked):
    """A share of the packets is held back behind later ones.

    Attributes:
        rate: Share of packets held back.
        depth: How many later packets overtake a packet that is held back. It is released after them, or after `hold` if
            they do not come. 0: it is released after `hold`, however many have overtaken it.
        depth_most: With it, the depth of each packet is drawn, `depth` to `depth_most`, each equally likely.
        hold: Longest time a packet waits for others to overtake it.
    """

    kind: Literal["reorder"] = "reorder"
    depth: int = Field(default=1, ge=0)
    depth_most: int = Field(default=0, ge=0)
    hold: Time = Field(default=100_000_000, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.depth_most and not 0 < self.depth <= self.depth_most:
            raise ValueError("depth_most needs 0 < depth <= depth_most")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        far = f"{self.depth} to {self.depth_most}" if self.depth_most else str(self.depth or format_time(self.hold))
        return scheduled(f"reorder {self._share} by {far}", self.schedule)


class Duplicate(_Picked):
    """A share of the packets is sent `copies` times more."""

    kind: Literal["duplicate"] = "duplicate"
    copies: int = Field(default=1, ge=1)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return scheduled(f"duplicate {self._share}", self.schedule)


class Corrupt(_Picked):
    """A share of the packets is damaged.

    Attributes:
        rate: Share of packets hit.
        damages: payload: what IP (or Ethernet) carries, checksums left as they were. ethernet, ip, udp, tcp: the check
            sequence or checksum of that layer is made wrong and nothing else; a packet without that layer passes.
        bits: Number of distinct bits flipped in a packet that is hit, >= 1; of bytes where `how` is another.
        how: flip: bits change. random: bytes become random ones. transpose: bytes change places with the next.
        first_byte: Damage begins here, counted from the first byte of the frame; None: of what is carried.
        last_byte: Damage ends here; None: at the end.
        checksums: kept: as they were, and so wrong. fixed: made right again, so that only the application can tell.
    """

    kind: Literal["corrupt"] = "corrupt"
    bits: int = Field(default=1, ge=1)
    damages: Literal["payload", "ethernet", "ip", "udp", "tcp"] = "payload"
    how: Literal["flip", "random", "transpose"] = "flip"
    first_byte: int | None = Field(default=None, ge=0)
    last_byte: int | None = Field(default=None, ge=0)
    checksums: Literal["kept", "fixed"] = "kept"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        placed = self.first_byte is not None or self.last_byte is not None
        if self.damages != "payload" and (placed or self.how != "flip" or self.checksums != "kept" or self.bits != 1):
            raise ValueError("bits, how, first_byte, last_byte and checksums belong to damage of the payload")
        if self.first_byte is not None and self.last_byte is not None and self.last_byte < self.first_byte:
            raise ValueError("last_byte must not be before first_byte")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        layer = "" if self.damages == "payload" else f" {self.damages}"
        return scheduled(f"corrupt{layer} {self._share}", self.schedule)


class RateLimit(Frozen):
    """A bit-rate limit.

    Attributes:
        rate: Committed rate, > 0.
        mode: shaper: packets wait in a queue. policer: packets over the burst allowance are dropped. link: like shaper
            with no burst allowance, as a slower line.
        burst: Token bucket depth of shaper and policer.
        queue: Bytes a shaper or link holds before it drops at the tail.
        layer: What counts: l2 = frame without preamble, gap and FCS; l1 = plus 24 bytes a frame (FCS, preamble, gap).
    """

    kind: Literal["rate"] = "rate"
    rate: Rate = Field(gt=0)
    mode: Literal["shaper", "policer", "link"] = "shaper"
    burst: Size = Field(default=3_028, ge=0)
    queue: Size = Field(default=256_000, ge=0)
    layer: Literal["l1", "l2"] = "l2"

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"{self.mode} {format_rate(self.rate)}"


class LinkState(Frozen):
    """The line itself.

    Attributes:
        state: up, down, or flap (down for `down`, then up for the rest of `period`, over and over).
        down: Only flap.
        period: Only flap; > down.
        repetitions: Only flap: how often it goes down; 0 is without end.
    """

    kind: Literal["link"] = "link"
    state: Literal["up", "down", "flap"]
    down: Time = Field(default=0, ge=0)
    period: Time = Field(default=0, ge=0)
    repetitions: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.state == "flap") != bool(self.period) or (self.state != "flap" and (self.down or self.repetitions)):
            raise ValueError("down, period and repetitions belong to 'flap', and 'flap' needs a period")
        if self.state == "flap" and not 0 < self.down < self.period:
            raise ValueError("a flap needs 0 < down < period")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        flap = f" {format_time(self.down)} every {format_time(self.period)}" if self.period else ""
        return f"link {self.state}{flap}" + (f", {self.repetitions} times" if self.repetitions else "")


class RandomFlap(Frozen):
    """The line goes down and up again, for times drawn anew each time, every value equally likely. It begins up.

    Attributes:
        up: Least time it is up.
        up_most: Most time it is up.
        down: Least time it is down.
        down_most: Most time it is down.
    """

    kind: Literal["link"] = "link"
    state: Literal["random-flap"] = "random-flap"
    up: Time = Field(gt=0)
    up_most: Time = Field(gt=0)
    down: Time = Field(gt=0)
    down_most: Time = Field(gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.up_most < self.up or self.down_most < self.down:
            raise ValueError("up_most must not be below up, nor down_most below down")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        up, up_most, down, down_most = (
            format_time(each) for each in (self.up, self.up_most, self.down, self.down_most)
        )
        return f"link down {down} to {down_most} after {up} to {up_most}"


AnyLink = LinkState | RandomFlap
LinkField = Annotated[AnyLink, Field(discriminator="state")]


class EcnMark(Frozen):
    """A share of ECN-capable packets is marked "congestion experienced" (RFC 3168)."""

    kind: Literal["ecn"] = "ecn"
    rate: Probability

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"mark {format_probability(self.rate)}"


class PfcPause(Frozen):
    """Priority flow control pauses (IEEE 802.1Qbb).

    Attributes:
        priorities: Classes to pause, 0..7.
        duration: Length of one pause.
        period: Time from one pause to the next, >= duration.
    """

    kind: Literal["pfc"] = "pfc"
    priorities: tuple[Annotated[int, Field(ge=0, le=7)], ...] = Field(min_length=1)
    duration: Time = Field(gt=0)
    period: Time = Field(gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.period < self.duration:
            raise ValueError("a pause cannot be longer than its period")
        return self

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"pause {format_time(self.duration)} every {format_time(self.period)}"


class Mtu(Frozen):
    """Packets whose layer-3 length exceeds `size` are dropped."""

    kind: Literal["mtu"] = "mtu"
    size: Size = Field(ge=68)

    def __str__(self) -> str:
        """A few words, as in a table cell."""
        return f"mtu {format_size(self.size)}"


Impairment = AnyDelay | AnyLoss | Reorder | Duplicate | Corrupt | RateLimit | AnyLink | EcnMark | PfcPause | Mtu
