"""Every setting of the simulated SNE: what it does to packets, its range, and what is refused."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from impairlab.drivers.model import (
    BitErrors,
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    EvenLoss,
    GilbertElliottLoss,
    PeriodicLoss,
    RampDelay,
    RandomLoss,
    RateLimit,
    Reorder,
    Schedule,
    SineDelay,
)

OK = {"code": 1201, "message": "Operation Successful"}


def mode(key: str, name: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A body that chooses a mode."""
    settings_key = f"{key}Settings" if key == "delayMode" else f"{key.removesuffix('Mode')}Settings"
    return {key: name, settings_key: {name: settings}, "enabled": True, **more}


TIMES = {"timeConstraints": {"enableTimeConstraints": True, "startDelay": 1000, "duration": 5000}}
WINDOW = Schedule(start="1 s", on="5 s")

MEANINGS = [
    ("delay", mode("delayMode", "constDelayMode", {"latency": 50, "jitterPcnt": 0}), Delay(mean="50 ms")),
    ("delay", mode("delayMode", "constDelayMode", {"latency": 50, "jitterPcnt": 10}),
     Delay(mean="50 ms", spread="5 ms", distribution="uniform")),
    ("delay", mode("delayMode", "rangeDelayMode", {"minLatency": 1, "maxLatency": 3, "allowReordering": "true"}),
     Delay(mean="2 ms", spread="1 ms", distribution="uniform", keep_order=False)),
    ("delay", mode("delayMode", "gaussianDelayMode", {"meanLatency": 20, "deviation": 2}),
     Delay(mean="20 ms", spread="2 ms", distribution="normal")),
    ("delay", mode("delayMode", "gaussianDelayMode", {"maxLatency": 20, "deviation": 2}),
     Delay(mean="20 ms", spread="2 ms", distribution="normal")),
    ("delay", mode("delayMode", "rampDelayMode",
                   {"startLatency": 1, "startPeriod": 100, "endLatency": 9, "riseTime": 2000}),
     RampDelay(start="1 ms", end="9 ms", hold="100 ms", rise="2 s")),
    ("delay", mode("delayMode", "sinDelayMode", {"minLatency": 1, "maxLatency": 9, "sinDuration": 500}),
     SineDelay(low="1 ms", high="9 ms", period="500 ms")),
    ("delay", mode("delayMode", "constDelayMode", {"latency": 0.01}, **TIMES), Delay(mean="10 us", schedule=WINDOW)),
    ("jitter", {"jitter": 4, "enabled": True}, Delay(mean="2 ms", spread="2 ms", distribution="uniform")),
    ("packetdrop", mode("packetDropMode", "percentageDropMode", {"percentageDrop": 2.5}), RandomLoss(rate="2.5 %")),
    ("packetdrop", mode("packetDropMode", "percentageDropMode", {"percentageDrop": 0}), None),
    ("packetdrop", mode("packetDropMode", "markovDropMode",
                        {"highLossDropProbability": 80, "lowLossDropProbability": 1,
                         "highLossTransProbability": 25, "lowLossTransProbability": 2}),
     GilbertElliottLoss(to_bad="2 %", to_good="25 %", bad_loss="80 %", good_loss="1 %")),
    ("packetdrop", mode("packetDropMode", "standardDropMode",
                        {"packetDropCount": 3, "perPacketCount": 100, "dropMethod": "dropEvenly"}),
     EvenLoss(rate="3 %")),
    ("packetdrop", mode("packetDropMode", "standardDropMode",
                        {"packetDropCount": 3, "perPacketCount": 100, "dropMethod": "dropBurst"}, **TIMES),
     PeriodicLoss(every=100, burst=3, schedule=WINDOW)),
    ("bandwidththrottle", mode("bandwidthThrottleMode", "constantThrottleMode", {"bandwidth": 20_000}),
     RateLimit(rate=160_000, mode="link", queue=256_000)),
    ("bandwidththrottle", mode("bandwidthThrottleMode", "constantThrottleMode", {"bandwidth": 500},
                               includeEthernetFraming=True, fifoSize=9000),
     RateLimit(rate=4000, mode="link", queue=9000, layer="l1")),
    ("packetduplication", mode("packetDuplicationMode", "simpleMode", {}), Duplicate(rate=1)),
    ("packetreorder", mode("packetReorderMode", "distanceReorderMode", {"minDistance": 2, "maxDistance": 5},
                           packetProbability=10), Reorder(rate="10 %", depth=2, depth_most=5)),
    ("packetreorder", mode("packetReorderMode", "distanceReorderMode", {"minDisplacement": 3, "maxDisplacement": 3},
                           packetProbability=10), Reorder(rate="10 %", depth=3)),
    ("packetreorder", mode("packetReorderMode", "timeReorderMode", {"minDisplacement": 7, "maxDisplacement": 7},
                           packetProbability=10), Reorder(rate="10 %", depth=0, hold="7 ms")),
    ("packetreorder", mode("packetReorderMode", "distanceReorderMode", {}, packetProbability=0), None),
    ("biterror", {"erroredBits": 2, "totalBits": 1000, "enabled": True},
     Corrupt(pattern=BitErrors(ber="0.1 %"), bits=2)),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "body", "meaning"), MEANINGS)
