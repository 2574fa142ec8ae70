"""The simulated Attero-100G over HTTP: what each setting does to packets, its range, the texts that are in print."""

from decimal import Decimal
from typing import Any

import pytest

from impairlab.drivers.model import (
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    PacketSchedule,
    RandomLoss,
    Reorder,
    Schedule,
    SingleBurst,
    SingleBurstLoss,
)
from impairlab.drivers.model.errors import ImpairlabError

MS, SECOND = 1_000_000, 1_000_000_000
DELAY = "app/impairment/delay/Port1/7"
LOST = "app/impairment/corruption/lostpacket/Port1/7"
KINDS = ("lostpacket", "erroredpacket", "misorderedpacket", "repeatedpacket")


def test_the_delay_of_the_example(attero: Any) -> None:
    assert attero.put(DELAY, {"Delay": 100_000})["Delay"] == 100_000
    assert attero.suffered().is_neutral
    assert attero.put(f"{DELAY}/enable", {"Enable": True}) == {"Enable": True}
    assert attero.suffered() == Conditions.of(Delay(mean="100 us"))
    assert attero.suffered("b-a").is_neutral
    assert attero.client.get("/api/app/impairment/delay/Port1/7.json").json() == {"Delay": 100_000, "Enable": True}
    assert attero.get("app/impairment/delay/all")["Port1"][7] == {"Position": 7, "Delay": 100_000, "Enable": True}
    attero.put(f"{DELAY}/reset")
    assert attero.suffered().is_neutral
    attero.put("app/impairment/delay/Port2/7", {"Delay": 50_000})
    attero.put("app/impairment/delay/Port2/7/enable", {"Enable": True})
    assert attero.suffered("b-a") == Conditions.of(Delay(mean="50 us"))
    attero.put("app/impairment/delay/resetAll")
    assert attero.sim.state.entries == ()


@pytest.mark.parametrize("illegal", [49_999, 20_000_000_001, -1, 60_000.5, "100000", True, None, [], {}, 1e99])
def test_a_delay_that_is_not_legal_is_refused_in_the_words_that_are_in_print(attero: Any, illegal: Any) -> None:
    told = attero.refused(400, "PUT", DELAY, {"Delay": illegal})
    assert told == (
        "Delay value must be an integer in the range 50000 - 20000000000 nanoseconds.\nParameter name: Delay"
    )
    assert attero.get(DELAY)["Delay"] == 50_000


def test_the_reason_phrase_is_the_name_of_the_exception(attero: Any) -> None:
    response = attero.ask("PUT", DELAY, {"Delay": 49_999})
    assert (response.status_code, response.reason_phrase) == (400, "ArgumentException")


def test_both_edges_of_the_delay(attero: Any) -> None:
    attero.put(f"{DELAY}/enable", {"Enable": True})
    for edge in (50_000, 20_000_000_000):
        attero.put(DELAY, {"Delay": edge})
        assert attero.suffered().delay.mean == edge


def test_a_period_shorter_than_its_duration_is_refused_in_the_words_that_are_in_print(attero: Any) -> None:
    body = {"Duration": 120, "Period": 4, "Repeated": True}
    told = attero.refused(400, "PUT", f"{LOST}/duration/packet", body)
    assert told == "Repeat interval (4 packets) must be greater than the impairment duration (120 packets)"
    attero.put(f"{LOST}/duration/packet", {**body, "Repeated": False})
    told = attero.refused(400, "PUT", f"{LOST}/duration/packet", {"Repeated": True})
    assert "(4 packets)" in told
    told = attero.refused(400, "PUT", f"{LOST}/duration/time", {"Duration": 2, "Period": 2, "Repeated": True})
    assert "(2 seconds)" in told


RATES = {
    "0.1%": "0.001",
    "100%": "1",
    "0.00001%": "1e-7",
    "1E-3": "0.001",
    "1E-0": "1",
    "1e-7": "1e-7",
    "2.5E-2": "0.025",
}


@pytest.mark.parametrize("text", RATES)
def test_rates_as_the_box_writes_them(attero: Any, text: str) -> None:
    attero.put(f"{LOST}/enable", {"Enable": True})
    assert attero.put(f"{LOST}/rate", {"Rate": text}) == {"Rate": text}
    assert attero.suffered() == Conditions.of(RandomLoss(rate=Decimal(RATES[text])))


@pytest.mark.parametrize(
    "illegal", ["0%", "0.000001%", "100.1%", "1E-8", "1E1", "0.1", 0.1, None, "%", "²%", "1E-3%", "-1%"]
)
def test_rates_that_are_none(attero: Any, illegal: Any) -> None:
    assert "X.XXX% or XE-X" in attero.refused(400, "PUT", f"{LOST}/rate", {"Rate": illegal})
    assert attero.get(f"{LOST}/rate") == {"Rate": "0.1%"}


