"""Conditions to the states of a chain's disciplines, and back. Pure.

Probabilities are whole multiples of 1e-9 here and of 2**-32 in the kernel, which is finer: each comes back as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import AnyDelay, Delay
from impairlab.drivers.model.impairments import Corrupt, Duplicate, EcnMark, LinkState, RateLimit, Reorder
from impairlab.drivers.model.losses import AnyLoss, BurstLoss, GilbertElliottLoss, Outage, RandomLoss
from impairlab.drivers.netem.topology import Role, StageState
from impairlab.drivers.netem.wire import tables
from impairlab.drivers.netem.wire.netem import ALWAYS, NO_LIMIT, SIGMA, GilbertElliott, NetemState
from impairlab.drivers.netem.wire.tbf import TbfState

FRAME = 1514
"""Bytes of a full-sized Ethernet frame, as the kernel counts it: a place in a queue that counts packets."""

ORDER_KEEPING_RATE = 1 << 40
"""Bytes a second: so quick that it delays nothing; with any rate at all a netem lets no packet overtake another."""

L1_OVERHEAD = 24
"""Frame check sequence, preamble and gap."""

UNLIMITED = TbfState(rate=1 << 40, burst=1 << 20, limit=0x7FFFFFFF)
"""A bucket that holds nothing back: what becomes of a shaper that is no longer wanted, so that its queue drains."""

_RESOLUTION = Decimal("1e-9")
_TWO_32 = Decimal(1 << 32)
_ALL_LOST = GilbertElliott(p=0, r=0, h=0, k1=ALWAYS)
"""An outage: lost in the good state and in the bad one. Unlike `loss 100%` it cannot be mistaken for random loss."""

Stages = Mapping[Role, StageState]


@dataclass(frozen=True)
class Sizing:
    """How many packets a delay line must hold: a full line of smallest frames, for as long as any of them stays.

    Attributes:
        bits_per_second: Of the device; 10 Gbit/s where it does not say.
    """

    bits_per_second: int = 10_000_000_000

    def packets(self, state: NetemState) -> int:
        """Return 1.5 times those that arrive within mean + 4 x jitter (84 bytes each on the line), and 1000."""
        longest_ns = max(state.latency_ns, 0) + 4 * state.jitter_ns
        return min(1000 + math.ceil(1.5 * longest_ns / 1e9 * self.bits_per_second / (84 * 8)), NO_LIMIT)


def raw(probability: Decimal) -> int:
    """Return it in units of 2**-32, at most 2**32-1: what the kernel compares 32 random bits with."""
    return min(int((probability * _TWO_32).to_integral_value()), ALWAYS)


def fraction(units: int) -> Decimal:
    """Return units of 2**-32 as a fraction of one with nine digits."""
    value = (Decimal(units) / _TWO_32).quantize(_RESOLUTION)
    return value.normalize() if value != value.to_integral_value() else value.quantize(Decimal(1))


def stages_of(conditions: Conditions, sizing: Sizing) -> dict[Role, StageState]:
    """Return the state of each discipline of a chain. The conditions are legal already."""
    delay = _sized(_delay_state(conditions), sizing)
    return {"loss": _loss_state(conditions), "delay": delay, "gate": _gate_state(conditions)}


def neutral(sizing: Sizing, seed: int | None) -> dict[Role, NetemState]:
    """Return the states with which a chain begins."""
    stages = stages_of(Conditions(), sizing)
    return {role: replace(state, seed=seed) for role, state in stages.items() if isinstance(state, NetemState)}


def merged(stages: Stages) -> dict[Role, StageState]:
    """Return the states of a single chain: loss and delay in one netem; no gate unless a shaper is wanted."""
    loss, delay, gate = stages["loss"], stages["delay"], stages["gate"]
    if not isinstance(loss, NetemState) or not isinstance(delay, NetemState):
        raise TypeError("loss and delay are netems")
    limit = 0 if loss.limit == 0 else delay.limit
    both = replace(delay, loss=loss.loss, model=loss.model, ecn=loss.ecn, limit=limit)
    return {"delay": both, "gate": gate}


def conditions_of(told: Stages) -> Conditions:
    """Return what the states of a chain amount to, in the words that fit; the kernel does not tell of tables."""
    delay = told["delay"]
    loss = told.get("loss", delay)
    gate = told.get("gate", NetemState())
    if not isinstance(loss, NetemState) or not isinstance(delay, NetemState):
        raise TypeError("loss and delay are netems")
    return Conditions(
        delay=_delay_of(delay),
        loss=_loss_of(loss),
        reorder=_reorder_of(gate),
        duplicate=Duplicate(rate=fraction(delay.duplicate)) if delay.duplicate else None,
        corrupt=Corrupt(rate=fraction(delay.corrupt)) if delay.corrupt else None,
        rate=_rate_of(gate),
        link=LinkState(state="down") if loss.limit == 0 else None,
        ecn=EcnMark(rate=fraction(loss.loss)) if loss.ecn else None,
    )


def _loss_state(conditions: Conditions) -> NetemState:
    down = conditions.link is not None
    ecn = conditions.ecn is not None
    state = NetemState(limit=0 if down else NO_LIMIT, ecn=ecn)
    return _with_loss(state, conditions.loss)


def _with_loss(state: NetemState, loss: AnyLoss | None) -> NetemState:
    match loss:
        case RandomLoss():
            return replace(state, loss=raw(loss.rate))
        case BurstLoss():
            return _with_loss(state, loss.as_gilbert_elliott())
        case GilbertElliottLoss():
            through = raw(1 - loss.bad_loss)
            return replace(
                state,
                model=GilbertElliott(raw(loss.to_bad), raw(loss.to_good), through, raw(loss.good_loss)),
            )
        case Outage():
            return replace(state, model=_ALL_LOST)
        case _:
            return state


def _delay_state(conditions: Conditions) -> NetemState:
    state = NetemState(rate=ORDER_KEEPING_RATE)
    delay = conditions.delay
    if isinstance(delay, Delay):
        law = law_of(delay)
        state = replace(
            state,
            latency_ns=delay.mean,
            jitter_ns=delay.spread * law.width,
            table=law.entries,
            rate=ORDER_KEEPING_RATE if delay.keep_order else 0,
        )
    duplicate, corrupt = conditions.duplicate, conditions.corrupt
    return replace(
        state,
        duplicate=raw(duplicate.rate) if duplicate else 0,
        corrupt=raw(corrupt.rate) if corrupt else 0,
    )


def law_of(delay: Delay) -> tables.Law:
    """Return the table of a delay's law."""
    match delay.distribution:
        case "uniform":
            return tables.uniform()
        case "normal":
            return tables.normal()
        case "pareto":
            return tables.pareto()
        case "exponential":
            return tables.exponential()
        case "step":
            return tables.Law(1, tables.packed([-SIGMA, SIGMA]))
        case "table":
            return tables.Law(1, tables.scaled(float(entry) for entry in delay.table))
        case _:
            return tables.Law(1, b"")


