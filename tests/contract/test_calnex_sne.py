"""The SNE driver against a small server written from what is public: the 6.1 manual, the logs of build 11.0.0.18."""

import copy
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import pytest

from impairlab.drivers import (
    NEUTRAL,
    AuthError,
    CapabilityError,
    Conditions,
    ConnectError,
    ConnectionLost,
    Filter,
    IdentityMismatch,
    InstrumentCommandError,
    InstrumentExecutionError,
    LockedByOther,
    MalformedResponse,
    NoResponse,
    RebootDetected,
    Target,
    VerifyMismatch,
    WireLog,
    connect,
    delay,
    duplicate,
    gilbert_elliott,
    link_down,
    loss,
    outage,
    periodic_loss,
    rate,
    reorder,
)
from impairlab.drivers.calnex.sne import SneAppliance
from impairlab.drivers.calnex.sne_map import Disruptor
from impairlab.drivers.model.delays import Delay, RampDelay, SineDelay
from impairlab.drivers.model.impairments import Corrupt, Reorder
from impairlab.drivers.model.losses import EvenLoss, RandomLoss
from impairlab.drivers.model.patterns import BitErrors
from impairlab.drivers.model.schedule import Schedule
from impairlab.drivers.testing.http_peers import HttpRequest, http_peer, json_response, read_request, response
from impairlab.drivers.testing.peers import SocketWire

MS = 1_000_000
LONG_NS = 20_000 * MS
AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")
DONE = {"code": 1201, "message": "Operation Successful"}
GUID = "1d208803-6257-418b-9def-b02f108ba8e0"
TIMES = {"enableTimeConstraints": False, "startDelay": 1000.0, "duration": 5000.0}

DOCUMENTS = {
    "PacketDelay": ("delay", {
        "delayMode": "constDelayMode", "enabled": False, "maxDataRate": 1000, "timeConstraints": TIMES,
        "delayModeSettings": {
            "constDelayMode": {"latency": 50, "jitterPcnt": 0},
            "rangeDelayMode": {"minLatency": 1, "maxLatency": 2, "allowReordering": False},
            "gaussianDelayMode": {"minLatency": 1, "meanLatency": 2, "deviation": 1, "allowReordering": False},
            "rampDelayMode": {"startLatency": 1, "startPeriod": 1, "endLatency": 2, "riseTime": 1,
                              "allowReordering": False},
            "sinDelayMode": {"minLatency": 1, "maxLatency": 2, "sinDuration": 1, "allowReordering": False},
        }}),
    "JitterDisruptor": ("jitter", {"jitter": 10, "enabled": False}),
    "PacketDropCorruptor": ("packetdrop", {
        "packetDropMode": "standardDropMode", "enabled": False, "timeConstraints": TIMES,
        "packetDropSettings": {
            "standardDropMode": {"packetDropCount": 5, "perPacketCount": 100, "dropMethod": "dropEvenly"},
            "percentageDropMode": {"percentageDrop": 1},
            "markovDropMode": {"highLossDropProbability": 70.0, "lowLossDropProbability": 10.0,
                               "highLossTransProbability": 50.0, "lowLossTransProbability": 50.0},
        }}),
    "BandwidthThrottleDisruptor": ("bandwidththrottle", {
        "bandwidthThrottleMode": "constantThrottleMode", "enabled": False, "timeConstraints": TIMES,
        "includeEthernetFraming": False, "ethernetFrameSize": 24, "fifoSize": 0,
        "bandwidthThrottleSettings": {"constantThrottleMode": {"bandwidth": 16},
                                      "rangeThrottleMode": {"minBandwidth": 500, "maxBandwidth": 600, "duration": 1}}}),
    "PacketDuplication": ("packetduplication", {
        "packetDuplicationMode": "simpleMode", "enabled": False,
        "packetDuplicationSettings": {"timedMode": {"delay": 5, "maxPacketsToStore": 7},
                                      "complexMode": {"delay": 5, "amount": 2, "maxPacketsToStore": 7}}}),
    "PacketReorder": ("packetreorder", {
        "packetReorderMode": "distanceReorderMode", "enabled": False, "packetProbability": 1,
        "packetReorderSettings": {"distanceReorderMode": {"minDistance": 1, "maxDisplacement": 2},
                                  "timeReorderMode": {"minDisplacement": 1, "maxDisplacement": 2}}}),
    "BitError": ("biterror", {"enabled": False, "erroredBits": 1, "totalBits": 1000}),
    "EthernetFragmentation": ("ethfragmentation", {"enabled": False, "mtuSize": 1500}),
}  # fmt: skip


