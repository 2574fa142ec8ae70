"""The commands of a flow's filter: a shadow copy that is written, and a working copy that acts.

Sources: xoa-cli reference, PEF_ commands; codes from PyPI tdl-xoa-driver 1.11.0.
"""

from dataclasses import replace

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.commands import Command, Level, Place
from impairlab.sim_hardware.chimera.filters import REGISTERS, SUB_INDICES, Registers, register, written
from impairlab.sim_hardware.chimera.flow_commands import FLOW
from impairlab.sim_hardware.chimera.parameters import Coded, Parameter, Values

_COPIES = range(2)
_SHADOW = 0
_CODES = {"VALUE": 1777, "MASK": 1778, "PROTOCOL": 1779, "MODE": 1780}
_CODES |= {name: 1702 + number for number, name in enumerate(REGISTERS) if name not in _CODES}


def filter_commands() -> tuple[Command, ...]:
    """Return the commands of a filter."""
    dirty = (Coded("is_in_sync", {"NO": 0, "YES": 1}),)
    return (
        Command("PEF_INIT", 1700, Level.PORT, (FLOW,), taken=(), take=lambda place, _: _set_shadow(place, {})),
        Command("PEF_APPLY", 1701, Level.PORT, (FLOW,), taken=(), take=_take_apply),
        Command("PEF_ISSHADOWDIRTY", 1734, Level.PORT, (FLOW,), shown=dirty, show=_show_dirty),
        Command("PEF_CANCEL", 1735, Level.PORT, (FLOW,), taken=(), take=_take_cancel),
        *(_register(name, parameters) for name, (parameters, _) in REGISTERS.items()),
    )


def _require_filter(place: Place) -> None:
    if not place.indices[0]:
        raise house.FILTER_OF_FLOW_0.error()


def _set_shadow(place: Place, shadow: Registers) -> None:
    _require_filter(place)
    place.chassis.change_flow(place.port, place.indices[0], lambda flow: replace(flow, shadow=shadow))


def _take_apply(place: Place, _: Values) -> None:
    _require_filter(place)
    place.chassis.change_flow(place.port, place.indices[0], lambda flow: replace(flow, working=flow.shadow))


def _take_cancel(place: Place, _: Values) -> None:
    _set_shadow(place, place.flow.working)


def _show_dirty(place: Place) -> Values:
    _require_filter(place)
    is_dirty = dict(place.flow.shadow) != dict(place.flow.working)
    return (int(is_dirty == (place.chassis.settings.options.shadow_dirty == "dirty")),)


def _register(name: str, parameters: tuple[Parameter, ...]) -> Command:
    sub = SUB_INDICES.get(name)
    indices = (FLOW, _COPIES) if sub is None else (FLOW, _COPIES, range(sub))

    def sub_index(place: Place) -> int:
        return place.indices[2] if sub is not None else 0

    def show(place: Place) -> Values:
        _require_filter(place)
        copy = place.flow.shadow if place.indices[1] == _SHADOW else place.flow.working
        return register(copy, name, sub_index(place))

    def take(place: Place, values: Values) -> None:
        if place.indices[1] != _SHADOW:
            raise house.WORKING_COPY_WRITTEN.error()
        _set_shadow(place, written(place.flow.shadow, name, sub_index(place), values))

    return Command(
        f"PEF_{name}",
        _CODES[name],
        Level.PORT,
        indices,
        optional=len(indices) - 1,
        shown=parameters,
        show=show,
        taken=parameters,
        take=take,
    )
