"""A scenario's worth of conditions through the REST drivers, and packets in namespaces that show them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from impairlab.drivers import Appliance, connect, delay, link_down, outage
from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.planes.netns import NetnsPlane
from impairlab.sim_hardware.sne import SimulatedSne

pytestmark = pytest.mark.netns

LONG_NS = 20_000_000_000

# Sends back what it gets until it is told to end.
ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
s.settimeout(60)
while True:
    data, peer = s.recvfrom(2048)
    if data == b"end":
        break
    s.sendto(data, peer)
"""
# Prints the least round trip in milliseconds, or "lost" when four datagrams do not come back.
ASKER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], int(sys.argv[2])))
s.settimeout(0.5)
took, lost = [], 0
for _ in range(10):
    begin = time.monotonic()
    s.send(b"x" * 100)
    try:
        s.recv(2048)
    except TimeoutError:
        lost += 1
        if lost == 4:
            break
        continue
    took.append(1e3 * (time.monotonic() - begin))
print(min(took) if took and lost < 4 else "lost")
"""


@pytest.fixture
def plane() -> Iterator[NetnsPlane]:
    obstacle = NetnsPlane.available()
    if obstacle:
        pytest.skip(obstacle)
    with NetnsPlane(seed=3) as made:
        yield made


@contextmanager
def echo(plane: NetnsPlane) -> Iterator[str]:
    command = plane.command_in("server", [sys.executable, "-S", "-c", ECHO, plane.server_address])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def round_trip(plane: NetnsPlane, port: str) -> str:
    command = plane.command_in("client", [sys.executable, "-S", "-c", ASKER, plane.server_address, port])
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def crosses_as_programmed(plane: NetnsPlane, box: Appliance, nothing) -> None:
    path = box.path("1")
    with echo(plane) as port:
        with path.impaired(delay("30 ms")):
            assert float(round_trip(plane, port)) >= 60
        with path.impaired(nothing, direction="b-a"):
            assert round_trip(plane, port) == "lost"
        assert float(round_trip(plane, port)) < 60


def test_packets_suffer_what_the_sne_driver_says(plane: NetnsPlane, tmp_path: Path) -> None:
    disruptors = [{"name": "Delay", "type": "PacketDelayDisruptor"}]
    links = [{"from": port, "to": 1 - port, "disruptors": disruptors} for port in (0, 1)]
    wan = tmp_path / "wan.json"
    wan.write_text(json.dumps({"mapName": "wan", "format": "impairlab-1", "links": links}))
    with (
        SimulatedSne(plane) as sim,
        connect(f"{sim.address}?user=admin&auth=bearer&upload={wan}", "calnex-sne", timeout_ns=LONG_NS) as box,
    ):
        crosses_as_programmed(plane, box, link_down())


def test_packets_suffer_what_the_attero_driver_says(plane: NetnsPlane) -> None:
    with SimulatedAttero(plane) as sim, connect(sim.address, "calnex-attero100g", timeout_ns=LONG_NS) as box:
        crosses_as_programmed(plane, box, outage())