def _sized(state: NetemState, sizing: Sizing) -> NetemState:
    return replace(state, limit=sizing.packets(state))


def _gate_state(conditions: Conditions) -> StageState:
    rate, reorder = conditions.rate, conditions.reorder
    if rate is not None:
        overhead = L1_OVERHEAD if rate.layer == "l1" else 0
        if rate.mode == "shaper":
            return TbfState(rate.rate // 8, rate.burst, rate.queue, overhead)
        return NetemState(limit=rate.queue // FRAME, rate=rate.rate // 8, packet_overhead=overhead)
    if reorder is not None and reorder.rate:
        at_once = ALWAYS - raw(reorder.rate)
        return NetemState(limit=NO_LIMIT, latency_ns=reorder.hold, reorder=at_once, gap=1 if at_once else 0)
    return NetemState(limit=NO_LIMIT)


def _delay_of(state: NetemState) -> AnyDelay | None:
    keep_order = state.rate != 0
    if state.jitter_ns:
        law = "uniform" if state.jitter_ns <= state.latency_ns else "normal"
        return Delay(mean=_seconds(state.latency_ns), spread=_seconds(state.jitter_ns), distribution=law,
                     keep_order=keep_order)  # fmt: skip
    if state.latency_ns or not keep_order:
        return Delay(mean=_seconds(state.latency_ns), keep_order=keep_order)
    return None


def _seconds(nanoseconds: int) -> str:
    """Negative ones, which somebody else may have set, are no delay at all."""
    return f"{max(nanoseconds, 0)} ns"


def _loss_of(state: NetemState) -> AnyLoss | None:
    match state.model:
        case None:
            return RandomLoss(rate=fraction(state.loss)) if state.loss else None
        case GilbertElliott(p, r, h, k1):
            if state.model == _ALL_LOST:
                return Outage()
            return GilbertElliottLoss(
                to_bad=fraction(p), to_good=fraction(r), bad_loss=1 - fraction(h), good_loss=fraction(k1)
            )
        case _:
            return None


def _reorder_of(gate: StageState) -> Reorder | None:
    if isinstance(gate, TbfState) or not gate.latency_ns:
        return None
    return Reorder(rate=fraction(ALWAYS - gate.reorder), depth=0, hold=_seconds(gate.latency_ns))


def _rate_of(gate: StageState) -> RateLimit | None:
    if gate.rate in {0, UNLIMITED.rate}:
        return None
    if isinstance(gate, TbfState):
        return RateLimit(rate=gate.rate * 8, burst=gate.burst, queue=gate.limit, layer=_layer(gate.overhead))
    return RateLimit(rate=gate.rate * 8, mode="link", queue=gate.limit * FRAME, layer=_layer(gate.packet_overhead))


def _layer(overhead: int) -> str:
    return "l1" if overhead == L1_OVERHEAD else "l2"
