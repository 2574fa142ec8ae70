"""The simulated Attero-100G over HTTP: profiles, results, login, the error log, and faults."""

import hashlib
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from impairlab.drivers.model import Conditions, Delay, Filter, Statistics, Target
from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.faults import (
    CloseMidReply,
    IdleDatapath,
    LateReply,
    LinksDown,
    Reboot,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StatisticsNotReady,
)
from impairlab.sim_hardware.planes import NullPlane

MS, SECOND = 1_000_000, 1_000_000_000
DELAY = "app/impairment/delay/Port1"
UDP = {"Name": "UDP", "Fields": [{"Name": "ip.dst", "Value": "10.0.0.2"}, {"Name": "dstport", "Value": 4791}]}


def test_a_profile_takes_the_packets_of_its_filter_and_the_default_one_the_rest(attero: Any) -> None:
    attero.put(f"{DELAY}/2", {"Delay": MS})
    attero.put(f"{DELAY}/2/enable", {"Enable": True})
    attero.put("app/profile/Port1/2/enable", {"Enable": True})
    assert attero.sim.state.entries == ()
    assert attero.put("app/profile/Port1/2/filter", UDP) == UDP
    (entry,) = attero.sim.state.entries
    assert entry.target == Target(path="1", direction="a-b", flow=3)
    assert entry.filter == Filter(protocol="udp", destination="10.0.0.2", destination_port=4791)
    assert entry.conditions == Conditions.of(Delay(mean="1 ms"))
    attero.put("app/profile/Port1/2/profile/clear")
    assert attero.sim.state.entries == ()


def test_names_copies_swaps_and_what_disables(attero: Any) -> None:
    assert attero.put("app/profile/Port1/1/name", {"EditableName": "voice"}) == {"EditableName": "voice"}
    attero.put("app/profile/Port1/1/filter", UDP)
    attero.put("app/profile/Port1/1/enable", {"Enable": True})
    attero.put(f"{DELAY}/1", {"Delay": MS})
    attero.put(f"{DELAY}/1/enable", {"Enable": True})
    attero.put("app/impairment/corruption/lostpacket/Port1/1/burst", {"Burst": "9"})
    attero.put("app/profile/Port1/1/profilesswap", {"SecondPosition": 5})
    assert attero.get("app/profile/Port1/5")["EditableName"] == "voice"
    assert attero.suffered(flow=6) == Conditions.of(Delay(mean="1 ms"))
    attero.put("app/profile/Port2/0/delay/copy", {"SourcePort": "Port1", "SourcePosition": 5})
    attero.put("app/profile/Port2/0/lostpacket/copy", {"SourcePort": "Port1", "SourcePosition": 5})
    assert attero.get("app/impairment/delay/Port2/0") == {"Delay": MS, "Enable": True}
    assert attero.get("app/impairment/corruption/lostpacket/Port2/0/burst") == {"Burst": "9"}
    attero.put("app/profile/Port1/5/impairments/disable")
    assert attero.suffered(flow=6).is_neutral
    attero.refused(400, "PUT", "app/profile/Port1/5/profilesswap", {"SecondPosition": 7})
    attero.refused(400, "PUT", "app/profile/Port1/7/filter", UDP)
    attero.refused(501, "PUT", "app/profile/Port1/5/filter/bytes", {})


@pytest.mark.parametrize(
    "illegal",
    [
        {}, {"Name": "SCTP"}, {"Name": "UDP", "Fields": 5}, {"Name": "UDP", "Fields": [5]},
        {"Name": "UDP", "Fields": [{"Name": "ip.dst"}]}, {"Name": "UDP", "Fields": [{"Name": "x", "Value": 1}]},
        {"Name": "UDP", "Fields": [{"Name": "ip.dst", "Value": "nowhere"}]},
        {"Name": "IPv4", "Fields": [{"Name": "dstport", "Value": 1}]},
        {"Name": "UDP", "Fields": [{"Name": "dstport", "Value": 99_999}]},
        {"Name": "UDP", "Fields": [{"Name": "dstport", "Value": 1}] * 2}, {"Name": "UDP", "Length": 0},
    ],
)  # fmt: skip
def test_filters_that_cannot_be(attero: Any, illegal: Any) -> None:
    attero.refused(400, "PUT", "app/profile/Port1/2/filter", illegal)
    assert attero.get("app/profile/Port1/2/filter") == {}


