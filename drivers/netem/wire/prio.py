"""A prio discipline whose map sends every packet that no filter takes to its first class (net/sched/sch_prio.c)."""

from __future__ import annotations

import struct

from .attributes import fields

KIND = "prio"
MOST_BANDS = 16
_LAYOUT = struct.Struct("=i16s")


def encode(bands: int) -> bytes:
    """Return the options of a prio. Its usual map, by type of service, is never used: it would split flows."""
    return _LAYOUT.pack(bands, bytes(16))


def decode(options: bytes) -> tuple[int, bytes]:
    """Return bands and map.

    Raises:
        WireError: They are no prio's.
    """
    fields(_LAYOUT, options, "options of a prio")
    bands, map_ = _LAYOUT.unpack_from(options)
    return int(bands), bytes(map_)