class Box:
    """One map with two of each impairment; build 11 wraps what 6.1 answers flat."""

    def __init__(self, types=tuple(DOCUMENTS), *, wraps: bool = True) -> None:
        self.wraps = wraps
        self.maps = [{"mapName": "WAN", "mapId": GUID, "state": "Unloaded", "user": "", "inPortsUsed": "1"}]
        self.imps = {}
        for side in "AB":
            for kind in types:
                resource, document = DOCUMENTS[kind]
                self.imps[f"{side}-{resource}"] = (kind, resource, copy.deepcopy(document))
        self.down: set[str] = set()
        self.calls: list[str] = []
        self.writes: list[tuple[str, object]] = []
        self.pending = 0
        self.received = 0
        self.moves = 0
        self.refuse: dict[str, tuple[int, object]] = {}
        self.refuse_once: dict[str, tuple[int, object]] = {}
        self.tokens: set[str] = set()
        self.logins = 0
        self.wants_token = False
        self.user_token: str | None = None
        self.hang_up_after: str | None = None
        self.clamp: dict = {}
        self.build: object = "11.0.0.18"
        self.lock = Lock()

    def serve(self, _number: int, wire: SocketWire) -> None:
        while (request := read_request(wire)) is not None:
            with self.lock:
                status, content = self.answer(request)
            if self.hang_up_after and self.hang_up_after in request.target and request.method == "PUT":
                self.hang_up_after = None
                return
            wire.send(json_response(status, content) if not isinstance(content, bytes) else response(status, content))

    def log_in(self, request: HttpRequest) -> tuple[int, object]:
        self.logins += 1
        self.tokens = {f"Bearer t{self.logins}"}
        right = request.json == {"username": "lab1", "password": ""}
        return (200, {"token": f"t{self.logins}"}) if right else (401, {"message": "wrong"})

    def refusal(self, call: str) -> tuple[int, object] | None:
        if call in self.refuse_once:
            return self.refuse_once.pop(call)
        return next((answer for part, answer in self.refuse.items() if part in call), None)

    def answer(self, request: HttpRequest) -> tuple[int, object]:
        path, _, query = request.target.removeprefix("/api").partition("?")
        if path == "/users/authenticate":
            return self.log_in(request)
        if self.wants_token and request.headers.get("authorization") not in self.tokens:
            return 401, b"expired"
        parameters = dict(each.split("=") for each in query.split("&") if each)
        if self.user_token is not None:
            assert parameters.pop("userToken") == self.user_token
        call = f"{request.method} {path}"
        self.calls.append(call)
        refusal = self.refusal(call)
        if refusal is not None:
            return refusal
        if path == "/instrument/software/buildversion":
            return 200, self.build
        if path == "/maps":
            return 200, {"status": DONE, "maps": self.maps}
        if path.startswith("/physical/ports/"):
            self.writes.append((path, request.json))
            return 200, DONE
        if path in {"/maps/upload", "/maps/json"}:
            self.maps.append({"mapName": "WAN", "mapId": GUID, "state": "Unloaded"})
            self.writes.append((path, request.body))
            return 200, DONE
        assert path.startswith(f"/maps/{GUID}/"), path
        return self.of_map(request, path.removeprefix(f"/maps/{GUID}/"), parameters)

    def of_map(self, request: HttpRequest, path: str, parameters: dict) -> tuple[int, object]:
        if path in {"load", "start", "stop", "unload"}:
            states = {"load": "Stopped", "start": "Active", "stop": "Stopped", "unload": "Unloaded"}
            assert request.method == ("POST" if path == "load" else "PUT")
            self.maps[0] = {**self.maps[0], "state": states[path]}
            return 200, DONE
        if path == "stats":
            self.received += self.moves
            counted = [{"key": "Packets Received", "value": {"u64": self.received, "valueCase": 2}},
                       {"key": "Packets Dropped", "value": {"u64": self.received // 2, "valueCase": 2}}]  # fmt: skip
            return 200, {"status": DONE, "nodes": [{"name": "x", "uuid": name, "kvp": counted} for name in self.imps]}
        if path == "impairments":
            listed = [{"name": kind, "impId": name, "enabled": document["enabled"], "type": kind}
                      for name, (kind, _, document) in self.imps.items()]  # fmt: skip
            return 200, ({"status": DONE, "impairments": listed} if self.wraps else listed)
        if match := re.fullmatch(r"(\d)/(linkup|linkdown)", path):
            self.writes.append((path, None))
            (self.down.add if match[2] == "linkdown" else self.down.discard)(match[1])
            return 200, DONE
        if path.isdigit():
            return 200, {"status": DONE, "portStatus": "Down" if path in self.down else "Up"}
        return self.of_impairment(request, path.removeprefix("impairments/"), parameters)

    def of_impairment(self, request: HttpRequest, path: str, parameters: dict) -> tuple[int, object]:
        name, _, leaf = path.partition("/")
        kind, resource, document = self.imps[name]
        if leaf == "enabled":
            self.writes.append((path, parameters["enabled"]))
            self.imps[name] = kind, resource, {**document, "enabled": parameters["enabled"] == "true"}
            return 200, DONE
        assert leaf == resource
        if request.method == "PUT":
            body = json.loads(request.body)
            self.writes.append((path, body))
            self.imps[name] = kind, resource, {**body, **self.clamp}
            return 200, DONE
        self.pending = max(self.pending - 1, 0)
        head = {"updatePending": self.pending > 0}
        if self.wraps:
            return 200, {"status": DONE, **head, resource[0].upper() + resource[1:]: document}
        return 200, {**DONE, **head, **document}


@contextmanager
def driving(box: Box, query: str = "", driver_options: dict | None = None) -> Iterator[SneAppliance]:
    options = {"timeout_ns": LONG_NS, **(driver_options or {})}
    with (
        http_peer(box.serve) as (host, port),
        connect(f"sne://{host}:{port}{query}", "calnex-sne", **options) as appliance,
    ):
        assert isinstance(appliance, SneAppliance)
        yield appliance


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def sne(box: Box) -> Iterator[SneAppliance]:
    with driving(box) as appliance:
        yield appliance


def test_connecting_finds_loads_and_starts_the_map(sne: SneAppliance, box: Box) -> None:
    changes = [call for call in box.calls if not call.startswith("GET")]
    assert changes == [f"POST /maps/{GUID}/load", f"PUT /maps/{GUID}/start"]
    assert str(sne.identity) == "Calnex SNE ? 11.0.0.18"
    assert sne.impairments["b-a"][0] == "PacketDelay"


def test_stopped_map_is_loaded_only_where_it_does_not_start_without(box: Box) -> None:
    box.maps[0]["state"] = "Stopped"
    with driving(box):
        assert [call for call in box.calls if not call.startswith("GET")] == [f"PUT /maps/{GUID}/start"]
    box.maps[0]["state"] = "Stopped"
    box.calls.clear()
    box.refuse_once = {f"PUT /maps/{GUID}/start": (409, {"code": 9409, "message": "not loaded"})}
    with driving(box):
        assert [call for call in box.calls if not call.startswith("GET")] == [
            f"PUT /maps/{GUID}/start", f"POST /maps/{GUID}/load", f"PUT /maps/{GUID}/start",
        ]  # fmt: skip


def test_map_that_runs_already_is_left_alone(box: Box) -> None:
    box.maps[0]["state"] = "Active"
    with driving(box, f"?map=%7B{GUID.upper()}%7D"):
        assert all(call.startswith("GET") for call in box.calls)


@pytest.mark.parametrize(
    ("query", "words"),
    [("?map=LAN", "'WAN'"), ("", "which map is meant"), ("?map=WAN&a-b=Nothing", "'Nothing'"),
     ("?map=WAN&a-b=PacketDelay", "2 impairments"), ("?map=WAN&a-b=A-ethfragmentation", "does not program"),
     ("?map=WAN&a-b=A-delay,B-delay", "two of type PacketDelay")],
)  # fmt: skip
def test_map_or_impairment_that_cannot_be_told_is_an_error_with_what_there_is(query: str, words: str) -> None:
    box = Box()
    box.maps.append({"mapName": "LAB", "mapId": "2", "state": "Stopped"})
    with pytest.raises(ConnectError, match=re.escape(words)), driving(box, query):
        pass


def test_directions_may_be_chosen_by_name(box: Box) -> None:
    with driving(box, "?a-b=B-delay,A-packetdrop&b-a=A-delay") as sne:
        sne.apply(AB, Conditions.of(delay("5 ms")))
        assert box.writes[0][0] == "B-delay/delay"
        with pytest.raises(CapabilityError, match="holds none that acts in this direction") as raised:
            sne.apply(BA, Conditions.of(loss("1 %")))
        assert "'PacketDelay'" in str(raised.value)


def test_more_than_two_of_a_type_want_to_be_chosen() -> None:
    box = Box(("PacketDelay",))
    box.imps["C-delay"] = box.imps["A-delay"]
    with pytest.raises(ConnectError, match="a-b="), driving(box):
        pass


CASES = [
    (delay("0.01 ms"), "delay", {"delayMode": "constDelayMode"}, {"latency": 0.01, "jitterPcnt": 0}),
    (delay("10 s"), "delay", {"delayMode": "constDelayMode"}, {"latency": 10000, "jitterPcnt": 0}),
    (delay("50.01 ms"), "delay", {"delayMode": "constDelayMode"}, {"latency": 50.01, "jitterPcnt": 0}),
    (Delay(mean="10 ms", spread="4 ms", distribution="uniform", keep_order=False), "delay",
     {"delayMode": "rangeDelayMode"}, {"minLatency": 6, "maxLatency": 14, "allowReordering": True}),
    (Delay(mean="40 ms", spread="8 ms", distribution="normal"), "delay", {"delayMode": "gaussianDelayMode"},
     {"minLatency": 0.01, "meanLatency": 40, "deviation": 8, "allowReordering": False}),
    (RampDelay(start="30 s", end="10 s", hold="0.01 ms", rise="30 s"), "delay", {"delayMode": "rampDelayMode"},
     {"startLatency": 30000, "startPeriod": 0.01, "endLatency": 10000, "riseTime": 30000, "allowReordering": False}),
    (SineDelay(low="5 ms", high="15 ms", period="2 s"), "delay", {"delayMode": "sinDelayMode"},
     {"minLatency": 5, "maxLatency": 15, "sinDuration": 2000, "allowReordering": False}),
    (Delay(mean="5 ms", schedule=Schedule(start="0.1 ms", on="36 s")), "delay",
     {"timeConstraints": {"enableTimeConstraints": True, "startDelay": 0.1, "duration": 36000}},
     {"latency": 5, "jitterPcnt": 0}),
    (loss("0.01 %"), "packetdrop", {"packetDropMode": "percentageDropMode"}, {"percentageDrop": 0.01}),
    (loss("99.99 %"), "packetdrop", {"packetDropMode": "percentageDropMode"}, {"percentageDrop": 99.99}),
    (outage(), "packetdrop", {"packetDropMode": "percentageDropMode"}, {"percentageDrop": 100}),
    (periodic_loss(every=10_000_000, burst=3), "packetdrop", {"packetDropMode": "standardDropMode"},
     {"packetDropCount": 3, "perPacketCount": 10_000_000, "dropMethod": "dropBurst"}),
    (EvenLoss(rate="5 %"), "packetdrop", {"packetDropMode": "standardDropMode"},
     {"packetDropCount": 1, "perPacketCount": 20, "dropMethod": "dropEvenly"}),
    (EvenLoss(rate="0.00001 %"), "packetdrop", {"packetDropMode": "standardDropMode"},
     {"packetDropCount": 1, "perPacketCount": 10_000_000, "dropMethod": "dropEvenly"}),
    (gilbert_elliott(to_bad="1 %", to_good="30 %", bad_loss="90 %", good_loss="0.1 %"), "packetdrop",
     {"packetDropMode": "markovDropMode"},
     {"highLossDropProbability": 90, "lowLossDropProbability": 0.1, "highLossTransProbability": 30,
      "lowLossTransProbability": 1}),
    (RandomLoss(rate="1 %", schedule=Schedule(start="0.01 ms", on="360 s")), "packetdrop",
     {"timeConstraints": {"enableTimeConstraints": True, "startDelay": 0.01, "duration": 360000}},
     {"percentageDrop": 1}),
    (rate("4 kbit/s", mode="link"), "bandwidththrottle", {"fifoSize": 0}, {"bandwidth": 500}),
    (rate("200 kbit/s", mode="link"), "bandwidththrottle", {"ethernetFrameSize": 24}, {"bandwidth": 25000}),
    (duplicate("100 %"), "packetduplication", {"packetDuplicationMode": "simpleMode"}, {}),
    (Reorder(rate="0.01 %", depth=1, depth_most=2), "packetreorder",
     {"packetReorderMode": "distanceReorderMode", "packetProbability": 0.01},
     {"minDistance": 1, "maxDisplacement": 2}),
    (Reorder(rate="100 %", depth=9999, depth_most=10000), "packetreorder", {"packetProbability": 100},
     {"minDistance": 9999, "maxDisplacement": 10000}),
    (Reorder(rate="5 %", depth=0, hold="500 ms"), "packetreorder", {"packetReorderMode": "timeReorderMode"},
     {"minDisplacement": 500, "maxDisplacement": 500}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[str(case[0]) for case in CASES])
def test_every_impairment_at_its_ends_is_one_write_and_reads_back_and_goes(sne: SneAppliance, box: Box, case) -> None:
    impairment, resource, outer, inner = case
    before = box.imps[f"B-{resource}"][2]
    sne.apply(BA, Conditions.of(impairment))
    (path, body), = box.writes  # fmt: skip
    assert path == f"B-{resource}/{resource}"
    assert body["enabled"] is True
    assert {key: body[key] for key in outer} == outer
    assert set(body) == set(before)
    mode = next(value for key, value in body.items() if key.endswith("Mode"))
    settings = next(value for key, value in body.items() if key.endswith("Settings"))
    assert settings.get(mode, {}) == inner
    assert sne.read(BA).conditions == Conditions.of(impairment)
    box.writes.clear()
    sne.apply(BA, Conditions.of(impairment))
    assert box.writes == []
    sne.apply(BA, NEUTRAL)
    assert box.writes == [(f"B-{resource}/enabled", "false")]
    assert sne.read(BA).conditions == NEUTRAL


def test_settings_that_stand_beside_the_envelope_are_read_as_well() -> None:
    """As 6.1 answers them, and its list of impairments without an envelope."""
    box = Box(wraps=False)
    with driving(box) as sne:
        for impairment, _, _, _ in CASES:
            sne.apply_many({AB: Conditions.of(impairment), BA: NEUTRAL})
            assert sne.read(AB).conditions == Conditions.of(impairment)
        sne.neutral()
        assert not any(document["enabled"] for _, _, document in box.imps.values())


@pytest.mark.parametrize(
    ("ber", "between", "bits"),
    [("1e-8", 100_000_000, 1), ("8e-8", 12_500_000, 8), ("1", 1, 1), ("2.5e-4", 4000, 2)],
)
def test_bit_errors_are_bits_after_others(sne: SneAppliance, box: Box, ber: str, between: int, bits: int) -> None:
    conditions = Conditions.of(Corrupt(pattern=BitErrors(ber=float(ber)), bits=bits))
    sne.apply(AB, conditions)
    assert box.writes == [("A-biterror/biterror", {"enabled": True, "erroredBits": bits, "totalBits": between})]
    assert sne.read(AB).conditions == conditions


@pytest.mark.parametrize(
    ("impairment", "legal"),
    [
        (delay("0.001 ms"), "10 us .. 10 s"),
        (delay("10.001 s"), "10 us .. 10 s"),
        (delay("1.005 ms"), "steps of 10 us"),
        (Delay(mean="10 ms", spread="10 ms", distribution="uniform"), "0.01 ms <= mean - spread"),
        (Delay(mean="10 ms", spread="1 ms", distribution="gamma"), "constant, normal, ramp, sine, uniform"),
        (SineDelay(low="5 ms", high="5 ms", period="1 s"), "low < high"),
        (loss("0.001 %"), "0.01 % .. 99.99 %"),
        (RandomLoss(rate="1 %", schedule=Schedule(start="1 ms", on="1 ms", period="2 ms")), "0 s .. 0 s"),
        (duplicate("1 %"), "100 % .. 100 %"),
        (duplicate("100 %", copies=2), "leave it out"),
        (reorder("1 %", depth=3), "depth < depth_most"),
        (rate("3 kbit/s", mode="link"), "4 kbit/s .. 200 kbit/s"),
        (rate("10 kbit/s"), "link"),
        (rate("100 kbit/s", mode="link", queue="1 kB"), "leave it out"),
        (Corrupt(pattern=BitErrors(ber=0.9)), "1 / n"),
        (Corrupt(pattern=BitErrors(ber=1e-3), bits=9), "1 .. 8"),
        (Corrupt(rate="1 %"), "not offered"),
    ],
    ids=str,
)
def test_what_it_cannot_do_is_refused_before_anything_is_sent(sne: SneAppliance, box: Box, impairment, legal) -> None:
    with pytest.raises(CapabilityError) as raised:
        sne.apply(AB, Conditions.of(impairment))
    assert legal in str(raised.value)
    assert box.writes == []


def test_fast_lines_have_less_delay(box: Box) -> None:
    box.imps["A-delay"][2]["maxDataRate"] = 25000
    with driving(box) as sne, pytest.raises(CapabilityError, match=re.escape("10 us .. 4 s")):
        sne.apply(AB, Conditions.of(delay("4.001 s")))


def test_what_the_map_does_not_hold_is_not_offered_and_fragmentation_is_no_mtu() -> None:
    with driving(Box(("PacketDropCorruptor", "EthernetFragmentation"))) as sne:
        assert {name.partition(".")[0] for name in sne.capabilities.features} == {"loss", "link"}
        with pytest.raises(CapabilityError, match="not offered by this appliance"):
            sne.apply(AB, Conditions.of(delay("1 ms")))


def test_markov_losses_are_offered_where_the_box_knows_them(box: Box) -> None:
    for name in ("A-packetdrop", "B-packetdrop"):
        del box.imps[name][2]["packetDropSettings"]["markovDropMode"]
    with driving(box) as sne:
        assert "loss.gilbert-elliott" not in sne.capabilities.features


def test_jitter_without_a_delay_is_a_uniform_delay_from_nothing() -> None:
    box = Box(("JitterDisruptor",))
    with driving(box) as sne:
        conditions = Conditions.of(Delay(mean="4 ms", spread="4 ms", distribution="uniform"))
        sne.apply(AB, conditions)
        assert box.writes == [("A-jitter/jitter", {"jitter": 8, "enabled": True})]
        assert sne.read(AB).conditions == conditions
        with pytest.raises(CapabilityError, match="mean = spread"):
            sne.apply(AB, Conditions.of(Delay(mean="5 ms", spread="4 ms", distribution="uniform")))


def test_jitter_beside_a_delay_stays_off_and_one_direction_may_have_it_alone(box: Box) -> None:
    with driving(box, "?a-b=A-delay,A-jitter&b-a=B-jitter") as sne:
        box.imps["A-jitter"][2]["enabled"] = True
        sne.apply(AB, Conditions.of(delay("5 ms")))
        assert box.writes[0] == ("A-jitter/enabled", "false")
        with pytest.raises(CapabilityError, match="holds a delay here"):
            sne.apply(AB, Conditions.of(Delay(mean="4 ms", spread="4 ms", distribution="uniform")))
        with pytest.raises(CapabilityError, match="jitter here and no delay"):
            sne.apply(BA, Conditions.of(delay("5 ms")))
        sne.apply(BA, Conditions.of(Delay(mean="4 ms", spread="4 ms", distribution="uniform")))


def test_link_of_the_port_of_entry_goes_down_and_up(box: Box) -> None:
    with driving(box, "?ports=3-8") as sne:
        sne.apply(BA, Conditions.of(link_down()))
        assert box.writes == [("8/linkdown", None)]
        assert (sne.read(AB).conditions, sne.read(BA).conditions) == (NEUTRAL, Conditions.of(link_down()))
        sne.apply(BA, NEUTRAL)
        assert box.writes[1:] == [("8/linkup", None)]


def test_what_goes_goes_before_what_comes(sne: SneAppliance, box: Box) -> None:
    sne.apply_many({AB: Conditions.of(outage()), BA: Conditions.of(delay("1 s"), link_down())})
    box.writes.clear()
    sne.apply_many({AB: Conditions.of(delay("1 s"), link_down()), BA: Conditions.of(outage())})
    assert [path for path, _ in box.writes] == [
        "A-packetdrop/enabled", "B-delay/enabled", "2/linkup", "A-delay/delay", "B-packetdrop/packetdrop", "1/linkdown",
    ]  # fmt: skip


def test_switches_may_be_words_and_settings_flat(box: Box) -> None:
    document = {"enabled": "true", "erroredBits": "2", "totalBits": "100"}
    box.imps["A-biterror"] = "BitError", "biterror", document
    with driving(box) as sne:
        assert sne.read(AB).conditions == Conditions.of(Corrupt(pattern=BitErrors(ber=0.01), bits=2))


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("A-delay", {"delayModeSettings": {"constDelayMode": {"latency": 5, "jitterPcnt": 3}}}, "3 % of jitter"),
        ("A-delay", {"delayMode": "fractalDelayMode"}, "fractalDelayMode"),
        ("A-bandwidththrottle", {"bandwidthThrottleMode": "rangeThrottleMode"}, "rangeThrottleMode"),
        ("A-packetduplication", {"packetDuplicationMode": "timedMode"}, "timedMode"),
        ("A-packetreorder", {"packetReorderMode": "timeReorderMode"}, "held for 1 to 2 ms"),
        ("A-packetdrop", {"packetDropSettings": {}}, "cannot be read"),
        ("A-packetdrop", {"packetDropSettings": {"standardDropMode": {"packetDropCount": 1, "perPacketCount": 0}}},
         "cannot be read"),
    ],
)  # fmt: skip
def test_what_somebody_else_has_set_and_nobody_can_say_is_told_and_can_be_cleared(
    sne: SneAppliance, box: Box, name: str, change: dict, words: str
) -> None:
    box.imps[name] = (*box.imps[name][:2], {**box.imps[name][2], **change, "enabled": True})
    with pytest.raises(MalformedResponse, match=words), sne.path("1").impaired(loss("1 %")):
        pass
    assert box.writes == []
    sne.neutral()
    assert box.writes == [(f"{name}/enabled", "false")]


def test_snapshot_and_restore(sne: SneAppliance) -> None:
    conditions = Conditions.of(
        delay("5 ms"), periodic_loss(every=10), duplicate("100 %"), rate("100 kbit/s", mode="link")
    )
    sne.apply(AB, conditions)
    snapshot = sne.snapshot()
    sne.apply_many({AB: NEUTRAL, BA: Conditions.of(outage())})
    sne.restore(snapshot)
    assert (sne.read(AB).conditions, sne.read(BA).conditions) == (conditions, NEUTRAL)
    with sne.path("1").impaired(delay("7 ms")) as applied:
        assert {record.read_back for record in applied if record.field == "delay.mean"} == {"7 ms"}
    assert sne.read(AB).conditions == conditions


def test_value_that_the_box_changes_in_silence_is_told(sne: SneAppliance, box: Box) -> None:
    box.clamp = {"erroredBits": 8}
    with pytest.raises(VerifyMismatch):
        sne.apply(AB, Conditions.of(Corrupt(pattern=BitErrors(ber=1e-3))))


def test_pending_update_is_waited_for(sne: SneAppliance, box: Box) -> None:
    box.pending, box.moves = 12, 1
    sne.apply(AB, Conditions.of(delay("5 ms")))
    assert box.pending == 0


def test_update_that_stays_pending_while_packets_come_is_no_acknowledgement(box: Box) -> None:
    with driving(box, driver_options={"timeout_ns": 300 * MS}) as sne:
        box.pending, box.moves = 10**9, 1
        with pytest.raises(NoResponse, match="stays pending") as raised:
            sne.apply(AB, Conditions.of(delay("5 ms")))
        assert raised.value.__notes__ == ["read back on a new connection: it took effect"]


def test_update_that_is_pending_on_an_idle_line_is_not_waited_for(sne: SneAppliance, box: Box) -> None:
    box.pending = 10**9
    sne.apply(AB, Conditions.of(delay("5 ms")))
    assert sne.read(AB).conditions == Conditions.of(delay("5 ms"))


def test_any_other_code_is_a_refusal_with_its_words(sne: SneAppliance, box: Box) -> None:
    box.refuse["PUT"] = 200, {"code": 1305, "message": "Map is busy"}
    with pytest.raises(InstrumentExecutionError) as raised:
        sne.apply(AB, Conditions.of(delay("5 ms")))
    assert (raised.value.code, raised.value.text) == (1305, "Map is busy")
    assert raised.value.state_known


@pytest.mark.parametrize(
    ("answer", "error"),
    [((404, {"code": 1404, "message": "No such map"}), InstrumentCommandError),
     ((400, b"<html>"), InstrumentExecutionError)],
)  # fmt: skip
def test_status_of_a_refusal_tells_its_kind(box: Box, answer, error) -> None:
    box.refuse["start"] = answer
    with pytest.raises(error), driving(box):
        pass


@pytest.mark.parametrize("answer", [{}, {"code": "soon"}, [], "OK"])
def test_acknowledgement_without_the_code_is_none(sne: SneAppliance, box: Box, answer) -> None:
    box.refuse["PUT"] = 200, answer
    with pytest.raises(MalformedResponse, match="instead of code 1201"):
        sne.apply(AB, Conditions.of(delay("5 ms")))


def test_refusal_in_the_middle_puts_back_what_was_there(sne: SneAppliance, box: Box) -> None:
    before = Conditions.of(delay("5 ms"))
    sne.apply(AB, before)
    sne.apply(BA, Conditions.of(link_down()))
    box.refuse = {"PUT /maps/" + GUID + "/impairments/A-packetdrop": (200, {"code": 1, "message": "no"})}
    with pytest.raises(InstrumentExecutionError) as raised:
        sne.apply_many({AB: Conditions.of(delay("6 ms"), outage()), BA: NEUTRAL})
    assert raised.value.state_known
    assert (sne.read(AB).conditions, sne.read(BA).conditions) == (before, Conditions.of(link_down()))


def test_connection_that_ends_in_the_middle_of_a_write_is_looked_at_again(sne: SneAppliance, box: Box) -> None:
    box.hang_up_after = "A-delay"
    with pytest.raises(ConnectionLost) as raised:
        sne.apply(AB, Conditions.of(delay("5 ms")))
    assert raised.value.state_known
    assert raised.value.__notes__ == ["read back on a new connection: it took effect"]


def test_map_that_stopped_is_a_reboot_and_is_started_again_by_the_next_use(sne: SneAppliance, box: Box) -> None:
    box.maps[0]["state"] = "Unloaded"
    sne._link.desynchronise("a test says so")
    with pytest.raises(RebootDetected, match="no longer runs"):
        sne.read(AB)
    box.calls.clear()
    sne.apply(AB, Conditions.of(delay("5 ms")))
    assert [call for call in box.calls if call.endswith(("/load", "/start"))] == [
        f"POST /maps/{GUID}/load", f"PUT /maps/{GUID}/start",
    ]  # fmt: skip


def test_stop_unloads_and_the_next_use_starts_again(sne: SneAppliance, box: Box) -> None:
    sne.stop()
    assert box.maps[0]["state"] == "Unloaded"
    sne.read(AB)
    assert box.maps[0]["state"] == "Active"


def test_another_build_is_another_appliance(sne: SneAppliance, box: Box) -> None:
    box.build = {"buildVersion": "12.0"}
    sne._link.desynchronise("a test says so")
    with pytest.raises(IdentityMismatch, match=re.escape("11.0.0.18")):
        sne.read(AB)


def test_serial_number_cannot_be_asked_for(box: Box) -> None:
    with pytest.raises(IdentityMismatch, match="serial"), driving(box, driver_options={"serial": "S1"}):
        pass


def test_user_of_multi_user_mode_goes_with_every_request() -> None:
    box = Box(wraps=False)
    box.user_token = "lab%201"  # noqa: S105 - a name
    with driving(box, "?user=lab%201") as sne:
        sne.apply(AB, Conditions.of(delay("5 ms"), link_down()))
        sne.apply(AB, NEUTRAL)


def test_bearer_is_fetched_and_fetched_again_when_it_expires(tmp_path: Path) -> None:
    box = Box()
    box.wants_token = True
    with (
        WireLog(tmp_path / "wire") as log,
        driving(box, "?user=lab1&auth=bearer", {"wire_log": log}) as sne,
    ):
        box.tokens.clear()
        sne.apply(AB, Conditions.of(delay("5 ms")))
    assert box.logins == 2
    assert "Bearer" not in (tmp_path / "wire").read_text()
    with pytest.raises(AuthError), driving(box, "?user=lab1", {"secret": "wr0ng"}):
        pass


def test_ports_are_reserved_counted_from_0_once_and_given_back() -> None:
    box = Box()
    with driving(box, "?user=lab1&auth=bearer&ports=2-5") as sne:
        with sne.locked(), sne.locked():
            pass
        assert box.writes == [("/physical/ports/reserve", [1, 4]), ("/physical/ports/release", [1, 4])]
        box.refuse["reserve"] = 200, {"code": 7, "message": "Port 2 is used by lab2"}
        with pytest.raises(LockedByOther, match="lab2"):
            sne.take_over()
        box.refuse["PUT"] = 200, {"code": 8, "message": "no"}
        with pytest.raises(LockedByOther, match="lab2"):
            sne.apply(AB, Conditions.of(delay("5 ms")))
        del box.refuse["reserve"]
        box.refuse = {"PUT /maps": box.refuse["PUT"]}
        with pytest.raises(InstrumentExecutionError, match="8 no"):
            sne.apply(AB, Conditions.of(delay("5 ms")))


def test_nothing_is_reserved_where_there_is_no_word_for_it() -> None:
    box = Box(wraps=False)
    with driving(box) as sne, sne.locked():
        assert box.writes == []


def test_map_is_uploaded_where_it_is_not_there(tmp_path: Path) -> None:
    for suffix, path, field in ((".xml", "/maps/upload", b"mapFile"), (".json", "/maps/json", b"mapFileFormFile")):
        file = tmp_path / f"WAN{suffix}"
        file.write_text("the map")
        box = Box()
        box.maps.clear()
        with driving(box, f"?upload={file}"):
            (where, body), = box.writes  # fmt: skip
        assert where == path
        assert b'name="' + field + b'"; filename="' + file.name.encode() in body
        assert b"the map" in body
        box.writes.clear()
        with driving(box, f"?upload={file}"):
            assert box.writes == []
    with pytest.raises(ConnectError, match="No such file"), driving(Box(), f"?map=X&upload={tmp_path}/X.xml"):
        pass


def test_counters_are_those_of_the_logs_and_are_cleared_by_subtraction(sne: SneAppliance, box: Box) -> None:
    box.received = 100
    assert (sne.statistics(AB).received_packets, sne.statistics(AB).dropped_loss) == (100, 50)
    sne.clear_statistics(AB)
    box.received = 160
    assert (sne.statistics(AB).received_packets, sne.statistics(AB).dropped_loss) == (60, 30)
    assert sne.statistics(BA).received_packets == 160


@pytest.mark.parametrize("answer", [(200, {"status": DONE, "anything": 5}), (404, b""), (200, b"<html>")])
def test_counters_of_another_shape_are_none(box: Box, answer) -> None:
    box.refuse["/stats"] = answer
    with driving(box) as sne:
        assert sne.capabilities.statistics == ()
        assert set(sne.statistics(AB).model_dump(exclude={"at_ns"}).values()) == {None}


def test_filters_are_the_maps(sne: SneAppliance) -> None:
    with pytest.raises(CapabilityError):
        sne.set_filter(AB, Filter(dscp=46))


@pytest.mark.parametrize(
    ("query", "words"),
    [("?ports=1-9", "ports 1 .. 8"), ("?ports=2-2", "pair"), ("?auth=basic", "none, token, bearer"),
     ("?auth=bearer", "wants a user"), ("?bandwidth_unit=baud", "B/s, kB/s"), ("?upload=map.txt", ".xml (6.1)"),
     ("?maps=WAN", "settings are map, user")],
)  # fmt: skip
def test_address_that_cannot_be_is_told_with_what_could(query: str, words: str) -> None:
    with pytest.raises(ConnectError, match=re.escape(words)):
        connect(f"sne://192.0.2.1{query}", "calnex-sne")


def test_bandwidth_may_be_in_another_unit(box: Box) -> None:
    with driving(box, "?bandwidth_unit=kB/s") as sne:
        sne.apply(AB, Conditions.of(rate("4 Mbit/s", mode="link")))
        assert sne.read(AB).conditions == Conditions.of(rate("4 Mbit/s", mode="link"))
        assert box.writes[0][1]["bandwidthThrottleSettings"]["constantThrottleMode"] == {"bandwidth": 500}


@pytest.mark.parametrize(
    ("published", "resource"),
    [("PacketDelayDisruptor", "delay"), ("PacketDelay", "delay"), ("JitterDisruptor", "jitter"),
     ("BandwidthThrottleDisruptor", "bandwidththrottle"), ("PacketDropCorruptor", "packetdrop"), ("UDP Filter", None)],
)  # fmt: skip
def test_published_types_are_known(published: str, resource: str | None) -> None:
    assert Disruptor("x", "1", published, is_enabled=True).resource == resource


def test_every_feature_says_where_it_is_known_from(sne: SneAppliance) -> None:
    documented = {name for name, each in sne.capabilities.features.items() if each.provenance.basis == "documented"}
    assert documented == {"loss.outage", "loss.periodic", "loss.even", "link.down"}