def test_the_default_profile_may_be_another(make: Callable[..., Any]) -> None:
    attero = make(default_position=0)
    attero.put(f"{DELAY}/0/enable", {"Enable": True})
    assert attero.suffered() == Conditions.of(Delay(mean="50 us"))
    assert attero.get("app/profile/Port1/0")["Default"] is True
    with pytest.raises(ValueError, match="0 to 7, not 8"):
        SimulatedAttero(NullPlane(), default_position=8)


def test_the_unit_of_times_is_an_option(make: Callable[..., Any]) -> None:
    attero = make(duration_unit_ns=MS)
    base = "app/impairment/corruption/lostpacket/Port1/7"
    attero.put(f"{base}/periodtype", {"PeriodType": "Duration"})
    attero.put(f"{base}/duration/time", {"Duration": 30})
    attero.put(f"{base}/enable", {"Enable": True})
    assert attero.suffered().loss.schedule.on == 30 * MS


def test_what_it_says_of_itself(attero: Any) -> None:
    information = attero.get("instrument/information")
    assert (information["HwType"], information["SerialNumber"]) == ("Attero-100G", "SIM00001")
    assert "Authentication" not in attero.get("instrument/options/features")["Features"]
    attero.refused(404, "GET", "authentication/login")
    assert attero.get("layer1/Port1/state")["State"] == "Up"
    assert attero.get("results/statusleds")["Port2"] == {"Link": "Up"}
    assert attero.put("app/impairment/delay/allocation/distribution", {"Port1": "Multi"}) == {
        "Port1": "Multi", "Port2": "Single",
    }  # fmt: skip
    attero.refused(400, "PUT", "app/impairment/delay/allocation/distribution", {"Port1": "None"})


def test_a_login_where_there_is_a_password(make: Callable[..., Any]) -> None:
    attero = make(password="calnex")  # noqa: S106 - of a simulation
    assert "Authentication" in attero.get("instrument/options/features")["Features"]
    assert attero.get("instrument/information")["HwType"] == "Attero-100G"
    attero.refused(401, "PUT", f"{DELAY}/7", {"Delay": MS})
    digest = hashlib.md5(b"calnex", usedforsecurity=False).hexdigest()
    attero.refused(401, "GET", "authentication/login", {"Password": "calnex"})
    token = attero.ask("GET", "authentication/login", {"Password": digest}).json()["AuthToken"]
    assert attero.put(f"{DELAY}/7", {"Delay": MS, "AuthToken": token})["Delay"] == MS
    with_query = attero.client.get(f"/api/{DELAY}/7.json", params={"AuthToken": token})
    assert with_query.json()["Delay"] == MS
    attero.refused(401, "PUT", f"{DELAY}/7", {"Delay": MS, "AuthToken": "other"})
    attero.sim.inject(SessionExpired())
    attero.refused(401, "PUT", f"{DELAY}/7", {"Delay": MS, "AuthToken": token})
    again = attero.client.get(f"/api/authentication/login.json?Password={digest}").json()["AuthToken"]
    assert again != token
    attero.put(f"{DELAY}/7/enable", {"Enable": True, "AuthToken": again})


def test_the_error_log_keeps_what_was_refused(attero: Any) -> None:
    attero.refused(400, "PUT", f"{DELAY}/7", {"Delay": 1})
    attero.refused(404, "GET", "nothing")
    first, second = attero.get("instrument/errorlog")["Entries"]
    assert first["Message"].startswith("Delay value must be")
    assert second["Id"] == 2
    for _ in range(150):
        attero.ask("GET", "nothing")
    assert len(attero.get("instrument/errorlog")["Entries"]) == 100
    assert attero.ask("DELETE", "instrument/errorlog").json() == {"Entries": []}


