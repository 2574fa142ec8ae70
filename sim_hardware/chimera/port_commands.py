"""The commands of a port that belong to no flow: reservation, emulation, link, capabilities.

Sources: xoa-cli reference, P_, PE_ and PP_ commands; codes and capabilities from PyPI tdl-xoa-driver 1.11.0.
"""

from collections.abc import Callable
from dataclasses import replace

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.commands import Command, Level, Place
from impairlab.sim_hardware.chimera.filters import OFF_ON
from impairlab.sim_hardware.chimera.flow_commands import numbers
from impairlab.sim_hardware.chimera.parameters import INT_HIGH, INT_LOW, Coded, Integer, Many, Parameter, Text, Values
from impairlab.sim_hardware.chimera.reservations import port_resource
from impairlab.sim_hardware.chimera.state import FLOWS, ModuleState, PortState, Pulses
from impairlab.sim_hardware.chimera.status import Status, StatusError

ACTIONS = {"RELEASE": 0, "RESERVE": 1, "RELINQUISH": 2}
RESERVED = {"RELEASED": 0, "RESERVED_BY_YOU": 1, "RESERVED_BY_OTHER": 2}
SPEED_MBPS = 100_000
_SHORTEST_FRAME, _LONGEST_FRAME = 56, 12_288
_CAPABILITY_COUNT = 228
_CAPABILITIES = {0: SPEED_MBPS, 12: _SHORTEST_FRAME, 13: _LONGEST_FRAME, 87: 1, 89: 0, 90: 1, 91: 1}
"""max_speed, min_packet_length, max_packet_length, can_link_flap, can_pma_error_pulse, is_chimera, has_p2p_loop_partner
by their place in P_CAPABILITIES; 92 is the partner itself."""

_PARTNER_PLACE = 92


def port_commands() -> tuple[Command, ...]:
    """Return the commands of a port."""
    anything = Integer("value", INT_LOW, INT_HIGH)
    return (
        Command(
            "P_RESERVATION",
            102,
            Level.PORT,
            shown=(Coded("status", RESERVED),),
            show=lambda place: (place.chassis.reservations.status(port_resource(place.port), place.session),),
            taken=(Coded("operation", ACTIONS),),
            take=lambda place, values: place.chassis.reservations.act(
                port_resource(place.port), place.session, *numbers(values)
            ),
            needs_reservation=False,
        ),
        _read("P_RESERVEDBY", 103, (Text("username"),), _show_holder),
        Command("P_RESET", 104, Level.PORT, taken=(), take=_take_reset),
        _read("P_CAPABILITIES", 106, (Many("capabilities", anything, 256),), _show_capabilities),
        _read("P_INTERFACE", 107, (Text("interface"),), lambda _: ("QSFP28",)),
        _read("P_SPEED", 110, (Integer("port_speed", 0, INT_HIGH),), lambda _: (SPEED_MBPS,)),
        _read("P_RECEIVESYNC", 111, (Coded("sync_status", {"NO_SYNC": 0, "IN_SYNC": 1}),), _show_sync),
        _stored("P_COMMENT", 112, Text("comment"), lambda port: port.comment, _with_comment),
        Command(
            "P_TXENABLE",
            327,
            Level.PORT,
            shown=(on_off := Coded("on_off", OFF_ON),),
            show=lambda place: (int(place.state.transmits),),
            taken=(on_off,),
            take=_take_transmit,
        ),
        _switch("P_EMULATE", 1600, "action", lambda port: port.emulates, _emulating),
        _switch("PE_FCSDROP", 1601, "on_off", lambda port: port.drops_fcs_errors, _dropping_fcs_errors),
        _stored(
            "PE_TPLDMODE",
            1602,
            Coded("mode", {"NORMAL": 0, "MICRO": 1}),
            lambda port: int(port.micro_payload),
            lambda port, value: replace(port, micro_payload=bool(value)),
        ),
        _read(
            "PE_INDICES",
            1608,
            tuple(Integer(f"flow{number}_id", 0, FLOWS) for number in range(FLOWS)),
            lambda _: tuple(range(FLOWS)),
        ),
        *_flap_commands(),
        *_error_commands(),
    )


def _read(name: str, code: int, shown: tuple[Parameter, ...], show: Callable[[Place], Values]) -> Command:
    return Command(name, code, Level.PORT, shown=shown, show=show)


