"""One flow: applies its conditions to a packet in the fixed order and says when each resulting packet is released.

Link state, MTU, policer, loss, ECN marking, corruption, duplication, rate queue and serialisation, delay; the direction
does the reordering at release. A packet's fate is settled when it arrives: later changes leave it alone.
"""

from collections.abc import Callable, Iterator
from random import Random

from impairlab.drivers.model import NEUTRAL, Conditions, Delay, Filter, LinkState, Mtu, RateLimit, Reorder
from impairlab.sim_hardware.engine.counters import Counters
from impairlab.sim_hardware.engine.delays import DelayLaw, delay_law
from impairlab.sim_hardware.engine.frames import Headers, flip_bits, mark_congestion, matcher, parse
from impairlab.sim_hardware.engine.losses import LossProcess, loss_process
from impairlab.sim_hardware.engine.rates import Policer, Shaper

KINDS = frozenset(Conditions.model_fields) - {"pfc"}
"""The kinds of impairment that the engine does; nothing behind a TAP or a socket obeys a pause frame."""


class Flow:
    """The state of one flow: its conditions, its counters and what the last packets left behind.

    Attributes:
        latest: Number of the latest packet, in order of arrival, that was released: the direction's mark of order.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self.counters = Counters()
        self.latest = 0
        self.filter: Filter | None = None
        self.conditions: Conditions = NEUTRAL
        self.matches: Callable[[Headers], bool] = _every_frame
        self._loses: LossProcess | None = None
        self._delay: DelayLaw | None = None
        self._policer: Policer | None = None
        self._shaper: Shaper | None = None
        self._link_since_ns = 0
        self._last_release_ns = 0

    def program(self, now_ns: int, wanted: Filter | None, conditions: Conditions) -> None:
        """Replace filter and conditions. What does not change goes on: the loss chain, the tokens, the flap's phase."""
        before, self.conditions = self.conditions, conditions
        self.filter = wanted
        self.matches = _every_frame if wanted is None else matcher(wanted)
        if conditions.loss != before.loss:
            self._loses = None if conditions.loss is None else loss_process(conditions.loss, self._random)
        if conditions.delay != before.delay:
            self._delay = None if conditions.delay is None else delay_law(conditions.delay, self._random)
        if conditions.rate != before.rate:
            self._limit_to(now_ns, conditions.rate)
        if conditions.link != before.link:
            self._link_since_ns = now_ns

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
        """What the direction does to packets of this flow at release."""
        return self.conditions.reorder

    def admit(self, now_ns: int, frame: bytes) -> Iterator[tuple[int, bytes]]:
        """Take a frame in; yield (release time, frame) for it and its copies, nothing when it is dropped."""
        counters, conditions = self.counters, self.conditions
        counters.received_packets += 1
        counters.received_bytes += len(frame)
        if conditions.link is not None and self._is_down(conditions.link, now_ns):
            counters.dropped_link += 1
        elif conditions.mtu is not None and _exceeds(conditions.mtu, frame):
            counters.dropped_mtu += 1
        elif self._policer is not None and not self._policer.passes(now_ns, len(frame)):
            counters.dropped_rate += 1
        elif self._loses is not None and self._loses(len(frame)):
            counters.dropped_loss += 1
        else:
            frame = self._altered(frame)
            yield from self._timed(now_ns, frame)
            for _ in range(self._copies()):
                counters.duplicated += 1
                yield from self._timed(now_ns, frame)

    def _is_down(self, link: LinkState, now_ns: int) -> bool:
        if link.state == "flap":
            return (now_ns - self._link_since_ns) % link.period < link.down
        return link.state == "down"

    def _altered(self, frame: bytes) -> bytes:
        ecn, corrupt = self.conditions.ecn, self.conditions.corrupt
        if ecn is not None and self._hits(float(ecn.rate)):
            marked = mark_congestion(frame)
            if marked is not None:
                self.counters.marked += 1
                frame = marked
        if corrupt is not None and self._hits(float(corrupt.rate)):
            damaged = flip_bits(frame, corrupt.bits, self._random)
            if damaged is not None:
                self.counters.corrupted += 1
                frame = damaged
        return frame

    def _copies(self) -> int:
        duplicate = self.conditions.duplicate
        return duplicate.copies if duplicate is not None and self._hits(float(duplicate.rate)) else 0

    def _hits(self, probability: float) -> bool:
        return self._random.random() < probability

    def _timed(self, now_ns: int, frame: bytes) -> Iterator[tuple[int, bytes]]:
        leaves_ns: int | None = now_ns
        if self._shaper is not None:
            leaves_ns = self._shaper.depart(now_ns, len(frame))
        if leaves_ns is None:
            self.counters.dropped_rate += 1
            return
        release_ns = leaves_ns if self._delay is None else leaves_ns + self._delay()
        if _keeps_order(self.conditions.delay):
            release_ns = max(release_ns, self._last_release_ns)
        self._last_release_ns = max(release_ns, self._last_release_ns)
        yield release_ns, frame


def _keeps_order(delay: Delay | None) -> bool:
    """Without a delay nothing asks for overtaking, so what a longer delay still holds goes first."""
    return delay is None or delay.keep_order


def _exceeds(mtu: Mtu, frame: bytes) -> bool:
    return parse(frame).length > mtu.size


def _every_frame(_: Headers) -> bool:
    return True