def meaning(kind: str, rate: str, burst: int | None, schedule: Any) -> Any:
    how: dict[str, Any] = {"rate": rate} if burst is None else {"pattern": SingleBurst(packets=burst)}
    match kind:
        case "lostpacket":
            return (
                RandomLoss(rate=rate, schedule=schedule)
                if burst is None
                else SingleBurstLoss(packets=burst, schedule=schedule)
            )
        case "erroredpacket":
            return Corrupt(**how, damages="ethernet", schedule=schedule)
        case "misorderedpacket":
            return Reorder(**how, depth=3, schedule=schedule)
        case _:
            return Duplicate(**how, schedule=schedule)


SCHEDULES = [
    ("Continuous", False, None),
    ("Duration", False, Schedule(on="3 s")),
    ("Duration", True, Schedule(on="3 s", period="10 s")),
    ("DurationPktBased", False, PacketSchedule(on_packets=4)),
    ("DurationPktBased", True, PacketSchedule(on_packets=4, period_packets=20)),
]


@pytest.mark.parametrize(("period_type", "repeated", "schedule"), SCHEDULES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_corruption_in_every_distribution_and_period(
    attero: Any, kind: str, period_type: str, repeated: bool, schedule: Any
) -> None:
    base = f"app/impairment/corruption/{kind}/Port2/7"
    if kind == "misorderedpacket":
        attero.put(f"{base}/depth", {"Depth": 3})
    attero.put(f"{base}/rate", {"Rate": "5%"})
    attero.put(f"{base}/burst", {"Burst": "12"})
    attero.put(f"{base}/periodtype", {"PeriodType": period_type})
    attero.put(f"{base}/duration/time", {"Duration": 3, "Period": 10, "Repeated": repeated})
    attero.put(f"{base}/duration/packet", {"Duration": 4, "Period": 20, "Repeated": repeated})
    assert attero.sim.state.entries == ()
    attero.put(f"{base}/enable", {"Enable": True})
    assert list(attero.suffered("b-a")) == [meaning(kind, "5 %", None, schedule)]
    attero.put(f"{base}/distributetype", {"DistributeType": "Burst"})
    assert list(attero.suffered("b-a")) == [meaning(kind, "5 %", 12, schedule)]
    whole = attero.get(f"{base}/all")
    assert (whole["Enable"], whole["Burst"], whole["Rate"], whole["PeriodType"]) == (True, "12", "5%", period_type)
    assert whole["Packet"] == {"Duration": 4, "Period": 20, "Repeated": repeated}
    attero.put(f"{base}/resetall")
    assert attero.sim.state.entries == ()
    assert attero.get(f"{base}/burst") == {"Burst": "1"}


@pytest.mark.parametrize(
    ("resource", "legal", "illegal"),
    [
        ("burst", [{"Burst": "1"}, {"Burst": 10_000}],
         [{"Burst": "0"}, {"Burst": 10_001}, {"Burst": "x"}, {"Burst": 1.5}]),
        ("depth", [{"Depth": 1}, {"Depth": 32}], [{"Depth": 0}, {"Depth": 33}, {"Depth": "3"}]),
        ("distributetype", [{"DistributeType": "Rate"}], [{"DistributeType": "rate"}, {"DistributeType": 1}, {}]),
        ("periodtype", [{"PeriodType": "DurationPktBased"}], [{"PeriodType": "Sometimes"}]),
        ("enable", [{"Enable": True}], [{"Enable": "true"}, {"Enable": 1}, {}, {"Enable": True, "More": 1}]),
        ("duration/time", [{}, {"Duration": 1}, {"Period": 1_000_000_000}],
         [{"Duration": 0}, {"Duration": 1.5}, {"Period": -1}, {"Repeated": 1}, {"Repeater": True}]),
    ],
)  # fmt: skip
def test_ranges(attero: Any, resource: str, legal: list[Any], illegal: list[Any]) -> None:
    path = f"app/impairment/corruption/misorderedpacket/Port1/0/{resource}"
    for body in legal:
        attero.put(path, body)
    before = attero.get(path)
    for body in illegal:
        attero.refused(400, "PUT", path, body)
    assert attero.get(path) == before


def test_a_rate_that_a_depth_does_not_leave_room_for(attero: Any) -> None:
    base = "app/impairment/corruption/misorderedpacket/Port1/7"
    attero.put(f"{base}/depth", {"Depth": 4})
    assert "lower than 1/(1+depth)" in attero.refused(400, "PUT", f"{base}/rate", {"Rate": "20%"})
    attero.put(f"{base}/rate", {"Rate": "19.9%"})
    assert "lower than 1/(1+depth)" in attero.refused(400, "PUT", f"{base}/depth", {"Depth": 5})
    assert attero.get(f"{base}/depth") == {"Depth": 4}


def test_a_burst_now_begins_anew_each_time(attero: Any) -> None:
    assert "Burst" in attero.refused(400, "PUT", f"{LOST}/now", {})
    attero.put(f"{LOST}/distributetype", {"DistributeType": "Burst"})
    attero.put(f"{LOST}/burst", {"Burst": "7"})
    for _ in range(2):
        before = len(attero.plane.programs)
        attero.put(f"{LOST}/now", {})
        programs = attero.plane.programs[before:]
        assert [len(each.entries) for each in programs] == [0, 1]
        assert attero.suffered() == Conditions.of(SingleBurstLoss(packets=7))
    attero.put(f"{LOST}/enable", {"Enable": False})
    assert attero.suffered().is_neutral


def test_symbol_errors_are_kept_and_never_enabled(attero: Any) -> None:
    base = "app/impairment/symbolerror/Port1"
    attero.put(f"{base}/rate", {"Rate": "1E-5"})
    attero.put(f"{base}/duration/symbolcount", {"Duration": 5, "Period": 50, "Repeated": True})
    told = attero.refused(400, "PUT", f"{base}/duration/symbolcount", {"Duration": 60})
    assert "(60 symbols)" in told
    assert attero.get(f"{base}/all")["SymbolCount"] == {"Duration": 5, "Period": 50, "Repeated": True}
    attero.refused(501, "PUT", f"{base}/enable", {"Enable": True})
    attero.refused(501, "PUT", f"{base}/now", {})
    assert attero.get(f"{base}/enable") == {"Enable": False}
    attero.put(f"{base}/resetall")
    assert attero.get(f"{base}/rate") == {"Rate": "0.1%"}


def test_jitter_from_the_generator_from_a_file_and_on_top_of_a_delay(attero: Any) -> None:
    base = "app/impairment/jitter"
    ranges = attero.get(f"{base}/generate/parameters")
    assert ranges["Samples"] == {"Min": 2, "Max": 1024}
    assert "no jitter profile" in attero.refused(400, "PUT", f"{base}/Port1/7/enable", {"Enable": True})
    for law in ranges["Distribution"]:
        made = attero.put(f"{base}/generate", {"Samples": 50, "Distribution": law, "Maximum": MS, "Alpha": 2})
        assert len(made["Samples"]) == 50
        assert 0 <= min(made["Samples"]) < max(made["Samples"]) <= MS
    attero.put(f"{base}/Port1/7/jitterprofile", {"Samples": [0, 500_000, MS]})
    attero.put(f"{base}/Port1/7/enable", {"Enable": True})
    table = ("0", "0.5", "1")
    assert attero.suffered() == Conditions.of(Delay(mean=0, spread="1 ms", distribution="table", table=table))
    attero.put(DELAY, {"Delay": 5 * MS})
    attero.put(f"{DELAY}/enable", {"Enable": True})
    assert attero.suffered() == Conditions.of(Delay(mean="5 ms", spread="1 ms", distribution="table", table=table))
    upload = {"Filename": "j.csv", "Data": "10\n20\r\n30\n"}
    assert attero.ask("POST", f"{base}/jitterprofile/file/upload", upload).json() == {"Filename": "j.csv"}
    files = {"Data": ("k.csv", b"1\n2\n")}
    assert attero.client.post(f"/api/{base}/jitterprofile/file/upload.json", files=files).json() == {
        "Filename": "k.csv"
    }
    assert attero.get(f"{base}/jitterprofile/file/all") == {"Filenames": ["j.csv", "k.csv"]}
    extract = f"/api/{base}/jitterprofile/file/extract.json?Filename=j.csv"
    assert attero.client.get(extract).json() == {"Samples": [10, 20, 30]}
    attero.put(f"{base}/jitterprofile/file/remove", {"Filename": "j.csv"})
    attero.refused(400, "PUT", f"{base}/jitterprofile/file/remove", {"Filename": "j.csv"})
    for illegal in ([1], list(range(1025)), [1, -1], [1, "2"], "1\n2", None):
        attero.refused(400, "PUT", f"{base}/Port1/7/jitterprofile", {"Samples": illegal})
    for illegal in ("1", "1\nx", "", "1.5\n2"):
        attero.refused(400, "POST", f"{base}/jitterprofile/file/upload", {"Filename": "x", "Data": illegal})
    attero.put(f"{base}/Port1/7/reset")
    assert attero.suffered() == Conditions.of(Delay(mean="5 ms"))


def test_a_plane_that_cannot_or_has_failed_changes_nothing(attero: Any) -> None:
    attero.plane.failure = ImpairlabError("the plane is gone")
    assert "the plane is gone" in attero.refused(500, "PUT", f"{DELAY}/enable", {"Enable": True})
    attero.plane.failure = None
    assert attero.get(f"{DELAY}/enable") == {"Enable": False}
