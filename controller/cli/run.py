"""`impairlab run`: a scenario on real paths, from the check to the verdict."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
from rich.console import Console

from impairlab.controller.cli.exits import Verb, exit_of_verdict
from impairlab.controller.cli.follow import following
from impairlab.controller.cli.plan_options import bound, mismatch_option, rack_options, scenario_argument
from impairlab.controller.plan.check import OnMismatch
from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.scenario_file import read_scenario
from impairlab.controller.report.write import WrittenReport, write_report
from impairlab.controller.run.scenario_run import ScenarioRun

RUNS = Path("runs")


@click.command(cls=Verb, short_help="Run SCENARIO, judge it and restore everything.")
@scenario_argument
@rack_options
@mismatch_option
@click.option("--runs", type=click.Path(file_okay=False, path_type=Path), default=RUNS, show_default=True,
              help="Where the run gets a folder of its own.")  # fmt: skip
def run(
    scenario: Path, rack_file: Path, roles: tuple[tuple[str, str], ...], on_mismatch: OnMismatch, runs: Path
) -> int:
    """Run SCENARIO: check, snapshot, traffic, timeline, restore, report. Exit code 1 when a verdict is not PASS."""
    plan = read_scenario(scenario)
    rack = Rack.read(rack_file)
    with ScenarioRun(plan, rack, bound(rack, roles), runs, on_mismatch=on_mismatch) as ready:
        return exit_of_verdict(perform(ready, plan.title).overall)


def perform(ready: ScenarioRun, title: str) -> WrittenReport:
    """Perform a run in front of the user; whatever becomes of it, the report is written and its place is named."""
    try:
        with ending_as_by_ctrl_c(), following(ready.timeline, title, Console(stderr=True)) as observer:
            ready.perform(observer)
    finally:
        report = write_report(ready.folder)
        click.echo(report.line)
    return report


@contextmanager
def ending_as_by_ctrl_c() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end a run as Ctrl-C does: with everything put right. What nohup ignores stays ignored."""
    numbers = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    previous = [signal.signal(number, _as_ctrl_c) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """A script's background job ignores SIGINT, so to send that one on would not do."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(number, frame)
