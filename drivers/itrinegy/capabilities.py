"""What an NE-ONE can do: modules as a published client sends them, and limits that nobody says in public."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from impairlab.drivers.itrinegy.modules import OVERHEADS
from impairlab.drivers.itrinegy.site import Site
from impairlab.drivers.model.capabilities import Capabilities, Dimension, Feature, Provenance, Range, Rule
from impairlab.drivers.model.conditions import Conditions

_SOURCE = "itrinegy.py in nijokarively/itrinegy-api"
_MOST_NS = 10_000_000_000


def _range(dimension: Dimension, low: int | str, high: int | str, step: int | str) -> Range:
    return Range(dimension=dimension, low=Decimal(low), high=Decimal(high), step=Decimal(step))


_TIME = _range("time", 0, _MOST_NS, 1)
_SPREAD = _range("time", 1, _MOST_NS // 2, 1)
_SHARE = _range("probability", "0.0000001", "1", "0.0000001")
_LOST = _range("probability", "0.0000001", "0.9999999", "0.0000001")
_COUNT = _range("count", 1, 1000, 1)
_MORE = _range("count", 2, 1000, 1)


def capabilities(site: Site) -> Capabilities:
    """Return what can be set; the box is not asked."""
    features = _features(site)
    return Capabilities(
        paths=tuple(site.interfaces),
        features={each.name: each for each in features},
        rules=(
            Rule("delay", f"mean + spread at most {_MOST_NS // 10**9} s", _within),
            Rule("reorder", "depth_most above depth, or 0: as many as depth", _farther),
        ),
    )


def _features(site: Site) -> tuple[Feature, ...]:
    def feature(
        name: str,
        module: str,
        ranges: Mapping[str, Range],
        doubt: str,
        choices: Mapping[str, tuple[str | bool, ...]] | None = None,
    ) -> Feature:
        detail = f"words: {module}, {_SOURCE}; {doubt}; limits are said nowhere"
        provenance = Provenance(basis="inferred", detail=detail)
        return Feature(name=name, ranges=ranges, choices=choices or {}, provenance=provenance)

    drops = "Random_Drop_with_Burst"
    return (
        feature("delay.constant", "Step_Delay_Packet_Nanoseconds", {"mean": _TIME},
                "that equal ends are a constant delay is inferred"),
        feature("delay.uniform", "Random_Delay", {"mean": _TIME, "spread": _SPREAD},
                "that the delay is even between both ends, in ms, and keeps the order is inferred"),
        feature("loss.random", "Random_Drop", {"rate": _LOST}, "that packets are lost independently is inferred"),
        feature("loss.outage", "Random_Drop", {}, "it is a loss of 100 %"),
        feature("loss.random-burst", drops, {"rate": _SHARE, "shortest": _COUNT, "longest": _MORE},
                "that the percentage is that of packets at which a burst begins is inferred"),
        feature("corrupt", "Random_Packet_Corrupt", {"rate": _SHARE}, "what of a packet is damaged is said nowhere"),
        feature("duplicate", "Packet_Move_and_Duplicate", {"rate": _SHARE},
                "that Duplicate_Packet 1 is one more copy is inferred"),
        feature("reorder", "Random_Packet_Move_Offset",
                {"rate": _SHARE, "depth": _COUNT, "depth_most": _range("count", 0, 1000, 1)},
                "that packets are moved behind so many later ones is inferred"),
        feature("rate.link", "Linkspeed_and_FIFO_Queue_Bytes",
                {"rate": _range("rate", site.speed_unit, 100_000_000_000, site.speed_unit),
                 "queue": _range("size", 0, 1_000_000_000, 1)},
                f"that Link_Speed counts {site.speed_unit} bit/s, and Overhead is added to a packet of layer 3 (14 for "
                "the frame, 38 for all that it takes on the line), is inferred", {"layer": tuple(OVERHEADS)}),
    )  # fmt: skip


def _within(conditions: Conditions) -> bool:
    delay = conditions.delay
    return delay is None or getattr(delay, "mean", 0) + getattr(delay, "spread", 0) <= _MOST_NS


def _farther(conditions: Conditions) -> bool:
    reorder = conditions.reorder
    return reorder is None or not reorder.depth_most or reorder.depth_most > reorder.depth
