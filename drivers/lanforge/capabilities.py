"""What a WanLink of LANforge-ICE can do: ranges as lf_icemod.pl prints them, and what of that is a guess."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from impairlab.drivers.lanforge.site import Site
from impairlab.drivers.lanforge.words import FLAGS, KIBIBYTE, US
from impairlab.drivers.model.capabilities import Capabilities, Dimension, Feature, Provenance, Range, Rule
from impairlab.drivers.model.conditions import Conditions

COUNTERS: Mapping[str, str] = {
    "received_packets": "Rx Pkts",
    "received_bytes": "Rx Bytes",
    "forwarded_packets": "Tx Pkts",
    "forwarded_bytes": "Tx Bytes",
    "dropped_total": "Rx Dropped Pkts",
    "duplicated": "Tx Duplicate Pkts",
    "reordered": "Tx OOO Pkts",
}
"""What an endpoint counts, by the name of the counter here."""

_SOURCE = "lf_icemod.pl in greearb/lanforge-scripts"
_MOST_NS = 1_000_000 * 1_000_000
_MOST_RATE = 100_000_000_000
_LAST_BYTE = 1513


def _range(dimension: Dimension, low: int | str, high: int | str, step: int | str) -> Range:
    return Range(dimension=dimension, low=Decimal(low), high=Decimal(high), step=Decimal(step))


_MEAN = _range("time", 0, _MOST_NS, US)
_SPREAD = _range("time", US, _MOST_NS // 2, US)
_SHARE = _range("probability", "0.000001", "1", "0.000001")
_LOST = _range("probability", "0.000001", "0.999999", "0.000001")
_AMOUNT = _range("count", 1, 1000, 1)
_FARTHER = _range("count", 2, 1000, 1)
_BYTE = _range("count", 0, _LAST_BYTE, 1)


def capabilities(site: Site) -> Capabilities:
    """Return what can be set; the box is not asked."""
    features = [*_features(), *([_rate(site.line)] if site.line is not None else [])]
    return Capabilities(
        paths=tuple(site.wanlinks),
        features={each.name: each for each in features},
        rules=(
            Rule("delay", f"mean - spread at most {_MOST_NS // 10**9} s", _within),
            Rule("reorder", "depth_most above depth, or 0: as many as depth", _farther),
            Rule("corrupt", "first_byte and last_byte are given, and all hold among themselves", _placed),
        ),
        statistics=tuple(COUNTERS),
    )


def _features() -> tuple[Feature, ...]:
    documented = Provenance(basis="documented", detail=_SOURCE)

    def inferred(doubt: str) -> Provenance:
        return Provenance(basis="inferred", detail=f"words and limits: {_SOURCE}; {doubt}")

    finer = "that microseconds, as `<n>us`, are shown again as such is said nowhere"
    hidden = "it is not shown: what this connection wrote is what it answers, and what others set is not seen"
    return (
        Feature(name="delay.constant", ranges={"mean": _MEAN}, provenance=inferred(finer)),
        Feature(
            name="delay.uniform", ranges={"mean": _MEAN, "spread": _SPREAD},
            provenance=inferred(f"that jitter is added, evenly from 0 to max_jitter, is said nowhere; {finer}"),
        ),
        Feature(name="loss.random", ranges={"rate": _LOST}, provenance=documented),
        Feature(name="loss.outage", ranges={}, provenance=documented),
        Feature(
            name="loss.random-burst", ranges={"rate": _SHARE, "shortest": _AMOUNT, "longest": _FARTHER},
            provenance=inferred("that drop_freq is then the share of packets at which a burst begins is said nowhere"),
        ),
        Feature(name="duplicate", ranges={"rate": _SHARE}, provenance=documented),
        Feature(
            name="reorder", ranges={"rate": _SHARE, "depth": _AMOUNT, "depth_most": _range("count", 0, 1000, 1)},
            provenance=inferred(f"how far packets are moved is not shown: {hidden}"),
        ),
        Feature(
            name="corrupt", ranges={"rate": _SHARE, "first_byte": _BYTE, "last_byte": _BYTE},
            choices={"how": tuple(FLAGS), "checksums": ("kept", "fixed")},
            provenance=Provenance(
                basis="inferred",
                detail=f"words: set_wl_corruption, candelatech.com/lfcli_ug.php; that its rate is per million and its "
                f"offsets count from the frame's first byte is said nowhere; {hidden}",
            ),
        ),
    )  # fmt: skip


def _rate(line: int) -> Feature:
    return Feature(
        name="rate.link",
        ranges={
            "rate": _range("rate", 1, min(line - 1, _MOST_RATE), 1),
            "queue": _range("size", 0, 1_000_000 * KIBIBYTE, KIBIBYTE),
        },
        provenance=Provenance(
            basis="inferred", detail=f"words and limits: {_SOURCE}; which bytes of a frame count is said nowhere"
        ),
    )


def _within(conditions: Conditions) -> bool:
    delay = conditions.delay
    return delay is None or getattr(delay, "mean", 0) - getattr(delay, "spread", 0) <= _MOST_NS


def _farther(conditions: Conditions) -> bool:
    reorder = conditions.reorder
    return reorder is None or not reorder.depth_most or reorder.depth_most > reorder.depth


def _placed(conditions: Conditions) -> bool:
    corrupt = conditions.corrupt
    return corrupt is None or (corrupt.first_byte is not None and corrupt.last_byte is not None)
