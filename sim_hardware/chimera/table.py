"""All commands, by name and by number."""

from collections.abc import Mapping
from dataclasses import replace

from impairlab.sim_hardware.chimera.chassis_commands import chassis_commands, module_commands
from impairlab.sim_hardware.chimera.commands import Command
from impairlab.sim_hardware.chimera.counter_commands import counter_commands
from impairlab.sim_hardware.chimera.custom_commands import custom_commands
from impairlab.sim_hardware.chimera.filter_commands import filter_commands
from impairlab.sim_hardware.chimera.flow_commands import flow_commands
from impairlab.sim_hardware.chimera.port_commands import port_commands

PUSHED = frozenset(
    """
    C_RESERVATION C_RESERVEDBY M_RESERVATION M_RESERVEDBY M_MODEL M_SERIALNO M_VERSIONNO M_STATUS M_REVISION
    M_LATENCYMODE P_RESERVATION P_RESERVEDBY P_INTERFACE P_SPEED P_RECEIVESYNC P_EMULATE PE_FCSDROP PE_TPLDMODE
    PE_COMMENT PE_INDICES PE_CORRUPT PE_MISORDER PE_BANDPOLICER PE_BANDSHAPER PED_SCHEDULE PED_ENABLE PEC_INDICES
    PEC_VAL PEC_COMMENT PEC_DISTTYPE
    """.split()  # noqa: SIM905 - thirty names in rows
)
"""The commands of whose values a chassis tells its sessions unasked, by the marks of tdl-xoa-driver."""


def _announcing(command: Command) -> Command:
    names = (command.name, command.name.replace("RESERVATION", "RESERVEDBY"))
    return replace(command, announced=tuple(name for name in dict.fromkeys(names) if name in PUSHED))


COMMANDS: Mapping[str, Command] = {
    command.name: _announcing(command)
    for command in (
        *chassis_commands(),
        *module_commands(),
        *port_commands(),
        *flow_commands(),
        *filter_commands(),
        *custom_commands(),
        *counter_commands(),
    )
}
BY_CODE: Mapping[int, Command] = {command.code: command for command in COMMANDS.values()}
