"""The simulated REST appliances as others use them: curl with the manual's own command lines, four clients at once."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from impairlab.drivers.model import Conditions, Delay, Target
from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.planes.admission import refuse_impossible
from impairlab.sim_hardware.sne import SimulatedSne

MAP = """<map name="wan" format="impairlab-1"><link from="0" to="1">
<disruptor name="ADSLDelay" type="PacketDelayDisruptor"/><disruptor name="Drop" type="PacketDropDisruptor"/>
</link></map>"""
DELAY = {
    "delayMode": "constDelayMode",
    "enabled": True,
    "maxDataRate": 1000,
    "timeConstraints": {"enableTimeConstraints": False, "startDelay": 1000, "duration": 5000},
    "delayModeSettings": {"constDelayMode": {"latency": 50, "jitterPcnt": 0}},
}


class OnlyDelay(NullPlane):
    """A plane that can do no more than delay."""

    def program(self, entries, at_ns):
        refuse_impossible(entries, self.paths, frozenset({"delay"}))
        return super().program(entries, at_ns)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there: apt-get install curl")
def test_the_command_lines_of_the_manual(tmp_path: Path) -> None:
    (tmp_path / "wan.xml").write_text(MAP)

    def curl(*argv: str) -> Any:
        argv = ("curl", "-sS", "--fail-with-body", "--max-time", "20", *argv)
        said = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path)
        return json.loads(said.stdout)

    with SimulatedSne(NullPlane(), firmware="6.1", update_ns=0) as sim:
        api = f"{sim.address}/api"
        curl("-X", "POST", f"{api}/maps/upload", "-H", "accept: application/json", "-H",
             "Content-Type: multipart/form-data", "-F", "mapFile=@wan.xml;type=text/xml")  # fmt: skip
        (listed,) = curl("-X", "GET", f"{api}/maps", "-H", "accept: application/json")["maps"]
        assert curl("-X", "POST", f"{api}/maps/{listed['mapId']}/load", "--globoff")["code"] == 1201
        curl("-X", "PUT", f"{api}/maps/wan/start")
        curl("-X", "PUT", f"{api}/maps/wan/impairments/ADSLDelay/delay&userToken=", "-H",
             "Content-Type: application/json", "-d", json.dumps(DELAY))  # fmt: skip
        assert sim.state.conditions("1", "a-b") == Conditions.of(Delay(mean="50 ms"))
        shown = curl("-X", "GET", f"{api}/maps/wan/impairments/ADSLDelay/delay")
        assert {key: shown[key] for key in DELAY if key != "delayModeSettings"} == {
            key: value for key, value in DELAY.items() if key != "delayModeSettings"
        }
        big = tmp_path / "big.pcap"
        big.write_bytes(bytes(1_000_000))  # long enough for curl to wait for "100 Continue"
        curl("-X", "POST", f"{api}/files/capturereplay", "-F", "file=@big.pcap", "-H", "Expect: 100-continue")
        assert curl("-X", "GET", f"{api}/files/capturereplay")["captureReplayFiles"][0]["size"] == 1_000_000


def test_four_clients_at_once() -> None:
    with SimulatedAttero(NullPlane()) as sim:

        def work(position: int) -> set[int]:
            seen = set()
            with httpx.Client(base_url=sim.address, verify=False) as client:  # noqa: S501 - no TLS
                path = f"/api/app/impairment/delay/Port1/{position}.json"
                for number in range(40):
                    delay = 100_000 * (position + 1) + number
                    assert client.put(path, json={"Delay": delay}).json()["Delay"] == delay
                    seen.add(client.get(path).json()["Delay"] // 100_000)
            return seen

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [{1}, {2}, {3}, {4}]


def test_what_a_plane_cannot_do_is_refused_with_its_reason_and_undone() -> None:
    with SimulatedSne(OnlyDelay(), firmware="6.1", update_ns=0) as sim, httpx.Client(base_url=sim.address) as client:
        client.post("/api/maps/upload", files={"mapFile": ("m", MAP)})
        client.post("/api/maps/wan/load")
        client.put("/api/maps/wan/start")
        assert client.put("/api/maps/wan/impairments/ADSLDelay/delay", json=DELAY).status_code == 200
        refused = client.put("/api/maps/wan/impairments/Drop/enabled?enabled=true")
        assert refused.status_code == 501
        assert "loss" in refused.json()["message"]
        assert client.put("/api/maps/wan/1/linkdown").status_code == 501
        assert client.get("/api/maps/wan/1").json()["portStatus"] == "Up"
        assert sim.state.conditions("1", "a-b") == Conditions.of(Delay(mean="50 ms"))
    with SimulatedAttero(OnlyDelay()) as sim, httpx.Client(base_url=sim.address) as client:
        lost = "/api/app/impairment/corruption/lostpacket/Port1/7/enable.json"
        refused = client.put(lost, json={"Enable": True})
        assert (refused.status_code, refused.reason_phrase) == (501, "NotImplementedException")
        assert client.get(lost).json() == {"Enable": False}
        profile = "/api/app/profile/Port1/0"
        client.put(f"{profile}/enable", json={"Enable": True})
        refused = client.put(f"{profile}/filter", json={"Name": "UDP"})
        assert "flow" in refused.json()["ResponseStatus"]["Message"]
        assert client.get(f"{profile}/filter").json() == {}
        assert all(entry.target == Target(path="1", direction="a-b") for entry in sim.state.entries)
