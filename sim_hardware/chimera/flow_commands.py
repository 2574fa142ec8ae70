"""The commands of a flow: distributions, schedules, misordering, corruption and bandwidth.

Sources: xoa-cli reference, PE_ and PED_ commands; codes from PyPI tdl-xoa-driver 1.11.0.
"""

from collections.abc import Callable
from dataclasses import replace

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.commands import Command, Level, Place
from impairlab.sim_hardware.chimera.distributions import (
    BURSTS,
    MILLION,
    Distribution,
    Impairing,
    Kind,
    check_custom,
    schedule,
    settled,
)
from impairlab.sim_hardware.chimera.filters import OFF_ON
from impairlab.sim_hardware.chimera.parameters import LONG_HIGH, Coded, Integer, Parameter, Text, Value, Values
from impairlab.sim_hardware.chimera.state import (
    CORRUPT_IP,
    CORRUPT_TCP,
    FLOWS,
    FlowState,
    Limit,
)
from impairlab.sim_hardware.chimera.status import Status, StatusError

MOST_CUSTOM = 40
CUSTOM_IDS = range(MOST_CUSTOM + 1)
FLOW = range(FLOWS)
KIND = range(len(Kind))

_LAYERS = {"L1": 0, "L2": 1}
_CORRUPTIONS = {"OFF": 0, "ETH": 1, "IP": 2, "UDP": 3, "TCP": 4, "BER": 5}


def numbers(values: Values) -> tuple[int, ...]:
    """Return values that are all numbers."""
    return tuple(_number(value) for value in values)


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"no number: {value!r}")
    return value


def _ppm(name: str = "probability") -> Integer:
    return Integer(name, 0, MILLION)


def _long(name: str) -> Integer:
    return Integer(name, 0, LONG_HIGH, size=8)


_DISTRIBUTIONS: tuple[tuple[str, int, tuple[Parameter, ...]], ...] = (
    ("FIXED", 1621, (_ppm(),)),
    ("RANDOM", 1622, (_ppm(),)),
    ("BER", 1623, (Integer("coef", 1, 9), Integer("exp", -18, -1))),
    ("FIXEDBURST", 1624, (Integer("burst_size", 1, 16383),)),
    ("RANDOMBURST", 1625, (Integer("minimum", 0, 65535), Integer("maximum", 0, 65535), _ppm())),
    (
        "GE",
        1626,
        (
            _ppm("good_state_prob"),
            _ppm("good_state_trans_prob"),
            _ppm("bad_state_prob"),
            _ppm("bad_state_trans_prob"),
        ),
    ),
    ("UNI", 1627, (_long("minimum"), _long("maximum"))),
    ("GAUSS", 1628, (_long("mean"), _long("std_deviation"))),
    ("POISSON", 1629, (_long("mean"),)),
    ("GAMMA", 1630, (_long("shape"), _long("scale"))),
    ("CUST", 1631, (Integer("cust_id", 0, MOST_CUSTOM),)),
    ("CONST", 1640, (_long("delay"),)),
    ("ACCBURST", 1641, (_long("delay"),)),
    ("STEP", 1642, (_long("low"), _long("high"))),
)


def flow_commands() -> tuple[Command, ...]:
    """Return the commands of a flow, less those of its filter and counters."""
    on_off = (Coded("action", OFF_ON),)
    times = (Integer("duration", 1, 65535), Integer("period", 0, 65535))
    status = (Integer("one_shot_status", 0, 255, size=1),)
    return (
        *(_distribution(name, code, parameters) for name, code, parameters in _DISTRIBUTIONS),
        _of_impairment("PED_SCHEDULE", 1611, times, show=_show_schedule, take=_take_schedule),
        Command("PED_ONESHOTSTATUS", 1612, Level.PORT, (FLOW, KIND), shown=status, show=_show_one_shot),
        Command("PED_OFF", 1620, Level.PORT, (FLOW, KIND), taken=(), take=_take_off),
        _of_impairment("PED_ENABLE", 1644, on_off, show=lambda place: (int(_at(place).enabled),), take=_take_enable),
        _of_flow(
            "PE_COMMENT",
            1605,
            (Text("comment"),),
            show=lambda flow: (flow.comment,),
            changed=lambda flow, values: replace(flow, comment=str(values[0])),
        ),
        Command(
            "PE_LATENCYRANGE",
            1646,
            Level.PORT,
            (FLOW,),
            shown=(_long("min"), _long("max")),
            show=lambda place: (place.chassis.latency_range.low, place.chassis.latency_range.high),
        ),
        Command(
            "PE_CORRUPT",
            1660,
            Level.PORT,
            (FLOW,),
            shown=(corruption := Coded("corruption_type", _CORRUPTIONS),),
            show=lambda place: (place.flow.corruption,),
            taken=(corruption,),
            take=_take_corrupt,
        ),
        Command(
            "PE_MISORDER",
            1661,
            Level.PORT,
            (FLOW,),
            shown=(depth := Integer("depth", 1, 32),),
            show=lambda place: (place.flow.depth,),
            taken=(depth,),
            take=_take_depth,
        ),
        _limit("PE_BANDPOLICER", 1662, "policer", ()),
        _limit("PE_BANDSHAPER", 1663, "shaper", (Integer("buffer_size", 0, 2_097_152),)),
    )


def _at(place: Place) -> Impairing:
    return place.flow.impairing[place.indices[1]]


def _change(place: Place, impairing: Impairing) -> None:
    flow, kind = place.indices
    place.chassis.change_flow(place.port, flow, lambda state: state.with_impairing(Kind(kind), impairing))


