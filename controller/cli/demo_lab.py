"""The demo's lab: a simulated appliance inline between a client and an inference service, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from impairlab.controller.plan.rack import Rack
from impairlab.drivers.model.errors import ImpairlabError

_SIM = (sys.executable, "-m", "impairlab.controller.cli", "sim", "serve", "--port", "0", "--json")
_SERVICE = (sys.executable, "-m", "impairlab.sim_hardware.inference", "--profile", "dc-8b-h100")
_LEAVE_S = 5.0


class DemoLabError(ImpairlabError):
    """A part of the lab did not start."""


@dataclass(frozen=True)
class DemoLab:
    """A lab that stands.

    Attributes:
        rack: One appliance, `wan-1`, and the station `client` where there are namespaces.
        service: Where clients reach the inference service: through the appliance.
        way: What goes across the appliance, and how; a sentence for the user.
    """

    rack: Rack
    service: str
    way: str


@contextmanager
def netns_lab() -> Iterator[DemoLab]:
    """Client and service in network namespaces of their own; every packet between them crosses the appliance."""
    with _process([*_SIM, "--plane", "netns"]) as appliance:
        stations, addresses = _part(appliance, "stations"), _part(appliance, "addresses")
        with _process([*_words(stations, "server"), *_SERVICE, "--host", str(addresses["server"])]) as service:
            rack = _rack(appliance, {"client": {"prefix": _words(stations, "client")}})
            right = "without root" if appliance["rootless"] else "as root"
            way = f"Packets cross the simulated appliance between two network namespaces, made {right}."
            yield DemoLab(rack, str(service["address"]), way)


@contextmanager
def relay_lab() -> Iterator[DemoLab]:
    """Client and service on this machine; the appliance relays the TCP streams between them."""
    with _process(_SERVICE) as service:
        to = str(service["address"]).removeprefix("http://")
        with _process([*_SIM, "--plane", "relay", "--to", to]) as appliance:
            way = "The relay plane carries TCP streams, not packets: packet loss is left out of the scenario."
            yield DemoLab(_rack(appliance, {}), f"http://{appliance['client_address']}", way)


def _rack(appliance: Mapping[str, object], stations: Mapping[str, object]) -> Rack:
    entry = {"driver": "scpi", "address": appliance["address"]}
    return Rack.model_validate({"appliances": {"wan-1": entry}, "stations": stations})


@contextmanager
def _process(command: Sequence[str]) -> Iterator[Mapping[str, object]]:
    """Start a server that says where it listens in one line of JSON, and have it end with its standard input.

    It is in a session of its own: Ctrl-C is for the run, which still needs the appliance to put it right.
    """
    with subprocess.Popen(  # noqa: S603 - our own modules
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise DemoLabError(f"did not start: exit code {process.wait()}", command=" ".join(command))
            yield json.loads(line)
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_LEAVE_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _part(ready: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = ready[name]
    if not isinstance(part, dict):
        raise DemoLabError(f"{name} is not a mapping in {ready}")
    return part


def _words(stations: Mapping[str, object], name: str) -> list[str]:
    words = stations[name]
    if not isinstance(words, list):
        raise DemoLabError(f"{name} is not a command in {stations}")
    return [str(word) for word in words]
