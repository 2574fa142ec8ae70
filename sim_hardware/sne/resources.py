"""The settings of each type of impairment: modes, keys and ranges.

Source: "SNE 6.1 RESTful Remote Control API" and the help of its quickcall library, Spirent/iTest-assets `di_sne`; the
body of packetdrop from PyPI py_sne_rest_client 0.2, and markovDropMode, the key packetDrop and the newer types from the
logs of a box of build 11.0.0.18 in its repository, waripoornima/sne_rest_client. What these leave open is in `house`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from impairlab.sim_hardware.sne.fields import Choice, Field, Flag, number, whole

TIMES = "timeConstraints"
ENABLED = "enabled"


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes of a resource.

    Attributes:
        key: Under which the mode is chosen.
        settings_key: Under which the settings of every mode are.
        fields: The fields of each mode; the first mode is the default.
        synonyms: Other names of fields, by mode.
    """

    key: str
    settings_key: str
    fields: Mapping[str, Mapping[str, Field]]
    synonyms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """One type of impairment.

    Attributes:
        name: Last segment of its path.
        kind: Its `type` in the list of impairments, and in a map.
        key: Under which newer firmware answers its settings.
        newer_kind: Its `type` in the list of impairments of newer firmware, where it is known to be another.
        fields: Its fields outside of modes.
        modes: Its modes, if it has some.
        times: The fields of its time constraints, in ms; None where it has none.
        ordered: Pairs of fields of which the first must not exceed the second.
    """

    name: str
    kind: str
    key: str
    fields: Mapping[str, Field] = field(default_factory=dict)
    modes: Modes | None = None
    times: Mapping[str, Field] | None = None
    ordered: tuple[tuple[str, str], ...] = ()
    newer_kind: str = ""


def _times(low: str, high: str) -> Mapping[str, Field]:
    return {
        "enableTimeConstraints": Flag(),
        "startDelay": number(low, high, "1000"),
        "duration": number(low, high, "5000"),
    }


_REORDERING: Mapping[str, Field] = {"allowReordering": Flag()}
_LATENCY = number("0.01", "10000")
_WITHIN: Mapping[str, Field] = {"minLatency": _LATENCY, "maxLatency": number("0.01", "10000", "1")}
_EVERY_PACKET: Mapping[str, Field] = {"delay": whole(1, 36_000), "maxPacketsToStore": whole(0, 15_800_704, 1000)}
_BANDWIDTH = number("500", "25000", "25000")
_DATA_RATE = whole(1, 1_000_000)
_COUNT = whole(1, 1_000_000_000)