def test_what_a_setting_does_to_packets(sne: Any, resource: str, body: Any, meaning: Any) -> None:
    sne.put(resource, body)
    assert list(sne.suffered()) == ([] if meaning is None else [meaning])
    settings = sne.settings(resource)
    assert settings["enabled"] is True
    sne.put(resource, settings)
    sne.put(resource, sne.ask("GET", f"maps/wan/impairments/{resource}/{resource}").json())
    assert sne.settings(resource) == settings
    sne.put(resource, {"enabled": "false"})
    assert sne.suffered().is_neutral


def test_settings_have_the_form_of_the_log_of_a_newer_box(sne: Any) -> None:
    """Of build 11.0.0.18, in waripoornima/sne_rest_client."""
    answer = sne.ask("GET", "maps/wan/impairments/packetdrop/packetdrop").json()
    assert list(answer) == ["status", "updatePending", "packetDrop"]
    assert set(answer["packetDrop"]) == {"packetDropMode", "enabled", "timeConstraints", "packetDropSettings"}
    assert set(answer["packetDrop"]["packetDropSettings"]["markovDropMode"]) == {
        "highLossDropProbability", "lowLossDropProbability", "highLossTransProbability", "lowLossTransProbability",
    }  # fmt: skip


IMPOSSIBLE = [
    ("ethfragmentation", {"mtuSize": 576, "enabled": True}),
    ("packetcounting", mode("packetCountingMode", "xInYMode", {"packetFailCount": 1, "perPacketCount": 5})),
    ("packetcounting", mode("packetCountingMode", "percentageCountMode", {"percentageFailCount": 5})),
    ("trafficgen", mode("trafficGenMode", "constGenMode", {"dataRate": 1000, "broadcastTraffic": False})),
    ("trafficgen", mode("trafficGenMode", "rangeGenMode", {"minDataRate": 1, "maxDataRate": 9, "duration": 5})),
    ("bandwidththrottle", mode("bandwidthThrottleMode", "rangeThrottleMode", {"minBandwidth": 500, "duration": 5})),
    ("bandwidththrottle", mode("bandwidthThrottleMode", "constantThrottleMode", {}, **TIMES)),
    ("packetduplication", mode("packetDuplicationMode", "timedMode", {"delay": 5, "maxPacketsToStore": 9})),
    ("packetduplication", mode("packetDuplicationMode", "complexMode", {"delay": 5, "amount": 3})),
    ("delay", mode("delayMode", "gaussianDelayMode", {"minLatency": 19, "meanLatency": 20, "deviation": 2})),
    ("packetreorder", mode("packetReorderMode", "timeReorderMode", {"minDisplacement": 1, "maxDisplacement": 7},
                           packetProbability=1)),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "body"), IMPOSSIBLE)
def test_what_cannot_be_done_is_refused_while_it_runs_and_when_it_is_started(
    sne: Any, resource: str, body: Any
) -> None:
    path = f"maps/wan/impairments/{resource}/{resource}"
    before = sne.ask("GET", path).json()
    assert "cannot do it" in sne.refused(501, "PUT", path, body)
    assert sne.ask("GET", path).json() == before
    sne.put(resource, {**body, "enabled": False})
    sne.done("PUT", "maps/wan/stop")
    sne.put(resource, body)
    sne.refused(501, "PUT", "maps/wan/start")
    assert sne.ask("GET", "maps/wan").json()["maps"][0]["state"] == "Stopped"
    assert sne.sim.state.entries == ()


def test_two_of_a_kind_between_the_same_ports_are_refused(sne: Any) -> None:
    sne.put("delay", mode("delayMode", "rangeDelayMode", {}))
    message = sne.refused(501, "PUT", "maps/wan/impairments/jitter/jitter", {"enabled": True})
    assert "not constant" in message
    sne.put("delay", {"delayMode": "constDelayMode"})
    sne.put("jitter", {"enabled": True, "jitter": 2})
    assert sne.suffered() == Conditions.of(Delay(mean="1010 us", spread="1 ms", distribution="uniform"))


