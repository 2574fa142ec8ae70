"""What the verbs that take a scenario have in common: which file, which rack, and which path plays which role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from impairlab.controller.plan.rack import PathRef, Rack

F = TypeVar("F", bound=Callable[..., object])

FILE = click.Path(dir_okay=False, path_type=Path)
DEFAULT_RACK = Path("rack.yaml")


def _roles(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Split each ROLE=PLACE."""
    pairs = []
    for value in values:
        role, equals, place = value.partition("=")
        if not (role and equals and place):
            problem = f"{value!r} says no path for a role; ROLE=APPLIANCE or ROLE=APPLIANCE:PATH"
            raise click.BadParameter(problem, context, parameter)
        pairs.append((role, place))
    return tuple(pairs)


def scenario_argument(function: F) -> F:
    """Take the scenario file."""
    return click.argument("scenario", type=FILE)(function)


def rack_options(function: F) -> F:
    """Take `--rack` and `--on`."""
    rack = click.option("--rack", "rack_file", type=FILE, default=DEFAULT_RACK, show_default=True,
                        help="Which appliances there are.")  # fmt: skip
    on = click.option("--on", "roles", callback=_roles, multiple=True, metavar="ROLE=APPLIANCE[:PATH]",
                      help="Which path plays a role of the scenario; once for each role.")  # fmt: skip
    return rack(on(function))


def mismatch_option(function: F) -> F:
    """Take `--on-mismatch`."""
    return click.option(
        "--on-mismatch", type=click.Choice(["refuse", "nearest"]), default="refuse", show_default=True,
        help="What to do with a value between two steps of an appliance: refuse it, or send the nearest and say so.",
    )(function)  # fmt: skip


def bound(rack: Rack, roles: tuple[tuple[str, str], ...]) -> Mapping[str, PathRef]:
    """Return the path that plays each role. Raises FileError for an appliance that is not in the rack."""
    return {role: rack.bind(role, place) for role, place in roles}
