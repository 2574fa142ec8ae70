"""What is programmed on flows, asked in three rounds: what is on, what it is, and the tables it is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from impairlab.drivers.xena.programmed import CORRUPTION, LEGAL, MISORDER, TYPES, Band, Distribution, Programmed
from impairlab.drivers.xena.text import NOT_SUPPORTED, NOT_VALID, Answer, Line, asking

Asked = Callable[[Sequence[Line]], Sequence[Answer]]
"""Sends queries and returns their answers; tolerated errors are among them, others were raised."""

UNSET = frozenset({NOT_VALID, NOT_SUPPORTED})
"""What a query answers where another distribution is set, or none (open-automation-chimera-core, core/manager/flow)."""


class Place(NamedTuple):
    """One flow of a port: module and port as they are written, and 0 to 7."""

    port: str
    flow: int


def read_programmed(ask: Asked, places: Sequence[Place]) -> dict[Place, Programmed]:
    """Return what is programmed on each of the flows.

    Raises:
        ValueError: The appliance answers with two distributions for one impairment.
    """
    switches = _by_place(places, _switches, ask)
    details = _by_place(places, lambda place: _details(place, switches[place]), ask)
    tables = _by_place(places, lambda place: _tables(place, details[place]), ask)
    return {place: _programmed(switches[place], details[place], tables[place]) for place in places}


def optional(line: Line) -> Line:
    """Return a query that may have nothing to answer."""
    return Line(line.command, line.place, line.indices, line.values, UNSET)


Found = Mapping[tuple[str, tuple[int, ...]], Answer]
"""Answers by command and indices."""


def _by_place(places: Iterable[Place], queries: Callable[[Place], Iterable[Line]], ask: Asked) -> dict[Place, Found]:
    asked = [(place, query) for place in places for query in queries(place)]
    answers = ask([query for _, query in asked])
    found: dict[Place, Found] = {place: {} for place in places}
    together = zip((place for place, _ in asked), answers, strict=True)
    for place, group in groupby(together, key=lambda pair: pair[0]):
        found[place] = {(answer.line.command.name, answer.line.indices): answer for _, answer in group}
    return found


def _switches(place: Place) -> Iterator[Line]:
    for kind in TYPES:
        yield optional(asking("PED_ENABLE", place.port, place.flow, kind))
    yield optional(asking("PE_BANDPOLICER", place.port, place.flow))
    yield optional(asking("PE_BANDSHAPER", place.port, place.flow))
    if place.flow == 0:
        yield optional(asking("PP_LINKFLAP_ENABLE", place.port))
        yield optional(asking("PP_LINKFLAP_PARAMS", place.port))


def _details(place: Place, switches: Found) -> Iterator[Line]:
    for kind in TYPES:
        if not _is_on(switches, "PED_ENABLE", place.flow, kind):
            continue
        for name in (*LEGAL[kind], "PED_SCHEDULE"):
            yield optional(asking(name, place.port, place.flow, kind))
        if kind == MISORDER:
            yield asking("PE_MISORDER", place.port, place.flow)
        if kind == CORRUPTION:
            yield asking("PE_CORRUPT", place.port, place.flow)


def _tables(place: Place, details: Found) -> Iterator[Line]:
    for kind in TYPES:
        number = _values(details, "PED_CUST", place.flow, kind)
        if number:
            yield asking("PEC_VAL", place.port, int(number[0]))
            yield optional(asking("PEC_COMMENT", place.port, int(number[0])))


def _programmed(switches: Found, details: Found, tables: Found) -> Programmed:
    distributions = {}
    for kind in TYPES:
        distribution = _distribution(kind, details, tables)
        if distribution is not None:
            distributions[kind] = distribution
    depth = [int(a.values[0]) for (name, _), a in details.items() if name == "PE_MISORDER"]
    corruption = [str(a.values[0]) for (name, _), a in details.items() if name == "PE_CORRUPT"]
    return Programmed(
        distributions=distributions,
        depth=depth[0] if depth else 1,
        corruption=corruption[0] if corruption else "OFF",
        policer=_band(switches, "PE_BANDPOLICER"),
        shaper=_band(switches, "PE_BANDSHAPER"),
        flap=_flap(switches),
    )


def _distribution(kind: int, details: Found, tables: Found) -> Distribution | None:
    schedule = (1, 0)
    found: list[tuple[str, tuple[int, ...]]] = []
    for (name, indices), answer in details.items():
        if len(indices) != 2 or indices[1] != kind or answer.error:
            continue
        numbers = tuple(int(value) for value in answer.values)
        if name == "PED_SCHEDULE":
            schedule = numbers[0], numbers[1]
        else:
            found.append((name, numbers))
    if not found:
        return None
    if len(found) > 1:
        raise ValueError(f"several distributions at once: {', '.join(name for name, _ in found)}")
    ((name, arguments),) = found
    if name != "PED_CUST":
        return Distribution(name, arguments, schedule)
    comment = _values(tables, "PEC_COMMENT", *arguments)
    _, _, count, *values = _values(tables, "PEC_VAL", *arguments)
    if len(values) != count:
        raise ValueError(f"a table of {count} numbers has {len(values)}")
    return Distribution(name, tuple(int(value) for value in values), schedule, str(comment[0]) if comment else "")


def _band(switches: Found, name: str) -> Band | None:
    for (command, _), answer in switches.items():
        if command == name and answer.values[:1] == ("ON",):
            _, layer, *numbers = answer.values
            return Band(str(layer), tuple(int(number) for number in numbers))
    return None


def _flap(switches: Found) -> tuple[int, int, int] | None:
    if not _is_on(switches, "PP_LINKFLAP_ENABLE"):
        return None
    duration, period, repetitions = _values(switches, "PP_LINKFLAP_PARAMS")
    return int(duration), int(period), int(repetitions)


def _is_on(found: Found, name: str, *indices: int) -> bool:
    return _values(found, name, *indices) == ("ON",)


def _values(found: Found, name: str, *indices: int) -> tuple[int | str, ...]:
    answer = found.get((name, indices))
    return answer.values if answer is not None and not answer.error else ()
