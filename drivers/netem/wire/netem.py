"""The state of a netem, and its bytes: every attribute, every time (linux/pkt_sched.h, net/sched/sch_netem.c).

To the kernel a change is a merge: limit, delay, jitter, loss and duplication go back to their defaults when they are
left out; correlations, reordering, corruption, rate, ECN, slot and the tables stay as they were. So nothing is left out
here, except a table that no jitter would use and a seed that is not wanted: neither can be taken away once it is there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from .attributes import WireError, fields, nest, pack, pack_u32, pairs, unpack

KIND = "netem"
ALWAYS = 0xFFFFFFFF
"""Probability one, in units of 2**-32."""
LONGEST_TABLE = 16_384
SIGMA = 8192
"""What a table holds for one times the jitter."""
NO_LIMIT = 0x7FFFFFFF
LONGEST_JITTER = 0x7FFFFFFF
"""Nanoseconds: the kernel draws with a jitter of 32 bits."""

_CORR, _DELAY_DIST, _REORDER, _CORRUPT, _LOSS, _RATE, _ECN, _RATE64 = range(1, 9)
_LATENCY64, _JITTER64, _SLOT, _SLOT_DIST, _SEED = range(10, 15)
_LOSS_GI, _LOSS_GE = 1, 2

_OPTIONS = struct.Struct("=IIIIII")
_THREE, _PAIR, _FOUR, _FIVE = (struct.Struct(f"={count}I") for count in (3, 2, 4, 5))
_RATE_FIELDS = struct.Struct("=IiIi")
_SLOT_FIELDS = struct.Struct("=qqiiqq")
_S64, _U64, _U32 = struct.Struct("=q"), struct.Struct("=Q"), struct.Struct("=I")
_TICK_NS = 64
_MOST = 0xFFFFFFFF


@dataclass(frozen=True)
class GilbertElliott:
    """A two-state chain, in units of 2**-32.

    Attributes:
        p: From good to bad.
        r: From bad to good.
        h: Of getting through in the bad state.
        k1: Of being lost in the good state (1 - k).
    """

    p: int
    r: int
    h: int = 0
    k1: int = 0


@dataclass(frozen=True)
class FourState:
    """Salsano's four-state chain, in units of 2**-32 and in the kernel's order, which is not that of tc."""

    p13: int
    p31: int = ALWAYS
    p32: int = 0
    p14: int = 0
    p23: int = ALWAYS


@dataclass(frozen=True)
class Slot:
    """Packets leave in bunches: slots of a random length between two times, or of a law around a mean.

    Attributes:
        least_ns: Shortest time from one slot to the next.
        most_ns: Longest.
        packets: Most in a slot; 0 is no limit.
        size: Most bytes in a slot; 0 is no limit.
        mean_ns: Instead of least and most: mean of the law.
        jitter_ns: Its jitter.
        table: Its table, as of `NetemState`.
    """

    least_ns: int = 0
    most_ns: int = 0
    packets: int = 0
    size: int = 0
    mean_ns: int = 0
    jitter_ns: int = 0
    table: bytes = b""


@dataclass(frozen=True)
class NetemState:
    """All that a netem can be told. The default is neutral: everything passes at once.

    Attributes:
        limit: Packets (buffers) it holds before it drops.
        latency_ns: Mean delay; kernels from 6.12 on refuse a negative one.
        jitter_ns: What one times 8192 in the table stands for; below 2**31.
        table: Equally likely deviations, 16 bits each in the machine's order (`tables.packed`); without one the kernel
            draws uniformly in mean +- jitter, but only as long as it has never been given one.
        delay_correlation: Of 2**-32, as all that follow with no unit.
        loss: Independent loss; of no effect beside a model.
        loss_correlation: Broken in every kernel that was tried; 0 is right.
        model: A chain instead of independent loss.
        ecn: Mark instead of losing, where the packet allows it.
        duplicate: Of being sent twice.
        duplicate_correlation: Of that.
        reorder: Of being sent at once, with no delay.
        reorder_correlation: Of that.
        gap: 1 with `reorder`: every packet is drawn for; n: only every n-th.
        corrupt: Of getting one bit flipped.
        corrupt_correlation: Of that.
        rate: Bytes a second; 0 is none.
        packet_overhead: Bytes added to each packet before its time is counted.
        cell_size: Bytes; 0 is none.
        cell_overhead: Bytes a cell.
        slot: Neutral unless set.
        seed: Of the random numbers, in kernels that have it (6.6); None leaves them as they are.
    """

    limit: int = 1000
    latency_ns: int = 0
    jitter_ns: int = 0
    table: bytes = b""
    delay_correlation: int = 0
    loss: int = 0
    loss_correlation: int = 0
    model: GilbertElliott | FourState | None = None
    ecn: bool = False
    duplicate: int = 0
    duplicate_correlation: int = 0
    reorder: int = 0
    reorder_correlation: int = 0
    gap: int = 0
    corrupt: int = 0
    corrupt_correlation: int = 0
    rate: int = 0
    packet_overhead: int = 0
    cell_size: int = 0
    cell_overhead: int = 0
    slot: Slot = Slot()
    seed: int | None = None

    def as_told(self, *, seed_told: bool = False) -> NetemState:
        """Return what of this the kernel answers when it is asked: no tables, and a seed only where it has one."""
        slot = replace(self.slot, table=b"")
        if not slot.least_ns | slot.most_ns | slot.jitter_ns:
            slot = Slot()
        return replace(self, table=b"", slot=slot, seed=self.seed if seed_told else None)


def encode(state: NetemState) -> bytes:
    """Return the options of a netem.

    Raises:
        WireError: A number does not fit into its field, or a table is too long.
    """
    try:
        return b"".join(_encoded(state))
    except struct.error as error:
        raise WireError(f"{state}: {error}") from error


def decode(options: bytes) -> NetemState:
    """Read the options that the kernel tells of; tables are not among them.

    Raises:
        WireError: They are no netem's.
    """
    latency, limit, loss, gap, duplicate, jitter = fields(_OPTIONS, options, "options of a netem")
    told = unpack(options[_OPTIONS.size :])

    def numbers(kind: int, layout: struct.Struct, default: tuple[int, ...]) -> tuple[int, ...]:
        return fields(layout, told[kind], f"attribute {kind}") if kind in told else default

    delay_correlation, loss_correlation, duplicate_correlation = numbers(_CORR, _THREE, (0, 0, 0))
    reorder, reorder_correlation = numbers(_REORDER, _PAIR, (0, 0))
    corrupt, corrupt_correlation = numbers(_CORRUPT, _PAIR, (0, 0))
    rate, packet_overhead, cell_size, cell_overhead = numbers(_RATE, _RATE_FIELDS, (0, 0, 0, 0))
    return NetemState(
        limit=limit,
        latency_ns=numbers(_LATENCY64, _S64, (latency * _TICK_NS,))[0],
        jitter_ns=numbers(_JITTER64, _S64, (jitter * _TICK_NS,))[0],
        delay_correlation=delay_correlation,
        loss=loss,
        loss_correlation=loss_correlation,
        model=_model(told.get(_LOSS, b"")),
        ecn=bool(numbers(_ECN, _U32, (0,))[0]),
        duplicate=duplicate,
        duplicate_correlation=duplicate_correlation,
        reorder=reorder,
        reorder_correlation=reorder_correlation,
        gap=gap,
        corrupt=corrupt,
        corrupt_correlation=corrupt_correlation,
        rate=numbers(_RATE64, _U64, (rate,))[0],
        packet_overhead=packet_overhead,
        cell_size=cell_size,
        cell_overhead=cell_overhead,
        slot=_slot(numbers(_SLOT, _SLOT_FIELDS, (0,) * 6)),
        seed=numbers(_SEED, _U64, (0,))[0] if _SEED in told else None,
    )


def _encoded(state: NetemState) -> list[bytes]:
    slot = state.slot
    parts = [
        _OPTIONS.pack(
            _ticks(state.latency_ns), state.limit, state.loss, state.gap, state.duplicate, _ticks(state.jitter_ns)
        ),
        pack(_LATENCY64, _S64.pack(state.latency_ns)),
        pack(_JITTER64, _S64.pack(state.jitter_ns)),
        pack(
            _CORR, _THREE.pack(state.delay_correlation, state.loss_correlation, state.duplicate_correlation)
        ),
        pack(_REORDER, _PAIR.pack(state.reorder, state.reorder_correlation)),
        pack(_CORRUPT, _PAIR.pack(state.corrupt, state.corrupt_correlation)),
        pack(_RATE, _RATE_FIELDS.pack(min(state.rate, _MOST), state.packet_overhead, state.cell_size,
                                      state.cell_overhead)),
        pack(_RATE64, _U64.pack(state.rate)),
        pack_u32(_ECN, int(state.ecn)),
        pack(_SLOT, _SLOT_FIELDS.pack(slot.least_ns, slot.most_ns, slot.packets, slot.size, slot.mean_ns,
                                      slot.jitter_ns)),
    ]  # fmt: skip
    match state.model:
        case GilbertElliott(p, r, h, k1):
            parts.append(nest(_LOSS, [pack(_LOSS_GE, _FOUR.pack(p, r, h, k1))]))
        case FourState(p13, p31, p32, p14, p23):
            parts.append(nest(_LOSS, [pack(_LOSS_GI, _FIVE.pack(p13, p31, p32, p14, p23))]))
    if state.jitter_ns and state.table:
        parts.append(_table(_DELAY_DIST, state.table))
    if slot.jitter_ns and slot.table:
        parts.append(_table(_SLOT_DIST, slot.table))
    if state.seed is not None:
        parts.append(pack(_SEED, _U64.pack(state.seed)))
    return parts


def _table(kind: int, table: bytes) -> bytes:
    if len(table) > 2 * LONGEST_TABLE or len(table) % 2:
        raise WireError(f"a table of {len(table)} bytes; the longest is {2 * LONGEST_TABLE}, two for each entry")
    return pack(kind, table)


def _model(data: bytes) -> GilbertElliott | FourState | None:
    for kind, value in pairs(data):
        if kind == _LOSS_GE:
            return GilbertElliott(*fields(_FOUR, value, "a Gilbert-Elliott chain"))
        if kind == _LOSS_GI:
            return FourState(*fields(_FIVE, value, "a four-state chain"))
    return None


def _slot(numbers: tuple[int, ...]) -> Slot:
    least_ns, most_ns, packets, size, mean_ns, jitter_ns = numbers
    return Slot(least_ns, most_ns, packets, size, mean_ns, jitter_ns)


def _ticks(nanoseconds: int) -> int:
    """For kernels that know no 64-bit times; the others take those instead."""
    return min(max(nanoseconds, 0) // _TICK_NS, _MOST)
