"""The commands of the chassis and of its module.

Sources: xoa-cli reference, C_ and M_ commands; codes from PyPI tdl-xoa-driver 1.11.0.
"""

from collections.abc import Callable
from dataclasses import replace

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.chassis import Chassis
from impairlab.sim_hardware.chimera.commands import Command, Level, Place
from impairlab.sim_hardware.chimera.filters import OFF_ON
from impairlab.sim_hardware.chimera.flow_commands import numbers
from impairlab.sim_hardware.chimera.parameters import INT_HIGH, INT_LOW, Coded, Integer, Many, Parameter, Text, Values
from impairlab.sim_hardware.chimera.port_commands import ACTIONS, RESERVED
from impairlab.sim_hardware.chimera.reservations import CHASSIS, MODULE

OWNER_LENGTH = 8
_CHIMERA_MODULE, _CHIMERA_CHASSIS = 12, 18
_SECOND_NS = 1_000_000_000
_TEMPERATURE = 45
_CHASSIS_CAPABILITIES = (1, 64, 4096, 16, 0, 64, 1, 1, *(0,) * 8, OWNER_LENGTH, 0)
_MODULE_CAPABILITIES = (0, 0, 0, 0, 1, 0, 0, 0, 0)


def chassis_commands() -> tuple[Command, ...]:
    """Return the commands of the chassis."""
    anything = Integer("value", INT_LOW, INT_HIGH)
    seconds = (Integer("second_count", 1, INT_HIGH),)
    return (
        Command(
            "C_LOGON",
            1,
            Level.CHASSIS,
            taken=(Text("password"),),
            take=_take_logon,
            needs_reservation=False,
            needs_logon=False,
        ),
        Command(
            "C_OWNER",
            2,
            Level.CHASSIS,
            shown=(Text("username"),),
            show=lambda place: (place.session.owner,),
            taken=(Text("username"),),
            take=_take_owner,
            needs_reservation=False,
        ),
        _read("C_KEEPALIVE", 3, (Integer("tick_count", 0, INT_HIGH),), _show_ticks),
        Command(
            "C_TIMEOUT",
            4,
            Level.CHASSIS,
            shown=seconds,
            show=lambda place: (place.session.timeout_s,),
            taken=seconds,
            take=_take_timeout,
            needs_reservation=False,
        ),
        *_reservation(Level.CHASSIS, "C", 5, 6, CHASSIS),
        Command("C_LOGOFF", 7, Level.CHASSIS, taken=(), take=_take_logoff, needs_reservation=False, needs_logon=False),
        _read("C_CAPABILITIES", 9, (Many("limits", anything, 64),), lambda _: (_CHASSIS_CAPABILITIES,)),
        _read("C_MODEL", 10, (Text("model"),), lambda chassis: (chassis.settings.identity.model,)),
        _read("C_SERIALNO", 11, (anything,), lambda chassis: (chassis.settings.identity.serial,)),
        _read(
            "C_VERSIONNO",
            12,
            (Integer("chassis_major_version", 0, INT_HIGH), Integer("pci_driver_version", 0, INT_HIGH)),
            lambda chassis: (chassis.settings.identity.version[0], 0),
        ),
        _read(
            "C_PORTCOUNTS",
            13,
            (Many("port_counts", Integer("count", 0, 255, size=1), 16),),
            lambda chassis: ((chassis.reservations.ports,),),
        ),
        _read("C_BUILDSTRING", 19, (Text("build_string"),), lambda _: ("impairlab",)),
        _read("C_NAME", 20, (Text("chassis_name"),), lambda chassis: (chassis.settings.identity.name,)),
        _read("C_VERSIONSTR", 23, (Text("version_str"),), _show_version),
        _read("C_INDICES", 40, (Many("session_ids", anything, 1024),), lambda chassis: (tuple(chassis.sessions),)),
        _read(
            "C_VERSIONNO_MINOR",
            56,
            (
                Integer("chassis_minor_version", 0, INT_HIGH),
                Integer("reserved_1", 0, INT_HIGH),
                Integer("reserved_2", 0, INT_HIGH),
            ),
            lambda chassis: (chassis.settings.identity.version[1], 0, 0),
        ),
        _read("C_MODEL_NAME", 457, (Integer("name", 0, INT_HIGH),), lambda _: (_CHIMERA_CHASSIS,)),
    )