RESOURCES = (
    Resource(
        "delay",
        "PacketDelayDisruptor",
        "delay",
        {"maxDataRate": Choice((1000, 100, 10_000, 25_000))},
        Modes(
            "delayMode",
            "delayModeSettings",
            {
                "constDelayMode": {"latency": _LATENCY, "jitterPcnt": number("0", "100")},
                "rangeDelayMode": {**_WITHIN, **_REORDERING},
                "gaussianDelayMode": {
                    "minLatency": _LATENCY,
                    "meanLatency": number("0.01", "10000", "1"),
                    "deviation": _LATENCY,
                    **_REORDERING,
                },
                "rampDelayMode": {
                    "startLatency": number("0.01", "30000"),
                    "startPeriod": number("0.01", "10000"),
                    "endLatency": number("0.01", "10000"),
                    "riseTime": number("0.01", "30000"),
                    **_REORDERING,
                },
                "sinDelayMode": {**_WITHIN, "sinDuration": number("0.01", "10000"), **_REORDERING},
            },
            {"gaussianDelayMode": {"maxLatency": "meanLatency"}},
        ),
        _times("0.10", "36000"),
        (("minLatency", "maxLatency"), ("minLatency", "meanLatency")),
        "PacketDelay",
    ),
    Resource("jitter", "JitterDisruptor", "jitter", {"jitter": number("0.01", "1000.00")}),
    Resource(
        "packetdrop",
        "PacketDropDisruptor",
        "packetDrop",
        {},
        Modes(
            "packetDropMode",
            "packetDropSettings",
            {
                "standardDropMode": {
                    "packetDropCount": whole(1, 10_000_000),
                    "perPacketCount": whole(1, 10_000_000, 100),
                    "dropMethod": Choice(("dropEvenly", "dropBurst")),
                },
                "percentageDropMode": {"percentageDrop": number("0", "100")},
                "markovDropMode": {
                    "highLossDropProbability": number("0", "100", "70"),
                    "lowLossDropProbability": number("0", "100", "10"),
                    "highLossTransProbability": number("0", "100", "50"),
                    "lowLossTransProbability": number("0", "100", "50"),
                },
            },
        ),
        _times("0.01", "360000.00"),
        (("packetDropCount", "perPacketCount"),),
        "PacketDropCorruptor",
    ),
    Resource(
        "bandwidththrottle",
        "BandwidthThrottleDisruptor",
        "bandwidthThrottle",
        {
            "includeEthernetFraming": Flag(),
            "ethernetFrameSize": whole(24, 24),
            "fifoSize": whole(0, 2_000_000_000),
        },
        Modes(
            "bandwidthThrottleMode",
            "bandwidthThrottleSettings",
            {
                "constantThrottleMode": {"bandwidth": _BANDWIDTH},
                "rangeThrottleMode": {
                    "minBandwidth": number("500", "25000"),
                    "maxBandwidth": _BANDWIDTH,
                    "duration": number("0.01", "360000.00", "1000"),
                },
            },
        ),
        _times("0.01", "360000.00"),
        (("minBandwidth", "maxBandwidth"),),
    ),
    Resource(
        "packetduplication",
        "PacketDuplicationDisruptor",
        "packetDuplication",
        {},
        Modes(
            "packetDuplicationMode",
            "packetDuplicationSettings",
            {"simpleMode": {}, "timedMode": _EVERY_PACKET, "complexMode": {**_EVERY_PACKET, "amount": whole(1, 10)}},
        ),
    ),
    Resource(
        "packetreorder",
        "PacketReorderDisruptor",
        "packetReorder",
        {"packetProbability": number("0", "100")},
        Modes(
            "packetReorderMode",
            "packetReorderSettings",
            {
                "distanceReorderMode": {"minDistance": whole(1, 10_000), "maxDistance": whole(1, 10_000)},
                "timeReorderMode": {
                    "minDisplacement": number("0", "500"),
                    "maxDisplacement": number("0", "500", "10"),
                },
            },
            {"distanceReorderMode": {"minDisplacement": "minDistance", "maxDisplacement": "maxDistance"}},
        ),
        None,
        (("minDistance", "maxDistance"), ("minDisplacement", "maxDisplacement")),
    ),
    Resource(
        "biterror",
        "BitErrorDisruptor",
        "bitError",
        {"erroredBits": whole(1, 8), "totalBits": whole(1, 100_000_000, 100_000_000)},
        None,
        None,
        (("erroredBits", "totalBits"),),
    ),
    Resource(
        "ethfragmentation", "EthernetFragmentationDisruptor", "ethFragmentation", {"mtuSize": whole(68, 9000, 1500)}
    ),
    Resource(
        "packetcounting",
        "PacketCountingFilter",
        "packetCounting",
        {},
        Modes(
            "packetCountingMode",
            "packetCountingSettings",
            {
                "xInYMode": {"packetFailCount": _COUNT, "perPacketCount": whole(1, 1_000_000_000, 100)},
                "percentageCountMode": {"percentageFailCount": number("1", "100")},
            },
        ),
    ),
    Resource(
        "trafficgen",
        "TrafficGenerator",
        "trafficGen",
        {},
        Modes(
            "trafficGenMode",
            "trafficGenSettings",
            {
                "constGenMode": {"dataRate": _DATA_RATE, "broadcastTraffic": Flag()},
                "rangeGenMode": {
                    "minDataRate": _DATA_RATE,
                    "maxDataRate": whole(1, 1_000_000, 1_000_000),
                    "duration": whole(1, 360_000, 1000),
                    "broadcastTraffic": Flag(),
                },
            },
        ),
        _times("0.01", "360000.00"),
        (("minDataRate", "maxDataRate"),),
    ),
)
RESOURCE_BY_KIND = {resource.kind: resource for resource in RESOURCES}
