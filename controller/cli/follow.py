"""Following a run on a terminal: a live picture where there is one, a line for each change where there is none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from impairlab.controller.cli.live import LiveView
from impairlab.controller.plan.timeline import Timeline
from impairlab.controller.run.observer import RunObserver
from impairlab.controller.traffic.records import Progress
from impairlab.drivers.model import Conditions, Direction

_PICTURES_PER_SECOND = 4


class PlainLines:
    """One line for each phase and each change of conditions; requests are left to the report."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began_ns = time.monotonic_ns()

    def phase_began(self, name: str) -> None:
        """Say so."""
        self._say(f"phase {name}")

    def conditions_changed(self, role: str, direction: Direction, conditions: Conditions) -> None:
        """Say what is applied now."""
        self._say(f"  {role} {direction}: {conditions}")

    def request_finished(self, progress: Progress) -> None:
        """Say nothing."""

    def _say(self, text: str) -> None:
        elapsed_s = (time.monotonic_ns() - self._began_ns) / 1e9
        self._console.print(f"{elapsed_s:7.1f} s  {text}", highlight=False, markup=False)


@contextmanager
def following(timeline: Timeline, title: str, console: Console) -> Iterator[RunObserver]:
    """Show a run on a console while it goes on: a picture where it can be drawn over, and with more than ASCII."""
    if not console.is_terminal or console.is_dumb_terminal or console.options.ascii_only:
        yield PlainLines(console)
        return
    phases = [(span.phase, span.end_ns - span.start_ns) for span in timeline.spans]
    places = dict.fromkeys((change.role, change.target.direction) for step in timeline.steps for change in step.changes)
    view = LiveView(title, phases, list(places))
    with Live(view, console=console, refresh_per_second=_PICTURES_PER_SECOND):
        yield view