EDGES = [
    ("delay", "delayMode", "constDelayMode", "latency", 0.01, 10_000),
    ("delay", "delayMode", "constDelayMode", "jitterPcnt", 0, 100),
    ("delay", "delayMode", "rampDelayMode", "startLatency", 0.01, 30_000),
    ("delay", "delayMode", "rampDelayMode", "startPeriod", 0.01, 10_000),
    ("delay", "delayMode", "rampDelayMode", "endLatency", 0.01, 10_000),
    ("delay", "delayMode", "rampDelayMode", "riseTime", 0.01, 30_000),
    ("delay", "delayMode", "gaussianDelayMode", "deviation", 0.01, 10_000),
    ("delay", "delayMode", "sinDelayMode", "sinDuration", 0.01, 10_000),
    ("packetdrop", "packetDropMode", "standardDropMode", "perPacketCount", 1, 10_000_000),
    ("packetdrop", "packetDropMode", "percentageDropMode", "percentageDrop", 0, 100),
    ("bandwidththrottle", "bandwidthThrottleMode", "constantThrottleMode", "bandwidth", 500, 25_000),
    ("packetduplication", "packetDuplicationMode", "timedMode", "delay", 1, 36_000),
    ("packetduplication", "packetDuplicationMode", "timedMode", "maxPacketsToStore", 0, 15_800_704),
    ("packetduplication", "packetDuplicationMode", "complexMode", "amount", 1, 10),
    ("packetreorder", "packetReorderMode", "distanceReorderMode", "maxDistance", 1, 10_000),
    ("packetreorder", "packetReorderMode", "timeReorderMode", "maxDisplacement", 0, 500),
    ("packetcounting", "packetCountingMode", "xInYMode", "perPacketCount", 1, 1_000_000_000),
    ("packetcounting", "packetCountingMode", "percentageCountMode", "percentageFailCount", 1, 100),
    ("trafficgen", "trafficGenMode", "constGenMode", "dataRate", 1, 1_000_000),
    ("trafficgen", "trafficGenMode", "rangeGenMode", "duration", 1, 360_000),
]  # fmt: skip
FLAT_EDGES = [
    ("jitter", "jitter", 0.01, 1000), ("biterror", "erroredBits", 1, 8), ("biterror", "totalBits", 8, 100_000_000),
    ("ethfragmentation", "mtuSize", 68, 9000), ("packetreorder", "packetProbability", 0, 100),
]  # fmt: skip
TIME_EDGES = [("delay", 0.1, 36_000), ("packetdrop", 0.01, 360_000), ("bandwidththrottle", 0.01, 360_000),
              ("trafficgen", 0.01, 360_000)]  # fmt: skip


def edges() -> Iterator[tuple[str, Callable[[Any], Any], float, float]]:
    for resource, key, chosen, field, low, high in EDGES:
        yield resource, lambda v, k=key, c=chosen, f=field: mode(k, c, {f: v}, enabled=False), low, high
    for resource, field, low, high in FLAT_EDGES:
        yield resource, lambda v, f=field: {f: v}, low, high
    for resource, low, high in TIME_EDGES:
        for field in ("startDelay", "duration"):
            yield resource, lambda v, f=field: {"timeConstraints": {f: v}}, low, high


@pytest.mark.parametrize(("resource", "body", "low", "high"), list(edges()))
def test_the_ranges_of_the_manual(sne: Any, resource: str, body: Callable[[Any], Any], low: float, high: float) -> None:
    path = f"maps/wan/impairments/{resource}/{resource}"
    sne.put(resource, {"erroredBits": 1} if resource == "biterror" else {})
    for legal in (low, high):
        sne.put(resource, body(legal))
    before = sne.ask("GET", path).json()
    beyond = [high * 1.01 + 0.001, float(high) * 1e30, str(low), None, [low], True]
    for illegal in [*beyond, low - 0.001] if low else beyond:
        assert "must be" in sne.refused(400, "PUT", path, body(illegal))
    assert sne.ask("GET", path).json() == before


def test_a_fast_line_has_less_constant_delay(sne: Any) -> None:
    path = "maps/wan/impairments/delay/delay"
    for rate, most in ((100, 10_000), (1000, 10_000), (10_000, 4000), (25_000, 4000)):
        settings = {"delayModeSettings": {"constDelayMode": {"latency": most}}}
        sne.put("delay", {"maxDataRate": 1000, **settings})
        sne.put("delay", {"maxDataRate": rate})
        over = {"delayModeSettings": {"constDelayMode": {"latency": most + 0.01}}}
        assert str(most) in sne.refused(400, "PUT", path, over)
    sne.refused(400, "PUT", path, {"maxDataRate": 40_000})


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("delay", {"nonsense": 1}),
        ("delay", {"delayMode": "tableMode"}),
        ("delay", {"delayModeSettings": {"tableMode": {}}}),
        ("delay", {"delayModeSettings": {"constDelayMode": {"nonsense": 1}}}),
        ("delay", {"delayModeSettings": {"constDelayMode": 5}}),
        ("delay", {"delayModeSettings": []}),
        ("delay", {"timeConstraints": 5}),
        ("delay", {"enabled": "yes"}),
        ("delay", {"enabled": 1}),
        ("jitter", {"timeConstraints": {}}),
        ("delay", mode("delayMode", "rangeDelayMode", {"minLatency": 5, "maxLatency": 4})),
        ("packetdrop", mode("packetDropMode", "standardDropMode", {"packetDropCount": 5, "perPacketCount": 4})),
        ("packetdrop", mode("packetDropMode", "standardDropMode", {"dropMethod": "dropSometimes"})),
        ("packetdrop", mode("packetDropMode", "standardDropMode", {"packetDropCount": 1.5})),
        ("biterror", {"erroredBits": 5, "totalBits": 4}),
    ],
)  # fmt: skip
def test_bad_settings_change_nothing(sne: Any, resource: str, body: Any) -> None:
    sne.refused(400, "PUT", f"maps/wan/impairments/{resource}/{resource}", body)
    assert sne.suffered().is_neutral
    assert len(sne.plane.programs) == 2  # power on, and the start
