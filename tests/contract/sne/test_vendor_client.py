"""The vendor's own sample client, unmodified, drives the simulated SNE through a map's whole life.

PyPI py_sne_rest_client runs in a process of its own: it sets up the root logger and leaves files open.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from impairlab.drivers.model import Conditions, Delay, EvenLoss
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.sne import SimulatedSne

pytest.importorskip("py_sne_rest_client")

LIFE = """
import json, sys
from py_sne_rest_client.SpirentNetworkEmulator import SpirentNetworkEmulator, requests

address, folder = sys.argv[1:]
true, false = "true", "false"
sne = SpirentNetworkEmulator(address, "admin", log_path=folder)
said = {"build": sne.get("/instrument/software/buildversion")}
sne.put("/physical/ports/reserve", payload=[0, 1])
sne.post("/maps/json?shareWithAll=true", file=f"{folder}/map.json")
map_id = sne.get("/maps")["maps"][0]["mapId"]
sne.post(f"/maps/{map_id}/load")
sne.put(f"/maps/{map_id}/start")
said["running"] = sne.get("maps")
said["impairments"] = sne.get(f"api/maps/{map_id}/impairments")["impairments"]
drop, back = said["impairments"][1]["impId"], said["impairments"][2]["impId"]
said["put"] = sne.put(f"/maps/{map_id}/impairments/{drop}/packetdrop", payload={
    "packetDropMode": "standardDropMode",
    "enabled": true,
    "timeConstraints": {"enableTimeConstraints": false, "startDelay": 1000, "duration": 5000},
    "packetDropSettings": {
        "standardDropMode": {"packetDropCount": 1, "perPacketCount": 100, "dropMethod": "dropEvenly"}
    },
})
said["drop"] = sne.get(f"/maps/{map_id}/impairments/{drop}/packetdrop")
sne.put(f"/maps/{map_id}/impairments/{back}/enabled?enabled=true")
said["stats"] = sne.get(f"/maps/{map_id}/stats")
said["port"] = sne.get(f"/maps/{map_id}/1")
print(json.dumps(said), flush=True)
sys.stdin.readline()

sne.put(f"/maps/{map_id}/1/linkdown")
down = sne.get(f"/maps/{map_id}/1")
sne.put(f"/maps/{map_id}/1/linkup")
sne.put(f"/maps/{map_id}/stop")
sne.put(f"/maps/{map_id}/unload")
sne.post("/files/capturereplay", file=f"{folder}/some.pcap")  # Content-Type: application/json, and yet a form
listed = sne.get("/files/capturereplay")
content = sne.get(f"/files/capturereplay/{listed['captureReplayFiles'][0]['name']}")
sne.delete("/files/capturereplay/some.pcap")
deleted = sne.delete_map(map_id)
sne.put("/physical/ports/release", payload=[0, 1])
try:
    sne.get(f"/maps/{map_id}")
except requests.HTTPError as error:
    refused = str(error)
print(json.dumps({
    "down": down, "listed": listed, "content": content.decode("latin-1"), "deleted": deleted.status_code,
    "maps": sne.get("/maps"), "files": sne.get("/files/capturereplay"), "refused": refused,
}), flush=True)
"""

MAP = {
    "mapName": "wan",
    "format": "impairlab-1",
    "links": [
        {
            "from": 0,
            "to": 1,
            "disruptors": [
                {"name": "Delay Packet", "type": "PacketDelayDisruptor"},
                {"name": "Packet Drop", "type": "PacketDropDisruptor"},
            ],
        },
        {"from": 1, "to": 0, "disruptors": [{"name": "Back", "type": "PacketDelayDisruptor"}]},
    ],
}
PCAP = bytes(range(256))


@pytest.fixture
def sim() -> Iterator[SimulatedSne]:
    with SimulatedSne(NullPlane(), update_ns=0) as sim:
        yield sim


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "map.json").write_text(json.dumps(MAP))
    (tmp_path / "some.pcap").write_bytes(PCAP)
    return tmp_path


def client(sim: SimulatedSne, folder: Path, script: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", script, sim.address.removeprefix("http://"), str(folder)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)


def test_a_whole_life(sim: SimulatedSne, folder: Path) -> None:
    with client(sim, folder, LIFE) as process:
        said = json.loads(process.stdout.readline())
        assert said["build"] == "newer simulated"
        assert [each["state"] for each in said["running"]["maps"]] == ["Active"]
        assert [(each["name"], each["enabled"], each["type"]) for each in said["impairments"]] == [
            ("Delay Packet", False, "PacketDelay"),
            ("Packet Drop", False, "PacketDropCorruptor"),
            ("Back", False, "PacketDelay"),
        ]
        assert said["put"] == {"code": 1201, "message": "Operation Successful"}
        assert said["drop"]["packetDrop"]["enabled"] is True
        assert said["drop"]["updatePending"] is False
        assert [node["name"] for node in said["stats"]["nodes"]] == [
            "Input Port", "Delay Packet", "Packet Drop", "Output Port", "Input Port", "Back", "Output Port",
        ]  # fmt: skip
        assert said["port"]["portStatus"] == "Up"
        assert sim.state.conditions("1", "a-b") == Conditions.of(EvenLoss(rate="1 %"))
        assert sim.state.conditions("1", "b-a") == Conditions.of(Delay(mean="10 us"))

        process.stdin.write("\n")
        process.stdin.flush()
        said = json.loads(process.stdout.readline())
    assert process.returncode == 0
    assert said["down"]["portStatus"] == "Down"
    assert said["listed"]["captureReplayFiles"] == [{"name": "some.pcap", "size": len(PCAP)}]
    assert said["content"].encode("latin-1") == PCAP
    assert said["deleted"] == 200
    assert said["maps"]["maps"] == said["files"]["captureReplayFiles"] == []
    assert "404" in said["refused"]
    assert "9404" in said["refused"]
    assert sim.state.entries == ()


def test_a_wrong_user_is_told_so(sim: SimulatedSne, folder: Path) -> None:
    with client(sim, folder, LIFE.replace('"admin"', '"nobody"')) as process:
        process.stdout.read()
    assert process.returncode != 0
    log = next((folder / "logs").glob("*.log")).read_text()
    assert "401" in log