def module_commands() -> tuple[Command, ...]:
    """Return the commands of the module."""
    anything = Integer("value", INT_LOW, INT_HIGH)
    mode, on_off = Coded("mode", {"NORMAL": 0, "EXTENDED": 1}), Coded("on_off", OFF_ON)
    return (
        *_reservation(Level.MODULE, "M", 72, 73, MODULE),
        _read_module("M_MODEL", 75, (Text("model"),), lambda chassis: (chassis.settings.identity.revision,)),
        _read_module("M_SERIALNO", 76, (anything,), lambda chassis: (chassis.settings.identity.serial,)),
        _read_module("M_VERSIONNO", 77, (anything,), lambda chassis: (chassis.settings.identity.version[0],)),
        _read_module("M_STATUS", 79, (Integer("temperature", INT_LOW, INT_HIGH),), lambda _: (_TEMPERATURE,)),
        _read_module("M_PORTCOUNT", 80, (anything,), lambda chassis: (chassis.reservations.ports,)),
        _read_module("M_CAPABILITIES", 89, (Many("limits", anything, 32),), lambda _: (_MODULE_CAPABILITIES,)),
        _read_module("M_REVISION", 100, (Text("revision"),), lambda chassis: (chassis.settings.identity.revision,)),
        _read_module("M_VERSIONSTR", 101, (Text("version_str"),), _show_version),
        _read_module("M_MODEL_NAME", 459, (Integer("name", 0, INT_HIGH),), lambda _: (_CHIMERA_MODULE,)),
        Command(
            "M_LATENCYMODE",
            450,
            Level.MODULE,
            shown=(mode,),
            show=lambda place: (int(place.chassis.module.extended),),
            taken=(mode,),
            take=lambda place, values: place.chassis.set_latency_mode(extended=bool(values[0])),
        ),
        Command(
            "M_EMULBYPASS",
            454,
            Level.MODULE,
            shown=(on_off,),
            show=lambda place: (int(place.chassis.module.bypass),),
            taken=(on_off,),
            take=lambda place, values: place.chassis.change(lambda module: replace(module, bypass=bool(values[0]))),
        ),
    )


def _read(name: str, code: int, shown: tuple[Parameter, ...], show: Callable[[Chassis], Values]) -> Command:
    return Command(name, code, Level.CHASSIS, shown=shown, show=lambda place: show(place.chassis))


def _read_module(name: str, code: int, shown: tuple[Parameter, ...], show: Callable[[Chassis], Values]) -> Command:
    return Command(name, code, Level.MODULE, shown=shown, show=lambda place: show(place.chassis))


def _reservation(level: Level, prefix: str, code: int, holder_code: int, resource: str) -> tuple[Command, Command]:
    return (
        Command(
            f"{prefix}_RESERVATION",
            code,
            level,
            shown=(Coded("operation", RESERVED),),
            show=lambda place: (place.chassis.reservations.status(resource, place.session),),
            taken=(Coded("operation", ACTIONS),),
            take=lambda place, values: place.chassis.reservations.act(resource, place.session, *numbers(values)),
            needs_reservation=False,
        ),
        Command(
            f"{prefix}_RESERVEDBY",
            holder_code,
            level,
            shown=(Text("username"),),
            show=lambda place: (place.chassis.reservations.holder(resource),),
        ),
    )


def _take_logon(place: Place, values: Values) -> None:
    if values != (place.chassis.settings.password,):
        raise house.WRONG_PASSWORD.error()
    most = place.chassis.settings.max_sessions
    others = sum(each.logged_on for each in place.chassis.sessions.values() if each is not place.session)
    if most is not None and others >= most:
        raise house.TOO_MANY_SESSIONS.error()
    place.session.logged_on = True


def _take_logoff(place: Place, _: Values) -> None:
    place.session.logged_on, place.session.is_over = False, True


def _take_owner(place: Place, values: Values) -> None:
    owner = str(values[0])
    if len(owner) > OWNER_LENGTH:
        raise house.LONG_OWNER.error()
    place.session.owner = owner


def _take_timeout(place: Place, values: Values) -> None:
    (place.session.timeout_s,) = numbers(values)


def _show_ticks(chassis: Chassis) -> Values:
    return (chassis.clock() // _SECOND_NS & INT_HIGH,)


def _show_version(chassis: Chassis) -> Values:
    major, minor = chassis.settings.identity.version
    return (f"{major}.{minor}.0",)
