"""The `impairlab` command: its verbs by name, each imported when it is used."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from types import MappingProxyType

import click

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "caps": "impairlab.controller.cli.caps",
        "check": "impairlab.controller.cli.check",
        "demo": "impairlab.controller.cli.demo",
        "discover": "impairlab.controller.cli.discover",
        "doctor": "impairlab.controller.cli.doctor",
        "preview": "impairlab.controller.cli.preview",
        "record": "impairlab.controller.cli.record",
        "report": "impairlab.controller.cli.report",
        "run": "impairlab.controller.cli.run",
        "show": "impairlab.controller.cli.show",
        "sim": "impairlab.controller.cli.sim",
        "ssh-key": "impairlab.controller.cli.ssh_key",
    }
)
"""Which module defines a verb. A module is imported when one of its verbs is used: start-up stays quick."""


class Verbs(click.Group):
    """A group that imports a verb's module when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order in which they are documented."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the verb's command, or None."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(VERBS[cmd_name]), cmd_name.replace("-", "_"))
        return command


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's signature
    if wanted:
        click.echo(f"impairlab {version('impairlab')}")
        context.exit()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Print the version and leave.")  # fmt: skip
def root() -> None:
    """Impair network links on purpose, in step with traffic, and prove what was applied."""


def main() -> None:
    """Run the command line; the process ends with one of the codes in `exits`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # "±" on a terminal of another alphabet is no reason to end a run
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code. An error of ours or of usage is a message on standard error."""
    try:
        result: object = root.main(arguments, prog_name="impairlab", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    return result if isinstance(result, int) else 0
