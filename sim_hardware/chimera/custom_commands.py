"""The commands of the custom distributions of a port.

Sources: xoa-cli reference, PEC_ commands; codes from PyPI tdl-xoa-driver 1.11.0.
"""

from collections.abc import Iterator
from dataclasses import replace

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.commands import Command, Level, Place
from impairlab.sim_hardware.chimera.distributions import LATENCY_ENTRIES, PACKET_ENTRIES, Kind, check_custom
from impairlab.sim_hardware.chimera.filters import OFF_ON
from impairlab.sim_hardware.chimera.flow_commands import CUSTOM_IDS, MOST_CUSTOM, numbers
from impairlab.sim_hardware.chimera.parameters import LONG_HIGH, Coded, Integer, Many, Text, Values
from impairlab.sim_hardware.chimera.state import Custom, PortState
from impairlab.sim_hardware.chimera.status import Status, StatusError

_TYPES = {"INTERPACKET_DISTRIBUTION": 0, "LATENCY_DISTRIBUTION": 1}


def custom_commands() -> tuple[Command, ...]:
    """Return the commands of custom distributions."""
    indices = (Many("indexations", Integer("index", 0, MOST_CUSTOM), MOST_CUSTOM),)
    definition = (
        Coded("linear", OFF_ON),
        Coded("symmetric", OFF_ON),
        Integer("entry_count", 0, 65535),
        Many("data_x", Integer("entry", 0, LONG_HIGH, size=8), LATENCY_ENTRIES),
    )
    comment = (Text("comment"),)
    kind = (Coded("latency_type", _TYPES),)
    ids = (CUSTOM_IDS,)
    return (
        Command(
            "PEC_INDICES",
            1610,
            Level.PORT,
            shown=indices,
            show=lambda place: (tuple(sorted(place.state.customs)),),
            taken=indices,
            take=_take_indices,
        ),
        Command(
            "PEC_VAL", 1680, Level.PORT, ids, shown=definition, show=_show_values, taken=definition, take=_take_values
        ),
        Command(
            "PEC_COMMENT",
            1681,
            Level.PORT,
            ids,
            shown=comment,
            show=lambda place: (_custom(place).comment,),
            taken=comment,
            take=_take_comment,
        ),
        Command("PEC_DELETE", 1682, Level.PORT, ids, taken=(), take=_take_delete),
        Command(
            "PEC_DISTTYPE",
            1683,
            Level.PORT,
            ids,
            shown=kind,
            show=lambda place: (int(len(_custom(place).values) == LATENCY_ENTRIES),),
            taken=kind,
            take=lambda place, _: _refuse_unknown(place),
        ),
    )


def _custom(place: Place) -> Custom:
    custom = place.state.customs.get(place.indices[0])
    if custom is None:
        raise StatusError(Status.BADINDEX)
    return custom


def _refuse_unknown(place: Place) -> None:
    _custom(place)


def _users(port: PortState, number: int) -> Iterator[Kind]:
    for flow in port.flows:
        for kind, impairing in zip(Kind, flow.impairing, strict=True):
            if impairing.distribution.name == "CUST" and impairing.distribution.values == (number,):
                yield kind


def _store(place: Place, number: int, custom: Custom) -> None:
    for kind in _users(place.state, number):
        check_custom(kind, custom.values, place.chassis.latency_range)
    place.chassis.change_port(place.port, lambda port: replace(port, customs={**port.customs, number: custom}))


def _take_indices(place: Place, values: Values) -> None:
    (wanted,) = values
    if not isinstance(wanted, tuple):
        raise TypeError(wanted)
    known = place.state.customs
    if any(True for number in known if number not in wanted for _ in _users(place.state, number)):
        raise house.CUSTOM_IN_USE.error()
    customs = {number: known.get(number, Custom()) for number in wanted}
    place.chassis.change_port(place.port, lambda port: replace(port, customs=customs))


def _show_values(place: Place) -> Values:
    custom = _custom(place)
    return int(custom.linear), 0, len(custom.values), custom.values


def _take_values(place: Place, values: Values) -> None:
    *settings, entries = values
    linear, symmetric, count = numbers(tuple(settings))
    if not isinstance(entries, tuple):
        raise TypeError(entries)
    if count not in {PACKET_ENTRIES, LATENCY_ENTRIES} or count != len(entries):
        raise house.CUSTOM_LENGTH.error()
    if symmetric:
        raise StatusError(Status.BADVALUE)
    number = place.indices[0]
    known = place.state.customs.get(number, Custom())
    _store(place, number, replace(known, linear=bool(linear), values=entries))


def _take_comment(place: Place, values: Values) -> None:
    custom = _custom(place)
    _store(place, place.indices[0], replace(custom, comment=str(values[0])))


def _take_delete(place: Place, _: Values) -> None:
    _custom(place)
    number = place.indices[0]
    if any(True for _ in _users(place.state, number)):
        raise house.CUSTOM_IN_USE.error()
    customs = {each: custom for each, custom in place.state.customs.items() if each != number}
    place.chassis.change_port(place.port, lambda port: replace(port, customs=customs))
