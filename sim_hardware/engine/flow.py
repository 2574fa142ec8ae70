"""One flow: applies its conditions to a packet in the fixed order and says when each resulting packet is released.

Link state, MTU, policer, loss, ECN marking, corruption, duplication, rate queue and serialisation, delay; the direction
does the reordering at release. A packet's fate is settled when it arrives: later changes leave it alone.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Generic, TypeVar

from impairlab.drivers.model import (
    NEUTRAL,
    AccumulateBurst,
    AnyDelay,
    Conditions,
    Corrupt,
    Filter,
    Mtu,
    RateLimit,
    Reorder,
)
from impairlab.sim_hardware.engine.accumulate import Accumulator
from impairlab.sim_hardware.engine.counters import Counters
from impairlab.sim_hardware.engine.damage import damaged
from impairlab.sim_hardware.engine.delays import DelayLaw, delay_law
from impairlab.sim_hardware.engine.frames import Headers, mark_congestion, matcher, parse
from impairlab.sim_hardware.engine.hits import Hits, hits
from impairlab.sim_hardware.engine.lines import LineLaw, line_law
from impairlab.sim_hardware.engine.rates import Policer, Shaper
from impairlab.sim_hardware.engine.schedules import Gate, gate

KINDS = frozenset(Conditions.model_fields) - {"pfc"}
"""The kinds of impairment that the engine does; nothing behind a TAP or a socket obeys a pause frame."""


P = TypeVar("P")


class Flow(Generic[P]):
    """The state of one flow: its conditions, its counters and what the last packets left behind.

    Attributes:
        latest: Number of the latest packet, in order of arrival, that was released: the direction's mark of order.
        accumulator: Where packets wait for each other; the direction lets a complete group go.
        holds_back: Tells which packets the direction holds back at release.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self.counters = Counters()
        self.latest = 0
        self.filter: Filter | None = None
        self.conditions: Conditions = NEUTRAL
        self.matches: Callable[[Headers], bool] = _every_frame
        self.accumulator: Accumulator[P] | None = None
        self.holds_back: Hits | None = None
        self._loses: Hits | None = None
        self._corrupts: Hits | None = None
        self._duplicates: Hits | None = None
        self._delay: DelayLaw | None = None
        self._delay_gate: Gate = gate(None)
        self._delay_since_ns = 0
        self._policer: Policer | None = None
        self._shaper: Shaper | None = None
        self._line: LineLaw | None = None
        self._link_since_ns = 0
        self._last_release_ns = 0

    def program(self, now_ns: int, wanted: Filter | None, conditions: Conditions) -> None:
        """Replace filter and conditions. What does not change goes on: the loss chain, the tokens, the flap's phase."""
        before, self.conditions = self.conditions, conditions
        self.filter = wanted
        self.matches = _every_frame if wanted is None else matcher(wanted)
        if conditions.loss != before.loss:
            self._loses = None if conditions.loss is None else hits(conditions.loss, now_ns, self._random)
        if conditions.corrupt != before.corrupt:
            self._corrupts = None if conditions.corrupt is None else hits(conditions.corrupt, now_ns, self._random)
        if conditions.duplicate != before.duplicate:
            self._duplicates = (
                None if conditions.duplicate is None else hits(conditions.duplicate, now_ns, self._random)
            )
        if conditions.reorder != before.reorder:
            self.holds_back = None if conditions.reorder is None else hits(conditions.reorder, now_ns, self._random)
        if conditions.delay != before.delay:
            self._delay_by(now_ns, conditions.delay)
        if conditions.rate != before.rate:
            self._limit_to(now_ns, conditions.rate)
        if conditions.link != before.link:
            self._link_since_ns = now_ns
            self._line = None if conditions.link is None else line_law(conditions.link, self._random)

    def _delay_by(self, now_ns: int, delay: AnyDelay | None) -> None:
        self._delay = None if delay is None else delay_law(delay, self._random)
        self._delay_gate = gate(None if delay is None else delay.schedule)
        self._delay_since_ns = now_ns
        self.accumulator = Accumulator(delay) if isinstance(delay, AccumulateBurst) else None

    def _limit_to(self, now_ns: int, limit: RateLimit | None) -> None:
        policer, shaper = self._policer, self._shaper
        self._policer = self._shaper = None
        if limit is None:
            return
        if limit.mode == "policer":
            self._policer = policer or Policer(limit)
            self._policer.change(now_ns, limit)
        else:
            self._shaper = shaper or Shaper(limit)
            self._shaper.change(now_ns, limit)

    @property
    def reorder(self) -> Reorder | None:
        """How the direction holds packets of this flow back at release."""
        return self.conditions.reorder

    def let_go(self, now_ns: int) -> int:
        """Return when a group leaves that is complete now; those that come later need not wait for its old time."""
        self._last_release_ns = now_ns if self._delay is None else now_ns + self._delay(now_ns - self._delay_since_ns)
        return self._last_release_ns

    def admit(self, now_ns: int, frame: bytes) -> Iterator[tuple[int, bytes]]:
        """Take a frame in; yield (release time, frame) for it and its copies, nothing when it is dropped."""
        counters, conditions = self.counters, self.conditions
        counters.received_packets += 1
        counters.received_bytes += len(frame)
        if self._line is not None and self._line(now_ns - self._link_since_ns) != 0:
            counters.dropped_link += 1
        elif conditions.mtu is not None and _exceeds(conditions.mtu, frame):
            counters.dropped_mtu += 1
        elif self._policer is not None and not self._policer.passes(now_ns, len(frame)):
            counters.dropped_rate += 1
        elif self._loses is not None and self._loses(now_ns, len(frame)):
            counters.dropped_loss += 1
        else:
            yield from self._passed(now_ns, self._marked(frame))

    def _passed(self, now_ns: int, frame: bytes) -> Iterator[tuple[int, bytes]]:
        corrupt, duplicate = self.conditions.corrupt, self.conditions.duplicate
        if corrupt is not None and self._corrupts is not None and self._corrupts(now_ns, len(frame)):
            if corrupt.damages == "ethernet":
                self.counters.corrupted += 1
                self.counters.dropped_other += 1
                return
            frame = self._corrupted(corrupt, frame)
        yield from self._timed(now_ns, frame)
        if duplicate is not None and self._duplicates is not None and self._duplicates(now_ns, len(frame)):
            for _ in range(duplicate.copies):
                self.counters.duplicated += 1
                yield from self._timed(now_ns, frame)

    def _corrupted(self, corrupt: Corrupt, frame: bytes) -> bytes:
        worse = damaged(frame, corrupt, self._random)
        if worse is None:
            return frame
        self.counters.corrupted += 1
        return worse

    def _marked(self, frame: bytes) -> bytes:
        ecn = self.conditions.ecn
        if ecn is not None and self._random.random() < float(ecn.rate):
            marked = mark_congestion(frame)
            if marked is not None:
                self.counters.marked += 1
                return marked
        return frame

    def _timed(self, now_ns: int, frame: bytes) -> Iterator[tuple[int, bytes]]:
        leaves_ns: int | None = now_ns
        if self._shaper is not None:
            leaves_ns = self._shaper.depart(now_ns, len(frame))
        if leaves_ns is None:
            self.counters.dropped_rate += 1
            return
        release_ns = leaves_ns + self._delayed_by(leaves_ns)
        if _keeps_order(self.conditions.delay):
            release_ns = max(release_ns, self._last_release_ns)
        self._last_release_ns = max(release_ns, self._last_release_ns)
        yield release_ns, frame

    def _delayed_by(self, leaves_ns: int) -> int:
        since_ns = self._delay_since_ns
        if self._delay is None or self._delay_gate(leaves_ns - since_ns) is None:
            return 0
        delay_ns = self._delay(leaves_ns - since_ns)
        if self.accumulator is not None:
            delay_ns += self.accumulator.wait(leaves_ns) - leaves_ns
        self.counters.delayed += delay_ns > 0
        self.counters.jittered += getattr(self.conditions.delay, "distribution", "constant") != "constant"
        return delay_ns


def _keeps_order(delay: AnyDelay | None) -> bool:
    """Without a delay nothing asks for overtaking, so what a longer delay still holds goes first."""
    return delay is None or isinstance(delay, AccumulateBurst) or delay.keep_order


def _exceeds(mtu: Mtu, frame: bytes) -> bool:
    return parse(frame).length > mtu.size


def _every_frame(_: Headers) -> bool:
    return True
