"""`impairlab discover`: which instruments there are, on the network, on USB and at serial ports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import isnan

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.drivers.discovery import everywhere
from impairlab.drivers.discovery.found import Found

_SECOND_NS = 1_000_000_000
_LONGEST_S = 3600
DEFAULT_BAUDS = (9600, 115200)

_NOTHING = "nobody found: no mDNS service, no VXI-11 answer, no USB instrument, no serial port"


def _in_ns(_: click.Context, option: click.Parameter, seconds: float) -> int:
    if isnan(seconds):  # compares with no end of a range
        raise click.BadParameter("not a number", param=option)
    return round(seconds * _SECOND_NS)


@click.command(cls=Verb)
@click.option("--timeout", "timeout_ns", type=click.FloatRange(0, _LONGEST_S, min_open=True), metavar="SECONDS",
              callback=_in_ns, default=3.0, show_default=True, help="How long to listen to the network.")  # fmt: skip
@click.option("--ask-serial", is_flag=True,
              help="Ask at serial ports who is there. Off by default: the bytes may do harm to a device that is none "
                   "of ours.")  # fmt: skip
@click.option("--baud", "bauds", type=click.IntRange(1), multiple=True, default=DEFAULT_BAUDS, show_default=True,
              metavar="RATE", help="ask-serial: bits per second to try; once for each.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON document.")
def discover(timeout_ns: int, ask_serial: bool, bauds: tuple[int, ...], as_json: bool) -> int:  # noqa: FBT001 - click's way of passing a flag
    """Look for instruments. Programs nothing; writes nothing to serial ports unless told to; opens no USB device."""
    found, unavailable = everywhere.discover(timeout_ns, bauds if ask_serial else ())
    for error in unavailable:
        click.echo(str(error), err=True)
    if as_json:
        click.echo(json.dumps([{**asdict(each), "driver": each.driver} for each in found], indent=2))
    elif found:
        _print(found)
    else:
        click.echo(_NOTHING)
    return Exit.OK


def _print(found: Sequence[Found]) -> None:
    table = Table("address", "identity", "driver", "found by", box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.columns[0].overflow = "fold"
    for each in found:
        row = (each.address or "-", each.identity or "-", _driver(each), each.means)
        table.add_row(*(escape(_printable(text)) for text in row))
    Console(highlight=False).print(table)


def _driver(found: Found) -> str:
    """Return its name; "-" for who was not asked, as at a serial port whose adapter alone is known."""
    told = found.answered or (found.identity and found.means != "serial")
    return found.driver or ("no driver" if told else "-")


def _printable(text: str) -> str:
    """Return it without what a terminal would obey: anybody on the network may say anything of itself."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
