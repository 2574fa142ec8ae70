"""`impairlab doctor netem`: what netem needs on this machine, and how to get it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.drivers.netem.address import NetemAddress
from impairlab.drivers.netem.doctor import examine


@click.group()
def doctor() -> None:
    """Say what a driver needs on this machine."""


@doctor.command(cls=Verb)
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON document.")
@click.argument("address", required=False)
def netem(address: str | None, as_json: bool) -> int:  # noqa: FBT001 - click's way of passing a flag
    """Look at the kernel, and at the devices of ADDRESS (netem://local?paths=wan:eth1-eth2). Changes no device."""
    findings = tuple(examine(None if address is None else NetemAddress.parse(address)))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], indent=2))
    else:
        for each in findings:
            click.echo(f"{each.state:<5}  {each.what}: {each.says}")
    return Exit.VERDICT_FAILED if any(each.state == "wrong" for each in findings) else Exit.OK
