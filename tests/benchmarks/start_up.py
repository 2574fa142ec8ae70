"""How long `impairlab --version` takes from the start of the process to its end, and a Python that does nothing."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from figures import Figure

RUNS = 15
VERSION = [sys.executable, "-c", "from impairlab.controller.cli import main; main()", "--version"]
"""What the installed script does."""
NOTHING = [sys.executable, "-c", "pass"]


def measure() -> Iterator[Figure]:
    taken: dict[str, list[float]] = {"version": [], "nothing": []}
    for number in range(RUNS + 1):
        for name, command in (("version", VERSION), ("nothing", NOTHING)):
            milliseconds = run(command)
            if number:  # the first one writes the bytecode
                taken[name].append(milliseconds)
    version, nothing = (statistics.median(values) for values in taken.values())
    yield Figure("impairlab --version", version, "ms", 150, f"best {min(taken['version']):.0f} ms; "
                 f"python -c pass: {nothing:.0f} ms, best {min(taken['nothing']):.0f} ms")  # fmt: skip


def run(command: list[str]) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started_ns = time.perf_counter_ns()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter_ns() - started_ns) / 1e6
