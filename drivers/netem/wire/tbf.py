"""The state of a token bucket filter, and its bytes (linux/pkt_sched.h, net/sched/sch_tbf.c)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .attributes import WireError, fields, pack, pack_u32, unpack

KIND = "tbf"

_PARAMETERS, _RATE64, _BURST = 1, 4, 6
_LAYOUT = struct.Struct("=BBHhHI12xIII")
_U64 = struct.Struct("=Q")
_ETHERNET = 1
_TICK_NS = 64
_MOST = 0xFFFFFFFF


@dataclass(frozen=True)
class TbfState:
    """A token bucket over a queue of bytes.

    Attributes:
        rate: Bytes a second, > 0.
        burst: Bytes that may leave at once; a longer packet is dropped.
        limit: Bytes that wait before the tail is dropped.
        overhead: Bytes added to each packet before its time is counted.
    """

    rate: int
    burst: int
    limit: int
    overhead: int = 0

    @property
    def bucket_ticks(self) -> int:
        """Depth of the bucket as the kernel tells of it: the time of `burst` at `rate`, in units of 64 ns."""
        return min((self.burst + self.overhead) * 10**9 // self.rate // _TICK_NS, _MOST)

    def reads_as(self, told: TbfState) -> bool:
        """Whether the kernel that was given this answers `told`: it tells the bucket's depth as a time, rounded."""
        same = (self.rate, self.limit, self.overhead) == (told.rate, told.limit, told.overhead)
        return same and abs(self.bucket_ticks - told.bucket_ticks) <= 2


def encode(state: TbfState) -> bytes:
    """Return the options of a tbf.

    Raises:
        WireError: A number does not fit into its field.
    """
    try:
        parameters = _LAYOUT.pack(
            0, _ETHERNET, state.overhead, 0, 0, min(state.rate, _MOST), state.limit, state.bucket_ticks, 0
        )
    except struct.error as error:
        raise WireError(f"{state}: {error}") from error
    return pack(_PARAMETERS, parameters) + pack(_RATE64, _U64.pack(state.rate)) + pack_u32(_BURST, state.burst)


def decode(options: bytes) -> TbfState:
    """Read the options that the kernel tells of; the burst is that of the bucket's depth, rounded.

    Raises:
        WireError: They are no tbf's.
    """
    told = unpack(options)
    _, _, overhead, _, _, rate, limit, ticks, _ = fields(_LAYOUT, told.get(_PARAMETERS, b""), "options of a tbf")
    if _RATE64 in told:
        (rate,) = fields(_U64, told[_RATE64], "a rate")
    burst = -(-ticks * _TICK_NS * rate // 10**9) - overhead
    return TbfState(rate, burst, limit, overhead)
