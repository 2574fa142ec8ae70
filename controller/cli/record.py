"""`impairlab record wire`: what an appliance says in a fixed exercise, as a file that can be replayed."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import click

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.controller.cli.plan_options import DEFAULT_RACK, FILE
from impairlab.controller.plan.rack import Expected, Rack
from impairlab.drivers.model.applied import Identity
from impairlab.drivers.model.errors import IdentityMismatch
from impairlab.drivers.testing.transcript import record_transcript


@click.group()
def record() -> None:
    """Records of what appliances say."""


@record.command(cls=Verb)
@click.argument("appliance")
@click.option("-o", "out", type=FILE, required=True, help="The file; it must not be there yet.")
@click.option("--write", "writes", is_flag=True, help="Also set every field of every feature on one flow, and restore.")
@click.option("--rack", "rack_file", type=FILE, default=DEFAULT_RACK, show_default=True,
              help="Which appliances there are.")  # fmt: skip
@click.option("--driver", metavar="DRIVER", help="APPLIANCE is an address, and this its driver.")
def wire(appliance: str, out: Path, writes: bool, rack_file: Path, driver: str | None) -> int:  # noqa: FBT001 - click's way of passing a flag
    """Go through a fixed exercise with APPLIANCE of the rack and write down every line."""
    address, secret, expected = appliance, None, Expected()
    if driver is None:
        entry = Rack.read(rack_file).appliance(appliance)
        driver, address, secret, expected = entry.driver, entry.address, entry.password(os.environ), entry.expect
    results = 0
    exercise = record_transcript(out, driver, address, "look-and-write" if writes else "look", secret)
    with closing(exercise):
        for done, came in exercise:
            results += 1
            if done == "identity":  # comes first, before anything is written
                _compare(appliance, expected, Identity.model_validate(came))
    click.echo(f"{out}: {results} results; {'restored as it was' if writes else 'nothing was changed'}")
    return Exit.OK


def _compare(appliance: str, expected: Expected, identity: Identity) -> None:
    differences = expected.differences(identity)
    if differences:
        raise IdentityMismatch("; ".join(differences), appliance=appliance)
