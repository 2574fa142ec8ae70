"""`impairlab caps`: what an appliance says it can do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from impairlab.controller.cli.compare import Stated, as_document, print_matrix
from impairlab.controller.cli.exits import Exit, Verb
from impairlab.controller.cli.plan_options import DEFAULT_RACK, FILE
from impairlab.controller.plan.documents import CapabilitiesRecord
from impairlab.controller.plan.rack import Rack
from impairlab.controller.run.rack import connect_appliance
from impairlab.drivers.model.capabilities import Capabilities, Feature
from impairlab.drivers.model.units import format_time
from impairlab.drivers.registry import connect, driver_names, stated_capabilities


@click.command(cls=Verb)
@click.argument("appliances", nargs=-1, required=True, metavar="APPLIANCE...")
@click.option("--compare", is_flag=True, help="Several appliances side by side. One can also be DRIVER@ADDRESS, or a "
              "DRIVER that knows without asking.")  # fmt: skip
@click.option("--rack", "rack_file", type=FILE, default=DEFAULT_RACK, show_default=True,
              help="Which appliances there are.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON document.")
def caps(appliances: tuple[str, ...], compare: bool, rack_file: Path, as_json: bool) -> int:  # noqa: FBT001 - click's way of passing a flag
    """Ask APPLIANCE of the rack who it is and what it can do."""
    if compare:
        stated = [_ask(appliance, rack_file) for appliance in dict.fromkeys(appliances)]
        if as_json:
            click.echo(json.dumps(as_document(stated), indent=2))
        else:
            print_matrix(stated)
        return Exit.OK
    if len(appliances) > 1:
        raise click.UsageError("several appliances are compared: add --compare")
    [appliance] = appliances
    with connect_appliance(appliance, Rack.read(rack_file), os.environ) as box:
        if as_json:
            record = CapabilitiesRecord.of(box.capabilities).model_dump(mode="json")
            click.echo(json.dumps({"appliance": appliance, "identity": box.identity.model_dump(), **record}, indent=2))
        else:
            click.echo(f"{appliance}: {box.identity}")
            _print(box.capabilities)
    return Exit.OK


def _ask(appliance: str, rack_file: Path) -> Stated:
    """Return what an appliance of the rack, a driver at an address, or a driver by itself can do."""
    driver, at, address = appliance.partition("@")
    if at:
        with connect(address, driver) as box:
            return Stated(appliance, box.identity, box.capabilities)
    rack = Rack.read(rack_file) if rack_file.exists() else None
    if appliance in driver_names() and (rack is None or appliance not in rack.appliances):
        stated = stated_capabilities(appliance)
        if stated is None:
            raise click.UsageError(
                f"what {appliance!r} can do depends on the box, which must be asked: name one of the rack, "
                f"or {appliance}@ADDRESS"
            )
        return Stated(appliance, None, stated)
    with connect_appliance(appliance, rack or Rack.read(rack_file), os.environ) as box:
        return Stated(appliance, box.identity, box.capabilities)


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
    for line in capabilities.rule_lines:
        console.print(line)
    hitless = {True: "hitless", False: "not hitless", None: "not known to be hitless"}[capabilities.hitless]
    console.print(f"changes take effect on {capabilities.effect}, {hitless}, "
                  f"at least {format_time(capabilities.update_interval_ns)} apart")  # fmt: skip


def _fields(feature: Feature) -> Iterator[tuple[str, str]]:
    yield from ((name, legal.describe()) for name, legal in feature.ranges.items())
    yield from ((name, ", ".join(map(str, legal))) for name, legal in feature.choices.items())
    if not feature.ranges and not feature.choices:
        yield "", "on or off"
