"""The lines that program a flow: what must be prepared, and what then makes it act."""

from __future__ import annotations

from collections.abc import Iterator

from impairlab.drivers.xena.programmed import (
    BURSTS,
    CONTINUOUS,
    CORRUPTION,
    LATENCY,
    MISORDER,
    NO_CORRUPTION,
    TYPES,
    Band,
    Distribution,
    Programmed,
)
from impairlab.drivers.xena.text import NOT_SUPPORTED, NOT_VALID, Line, Value, setting

LONGEST_LATENCY_TABLE = 1024
LONGEST_TABLE = 512

_FIRST_TABLE = 9
"""Of the 40 tables of a port, four for each flow are the driver's own, from here on: up to the last."""

_TABLED = (0, LATENCY, 3, CORRUPTION)
"""The types that may have a table, in the order of their numbers."""

_MAY_BE_OFF = frozenset({NOT_VALID, NOT_SUPPORTED})
"""What switching off may answer where nothing is on; nobody says whether it does."""

_OFF: dict[str, tuple[Value, ...]] = {
    "PE_BANDPOLICER": ("OFF", "L2", 0, 0), "PE_BANDSHAPER": ("OFF", "L2", 0, 0, 0),
}  # fmt: skip


def table_number(flow: int, kind: int) -> int:
    """Return the number of the table that this driver uses for a type of impairment of a flow."""
    return _FIRST_TABLE + len(_TABLED) * flow + _TABLED.index(kind)


class FlowWriter:
    """Writes one flow of a port.

    What is unchanged is not written again: nobody says what it does to packets on their way. A burst that a schedule
    starts is, as it was asked for again.

    Args:
        place: Module and port.
        flow: 0 to 7.
        before: What is programmed; None where that is not known.
        after: What shall be.
    """

    def __init__(self, place: str, flow: int, before: Programmed | None, after: Programmed) -> None:
        self._place = place
        self._flow = flow
        self._before = before
        self._after = after

    def preparing(self) -> Iterator[Line]:
        """Yield what comes first: all that is off, and all numbers."""
        for kind in TYPES:
            new = self._after.distributions.get(kind)
            if new is None:
                yield from self._clear(kind)
            elif self._is_news(kind):
                yield from self._prepare(kind, new)
        before = self._before
        yield from self._band("PE_BANDPOLICER", before.policer if before else None, self._after.policer)
        yield from self._band("PE_BANDSHAPER", before.shaper if before else None, self._after.shaper)
        if self._flow == 0 and self._flap_is_news():
            yield from self._prepare_flap()

    def enabling(self) -> Iterator[Line]:
        """Yield what makes it act."""
        for kind in self._after.distributions:
            if self._is_news(kind):
                yield self._set("PED_ENABLE", kind, "ON")
        if self._flow == 0 and self._after.flap is not None and self._flap_is_news():
            yield setting("PP_LINKFLAP_ENABLE", self._place, (), "ON")

    def _old(self, kind: int) -> Distribution | None:
        return self._before.distributions.get(kind) if self._before is not None else None

    def _is_news(self, kind: int) -> bool:
        new = self._after.distributions[kind]
        if self._before is None or new.command in BURSTS or new != self._old(kind):
            return True
        if kind == MISORDER:
            return self._before.depth != self._after.depth
        return kind == CORRUPTION and self._before.corruption != self._after.corruption

    def _clear(self, kind: int) -> Iterator[Line]:
        if self._before is not None and self._old(kind) is None:
            return
        yield self._switch_off(kind)
        yield self._forget(kind)
        if kind == CORRUPTION:
            yield setting("PE_CORRUPT", self._place, (self._flow,), NO_CORRUPTION, but=_MAY_BE_OFF)

    def _prepare(self, kind: int, new: Distribution) -> Iterator[Line]:
        old = self._old(kind)
        if self._before is None or new.command in BURSTS or new.schedule != (old.schedule if old else CONTINUOUS):
            yield self._switch_off(kind)  # a schedule begins when it is switched on
        if kind == MISORDER and old is None:
            yield self._forget(kind)
        if kind == CORRUPTION:
            yield setting("PE_CORRUPT", self._place, (self._flow,), self._after.corruption)
        if kind == MISORDER:
            yield from self._misorder(new)
        elif new.command == "PED_CUST":
            yield from self._table(kind, new)
        else:
            yield self._set(new.command, kind, *new.arguments)
        if kind != LATENCY or new.command in BURSTS:  # no other delay has a schedule
            yield self._set("PED_SCHEDULE", kind, *new.schedule)

    def _misorder(self, new: Distribution) -> Iterator[Line]:
        """Probability and depth are judged together: a greater depth comes last, so that neither line is refused."""
        depth = setting("PE_MISORDER", self._place, (self._flow,), self._after.depth)
        share = self._set(new.command, MISORDER, *new.arguments)
        deeper = self._old(MISORDER) is not None and self._before is not None and self._after.depth > self._before.depth
        yield from (share, depth) if deeper else (depth, share)

    def _table(self, kind: int, new: Distribution) -> Iterator[Line]:
        number = table_number(self._flow, kind)
        values = new.arguments
        yield setting("PEC_VAL", self._place, (number,), "OFF", "OFF", len(values), *values)
        yield setting("PEC_COMMENT", self._place, (number,), new.comment)
        yield self._set("PED_CUST", kind, number)

    def _band(self, name: str, old: Band | None, new: Band | None) -> Iterator[Line]:
        if self._before is not None and old == new:
            return
        if new is None:
            yield setting(name, self._place, (self._flow,), *_OFF[name], but=_MAY_BE_OFF)
        else:
            yield setting(name, self._place, (self._flow,), "ON", new.layer, *new.arguments)

    def _flap_is_news(self) -> bool:
        return self._before is None or self._before.flap != self._after.flap

    def _prepare_flap(self) -> Iterator[Line]:
        if self._before is None or self._before.flap is not None:
            yield setting("PP_LINKFLAP_ENABLE", self._place, (), "OFF", but=_MAY_BE_OFF)
        if self._after.flap is not None:
            duration, period, repetitions = self._after.flap
            yield setting("PP_LINKFLAP_PARAMS", self._place, (), duration, period, repetitions or "INFINITE")

    def _switch_off(self, kind: int) -> Line:
        return setting("PED_ENABLE", self._place, (self._flow, kind), "OFF", but=_MAY_BE_OFF)

    def _forget(self, kind: int) -> Line:
        return setting("PED_OFF", self._place, (self._flow, kind), but=_MAY_BE_OFF)

    def _set(self, name: str, kind: int, *values: Value) -> Line:
        return setting(name, self._place, (self._flow, kind), *values)