def _stored(
    name: str,
    code: int,
    parameter: Parameter,
    shown: Callable[[PortState], int | str],
    changed: Callable[[PortState, int | str], PortState],
) -> Command:
    def take(place: Place, values: Values) -> None:
        (value,) = values
        if not isinstance(value, int | str):
            raise TypeError(value)
        place.chassis.change_port(place.port, lambda port: changed(port, value))

    return Command(
        name,
        code,
        Level.PORT,
        shown=(parameter,),
        show=lambda place: (shown(place.state),),
        taken=(parameter,),
        take=take,
    )


def _switch(
    name: str,
    code: int,
    parameter: str,
    shown: Callable[[PortState], bool],
    changed: Callable[[PortState, int | str], PortState],
) -> Command:
    return _stored(name, code, Coded(parameter, OFF_ON), lambda port: int(shown(port)), changed)


def _with_comment(port: PortState, value: int | str) -> PortState:
    return replace(port, comment=str(value))


def _emulating(port: PortState, value: int | str) -> PortState:
    return replace(port, emulates=bool(value))


def _dropping_fcs_errors(port: PortState, value: int | str) -> PortState:
    return replace(port, drops_fcs_errors=bool(value))


def _show_holder(place: Place) -> Values:
    return (place.chassis.reservations.holder(port_resource(place.port)),)


def _show_capabilities(place: Place) -> Values:
    capabilities = {**_CAPABILITIES, _PARTNER_PLACE: place.port ^ 1}
    return (tuple(capabilities.get(number, 0) for number in range(_CAPABILITY_COUNT)),)


def _show_sync(place: Place) -> Values:
    module = place.chassis.module
    pair = (module.ports[place.port], module.ports[place.port ^ 1])
    cut = any(port.flap.on and not port.flap.duration for port in pair)
    return (int(not cut and place.port // 2 not in module.links_down),)


def _take_reset(place: Place, _: Values) -> None:
    place.chassis.change_port(place.port, lambda _: PortState())


def _take_transmit(place: Place, values: Values) -> None:
    (on,) = numbers(values)
    pair = {place.port // 2} if on else set()

    def changed(module: ModuleState) -> ModuleState:
        module = replace(module, links_down=module.links_down - pair)
        return module.with_port(place.port, lambda port: replace(port, transmits=bool(on)))

    place.chassis.change(changed)


def _flap_commands() -> tuple[Command, ...]:
    repetition = Integer("repetition", 0, 65535, words={"INFINITE": 0})
    times = (Integer("duration", 0, 1000), Integer("period", 10, 50_000), repetition)

    def take(place: Place, values: Values) -> None:
        if place.state.flap.on:
            raise house.FLAP_WHILE_ON.error()
        flap = _pulses(*numbers(values))
        place.chassis.change_port(place.port, lambda port: replace(port, flap=flap))

    return (
        Command(
            "PP_LINKFLAP_PARAMS",
            287,
            Level.PORT,
            shown=times,
            show=lambda place: _times(place.state.flap),
            taken=times,
            take=take,
        ),
        _switch(
            "PP_LINKFLAP_ENABLE",
            288,
            "on_off",
            lambda port: port.flap.on,
            lambda port, value: replace(port, flap=replace(port.flap, on=bool(value))),
        ),
    )


def _error_commands() -> tuple[Command, ...]:
    parameters = (
        Integer("duration", 0, 5000),
        Integer("period", 10, 50_000),
        Integer("repetition", 0, 65535, words={"INFINITE": 0}),
        Integer("coeff", 2, 998),
        Integer("exp", -16, -4),
    )

    def take(place: Place, values: Values) -> None:
        *times, coefficient, exponent = numbers(values)
        errors = _pulses(*times)
        place.chassis.change_port(
            place.port, lambda port: replace(port, errors=errors, error_rate=(coefficient, exponent))
        )

    return (
        Command(
            "PP_PMAERRPUL_PARAMS",
            289,
            Level.PORT,
            shown=parameters,
            show=lambda place: (*_times(place.state.errors), *place.state.error_rate),
            taken=parameters,
            take=take,
        ),
        _switch("PP_PMAERRPUL_ENABLE", 300, "on_off", lambda port: port.errors.on, _with_error_pulses),
    )


def _with_error_pulses(port: PortState, value: int | str) -> PortState:
    if value:
        raise house.ERROR_PULSES.error()
    return port


def _pulses(duration: int, period: int, repetitions: int) -> Pulses:
    if period % 10 or period <= duration:
        raise StatusError(Status.BADVALUE)
    return Pulses(duration, period, repetitions)


def _times(pulses: Pulses) -> tuple[int, ...]:
    return pulses.duration, pulses.period, pulses.repetitions
