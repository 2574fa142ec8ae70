"""`impairlab check`: every fault of a scenario, on these appliances; nothing is programmed."""

from __future__ import annotations

import os
from pathlib import Path

import click

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.controller.cli.plan_options import bound, mismatch_option, rack_options, scenario_argument
from impairlab.controller.plan.check import OnMismatch
from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.scenario_file import read_scenario
from impairlab.controller.run.checks import check_on_rack
from impairlab.drivers.model.units import format_time


@click.command(cls=Verb, short_help="Check SCENARIO against what the appliances can do.")
@scenario_argument
@rack_options
@mismatch_option
def check(scenario: Path, rack_file: Path, roles: tuple[tuple[str, str], ...], on_mismatch: OnMismatch) -> int:
    """Ask the appliances what they can do and check SCENARIO against it. Without --on only the file is checked."""
    plan = read_scenario(scenario)
    length = f"{len(plan.phases)} phases, {format_time(plan.duration_ns)}"
    if not roles:
        click.echo(f"{scenario}: well written; {length}. Not checked against an appliance: name one with --on")
        return Exit.OK
    rack = Rack.read(rack_file)
    binding = bound(rack, roles)
    check_on_rack(plan, rack, binding, on_mismatch=on_mismatch, environment=os.environ)
    places = ", ".join(f"{role} = {place}" for role, place in binding.items())
    click.echo(f"{scenario}: ok on {places}; {length}")
    return Exit.OK
