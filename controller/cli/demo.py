"""`impairlab demo`: the main job end to end, with nothing but this machine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import click

from impairlab.controller.cli.demo_lab import DemoLab, netns_lab, relay_lab
from impairlab.controller.cli.exits import Exit, Verb
from impairlab.controller.cli.run import RUNS, perform
from impairlab.controller.plan.scenario_file import read_scenario
from impairlab.controller.run.scenario_run import ScenarioRun
from impairlab.sim_hardware.planes.netns import NetnsPlane

SCENARIOS = Path(__file__).parent / "scenarios"

Wanted = Literal["auto", "netns", "relay"]
Build = Callable[[], AbstractContextManager[DemoLab]]


@click.command(cls=Verb, short_help="See it work: a simulated link fails under traffic.")
@click.option("--plane", type=click.Choice(["auto", "netns", "relay"]), default="auto", show_default=True,
              help="netns: packets cross between namespaces. relay: TCP streams are relayed. auto: netns where it "
                   "can be.")  # fmt: skip
@click.option("--runs", type=click.Path(file_okay=False, path_type=Path), default=RUNS, show_default=True,
              help="Where the run gets a folder of its own.")  # fmt: skip
def demo(plane: Wanted, runs: Path) -> int:
    """Impair the path between a client and a simulated inference service for a minute, and judge what that does.

    Exit code 0 when the run worked, whatever the verdict.
    """
    build, file = _netns_or_relay(plane)
    with build() as lab:
        click.echo(lab.way)
        scenario = read_scenario(SCENARIOS / file, {"SERVICE": lab.service})
        with ScenarioRun(scenario, lab.rack, {"wan": lab.rack.bind("wan", "wan-1")}, runs) as ready:
            perform(ready, scenario.title)
    return Exit.OK


def _netns_or_relay(plane: Wanted) -> tuple[Build, str]:
    why_not = NetnsPlane.available() if plane == "auto" else None
    if why_not:
        click.echo(f"No network namespaces here: {why_not}.")
    if why_not or plane == "relay":
        return relay_lab, "brownout-relay.yaml"
    return netns_lab, "brownout.yaml"
