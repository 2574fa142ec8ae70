"""`impairlab preview`: what a scenario would do, instant by instant; nothing is connected to."""

from __future__ import annotations

from pathlib import Path

import click

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.controller.cli.plan_options import bound, rack_options, scenario_argument
from impairlab.controller.plan import timeline
from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.scenario_file import read_scenario


@click.command(cls=Verb)
@scenario_argument
@rack_options
def preview(scenario: Path, rack_file: Path, roles: tuple[tuple[str, str], ...]) -> int:
    """Print what SCENARIO would do when."""
    plan = read_scenario(scenario)
    binding = bound(Rack.read(rack_file), roles)
    click.echo(timeline.preview(timeline.build_timeline(plan, binding), binding))
    return Exit.OK
