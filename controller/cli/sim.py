"""`impairlab sim serve`: a simulated appliance as a process of its own, on a data plane that carries real packets."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import click
from click.core import ParameterSource

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.dialects import SIMULATORS, serve_dialect
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.planes.netns import NetnsPlane
from impairlab.sim_hardware.planes.relay import RelayPlane
from impairlab.sim_hardware.simulator import Simulator
from impairlab.sim_hardware.transports.hislip import HISLIP_PORT
from impairlab.sim_hardware.transports.lxi import HTTP_PORT
from impairlab.sim_hardware.transports.lxi.pages import IDENTIFICATION_PATH
from impairlab.sim_hardware.transports.serial.server import DEFAULT_BAUD
from impairlab.sim_hardware.transports.vxi11 import PORTMAPPER_PORT

PlaneName = Literal["netns", "relay", "null"]
Planes = NetnsPlane | RelayPlane | NullPlane
Service = tuple[str, int]

REFERENCE = "scpi"
"""The dialect that can be served in more ways than on one socket."""

_OF_EVERY_DIALECT = {"dialect", "plane", "to", "host", "port", "seed", "as_json"}
_HIGHEST_PORT = 65535


def _host_port(_: click.Context, __: click.Parameter, text: str | None) -> Service | None:
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) <= _HIGHEST_PORT):
        raise click.BadParameter(f"{text!r} is not HOST:PORT, e.g. 127.0.0.1:8000 or [::1]:8000")
    return host.removeprefix("[").removesuffix("]"), int(port)


@click.group()
def sim() -> None:
    """Stand-ins for hardware."""


@sim.command(cls=Verb)
@click.option("--dialect", type=click.Choice([REFERENCE, *SIMULATORS]), default=REFERENCE, show_default=True,
              help="What it speaks: the name of the driver that speaks with it.")  # fmt: skip
@click.option("--plane", type=click.Choice(["netns", "relay", "null"]), default="netns", show_default=True,
              help="netns: packets cross between two network namespaces. relay: TCP streams are relayed to a service. "
                   "null: no packets.")  # fmt: skip
@click.option("--to", callback=_host_port, metavar="HOST:PORT", help="relay: the service that path 1 leads to.")
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Where to listen for SCPI, and for clients of the relay.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=5025, show_default=True,
              help="0 takes a free one, as other dialects than the reference do unless told.")  # fmt: skip
@click.option("--max-connections", type=click.IntRange(1), help="Close a further connection at once.")
@click.option("--idle-close", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
              help="Close a connection that has sent nothing for so long.")  # fmt: skip
@click.option("--hislip", type=click.IntRange(0, 65535), is_flag=False, flag_value=HISLIP_PORT, metavar="[PORT]",
              help=f"Answer HiSLIP too, on port {HISLIP_PORT} unless another follows.")  # fmt: skip
@click.option("--vxi11", type=click.IntRange(0, 65535), is_flag=False, flag_value=0, metavar="[PORT]",
              help="Answer VXI-11 too, on a free port unless another follows; its port mapper tells.")  # fmt: skip
@click.option("--portmapper-port", type=click.IntRange(0, 65535), default=PORTMAPPER_PORT, show_default=True,
              help="vxi11: where its port mapper listens; 111 takes root as a rule. 0 takes a free one.")  # fmt: skip
@click.option("--lxi", type=click.IntRange(0, 65535), is_flag=False, flag_value=HTTP_PORT, metavar="[PORT]",
              help=f"Serve the LXI identification over HTTP, on port {HTTP_PORT} unless another follows.")  # fmt: skip
@click.option("--tty", type=click.Path(path_type=Path), metavar="PATH",
              help="Answer on a serial line too, a pseudo-terminal that is found at PATH.")  # fmt: skip
@click.option("--baud", type=click.IntRange(1), default=DEFAULT_BAUD, show_default=True, help="tty: bits per second.")
@click.option(
    "--usbtmc",
    is_flag=True,
    help="Answer as a USB device too, where the kernel has a USB device controller; takes root as a rule.",
)
@click.option("--announce", is_flag=True, help="Advertise by mDNS what is served; needs the extra impairlab[discover].")
@click.option("--serial", default="SIM0001", show_default=True, help="Serial number in *IDN?.")
@click.option("--seed", type=int, default=0, show_default=True, help="Fixes the random streams of the data plane.")
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one JSON line.")
def serve(  # noqa: PLR0917 - one for each option
    dialect: str,
    plane: PlaneName,
    to: Service | None,
    host: str,
    port: int,
    max_connections: int | None,
    idle_close: float | None,
    hislip: int | None,
    vxi11: int | None,
    portmapper_port: int,
    lxi: int | None,
    tty: Path | None,
    baud: int,
    usbtmc: bool,  # noqa: FBT001
    announce: bool,  # noqa: FBT001
    serial: str,
    seed: int,
    as_json: bool,  # noqa: FBT001
) -> int:
    """Serve a simulated appliance until Ctrl-C, SIGTERM, or the end of a piped standard input."""
    if dialect != REFERENCE:
        given = _given(click.get_current_context())
        _refuse_reference_options(dialect, given)
        data_plane = _data_plane(plane, to, host, seed)
        with _dialect(dialect, data_plane, host, port if "port" in given else 0) as simulator:
            said = {"address": simulator.address, "driver": dialect, "plane": plane, "pid": os.getpid()}
            said |= _ways_in(data_plane, to)
            click.echo(json.dumps(said) if as_json else _in_words(said))
            _until_told()
        return Exit.OK
    data_plane = _data_plane(plane, to, host, seed)
    with SimulatedAppliance(data_plane, serial=serial) as appliance:
        idle_close_ns = None if idle_close is None else round(idle_close * 1e9)
        raw = partial(appliance.serve_scpi, max_connections=max_connections, idle_close_ns=idle_close_ns)
        bound_host, bound_port = _listen(raw, host, port)
        ready = {"address": f"tcp://{bound_host}:{bound_port}", "plane": plane, "pid": os.getpid()}
        if hislip is not None:
            bound_host, bound_port = _listen(appliance.serve_hislip, host, hislip)
            ready["hislip"] = f"TCPIP::{bound_host}::hislip0,{bound_port}::INSTR"
        if vxi11 is not None:
            ready["vxi11"] = _serve_vxi11(appliance, host, vxi11, portmapper_port)
        if lxi is not None:
            bound_host, bound_port = _listen(appliance.serve_lxi, host, lxi)
            ready["lxi"] = f"http://{bound_host}:{bound_port}{IDENTIFICATION_PATH}"
        if tty is not None:
            ready["serial"] = _serve_serial(appliance, tty, baud)
        if usbtmc:
            ready["usbtmc"] = _serve_usbtmc(appliance)
        if announce:
            ready["announced"] = _announce(appliance, host)
        ready |= _ways_in(data_plane, to)
        click.echo(json.dumps(ready) if as_json else _in_words(ready))
        _until_told()
    return Exit.OK


def _given(context: click.Context) -> Mapping[str, str]:
    """Return the options that stand on the command line, by parameter."""
    return {
        parameter.name: parameter.opts[0]
        for parameter in context.command.params
        if parameter.name and context.get_parameter_source(parameter.name) is not ParameterSource.DEFAULT
    }


def _refuse_reference_options(dialect: str, given: Mapping[str, str]) -> None:
    foreign = [option for name, option in given.items() if name not in _OF_EVERY_DIALECT]
    if foreign:
        raise click.UsageError(f"only the dialect {REFERENCE!r} has {', '.join(foreign)}; {dialect!r} has not.")


def _dialect(dialect: str, plane: Planes, host: str, port: int) -> Simulator:
    try:
        return serve_dialect(dialect, plane, host, port)
    except OSError as error:
        plane.close()
        raise ImpairlabError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _listen(serve: Callable[[str, int], Service], host: str, port: int) -> Service:
    try:
        return serve(host, port)
    except OSError as error:
        raise ImpairlabError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _serve_vxi11(appliance: SimulatedAppliance, host: str, port: int, portmapper_port: int) -> str:
    """Return the resource name; one with a port, which PyVISA-py understands, where clients would not find it."""
    try:
        address = appliance.serve_vxi11(host, port, portmapper_port=portmapper_port)
    except OSError as error:
        hint = "; an ordinary user takes --portmapper-port 0" if isinstance(error, PermissionError) else ""
        where = f"{host}:{port}, port mapper at {portmapper_port}"
        raise ImpairlabError(f"cannot listen for VXI-11 on {where}: {error.strerror}{hint}") from error
    found = address.portmapper == PORTMAPPER_PORT
    return f"TCPIP::{address.host}{'' if found else f',{address.core}'}::inst0::INSTR"


def _serve_serial(appliance: SimulatedAppliance, tty: Path, baud: int) -> str:
    link = tty.absolute()
    try:
        appliance.serve_serial(link, baud=baud)
    except OSError as error:
        raise ImpairlabError(f"cannot make the serial port {link}: {error.strerror or error}") from error
    return f"serial://{link}?baud={baud}"


def _serve_usbtmc(appliance: SimulatedAppliance) -> str:
    try:
        return appliance.serve_usbtmc().resource_name
    except OSError as error:
        raise ImpairlabError(f"cannot be a USB device: {error.strerror or error}") from error


def _announce(appliance: SimulatedAppliance, host: str) -> str:
    try:
        return appliance.announce(host)
    except ModuleNotFoundError as error:
        raise ImpairlabError("--announce needs zeroconf: pip install 'impairlab[discover]'") from error
    except OSError as error:
        raise ImpairlabError(f"cannot advertise by mDNS on {host}: {error.strerror}") from error


def _data_plane(plane: PlaneName, to: Service | None, host: str, seed: int) -> Planes:
    if plane == "relay":
        if to is None:
            raise click.UsageError("--plane relay needs --to HOST:PORT, the service that clients are to reach.")
        return RelayPlane({"1": to}, host=host, seed=seed)
    if to is not None:
        raise click.UsageError("--to belongs to --plane relay.")
    return NetnsPlane(seed=seed) if plane == "netns" else NullPlane()


def _ways_in(data_plane: Planes, to: Service | None) -> Mapping[str, object]:
    """Return how traffic gets onto the path."""
    match data_plane:
        case NetnsPlane():
            return {
                "rootless": data_plane.rootless,
                "stations": {end: data_plane.command_in(end, ()) for end in ("client", "server")},
                "addresses": {"client": data_plane.client_address, "server": data_plane.server_address},
            }
        case RelayPlane() if to is not None:
            return {"client_address": _join(data_plane.address("1")), "service": _join(to)}
        case _:
            return {}


def _join(address: Service) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _in_words(ready: Mapping[str, object]) -> str:
    who = f"is for the driver {ready['driver']}" if "driver" in ready else "answers SCPI"
    lines = [f"{ready['address']} {who}; data plane {ready['plane']}"]
    if "hislip" in ready:
        lines.append(f"{ready['hislip']} answers SCPI over HiSLIP")
    if "vxi11" in ready:
        lines.append(f"{ready['vxi11']} answers SCPI over VXI-11")
    if "lxi" in ready:
        lines.append(f"{ready['lxi']} tells who it is")
    if "serial" in ready:
        lines.append(f"{ready['serial']} answers SCPI on a serial line")
    if "usbtmc" in ready:
        lines.append(f"{ready['usbtmc']} answers SCPI over USB")
    if "announced" in ready:
        lines.append(f"announced by mDNS as {ready['announced']}")
    stations, addresses = ready.get("stations"), ready.get("addresses")
    if isinstance(stations, dict) and isinstance(addresses, dict):
        lines += [f"{end} {addresses[end]}: {' '.join(prefix)} COMMAND" for end, prefix in stations.items()]
    if "service" in ready:
        lines.append(f"clients connect to {ready['client_address']} and reach {ready['service']}")
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