def _of_impairment(
    name: str,
    code: int,
    parameters: tuple[Parameter, ...],
    *,
    show: Callable[[Place], Values],
    take: Callable[[Place, Values], None],
) -> Command:
    return Command(name, code, Level.PORT, (FLOW, KIND), shown=parameters, show=show, taken=parameters, take=take)


def _of_flow(
    name: str,
    code: int,
    parameters: tuple[Parameter, ...],
    *,
    show: Callable[[FlowState], Values],
    changed: Callable[[FlowState, Values], FlowState],
) -> Command:
    return Command(
        name,
        code,
        Level.PORT,
        (FLOW,),
        shown=parameters,
        show=lambda place: show(place.flow),
        taken=parameters,
        take=lambda place, values: place.chassis.change_flow(
            place.port, place.indices[0], lambda flow: changed(flow, values)
        ),
    )


def _distribution(name: str, code: int, parameters: tuple[Parameter, ...]) -> Command:
    def show(place: Place) -> Values:
        distribution = _at(place).distribution
        if distribution.name != name:
            raise house.OTHER_DISTRIBUTION.error()
        return distribution.values

    def take(place: Place, values: Values) -> None:
        kind, chassis = Kind(place.indices[1]), place.chassis
        wanted = Distribution(name, numbers(values))
        wanted = settled(kind, wanted, chassis.latency_range, chassis.settings.options)
        if name == "CUST":
            if wanted.values[0] not in place.state.customs:
                raise StatusError(Status.BADVALUE)
            check_custom(kind, place.state.customs[wanted.values[0]].values, chassis.latency_range)
        if kind is Kind.MISORDER:
            _check_misordering(wanted, place.flow.depth)
        changed = replace(_at(place), distribution=wanted)
        if kind is Kind.LATENCY and name != "ACCBURST":
            changed = replace(changed, duration=1, period=0)
        _change(place, changed)

    return _of_impairment(f"PED_{name}", code, parameters, show=show, take=take)


def _check_misordering(distribution: Distribution, depth: int) -> None:
    if distribution.name == "FIXED" and distribution.values[0] * (depth + 1) >= MILLION:
        raise StatusError(Status.BADVALUE)


def _show_schedule(place: Place) -> Values:
    return _at(place).duration, _at(place).period


def _take_schedule(place: Place, values: Values) -> None:
    duration, period = numbers(values)
    _change(place, schedule(_at(place), Kind(place.indices[1]), duration, period))


def _take_off(place: Place, _: Values) -> None:
    _change(place, Impairing())


def _take_enable(place: Place, values: Values) -> None:
    on = bool(values[0])
    if on and _at(place).distribution.name == "OFF":
        raise house.ENABLE_WITHOUT_DISTRIBUTION.error()
    flow, kind = place.indices
    if on and not _at(place).enabled:
        place.chassis.ledger(place.port, flow).begun[kind] = _hits(place)
    _change(place, replace(_at(place), enabled=on))


def _hits(place: Place) -> int:
    flow, kind = place.indices
    statistics = place.chassis.statistics(place.port, flow)
    hits = {
        Kind.DROP: statistics.dropped_loss,
        Kind.MISORDER: statistics.reordered,
        Kind.LATENCY: statistics.delayed,
        Kind.DUPLICATION: statistics.duplicated,
        Kind.CORRUPTION: statistics.corrupted,
    }
    return hits[Kind(kind)] or 0


def _show_one_shot(place: Place) -> Values:
    impairing = _at(place)
    if impairing.distribution.name not in BURSTS:
        raise StatusError(Status.NOTVALID)
    flow, kind = place.indices
    begun = place.chassis.ledger(place.port, flow).begun.get(kind, 0)
    burst = 1 if Kind(kind) is Kind.LATENCY else impairing.distribution.values[0]
    return (int(impairing.enabled and _hits(place) - begun >= burst),)


def _take_corrupt(place: Place, values: Values) -> None:
    (kind,), (flow,) = numbers(values), place.indices
    if not flow and CORRUPT_IP <= kind <= CORRUPT_TCP:
        raise house.CORRUPTION_OF_FLOW_0.error()
    chassis = place.chassis
    corrupted = chassis.statistics(place.port, flow).corrupted or 0
    chassis.ledger(place.port, flow).book(place.flow.corruption, corrupted)
    chassis.change_flow(place.port, flow, lambda state: replace(state, corruption=kind))


def _take_depth(place: Place, values: Values) -> None:
    (depth,) = numbers(values)
    _check_misordering(place.flow.impairing[Kind.MISORDER].distribution, depth)
    place.chassis.change_flow(place.port, place.indices[0], lambda flow: replace(flow, depth=depth))


def _limit(name: str, code: int, attribute: str, more: tuple[Parameter, ...]) -> Command:
    parameters: tuple[Parameter, ...] = (
        Coded("on_off", OFF_ON),
        Coded("mode", _LAYERS),
        Integer("cir", 0, 1_000_000),
        Integer("cbs", 0, 4_194_304),
        *more,
    )

    def show(flow: FlowState) -> Values:
        limit: Limit = flow.policer if attribute == "policer" else flow.shaper
        values = (int(limit.on), int(limit.layer2), limit.rate, limit.burst, limit.queue)
        return values[: len(parameters)]

    def changed(flow: FlowState, values: Values) -> FlowState:
        on, layer2, *rest = numbers(values)
        limit = Limit(bool(on), bool(layer2), *rest)
        return replace(flow, policer=limit) if attribute == "policer" else replace(flow, shaper=limit)

    return _of_flow(name, code, parameters, show=show, changed=changed)
