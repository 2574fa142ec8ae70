"""Counters of a flow, or of all flows of a port together: packets since they were last cleared."""

from __future__ import annotations

from collections.abc import Sequence

from impairlab.drivers.model.applied import Statistics
from impairlab.drivers.xena.reading import Place
from impairlab.drivers.xena.text import Answer, Line, asking, setting

ALL_FLOWS = -1
"""As a flow: the counters of the port."""

_TOTALS = ("DROP", "LATENCY", "JITTER", "DUP", "MIS", "COR")


def counter_queries(place: Place) -> list[Line]:
    """Return the queries for all counters."""
    if place.flow == ALL_FLOWS:
        return [asking(f"PE_{what}TOTAL", place.port) for what in _TOTALS]
    return [asking(f"PE_FLOW{what}TOTAL", place.port, place.flow) for what in _TOTALS]


def clear_line(place: Place) -> Line:
    """Return the line that clears the counters."""
    if place.flow == ALL_FLOWS:
        return setting("PE_CLEAR", place.port, ())
    return setting("PE_FLOWCLEAR", place.port, (place.flow,))


def read_counters(answers: Sequence[Answer], at_ns: int) -> Statistics:
    """Return the counters of `counter_queries`. What the appliance does not count is None.

    Drops come as total, programmed, bandwidth and other; each count is followed by the ratios, which follow from them.
    """
    drops, delayed, jittered, duplicated, reordered, corrupted = (
        [int(value) for value in answer.values] for answer in answers
    )
    return Statistics(
        at_ns=at_ns,
        dropped_total=drops[0],
        dropped_loss=drops[1],
        dropped_rate=drops[2],
        dropped_other=drops[3],
        delayed=delayed[0],
        jittered=jittered[0],
        duplicated=duplicated[0],
        reordered=reordered[0],
        corrupted=corrupted[0],
    )
