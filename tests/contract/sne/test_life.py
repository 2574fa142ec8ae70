"""The simulated SNE over HTTP: the life of maps, users and ports, and what is ours where the manual is silent."""

import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from impairlab.drivers.model import Conditions, Delay, EvenLoss, LinkState, Statistics, Target
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.sne.resources import RESOURCES
from impairlab.sim_hardware.transports.http.self_signed import SelfSigned

MS = 1_000_000
OK = {"code": 1201, "message": "Operation Successful"}
FORWARD = [{"name": resource.name, "type": resource.kind} for resource in RESOURCES]
MAP = {
    "mapName": "wan",
    "format": "impairlab-1",
    "links": [
        {"from": 0, "to": 1, "disruptors": FORWARD},
        {"from": 1, "to": 0, "disruptors": [{"name": "back", "type": "PacketDelayDisruptor"}]},
    ],
}
OTHER = {**MAP, "mapName": "lan", "links": [{"from": 2, "to": 3, "disruptors": []}]}


def mode(key: str, name: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {key: name, f"{key}Settings": {name: settings}, "enabled": True, **more}


def test_the_life_of_a_map(make: Callable[..., Any]) -> None:
    sne = make()
    sne.log_on()
    sne.refused(404, "PUT", "maps/wan/start")
    assert sne.upload().json() == OK
    assert sne.upload().status_code == 409
    (listed,) = sne.ask("GET", "maps").json()["maps"]
    assert listed["mapId"].startswith("{")
    assert (listed["state"], listed["user"], listed["portsUsed"]) == ("Stopped", "admin", "1,2")
    sne.refused(409, "PUT", "maps/wan/start")
    sne.refused(409, "PUT", "maps/wan/unload")
    by_guid = quote(listed["mapId"])
    sne.done("POST", f"maps/{by_guid}/load")
    sne.done("PUT", f"maps/{by_guid.replace('%7B', '').replace('%7D', '').lower()}/start")
    sne.done("PUT", "maps/wan/start")
    sne.refused(409, "PUT", "maps/wan/unload")
    assert sne.client.delete("/webui/maps?mapId=wan").status_code == 409
    sne.done("PUT", "maps/wan/stop")
    sne.refused(409, "PUT", "maps/wan/stop")
    sne.done("PUT", "maps/wan/unload")
    sne.refused(409, "PUT", "maps/wan/start")
    assert sne.client.delete(f"/webui/maps?mapId={by_guid}").json() == OK
    sne.refused(404, "GET", "maps/wan")


def test_settings_of_a_map_that_does_not_run_wait_for_its_start(sne: Any) -> None:
    sne.done("PUT", "maps/wan/stop")
    sne.put("delay", mode("delayMode", "constDelayMode", {"latency": 7}))
    sne.put("delay", {"enabled": True}, name="back")
    assert sne.sim.state.entries == ()
    sne.done("PUT", "maps/wan/start")
    assert sne.suffered() == Conditions.of(Delay(mean="7 ms"))
    assert sne.suffered("b-a") == Conditions.of(Delay(mean="10 us"))
    sne.done("PUT", "maps/wan/stop")
    assert sne.sim.state.entries == ()


def test_impairments_by_name_by_guid_and_not_by_the_name_of_two(make: Callable[..., Any]) -> None:
    sne = make()
    sne.log_on()
    twins = [{"name": "twin", "type": "PacketDelayDisruptor"}, {"name": "twin", "type": "JitterDisruptor"}]
    sne.upload({**MAP, "links": [{"from": 1, "to": 0, "disruptors": twins}]})
    first, second = sne.ask("GET", "maps/wan/impairments").json()["impairments"]
    message = sne.refused(409, "GET", "maps/wan/impairments/twin/delay")
    assert first["impId"] in message
    assert second["impId"] in message
    sne.done("PUT", f"maps/wan/impairments/{second['impId'].lower()}/jitter", {"jitter": 5})
    assert "has no jitter" in sne.refused(404, "PUT", f"maps/wan/impairments/{first['impId']}/jitter", {})
    sne.refused(404, "PUT", "maps/wan/impairments/other/delay", {})


def test_enabled_as_the_manual_and_as_its_quickcalls_write_it(sne: Any) -> None:
    sne.done("PUT", "maps/wan/impairments/delay/enabled?enabled=true")
    assert sne.ask("GET", "maps/wan/impairments/delay/enabled?").json()["enabled"] is True
    assert sne.suffered() == Conditions.of(Delay(mean="10 us"))
    sne.refused(400, "PUT", "maps/wan/impairments/delay/enabled")
    sne.refused(400, "PUT", "maps/wan/impairments/delay/enabled?enabled=1")
    sne.refused(404, "PUT", "maps/wan/impairments/delay/enabled=true")


def test_update_pending_until_the_plane_has_switched(make: Callable[..., Any], clock: Any) -> None:
    sne = make(update_ns=50 * MS)
    sne.begin()
    clock.now_ns = 100 * MS
    sne.put("delay", mode("delayMode", "constDelayMode", {"latency": 7}))
    path = "maps/wan/impairments/delay/delay"
    assert sne.ask("GET", path).json()["updatePending"] is True
    assert sne.suffered().is_neutral
    clock.now_ns = 130 * MS
    sne.put("packetdrop", {"enabled": True})
    assert [each.at_ns for each in sne.plane.programs[-2:]] == [150 * MS, 150 * MS]
    clock.now_ns = 150 * MS
    assert sne.ask("GET", path).json()["updatePending"] is False
    assert sne.suffered() == Conditions.of(Delay(mean="7 ms"), EvenLoss(rate="1 %"))


def test_links_go_down_and_up_by_ports_that_count_from_one(sne: Any) -> None:
    sne.put("delay", {"enabled": True})
    sne.done("PUT", "maps/wan/2/linkdown")
    assert sne.ask("GET", "maps/wan/1").json()["portStatus"] == "Up"
    assert sne.ask("GET", "maps/wan/2").json()["portStatus"] == "Down"
    assert sne.suffered() == Conditions.of(Delay(mean="10 us"), LinkState(state="down"))
    assert sne.suffered("b-a") == Conditions.of(LinkState(state="down"))
    sne.done("PUT", "maps/wan/2/linkup")
    assert sne.suffered() == Conditions.of(Delay(mean="10 us"))
    for port in ("0", "3", "x", "%31%31", "²"):
        sne.refused(404, "PUT", f"maps/wan/{port}/linkdown")


def test_statistics_are_those_of_the_plane(sne: Any) -> None:
    at = Target(path="1", direction="b-a")
    sne.plane.counters = {at: Statistics(at_ns=1, received_packets=5, dropped_loss=2, forwarded_packets=3)}
    nodes = sne.ask("GET", "maps/wan/stats").json()["nodes"]
    told = [(node["name"], {pair["key"]: pair["value"]["u64"] for pair in node["kvp"]}) for node in nodes]
    assert told[0] == ("Input Port", {})
    assert told[-3:] == [
        ("Input Port", {"Packets Received": 5, "Rx Packets": 5}),
        ("back", {"Packets Received": 5}),
        ("Output Port", {"Packets Received": 3, "Tx Packets": 3}),
    ]
    assert nodes[-1]["kvp"][0] == {"key": "Packets Received", "value": {"u64": 3, "valueCase": 2}}
    assert len({node["uuid"] for node in nodes}) == len(nodes)
    assert at in sne.plane.cleared


def test_losses_are_counted_where_they_happen(sne: Any) -> None:
    at = Target(path="1", direction="a-b")
    sne.plane.counters = {at: Statistics(at_ns=1, received_packets=5, dropped_loss=2)}
    nodes = {node["name"]: node["kvp"] for node in sne.ask("GET", "maps/wan/stats").json()["nodes"]}
    assert [(pair["key"], pair["value"]["u64"]) for pair in nodes["packetdrop"]] == [
        ("Packets Received", 5), ("Packets Dropped", 2),
    ]  # fmt: skip


def test_reservations_keep_other_users_out(make: Callable[..., Any]) -> None:
    sne = make(users={"ann": "", "bob": ""})
    assert sne.log_on("ann").status_code == 200
    sne.upload()
    sne.done("PUT", "physical/ports/reserve", [0, 1])
    sne.log_on("bob")
    for method, path in (("POST", "maps/wan/load"), ("PUT", "maps/wan/start"), ("PUT", "maps/wan/1/linkdown"),
                         ("PUT", "physical/ports/release")):  # fmt: skip
        body = [0] if "release" in path else None
        assert "reserved by ann" in sne.refused(409, method, path, body)
    sne.refused(409, "PUT", "maps/wan/impairments/delay/delay", {"enabled": True})
    assert "port 1 is reserved by ann" in sne.refused(409, "PUT", "physical/ports/reserve", [2, 1])
    sne.done("PUT", "physical/ports/reserve", [2, 3])
    sne.log_on("ann")
    sne.done("PUT", "physical/ports/release", [0, 1])
    for illegal in ([], [4], [-1], [True], ["0"], {"0": 1}, 0, None):
        assert "ports from 0 to 3" in sne.refused(400, "PUT", "physical/ports/reserve", illegal) or illegal is None


def test_two_maps_run_side_by_side_and_never_on_the_same_ports(sne: Any) -> None:
    assert sne.upload(OTHER).json() == OK
    sne.done("POST", "maps/lan/load")
    sne.done("PUT", "maps/lan/start")
    sne.done("PUT", "maps/lan/3/linkdown")
    sne.put("delay", {"enabled": True})
    assert sne.sim.state.conditions("2", "b-a") == Conditions.of(LinkState(state="down"))
    assert sne.upload({**MAP, "mapName": "again"}).json() == OK
    assert "'wan' uses its ports" in sne.refused(409, "POST", "maps/again/load")


def test_bearer_tokens_expire_and_nothing_goes_without(make: Callable[..., Any], clock: Any) -> None:
    sne = make(token_lifetime_ns=1000 * MS)
    sne.refused(401, "GET", "maps")
    assert sne.log_on("eve").status_code == 401
    sne.client.headers["Authorization"] = "Bearer nonsense"
    response = sne.ask("GET", "maps")
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    sne.log_on()
    assert sne.ask("GET", "maps").status_code == 200
    clock.now_ns = 1000 * MS
    assert "expired" in sne.refused(401, "GET", "maps")
    sne.log_on()
    assert sne.ask("GET", "maps").status_code == 200


XML = """<map name="wan" format="impairlab-1"><link from="0" to="1">
<disruptor name="D" type="PacketDelayDisruptor"/></link></map>"""


def test_firmware_6_1_has_maps_in_xml_and_user_tokens(make: Callable[..., Any]) -> None:
    sne = make(firmware="6.1")
    assert sne.log_on().status_code == 404
    assert sne.upload().status_code == 405
    assert sne.client.post("/api/maps/upload", files={"mapFile": ("x.xml", XML, "text/xml")}).json() == OK
    assert sne.ask("GET", "maps").json()["maps"][0]["user"] == ""
    assert sne.ask("GET", "instrument/software/buildversion").json() == "6.1 simulated"

    crowd = make(firmware="6.1", users={"ann": "", "bob": ""})
    crowd.refused(401, "GET", "maps")
    crowd.refused(401, "GET", "maps?userToken=eve")
    crowd.client.post("/api/maps/upload?userToken=ann", files={"mapFile": ("x.xml", XML, "text/xml")})
    assert crowd.ask("GET", "maps?userToken=bob").json()["maps"][0]["user"] == "ann"
    crowd.done("PUT", "maps/wan/impairments/D/delay&userToken=ann", {"enabled": True})
    crowd.refused(401, "PUT", "maps/wan/impairments/D/delay&userToken=eve", {"enabled": True})


@pytest.mark.parametrize(
    "document",
    [
        [], 5, {}, {**MAP, "format": "vendor"}, {**MAP, "mapName": ""}, {**MAP, "mapName": "a\nb"},
        {**MAP, "mapName": 5},
        {**MAP, "links": []}, {**MAP, "links": [5]}, {**MAP, "links": [{"from": 0, "to": 2}]},
        {**MAP, "links": [{"from": 0, "to": 0}]}, {**MAP, "links": [{"from": True, "to": 0}]},
        {**MAP, "links": [{"from": 4, "to": 5}]}, {**MAP, "links": [{"from": 0, "to": 1}] * 2},
        {**MAP, "links": [{"from": 0, "to": 1, "disruptors": [5]}]},
        {**MAP, "links": [{"from": 0, "to": 1, "disruptors": [{"name": "x", "type": "Rain"}]}]},
        {**MAP, "links": [{"from": 0, "to": 1, "disruptors": FORWARD * 40}]},
    ],
)  # fmt: skip
def test_maps_that_cannot_be_read(make: Callable[..., Any], document: Any) -> None:
    sne = make()
    sne.log_on()
    response = sne.upload(document)
    assert (response.status_code, response.json()["code"]) == (400, 9400)
    assert sne.ask("GET", "maps").json()["maps"] == []


@pytest.mark.parametrize("xml", ["", "<map", "<map/>", '<!DOCTYPE a [<!ENTITY b "c">]><map/>',
                                 XML.replace('"0"', '"x"'),
                                 XML.replace('"0"', '"²"')])  # fmt: skip
def test_xml_that_cannot_be_read(make: Callable[..., Any], xml: str) -> None:
    sne = make()
    sne.log_on()
    assert sne.client.post("/api/maps/upload", files={"mapFile": ("x.xml", xml)}).status_code == 400
    assert sne.client.post("/api/maps/upload", files={"other": ("x.xml", xml)}).status_code == 400
    assert sne.client.post("/api/maps/upload", content=b"x").status_code == 400


def test_what_is_kept_is_bounded(make: Callable[..., Any]) -> None:
    sne = make()
    sne.log_on()
    for number in range(64):
        assert sne.upload({**OTHER, "mapName": f"map {number}"}).status_code == 200
    assert sne.upload({**OTHER, "mapName": "one more"}).status_code == 507
    for number in range(16):
        assert sne.client.post("/api/files/capturereplay", files={"f": (f"{number}", b"x")}).json() == OK
    assert sne.client.post("/api/files/capturereplay", files={"f": ("more", b"x")}).status_code == 507
    assert sne.client.post("/api/files/capturereplay", files={"f": ("1", bytes(2**20 + 1))}).status_code == 507
    sne.refused(404, "DELETE", "files/capturereplay/more")


def test_a_plane_that_fails_is_told_of(sne: Any) -> None:
    sne.plane.failure = ImpairlabError("the plane is gone")
    assert "the plane is gone" in sne.refused(500, "PUT", "maps/wan/impairments/delay/delay", {"enabled": True})
    sne.plane.failure = None
    assert sne.suffered().is_neutral
    assert sne.ask("GET", "maps/wan/impairments/delay/enabled").json()["enabled"] is False


def test_paths_and_methods_that_are_not_there(sne: Any) -> None:
    assert "GET" in sne.refused(405, "PUT", "instrument/software/buildversion")
    for path in ("nothing", "maps/wan/impairments/delay/rain", "maps/wan/stats/more"):
        sne.refused(404, "GET", path)
    assert sne.client.get("/swagger/index.html").headers["content-type"] == "text/html"
    assert sne.client.head("/api/maps").content == b""
    sne.refused(404, "GET", "../maps/x/y/z")


def test_over_tls(make: Callable[..., Any]) -> None:
    signed = SelfSigned.made_for("127.0.0.1")
    sim = make(tls=signed.context).sim
    assert sim.address.startswith("https://")
    with httpx.Client(base_url=sim.address, verify=ssl.create_default_context(cadata=signed.certificate)) as client:
        assert client.post("/api/users/authenticate", json={"username": "admin", "password": ""}).json()["token"]
