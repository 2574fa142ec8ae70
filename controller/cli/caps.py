"""`impairlab caps`: what an appliance says it can do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.controller.cli.plan_options import DEFAULT_RACK, FILE
from impairlab.controller.plan.documents import CapabilitiesRecord
from impairlab.controller.plan.rack import Rack
from impairlab.controller.run.rack import connect_appliance
from impairlab.drivers.model.capabilities import Capabilities, Feature
from impairlab.drivers.model.units import format_time


@click.command(cls=Verb)
@click.argument("appliance")
@click.option("--rack", "rack_file", type=FILE, default=DEFAULT_RACK, show_default=True,
              help="Which appliances there are.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON document.")
def caps(appliance: str, rack_file: Path, as_json: bool) -> int:  # noqa: FBT001 - click's way of passing a flag
    """Ask APPLIANCE of the rack who it is and what it can do."""
    rack = Rack.read(rack_file)
    with connect_appliance(appliance, rack, os.environ) as box:
        if as_json:
            stated = CapabilitiesRecord.of(box.capabilities).model_dump(mode="json")
            click.echo(json.dumps({"appliance": appliance, "identity": box.identity.model_dump(), **stated}, indent=2))
        else:
            click.echo(f"{appliance}: {box.identity}")
            _print(box.capabilities)
    return Exit.OK


def _print(capabilities: Capabilities) -> None:
    console = Console(highlight=False)
    table = Table("feature", "field", "legal", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for feature in capabilities.features.values():
        for number, (field, legal) in enumerate(_fields(feature)):
            table.add_row("" if number else feature.name, field, legal)
    console.print(table)
    console.print(f"paths: {', '.join(capabilities.paths)}; flows for each direction: {capabilities.flows} "
                  "and everything else")  # fmt: skip
    for group in capabilities.exclusive:
        console.print(f"only one of: {', '.join(sorted(group))}")
    for rule in capabilities.rules:
        console.print(f"{rule.name}: {rule.text}")
    hitless = {True: "hitless", False: "not hitless", None: "not known to be hitless"}[capabilities.hitless]
    console.print(f"changes take effect on {capabilities.effect}, {hitless}, "
                  f"at least {format_time(capabilities.update_interval_ns)} apart")  # fmt: skip


def _fields(feature: Feature) -> Iterator[tuple[str, str]]:
    yield from ((name, legal.describe()) for name, legal in feature.ranges.items())
    yield from ((name, ", ".join(map(str, legal))) for name, legal in feature.choices.items())
    if not feature.ranges and not feature.choices:
        yield "", "on or off"