def test_results_are_those_of_the_plane(attero: Any, clock: Any) -> None:
    for flow, lost in ((0, 2), (3, 5)):
        at = Target(path="1", direction="a-b", flow=flow)
        attero.plane.counters = {
            **attero.plane.counters,
            at: Statistics(at_ns=1, received_packets=9, dropped_loss=lost),
        }
    lost = "results/impairment/corruption/lostpacket/Port1"
    assert attero.get(f"{lost}/statistics") == {"Packets": 7}
    assert attero.get(f"{lost}/2/statistics") == {"Packets": 5}
    assert attero.get("results/impairment/traffic/Port1/statistics")["RxPackets"] == 18
    assert attero.get("results/impairment/traffic/Port2/statistics")["TxBytes"] is None
    clock.now_ns = 1500 * MS
    assert attero.get("results/statistics/elapsed") == {"Elapsed": 1.5}
    everything = attero.get("results/statistics/all")
    assert everything["Port1"]["lostpacket"] == {"Packets": 7}
    attero.sim.inject(StatisticsNotReady(for_ns=SECOND))
    assert attero.put("results/statistics/reset") == {"Elapsed": 0}
    assert attero.plane.cleared == [None]
    attero.refused(503, "GET", f"{lost}/statistics")
    clock.now_ns += SECOND
    attero.get(f"{lost}/statistics")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "app/impairment/delay/Port3/0", 404),
        ("GET", "app/impairment/delay/Port1/8", 404),
        ("GET", "app/impairment/delay/Port1/²", 404),
        ("GET", "app/impairment/corruption/lostpacket/Port1/0/depth", 404),
        ("DELETE", "app/impairment/delay/Port1/0", 405),
        ("PUT", "app/impairment/allpktcapture/start", 501),
        ("PUT", "physical/port/ethernet/Port1/cfp2/select", 501),
        ("GET", "script/recorder/history", 501),
        ("PUT", "app/impairment/delay/Port1/0", 400),
    ],
)
def test_paths_and_methods_that_are_not_there(attero: Any, method: str, path: str, status: int) -> None:
    attero.refused(status, method, path, {})


def test_paths_are_the_same_in_either_case_and_need_their_beginning(attero: Any) -> None:
    assert attero.get("APP/Impairment/Delay/port1/0")["Delay"] == 50_000
    assert attero.client.get("/app/impairment/delay/Port1/0").status_code == 404
    assert attero.client.get("/api").status_code == 404
    assert attero.client.put(f"/api/{DELAY}/0", content=b"{").reason_phrase == "SerializationException"


def test_faults_of_the_instrument_and_of_the_way(attero: Any) -> None:
    attero.put(f"{DELAY}/7/enable", {"Enable": True})
    attero.sim.inject(SilentClamp("delay/Delay", Decimal(5 * MS)))
    assert attero.put(f"{DELAY}/7", {"Delay": 9 * MS})["Delay"] == 5 * MS
    attero.sim.inject(SilentlyIgnored())
    assert attero.put(f"{DELAY}/7", {"Delay": 9 * MS})["Delay"] == 5 * MS
    attero.sim.inject(IdleDatapath())
    assert attero.put(f"{DELAY}/7", {"Delay": 9 * MS})["Delay"] == 9 * MS
    assert attero.suffered() == Conditions.of(Delay(mean="5 ms"))
    attero.sim.inject(LateReply(after_ns=100 * MS))
    begun = time.monotonic_ns()
    attero.get("instrument/information")
    assert time.monotonic_ns() - begun >= 100 * MS
    attero.sim.inject(CloseMidReply(keep=20))
    with pytest.raises(httpx.RemoteProtocolError):
        attero.get("instrument/information")
    with pytest.raises(ValueError, match="no fault LinksDown"):
        attero.sim.inject(LinksDown())
    attero.sim.inject(Reboot())
    assert attero.sim.state.entries == ()
    assert httpx.get(f"{attero.sim.address}/api/{DELAY}/7.json").json() == {"Delay": 50_000, "Enable": False}
