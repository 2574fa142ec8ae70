"""HTTP requests program delay and loss, and packets in namespaces show them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.faults import IdleDatapath
from impairlab.sim_hardware.planes.netns import NetnsPlane
from impairlab.sim_hardware.sne import SimulatedSne

pytestmark = pytest.mark.netns

MS = 1_000_000

MAP = """<map name="wan" format="impairlab-1">
<link from="0" to="1"><disruptor name="Delay" type="PacketDelayDisruptor"/>
<disruptor name="Drop" type="PacketDropDisruptor"/></link>
<link from="1" to="0"><disruptor name="Back" type="PacketDelayDisruptor"/></link></map>"""

# Prints its port, then how many datagrams came before the one that says "end".
RECEIVER = """
import socket, subprocess, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
s.settimeout(10)
got = 0
try:
    while got < int(sys.argv[2]):
        if s.recv(2048) == b"end":
            break
        got += 1
except TimeoutError:
    pass
print(got)
"""
SENDER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
to = (sys.argv[1], int(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    s.sendto(b"x" * 100, to)
    time.sleep(0.0005)
time.sleep(0.3)
for _ in range(20):
    s.sendto(b"end", to)
"""

# Sends back what it gets until it is told to end.
ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
print(s.getsockname()[1], flush=True)
s.settimeout(10)
while True:
    data, peer = s.recvfrom(2048)
    if data == b"end":
        break
    s.sendto(data, peer)
"""
ASKER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], int(sys.argv[2])))
s.settimeout(5)
least = 1e9
for _ in range(10):
    begin = time.monotonic()
    s.send(b"x" * 100)
    s.recv(2048)
    least = min(least, time.monotonic() - begin)
s.send(b"end")
print(least * 1e3)
"""


@pytest.fixture(scope="module")
def obstacle() -> str | None:
    return NetnsPlane.available()


@pytest.fixture
def plane(obstacle: str | None) -> Iterator[NetnsPlane]:
    if obstacle:
        pytest.skip(obstacle)
    with NetnsPlane(seed=3) as made:
        yield made


def least_round_trip_ms(plane: NetnsPlane) -> float:
    """The least of ten round trips: what else this machine does only ever adds to them."""
    echo = plane.command_in("server", [sys.executable, "-S", "-c", ECHO, plane.server_address])
    with subprocess.Popen(echo, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        port = process.stdout.readline().strip()
        asker = plane.command_in("client", [sys.executable, "-S", "-c", ASKER, plane.server_address, port])
        asked = subprocess.run(asker, capture_output=True, text=True, check=True)
    return float(asked.stdout)


def arrived(plane: NetnsPlane, count: int) -> int:
    """How many of so many datagrams arrive at the server."""
    receiver = plane.command_in("server", [sys.executable, "-S", "-c", RECEIVER, plane.server_address, str(count)])
    with subprocess.Popen(receiver, stdout=subprocess.PIPE, text=True) as process:
        port = process.stdout.readline().strip()
        sender = [sys.executable, "-S", "-c", SENDER, plane.server_address, port, str(count)]
        subprocess.run(plane.command_in("client", sender), check=True)
        return int(process.stdout.read())


def sne_put(client: httpx.Client, path: str, body: Any = None) -> None:
    response = client.put(f"/api/maps/wan/{path}", json=body)
    assert (response.status_code, response.json()["code"]) == (200, 1201), response.text


def wait_until_updated(client: httpx.Client, path: str) -> None:
    deadline = time.monotonic() + 10
    while client.get(f"/api/maps/wan/impairments/{path}").json()["updatePending"]:
        assert time.monotonic() < deadline


def test_an_sne_of_6_1_impairs_what_it_is_told_to(plane: NetnsPlane, at_best: Any) -> None:
    with SimulatedSne(plane, firmware="6.1") as sim, httpx.Client(base_url=sim.address) as client:
        upload = client.post("/api/maps/upload", files={"mapFile": ("wan.xml", MAP, "text/xml")})
        assert upload.status_code == 200, upload.text
        assert client.post("/api/maps/wan/load").status_code == 200
        sne_put(client, "start")
        constant = {"constDelayMode": {"latency": 30, "jitterPcnt": 0}}
        sne_put(client, "impairments/Delay/delay", {"enabled": True, "delayModeSettings": constant})
        sne_put(client, "impairments/Back/delay", {"enabled": True, "delayModeSettings": constant})
        wait_until_updated(client, "Back/delay")
        assert 60 <= at_best(lambda: least_round_trip_ms(plane), 75) < 75

        half = {"standardDropMode": {"packetDropCount": 1, "perPacketCount": 4, "dropMethod": "dropEvenly"}}
        sne_put(client, "impairments/Drop/packetdrop", {"enabled": True, "packetDropSettings": half})
        wait_until_updated(client, "Drop/packetdrop")
        assert arrived(plane, 400) == 300
        nodes = {node["name"]: node["kvp"] for node in client.get("/api/maps/wan/stats").json()["nodes"]}
        counted = {pair["key"]: pair["value"]["u64"] for pair in nodes["Drop"]}
        assert counted["Packets Dropped"] >= 100

        sne_put(client, "stop")
        assert at_best(lambda: least_round_trip_ms(plane), 15) < 15


def attero_put(client: httpx.Client, path: str, body: Any) -> None:
    response = client.put(f"/api/app/impairment/{path}.json", json=body)
    assert response.status_code == 200, response.text


def test_an_attero_impairs_what_it_is_told_to(plane: NetnsPlane, at_best: Any) -> None:
    with SimulatedAttero(plane) as sim, httpx.Client(base_url=sim.address) as client:
        for port in ("Port1", "Port2"):
            attero_put(client, f"delay/{port}/7", {"Delay": 25 * MS})
            attero_put(client, f"delay/{port}/7/enable", {"Enable": True})
        assert 50 <= at_best(lambda: least_round_trip_ms(plane), 65) < 65

        lost = "corruption/lostpacket/Port1/7"
        attero_put(client, f"{lost}/distributetype", {"DistributeType": "Burst"})
        attero_put(client, f"{lost}/burst", {"Burst": "30"})
        attero_put(client, f"{lost}/now", {})
        assert arrived(plane, 100) == 70
        assert arrived(plane, 100) == 100
        attero_put(client, f"{lost}/now", {})
        assert arrived(plane, 100) == 70
        counted = client.get(f"/api/results/impairment/{lost}/statistics?format=json").json()
        assert counted["Packets"] == 60


def test_an_idle_data_path_answers_success_and_touches_nothing(plane: NetnsPlane, at_best: Any) -> None:
    with SimulatedAttero(plane) as sim, httpx.Client(base_url=sim.address) as client:
        sim.inject(IdleDatapath(), count=None)
        attero_put(client, "delay/Port1/7", {"Delay": 100 * MS})
        attero_put(client, "delay/Port1/7/enable", {"Enable": True})
        assert client.get("/api/app/impairment/delay/Port1/7?format=json").json() == {"Delay": 100 * MS, "Enable": True}
        assert at_best(lambda: least_round_trip_ms(plane), 50) < 50
        assert sim.state.entries == ()
