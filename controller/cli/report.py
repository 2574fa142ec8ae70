"""`impairlab report`: the report of a run that was made before, written anew from its folder."""

from __future__ import annotations

from pathlib import Path

import click

from impairlab.controller.cli.exits import Verb, exit_of_verdict
from impairlab.controller.report.write import write_report
from impairlab.controller.run.folder import RunFolder

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(cls=Verb, short_help="Judge the run in RUN_FOLDER again.")
@click.argument("run_folder", type=FOLDER)
def report(run_folder: Path) -> int:
    """Judge the run in RUN_FOLDER again and write its verdict.json, junit.xml and report.html."""
    written = write_report(RunFolder(run_folder))
    click.echo(written.line)
    return exit_of_verdict(written.overall)
