"""The Attero-100G driver against a small server written from what is public: paths, keys, ranges and error texts."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Lock

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Appliance,
    AuthError,
    CapabilityError,
    Conditions,
    ConnectError,
    ConnectionLost,
    Filter,
    IdentityMismatch,
    InstrumentDeviceError,
    InstrumentExecutionError,
    MalformedResponse,
    Target,
    VerifyMismatch,
    WireLog,
    connect,
    corrupt,
    delay,
    duplicate,
    loss,
    outage,
    reorder,
)
from impairlab.drivers.calnex.attero import AtteroAppliance
from impairlab.drivers.calnex.attero_capabilities import CAPABILITIES
from impairlab.drivers.model.impairments import Corrupt, Duplicate, Reorder
from impairlab.drivers.model.losses import Outage, RandomLoss, SingleBurstLoss
from impairlab.drivers.model.patterns import SingleBurst
from impairlab.drivers.model.schedule import PacketSchedule, Schedule
from impairlab.drivers.testing.http_peers import HttpRequest, http_peer, json_response, read_request, response
from impairlab.drivers.testing.peers import SocketWire

MS = 1_000_000
LONG_NS = 20_000 * MS
PASSWORD = "hunter2"  # noqa: S105 - of a box that does not exist
AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")

DELAY_TEXT = "Delay value must be an integer in the range 50000 - 20000000000 nanoseconds.\nParameter name: Delay"
DEFAULTS = {
    "": {"Delay": 50000}, "enable": {"Enable": False}, "distributetype": {"DistributeType": "Rate"},
    "burst": {"Burst": "1"}, "rate": {"Rate": "1E-7"}, "depth": {"Depth": 1},
    "periodtype": {"PeriodType": "Continuous"},
    "duration/time": {"Duration": 10, "Period": 20, "Repeated": False},
    "duration/packet": {"Duration": 10, "Period": 20, "Repeated": False},
}  # fmt: skip
RESOURCE = re.compile(r"app/impairment/(delay|corruption/\w+)/(Port[12])/([0-7])(?:/(.*))?")


class Box:
    """Keeps bodies by path; refuses what the published texts refuse."""

    def __init__(self) -> None:
        self.bodies: dict[str, dict] = {}
        self.writes: list[tuple[str, dict]] = []
        self.information = {
            "HwType": "Attero-100G",
            "SerialNumber": "00034027",
            "HwCapabilities": ["RevARevBInterface"],
        }
        self.features: object = []
        self.password = ""
        self.refuse: str | None = None
        self.hang_up_after: str | None = None
        self.clamp = False
        self.lock = Lock()

    def __call__(self, request: HttpRequest) -> bytes:
        path, _, query = request.target.removeprefix("/api/").partition("?")
        assert query == "format=json"
        body = dict(request.json or {})
        if path == "instrument/information":
            return json_response(200, self.information)
        if path == "instrument/options/features":
            return json_response(200, self.features)
        if path == "authentication/login":
            right = body == {"Password": hashlib.md5(self.password.encode(), usedforsecurity=False).hexdigest()}
            return json_response(200, {"AuthToken": "t0ken"}) if right else response(401, b"wrong password")
        if self.password and body.pop("AuthToken", None) != "t0ken":
            return response(401, b"no token")
        if path.startswith("results/"):
            return json_response(200, {"Anything": 7})
        return self.resource(request.method, path, body)

    def resource(self, method: str, path: str, body: dict) -> bytes:
        match = RESOURCE.fullmatch(path)
        assert match, path
        leaf = match[4] or ""
        if method == "GET":
            assert body == {}
            return json_response(200, self.bodies.get(path, DEFAULTS[leaf]))
        self.writes.append((path.removeprefix("app/impairment/"), body))
        if self.refuse is not None and self.refuse in path:
            return response(500, b"the hardware does not answer")
        problem = self.problem(leaf, body)
        if problem:
            return response(400, problem.encode(), reason="ArgumentException")
        if leaf not in {"now", "reset", "resetall", "rate/resetall"}:
            self.bodies[path] = {"Delay": 50000} if self.clamp and "Delay" in body else body
        return json_response(200, {})

    def problem(self, leaf: str, body: dict) -> str:
        if leaf == "" and not (isinstance(body["Delay"], int) and 50000 <= body["Delay"] <= 20000000000):
            return DELAY_TEXT
        if leaf == "duration/packet" and body["Repeated"] and body["Period"] <= body["Duration"]:
            return (
                f"Repeat interval ({body['Period']} packets) must be greater than the impairment duration "
                f"({body['Duration']} packets)"
            )
        return ""

    def serve(self, _number: int, wire: SocketWire) -> None:
        while (request := read_request(wire)) is not None:
            with self.lock:
                answer = self(request)
            if self.hang_up_after is not None and request.method == "PUT" and self.hang_up_after in request.target:
                self.hang_up_after = None
                return
            wire.send(answer)


@contextmanager
def driving(box: Box, query: str = "", **options) -> Iterator[AtteroAppliance]:
    options.setdefault("timeout_ns", LONG_NS)
    with (
        http_peer(box.serve) as (host, port),
        connect(f"attero://{host}:{port}{query}", "calnex-attero100g", **options) as appliance,
    ):
        assert isinstance(appliance, AtteroAppliance)
        yield appliance


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def attero(box: Box) -> Iterator[Appliance]:
    with driving(box) as appliance:
        yield appliance


def test_identity_is_what_the_box_says(attero: AtteroAppliance) -> None:
    assert (attero.identity.manufacturer, attero.identity.model, attero.identity.serial) == (
        "Calnex", "Attero-100G", "00034027",
    )  # fmt: skip
    assert attero.paths == ("1",)
    assert len(attero.targets()) == 16


@pytest.mark.parametrize(
    ("impairment", "writes"),
    [
        (delay("50 us"), [("delay/Port1/7", {"Delay": 50000}), ("delay/Port1/7/enable", {"Enable": True})]),
        (delay("20 s"), [("delay/Port1/7", {"Delay": 20000000000}), ("delay/Port1/7/enable", {"Enable": True})]),
        (delay("50.001 us"), [("delay/Port1/7", {"Delay": 50001}), ("delay/Port1/7/enable", {"Enable": True})]),
    ],
)
def test_delay_in_nanoseconds(attero: Appliance, box: Box, impairment, writes) -> None:
    attero.apply(AB, Conditions.of(impairment))
    assert box.writes == writes
    assert attero.read(AB).conditions == Conditions.of(impairment)


@pytest.mark.parametrize(
    ("impairment", "resource", "bodies"),
    [
        (loss("0.00001 %"), "lostpacket", {"distributetype": "Rate", "rate": "0.00001%", "periodtype": "Continuous"}),
        (loss("0.1 %"), "lostpacket", {"distributetype": "Rate", "rate": "0.1%", "periodtype": "Continuous"}),
        (loss("99.99999 %"), "lostpacket", {"distributetype": "Rate", "rate": "99.99999%", "periodtype": "Continuous"}),
        (outage(), "lostpacket", {"distributetype": "Rate", "rate": "100%", "periodtype": "Continuous"}),
        (SingleBurstLoss(packets=1), "lostpacket",
         {"distributetype": "Burst", "burst": "1", "periodtype": "Continuous"}),
        (SingleBurstLoss(packets=10000, schedule=PacketSchedule(on_packets=4, period_packets=120)), "lostpacket",
         {"distributetype": "Burst", "burst": "10000", "duration/packet": (4, 120, True),
          "periodtype": "DurationPktBased"}),
        (RandomLoss(rate="1 %", schedule=Schedule(on="2 s", period="3 s")), "lostpacket",
         {"distributetype": "Rate", "rate": "1%", "duration/time": (2, 3, True), "periodtype": "Duration"}),
        (Outage(schedule=Schedule(on="1 s")), "lostpacket",
         {"distributetype": "Rate", "rate": "100%", "duration/time": (1, 2, False), "periodtype": "Duration"}),
        (Corrupt(rate="2 %", damages="ethernet"), "erroredpacket",
         {"distributetype": "Rate", "rate": "2%", "periodtype": "Continuous"}),
        (Corrupt(pattern=SingleBurst(packets=300), damages="ethernet"), "erroredpacket",
         {"distributetype": "Burst", "burst": "300", "periodtype": "Continuous"}),
        (reorder("1 %", depth=32), "misorderedpacket",
         {"distributetype": "Rate", "rate": "1%", "periodtype": "Continuous", "depth": 32}),
        (reorder("49.99999 %", depth=1), "misorderedpacket",
         {"depth": 1, "distributetype": "Rate", "rate": "49.99999%", "periodtype": "Continuous"}),
        (Reorder(pattern=SingleBurst(packets=7), depth=2), "misorderedpacket",
         {"distributetype": "Burst", "burst": "7", "periodtype": "Continuous", "depth": 2}),
        (duplicate("100 %"), "repeatedpacket",
         {"distributetype": "Rate", "rate": "100%", "periodtype": "Continuous"}),
        (Duplicate(pattern=SingleBurst(packets=5)), "repeatedpacket",
         {"distributetype": "Burst", "burst": "5", "periodtype": "Continuous"}),
    ],
    ids=str,
)  # fmt: skip
def test_every_corruption_at_its_ends_is_written_in_order_and_read_back(
    attero: Appliance, box: Box, impairment, resource: str, bodies: dict
) -> None:
    keys = {"distributetype": "DistributeType", "rate": "Rate", "burst": "Burst", "depth": "Depth",
            "periodtype": "PeriodType"}  # fmt: skip
    expected = [
        (f"corruption/{resource}/Port2/7/{leaf}",
         {keys[leaf]: value} if leaf in keys else dict(zip(("Duration", "Period", "Repeated"), value, strict=True)))
        for leaf, value in bodies.items()
    ]  # fmt: skip
    attero.apply(BA, Conditions.of(impairment))
    assert box.writes == [*expected, (f"corruption/{resource}/Port2/7/enable", {"Enable": True})]
    assert attero.read(BA).conditions == Conditions.of(impairment)
    box.writes.clear()
    attero.apply(BA, NEUTRAL)
    assert box.writes == [(f"corruption/{resource}/Port2/7/enable", {"Enable": False})]
    assert attero.read(BA).conditions == NEUTRAL


@pytest.mark.parametrize(
    ("impairment", "legal"),
    [
        (delay("49.999 us"), "50 us .. 20 s"),
        (delay("20.000000001 s"), "50 us .. 20 s"),
        (delay("1 ms", jitter="0.1 ms"), "constant"),
        (loss("0.000001 %"), "0.1 ppm .. 99.99999 %"),
        (SingleBurstLoss(packets=10001), "1 .. 10000"),
        (reorder("50 %", depth=1), "0.1 ppm .. 49.99999 %"),
        (reorder("10 %", depth=9), "below 1 / (1 + depth)"),
        (corrupt("1 %"), "ethernet"),
        (RandomLoss(rate="1 %", schedule=Schedule(on="2 s", period="2 s")), "greater than the duration"),
        (RandomLoss(rate="1 %", schedule=Schedule(on="1.5 s")), "steps of 1 s"),
        (RandomLoss(rate="1 %", schedule=Schedule(start="1 s", on="2 s")), "leave it out"),
    ],
    ids=str,
)
def test_what_it_cannot_do_is_refused_before_anything_is_sent(attero: Appliance, box: Box, impairment, legal) -> None:
    with pytest.raises(CapabilityError) as raised:
        attero.apply(AB, Conditions.of(impairment))
    assert legal in str(raised.value)
    assert box.writes == []


def test_published_refusals_come_with_their_text(attero: AtteroAppliance, box: Box) -> None:
    """The text is published, and that refusals are 4xx; that this text comes with 400 is an inference."""
    with pytest.raises(InstrumentExecutionError, match="50000 - 20000000000 nanoseconds") as raised:
        attero._put(AB, _write("delay", "", {"Delay": 49999}))
    assert raised.value.code == 400
    assert raised.value.text == f"ArgumentException: {DELAY_TEXT}"
    words = re.escape("Repeat interval (4 packets) must be greater than the impairment duration (120 packets)")
    with pytest.raises(InstrumentExecutionError, match=words):
        attero._put(
            AB,
            _write("corruption/lostpacket", "duration/packet", {"Duration": 120, "Period": 4, "Repeated": True}),
        )


def _write(group: str, leaf: str, body: dict):
    from impairlab.drivers.calnex.attero_plan import Write

    return Write(group, leaf, body)


def test_refusal_may_be_an_object_with_a_message(attero: Appliance, box: Box) -> None:
    box.problem = lambda _leaf, _body: '{"ResponseStatus": {"ErrorCode": "X", "Message": "not now"}}'
    with pytest.raises(InstrumentExecutionError) as raised:
        attero.apply(AB, Conditions.of(delay("1 ms")))
    assert raised.value.text == "ArgumentException: not now"


def test_one_value_that_changes_is_one_write_and_more_are_made_while_disabled(attero: Appliance, box: Box) -> None:
    attero.apply(AB, Conditions.of(delay("1 ms"), loss("1 %")))
    box.writes.clear()
    attero.apply(AB, Conditions.of(delay("2 ms"), loss("3 %")))
    assert box.writes == [
        ("delay/Port1/7", {"Delay": 2000000}), ("corruption/lostpacket/Port1/7/rate", {"Rate": "3%"}),
    ]  # fmt: skip
    box.writes.clear()
    attero.apply(AB, Conditions.of(SingleBurstLoss(packets=9)))
    assert box.writes == [
        ("delay/Port1/7/enable", {"Enable": False}),
        ("corruption/lostpacket/Port1/7/enable", {"Enable": False}),
        ("corruption/lostpacket/Port1/7/distributetype", {"DistributeType": "Burst"}),
        ("corruption/lostpacket/Port1/7/burst", {"Burst": "9"}),
        ("corruption/lostpacket/Port1/7/enable", {"Enable": True}),
    ]
    box.writes.clear()
    attero.apply(AB, Conditions.of(SingleBurstLoss(packets=9)))
    assert box.writes == []


def test_nothing_in_between_is_worse_than_before_or_after(attero: Appliance, box: Box) -> None:
    """Replay the writes of a change between two states of both directions; count what is enabled after each."""
    first = {AB: Conditions.of(loss("5 %"), reorder("10 %", depth=3)), BA: Conditions.of(delay("1 s"))}
    second = {AB: Conditions.of(delay("1 s")), BA: Conditions.of(loss("5 %"), reorder("1 %", depth=9))}
    attero.apply_many(first)
    enabled = {path for path, body in box.writes if body == {"Enable": True}}
    before, after = set(enabled), set()
    box.writes.clear()
    attero.apply_many(second)
    after = {path for path, body in box.writes if body == {"Enable": True}}
    for path, body in box.writes:
        if body == {"Enable": True}:
            enabled.add(path)
        elif body == {"Enable": False}:
            enabled.discard(path)
        else:
            assert path.rpartition("/")[0] + "/enable" not in enabled
        assert enabled <= before or enabled <= after


@pytest.mark.parametrize(
    ("stored", "wanted", "order"),
    [(1, 9, ["rate", "depth"]), (9, 1, ["depth", "rate"])],
)
def test_rate_and_depth_are_written_in_the_order_in_which_both_are_legal(
    attero: Appliance, box: Box, stored: int, wanted: int, order: list[str]
) -> None:
    box.bodies["app/impairment/corruption/misorderedpacket/Port1/7/depth"] = {"Depth": stored}
    attero.apply(AB, Conditions.of(reorder("2 %", depth=wanted)))
    leaves = [path.rpartition("/")[2] for path, _ in box.writes]
    assert [leaf for leaf in leaves if leaf in {"rate", "depth"}] == order


def test_rate_that_is_stored_and_of_no_use_is_taken_out_of_the_way_of_a_burst(attero: Appliance, box: Box) -> None:
    box.bodies["app/impairment/corruption/misorderedpacket/Port1/7/rate"] = {"Rate": "40%"}
    attero.apply(AB, Conditions.of(Reorder(pattern=SingleBurst(packets=3), depth=2)))
    assert box.writes[0] == ("corruption/misorderedpacket/Port1/7/rate", {"Rate": "0.00001%"})


@pytest.mark.parametrize(
    ("body", "rate"),
    [({"Rate": "1E-3"}, "0.1 %"), ({"Rate": "0.1%"}, "0.1 %"), ({"Rate": "0.001"}, "0.1 %"), ({"Rate": "5 %"}, "5 %")],
)
def test_rates_are_read_in_both_published_forms(attero: Appliance, box: Box, body: dict, rate: str) -> None:
    path = "app/impairment/corruption/lostpacket/Port1/7"
    box.bodies |= {f"{path}/enable": {"Enable": True}, f"{path}/rate": body}
    assert attero.read(AB).conditions == Conditions.of(loss(rate))


def test_both_published_spellings_of_a_repetition_are_read(attero: Appliance, box: Box) -> None:
    path = "app/impairment/corruption/lostpacket/Port1/7"
    box.bodies |= {
        f"{path}/enable": {"Enable": "true"},
        f"{path}/rate": {"Rate": "1%"},
        f"{path}/periodtype": {"PeriodType": "DurationPktBased"},
        f"{path}/duration/packet": {"Duration": 88, "Period": 100, "Repeater": True},
    }
    schedule = PacketSchedule(on_packets=88, period_packets=100)
    assert attero.read(AB).conditions == Conditions.of(RandomLoss(rate="1 %", schedule=schedule))


@pytest.mark.parametrize(
    ("leaf", "body"),
    [("rate", {"Rate": "much"}), ("rate", {}), ("distributetype", {"DistributeType": "Poisson"}),
     ("periodtype", {"PeriodType": "Now and then"}), ("enable", {"Enable": 7})],
)  # fmt: skip
def test_what_cannot_be_read_is_malformed(attero: Appliance, box: Box, leaf: str, body: dict) -> None:
    path = "app/impairment/corruption/lostpacket/Port1/7"
    box.bodies |= {f"{path}/enable": {"Enable": True}, f"{path}/{leaf}": body}
    with pytest.raises(MalformedResponse):
        attero.read(AB)


def test_profiles_are_flows_and_the_catch_all_is_flow_0(box: Box) -> None:
    flow = Target(path="1", direction="b-a", flow=7)
    with driving(box) as attero:
        attero.apply(flow, Conditions.of(delay("1 ms")))
    assert box.writes[0][0] == "delay/Port2/6"
    box.writes.clear()
    with driving(box, "?catch_all=0") as attero:
        attero.apply(flow, Conditions.of(delay("1 ms")))
        attero.apply(BA, Conditions.of(delay("2 ms")))
    assert [path for path, body in box.writes if "Delay" in body] == ["delay/Port2/7", "delay/Port2/0"]


def test_filters_are_refused_because_their_contents_are_not_public(attero: Appliance, box: Box) -> None:
    for selector in (Filter(dscp=46), Filter(), None):
        with pytest.raises(CapabilityError, match="not public"):
            attero.set_filter(Target(path="1", direction="a-b", flow=1), selector)
    assert box.writes == []


def test_snapshot_restore_and_neutral(attero: Appliance, box: Box) -> None:
    conditions = Conditions.of(delay("1 ms"), SingleBurstLoss(packets=3), duplicate("1 %"))
    attero.apply(AB, conditions)
    snapshot = attero.snapshot()
    attero.apply_many({AB: NEUTRAL, BA: Conditions.of(outage())})
    attero.restore(snapshot)
    assert (attero.read(AB).conditions, attero.read(BA).conditions) == (conditions, NEUTRAL)
    attero.neutral()
    assert all(entry.conditions.is_neutral for entry in attero.snapshot().entries)


def test_impaired_path_is_restored(attero: Appliance) -> None:
    with attero.path("1").impaired(delay("5 ms"), loss("1 %")) as applied:
        assert {record.field: record.read_back for record in applied}["delay.mean"] == "5 ms"
    assert attero.read(AB).conditions == NEUTRAL


def test_value_that_the_box_changes_in_silence_is_told(attero: Appliance, box: Box) -> None:
    box.clamp = True
    with pytest.raises(VerifyMismatch, match=re.escape("read delay.constant")):
        attero.apply(AB, Conditions.of(delay("7 ms")))


def test_refusal_in_the_middle_puts_back_what_was_there(attero: Appliance, box: Box) -> None:
    before = Conditions.of(delay("1 ms"), loss("1 %"))
    attero.apply(AB, before)
    box.problem = lambda _leaf, body: "too many" if body.get("Burst") == "9" else ""
    with pytest.raises(InstrumentExecutionError, match="too many") as raised:
        attero.apply(AB, Conditions.of(delay("2 ms"), SingleBurstLoss(packets=9)))
    assert raised.value.state_known
    assert attero.read(AB).conditions == before


def test_box_that_fails_leaves_the_state_unknown(attero: Appliance, box: Box) -> None:
    box.refuse = "delay"
    with pytest.raises(InstrumentDeviceError, match="hardware does not answer") as raised:
        attero.apply(AB, Conditions.of(delay("2 ms")))
    assert not raised.value.state_known


def test_connection_that_ends_in_the_middle_of_a_write_is_looked_at_again(attero: Appliance, box: Box) -> None:
    box.hang_up_after = "enable"
    with pytest.raises(ConnectionLost) as raised:
        attero.apply(AB, Conditions.of(delay("2 ms")))
    assert raised.value.state_known
    assert raised.value.__notes__ == ["read back on a new connection: it took effect"]
    box.hang_up_after = "delay/Port1/7?"
    with pytest.raises(ConnectionLost) as raised:
        attero.apply(AB, Conditions.of(delay("3 ms"), loss("1 %")))
    assert not raised.value.state_known
    assert "in part" in raised.value.__notes__[0]


def test_burst_now_fires_one_and_enables_nothing(attero: AtteroAppliance, box: Box) -> None:
    commit = attero.burst_now(AB, "loss", 9)
    assert box.writes == [
        ("corruption/lostpacket/Port1/7/distributetype", {"DistributeType": "Burst"}),
        ("corruption/lostpacket/Port1/7/burst", {"Burst": "9"}),
        ("corruption/lostpacket/Port1/7/periodtype", {"PeriodType": "Continuous"}),
        ("corruption/lostpacket/Port1/7/now", {}),
    ]
    assert commit.sent_ns <= commit.acknowledged_ns
    assert attero.read(AB).conditions == NEUTRAL


@pytest.mark.parametrize(
    ("kind", "packets", "words"),
    [("delay", 1, "loss, corrupt, reorder, duplicate"), ("loss", 10001, "1 .. 10000"), ("loss", 5, "clear it first")],
)
def test_burst_now_is_refused_where_it_would_change_what_is_programmed(
    attero: AtteroAppliance, box: Box, kind: str, packets: int, words: str
) -> None:
    attero.apply(AB, Conditions.of(loss("1 %")))
    box.writes.clear()
    with pytest.raises(CapabilityError, match=re.escape(words)):
        attero.burst_now(AB, kind, packets)
    assert box.writes == []


def test_reset_takes_the_path_that_each_kind_has(attero: AtteroAppliance, box: Box) -> None:
    attero.reset(BA)
    assert [path for path, _ in box.writes] == [
        "delay/Port2/7/reset",
        "corruption/lostpacket/Port2/7/resetall",
        "corruption/erroredpacket/Port2/7/resetall",
        "corruption/misorderedpacket/Port2/7/rate/resetall",
        "corruption/repeatedpacket/Port2/7/resetall",
    ]


def test_counters_are_not_made_up(attero: AtteroAppliance) -> None:
    counters = attero.statistics(AB).model_dump(exclude={"at_ns"})
    assert set(counters.values()) == {None}
    assert attero.raw_statistics(AB) == {"Anything": 7}
    attero.clear_statistics(AB)


def test_password_goes_out_as_its_md5_and_the_token_comes_in_every_body(box: Box, tmp_path: Path) -> None:
    box.features, box.password = ["Authentication", "Jitter"], "hunter2"
    path = tmp_path / "wire.jsonl"
    with WireLog(path) as log, driving(box, secret=PASSWORD, wire_log=log) as attero:
        attero.apply(AB, Conditions.of(delay("1 ms")))
    digest = hashlib.md5(b"hunter2", usedforsecurity=False).hexdigest()
    for secret in ("hunter2", digest, "t0ken"):
        assert secret not in path.read_text()
    assert '\\"AuthToken\\": \\"***\\"' in path.read_text()


@pytest.mark.parametrize("features", [["Authentication"], {"Options": [{"Name": "Authentication"}]},
                                      {"Authentication": True}])  # fmt: skip
def test_password_that_is_wanted_and_missing_or_wrong_is_an_authentication_error(box: Box, features) -> None:
    box.features, box.password = features, "hunter2"
    with pytest.raises(AuthError, match="give it as the secret"), driving(box):
        pass
    with driving(box, secret="".join("wr0ng")) as attero, pytest.raises(AuthError):
        attero.read(AB)


@pytest.mark.parametrize("features", [[], ["Jitter"], {"Authentication": False},
                                      [{"Name": "Authentication", "Enabled": False}]])  # fmt: skip
def test_secret_is_not_sent_to_a_box_without_the_option(box: Box, features) -> None:
    box.features = features
    with driving(box, secret=PASSWORD) as attero:
        assert attero.read(AB).conditions == NEUTRAL


def test_another_serial_number_is_refused(box: Box) -> None:
    with pytest.raises(IdentityMismatch, match="00034027"), driving(box, serial="1"):
        pass
    with driving(box) as attero:
        box.information = {**box.information, "SerialNumber": "2"}
        attero._link.desynchronise("a test says so")
        with pytest.raises(IdentityMismatch):
            attero.read(AB)


@pytest.mark.parametrize("information", [[], {"HwType": "Attero-100G"}, "Attero"])
def test_box_that_does_not_say_who_it_is_is_malformed(box: Box, information) -> None:
    box.information = information
    with pytest.raises(MalformedResponse, match="who it is"), driving(box):
        pass


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("attero://192.0.2.1?catch_all=8", "0 .. 7"),
        ("attero://192.0.2.1?catchall=1", "catch_all, fingerprint"),
        ("attero://192.0.2.1?fingerprint=ab", "https"),
        ("https://192.0.2.1?fingerprint=ab", "64 hex digits"),
        ("tcp://192.0.2.1", "attero://192.0.2.1"),
    ],
)
def test_address_that_cannot_be_is_told_with_what_could(address: str, words: str) -> None:
    with pytest.raises(ConnectError, match=re.escape(words)):
        connect(address, "calnex-attero100g")


def test_every_feature_says_where_it_is_known_from() -> None:
    documented = {name for name, each in CAPABILITIES.features.items() if each.provenance.basis == "documented"}
    assert documented == {"delay.constant"}
    assert all("github.com/Spirent" in each.provenance.detail for each in CAPABILITIES.features.values())
    assert {r.step for r in CAPABILITIES.features["loss.random"].ranges.values()} == {
        Decimal("1e-7"), Decimal(10**9), Decimal(1),
    }  # fmt: skip
