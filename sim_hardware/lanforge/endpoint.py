"""An endpoint of a WanLink: its settings, what they do to packets, and how it shows itself.

Sources: greearb/lanforge-scripts, lf_icemod.pl for settings and their ranges, LANforge/Endpoint.pm for what is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from impairlab.drivers.model import (
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    Impairment,
    LinkState,
    RandomBurstLoss,
    RandomLoss,
    RateLimit,
    Reorder,
    Statistics,
)
from impairlab.drivers.model.units import format_time
from impairlab.sim_hardware.lanforge import house

MILLION = 1_000_000
US, MS = 1_000, 1_000_000
KIBIBYTE = 1024
RULES = 6
_HOW = {0x1: "random", 0x4: "flip", 0x8: "transpose"}
_FIXES = 0x20
_KNOWN_FLAGS = 0x3F


class NotDone(Exception):  # noqa: N818 - what the command line says
    """A setting that the simulation cannot do to packets."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One of the six corruptions of an endpoint.

    Attributes:
        flags: As set_wl_corruption has them.
        first: Offset of the first byte.
        last: Of the last.
        rate: Packets per million.
    """

    flags: int
    first: int
    last: int
    rate: int


@dataclass(frozen=True, slots=True)
class Info:
    """What set_wanlink_info sets; frequencies per million, times in ns.

    Attributes:
        speed: Bit/s.
        latency: Of every packet.
        jitter: Most that is added to it.
        reorder_freq: How many are moved.
        buffer: KiB beyond the backlog; -1 is for the box to choose.
        drop_freq: How many are lost, or begin a burst of losses.
        dup_freq: How many come twice.
        jitter_freq: How many have jitter.
        min_drop: Least lost in a row.
        max_drop: Most lost in a row.
        min_reorder: Least packets that pass one that is moved.
        max_reorder: Most.
        max_lateness: Kept.
    """

    speed: int = house.DEFAULT_BPS
    latency: int = 0
    jitter: int = 0
    reorder_freq: int = 0
    buffer: int = -1
    drop_freq: int = 0
    dup_freq: int = 0
    jitter_freq: int = 0
    min_drop: int = 1
    max_drop: int = 1
    min_reorder: int = 1
    max_reorder: int = 10
    max_lateness: int = -1

    def impairments(self) -> Iterator[Impairment]:
        """Yield what packets suffer of it. Raises `NotDone`."""
        yield from self._delay()
        yield from self._loss()
        if self.reorder_freq:
            farther = self.max_reorder if self.max_reorder > self.min_reorder else 0
            hold = f"{house.REORDER_HOLD_MS} ms"
            yield Reorder(rate=_share(self.reorder_freq), depth=self.min_reorder, depth_most=farther, hold=hold)
        if self.dup_freq:
            yield Duplicate(rate=_share(self.dup_freq))
        if self.speed < house.DEFAULT_BPS:
            queue = house.DEFAULT_BUFFER if self.buffer < 0 else self.buffer * KIBIBYTE
            yield RateLimit(rate=self.speed, mode="link", queue=queue)

    def _delay(self) -> Iterator[Impairment]:
        if self.jitter and 0 < self.jitter_freq < MILLION:
            raise NotDone(f"a jitter of {self.jitter_freq} in a million packets")
        if self.jitter and self.jitter_freq:
            half = self.jitter // 2
            mean, spread = format_time(self.latency + half), format_time(half)
            yield Delay(mean=mean, spread=spread, distribution="uniform")
        elif self.latency:
            yield Delay(mean=format_time(self.latency))

    def _loss(self) -> Iterator[Impairment]:
        shortest, longest = max(self.min_drop, 1), max(self.max_drop, 1)
        if not self.drop_freq:
            return
        if (shortest, longest) == (1, 1):
            yield RandomLoss(rate=_share(self.drop_freq))
        else:
            yield RandomBurstLoss(rate=_share(self.drop_freq), shortest=shortest, longest=longest)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that an endpoint is set to.

    Attributes:
        info: Of set_wanlink_info.
        corruptions: Of set_wl_corruption, by number.
    """

    info: Info = field(default_factory=Info)
    corruptions: tuple[Corruption | None, ...] = (None,) * RULES

    def conditions(self) -> Conditions:
        """Return what packets suffer. Raises `NotDone`."""
        return Conditions.of(*self.info.impairments(), *self._corruption())

    def _corruption(self) -> Iterator[Impairment]:
        rules = [each for each in self.corruptions if each is not None and each.rate]
        if len(rules) > 1:
            raise NotDone("a second corruption")
        for rule in rules:
            how = _HOW.get(rule.flags & ~_FIXES)
            if how is None:
                raise NotDone(f"a corruption with flags {rule.flags:#x}")
            yield Corrupt.model_validate(
                {
                    "rate": _share(rule.rate),
                    "how": how,
                    "first_byte": rule.first,
                    "last_byte": rule.last,
                    "checksums": "fixed" if rule.flags & _FIXES else "kept",
                }
            )


@dataclass(slots=True)
class Endpoint:
    """One end of a WanLink.

    Attributes:
        name: Unique.
        number: As it is shown.
        resource: Whose number is that of its path, from 1.
        port: As it was given.
        settings: What it is set to.
    """

    name: str
    number: int
    resource: int
    port: str
    settings: Settings = field(default_factory=Settings)

    def page(self, told: Statistics, *, runs: bool) -> str:
        """Return what nc_show_endpoint prints."""
        now = self.settings.info
        extra = f"ExtraBuf: {now.buffer}KB"
        return "\n".join(
            (
                f"WanLink [{self.name}] ({'RUNNING' if runs else 'NOT_RUNNING'})",
                f"     Shelf: 1, Card: {self.resource}  Port: {self.number}  Endpoint: {self.number}  Type: WAN_LINK",
                "     Description:",
                f"     MaxTxRate: {now.speed}bps  Latency: {_time(now.latency)}  MaxJitter: {_time(now.jitter)}",
                f"     DropFreq: {now.drop_freq}  DupFreq: {now.dup_freq}  ReorderFreq: {now.reorder_freq}  {extra}",
                "     RptTimer: 5000ms  RunningFor: 0s  StopIn: 0s  MaxBuf: 0B",
                "     Cur Backlog: 0  Real Tx Rate: 0bps  WanPaths: 0",
                f"     JitterFreq: {now.jitter_freq}  RecordQ: 0  Dump File:",
                f"     MinDropAmt: {now.min_drop}  MaxDropAmt: {now.max_drop}",
                *(f"       {name + ':':<19}Total: {count or 0:<12}Time: 60s   Cur: 0" for name, count in _totals(told)),
            )
        )


def blocked() -> Conditions:
    """Return what packets of a WanLink that does not run suffer."""
    return Conditions.of(LinkState(state="down"))


def _totals(told: Statistics) -> Iterator[tuple[str, int | None]]:
    yield "Rx Pkts", told.received_packets
    yield "Rx Bytes", told.received_bytes
    yield "Tx OOO Pkts", told.reordered
    yield "Rx Dropped Pkts", told.dropped_total
    yield "Tx Duplicate Pkts", told.duplicated
    yield "Tx Pkts", told.forwarded_packets
    yield "Tx Bytes", told.forwarded_bytes


def _share(per_million: int) -> Decimal:
    return Decimal(per_million) / MILLION


def _time(nanoseconds: int) -> str:
    return f"{nanoseconds // MS}ms" if nanoseconds % MS == 0 else f"{nanoseconds // US}us"
