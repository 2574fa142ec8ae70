"""Prints what the project promises about speed beside what is measured here; exit code 1 when a target is missed.

`make bench`, or `python tests/benchmarks` with some of the names in `BENCHMARKS`. The targets are meant for an idle
machine with two cores: on a busy one the figures are those of its load, which is printed below them.
"""

import importlib
import os
import sys

from rich.console import Console
from rich.table import Table

BENCHMARKS = ("scpi_set", "scpi_rate", "ssh_rate", "start_up", "lateness", "netem_update")


def main(names: list[str]) -> int:
    figures = [figure for name in names or BENCHMARKS for figure in importlib.import_module(name).measure()]
    table = Table("what", "measured", "target", "", "beside", box=None)
    for figure in figures:
        sign = "≥" if figure.more_is_better else "≤"
        table.add_row(
            figure.what,
            f"{figure.value:.2f} {figure.unit}",
            "" if figure.target is None else f"{sign} {figure.target:g} {figure.unit}",
            "" if figure.target is None else "met" if figure.met else "MISSED",
            figure.beside,
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}"
    console.print(machine, highlight=False)
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
