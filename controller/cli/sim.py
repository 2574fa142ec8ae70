"""`impairlab sim serve`: a simulated appliance as a process of its own, on a data plane that carries real packets."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
from collections.abc import Mapping
from typing import Literal

import click

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.planes.netns import NetnsPlane

PlaneName = Literal["netns", "null"]


@click.group()
def sim() -> None:
    """Stand-ins for hardware."""


@sim.command(cls=Verb)
@click.option("--plane", type=click.Choice(["netns", "null"]), default="netns", show_default=True,
              help="netns: packets cross between two network namespaces. null: no packets.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen for SCPI.")
@click.option("--port", type=click.IntRange(0, 65535), default=5025, show_default=True, help="0 takes a free one.")
@click.option("--serial", default="SIM0001", show_default=True, help="Serial number in *IDN?.")
@click.option("--seed", type=int, default=0, show_default=True, help="Fixes the random streams of the data plane.")
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one JSON line.")
def serve(plane: PlaneName, host: str, port: int, serial: str, seed: int, as_json: bool) -> int:  # noqa: FBT001, PLR0917 - one for each option
    """Serve a simulated appliance until Ctrl-C, SIGTERM, or the end of a piped standard input."""
    data_plane: NetnsPlane | NullPlane = NetnsPlane(seed=seed) if plane == "netns" else NullPlane()
    with SimulatedAppliance(data_plane, serial=serial) as appliance:
        try:
            bound_host, bound_port = appliance.serve_scpi(host, port)
        except OSError as error:
            raise ImpairlabError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        ready = _ready_line(plane, f"tcp://{bound_host}:{bound_port}", data_plane)
        click.echo(json.dumps(ready) if as_json else _in_words(ready))
        _until_told()
    return Exit.OK


def _ready_line(plane: PlaneName, address: str, data_plane: NetnsPlane | NullPlane) -> dict[str, object]:
    ready: dict[str, object] = {"address": address, "plane": plane, "pid": os.getpid()}
    if isinstance(data_plane, NetnsPlane):
        ready["rootless"] = data_plane.rootless
        ready["stations"] = {end: data_plane.command_in(end, ()) for end in ("client", "server")}
        ready["addresses"] = {"client": data_plane.client_address, "server": data_plane.server_address}
    return ready


def _in_words(ready: Mapping[str, object]) -> str:
    lines = [f"{ready['address']} answers SCPI; data plane {ready['plane']}"]
    stations, addresses = ready.get("stations"), ready.get("addresses")
    if isinstance(stations, dict) and isinstance(addresses, dict):
        lines += [f"{end} {addresses[end]}: {' '.join(prefix)} COMMAND" for end, prefix in stations.items()]
    return "\n".join(lines)


def _until_told() -> None:
    """Wait for SIGINT or SIGTERM, and, where standard input is a pipe or socket, for whoever holds it to be gone."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())

    def wait_for_the_holder() -> None:
        sys.stdin.read()
        told.set()

    mode = os.fstat(sys.stdin.fileno()).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=wait_for_the_holder, daemon=True).start()
    told.wait()
