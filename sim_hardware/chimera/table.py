"""All commands, by name and by number."""

from collections.abc import Mapping

from impairlab.sim_hardware.chimera.chassis_commands import chassis_commands, module_commands
from impairlab.sim_hardware.chimera.commands import Command
from impairlab.sim_hardware.chimera.counter_commands import counter_commands
from impairlab.sim_hardware.chimera.custom_commands import custom_commands
from impairlab.sim_hardware.chimera.filter_commands import filter_commands
from impairlab.sim_hardware.chimera.flow_commands import flow_commands
from impairlab.sim_hardware.chimera.port_commands import port_commands

COMMANDS: Mapping[str, Command] = {
    command.name: command
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
