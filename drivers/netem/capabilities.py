"""What netem can do, from what was tried on this kernel; and what it cannot, where a feature's provenance says so."""

from __future__ import annotations

from decimal import Decimal

from impairlab.drivers.model.capabilities import Capabilities, Dimension, Feature, Provenance, Range, Rule
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import Delay
from impairlab.drivers.model.losses import BurstLoss, GilbertElliottLoss, RandomLoss
from impairlab.drivers.netem.filters import FIELDS
from impairlab.drivers.netem.probe import KernelFeatures
from impairlab.drivers.netem.topology import Topology
from impairlab.drivers.netem.translate import FRAME, Sizing
from impairlab.drivers.netem.wire.netem import LONGEST_JITTER, LONGEST_TABLE

UPDATE_INTERVAL_NS = 10_000_000
COUNTERS = (
    "received_packets", "forwarded_packets", "forwarded_bytes", "dropped_total", "dropped_loss", "dropped_rate",
    "dropped_other",
)  # fmt: skip

_PPB = Decimal("1e-9")
_PPM = Decimal("1e-6")
_HOUR_NS = 3600 * 10**9
_TICKS_NS = ((1 << 32) - 1) * 64
_FEWEST_CHANCES = Decimal("1e-7")
"""Of 2**-32 each: below it, the rounding of a probability is more than 0.3 % of it."""

_ORDER = (
    "keep_order: the delay of a packet is raised to that of the packet before it, so with jitter the delays become a "
    "running maximum: a higher mean, a smaller deviation"
)
_CUT = "draws below 0 become 0, which raises the mean where the spread is not small beside it"
_WIDTHS = {"uniform": 1, "normal": 1, "step": 1, "table": 1, "exponential": 3, "pareto": 7}
_LAWS = {
    "uniform": "",
    "normal": f"table of 4096 entries, up to 3.7 standard deviations from the mean; {_CUT}",
    "step": "",
    "exponential": "table of 4096 entries in steps of 1/2731 of the spread, up to 8 times the spread above the mean",
    "pareto": "table of 4096 entries in steps of 1/1170 of the spread, up to 23 standard deviations above the mean; "
    + _CUT,
    "table": f"entries of 16 bits in steps of 1/8192 of the spread, -4 .. 3.9998; {_CUT}",
}


def capabilities(
    found: KernelFeatures, topology: Topology, paths: tuple[str, ...], sizing: Sizing, longest_frame: int
) -> Capabilities:
    """Return what can be set on these paths.

    Args:
        found: On this kernel.
        topology: Of the trees.
        paths: Names.
        sizing: Of delay lines.
        longest_frame: Bytes of the longest frame of any of the devices.
    """
    features = [
        *_delays(found, sizing),
        *_losses(),
        *_damage(found),
        *(_gates(found, longest_frame) if topology.separate else _shaper(found, longest_frame)),
        _feature("link.down", "the line takes no packet in; those under way arrive"),
    ]
    return Capabilities(
        paths=paths,
        features={feature.name: _tried_on(found.release, feature) for feature in features},
        flows=topology.flows if found.flower else 0,
        filter_fields=FIELDS if found.flower and topology.flows else frozenset(),
        exclusive=(frozenset({"reorder", "rate"}),),
        rules=_RULES,
        effect="immediate",
        hitless=True,
        update_interval_ns=UPDATE_INTERVAL_NS,
        statistics=COUNTERS,
    )


def _delays(found: KernelFeatures, sizing: Sizing) -> list[Feature]:
    longest = _HOUR_NS if found.wide_times else _TICKS_NS
    mean = _range("time", 0, longest, 1 if found.wide_times else 64)
    queue = f"holds 1.5 times what a line of {sizing.bits_per_second / 1e9:g} Gbit/s brings in the smallest frames"
    features = [
        _feature("delay.constant", f"{queue}; a shorter delay takes effect behind the packets under way, or with "
                 "keep_order false before them", {"mean": mean}, {"keep_order": (True, False)})
    ]  # fmt: skip
    for law, words in _LAWS.items():
        ranges = {"mean": mean, "spread": _range("time", 1, LONGEST_JITTER // _WIDTHS[law], 1)}
        if law == "table":
            ranges["table"] = _range("count", -4, Decimal(32767) / 8192, Decimal(1) / 8192)
        detail = "; ".join(each for each in (words, _ORDER, queue, "the kernel does not tell its table") if each)
        features.append(_feature(f"delay.{law}", detail, ranges, {"keep_order": (True, False)}))
    return features


def _losses() -> list[Feature]:
    share = _range("probability", 0, 1, _PPB)
    return [
        _feature("loss.random", "no correlation: netem's is broken (10 % with 90 % correlation loses nothing); "
                 "use burst or gilbert-elliott", {"rate": share}),
        _feature("loss.burst", "a chain of two states; every write of it starts in the good state, and it is written "
                 "only when it changes", {"rate": _range("probability", 0, 1 - _PPM, _PPM),
                                          "burst": _range("count", 1, 100_000, Decimal("0.001"))}),
        _feature("loss.gilbert-elliott", "starts in the good state whenever it is written",
                 dict.fromkeys(("to_bad", "to_good", "bad_loss", "good_loss"), share)),
        _feature("loss.outage", "packets under way arrive"),
        _feature("ecn", "marks what loss.random would lose, where the packet allows it; what does not allow it is "
                 "lost; netem counts what it marks as dropped", {"rate": share}),
    ]  # fmt: skip


def _damage(found: KernelFeatures) -> list[Feature]:
    one = _range("count", 1, 1, 1)
    share = _range("probability", 0, 1, _PPB)
    corrupt = "one bit anywhere in the frame, its MAC header included; checksums are kept, so most receivers drop it"
    features = [_feature("corrupt", corrupt, {"rate": share, "bits": one})]
    if found.duplicate:
        detail = "the copy enters at the root of the tree once more, and what stands there acts on it too"
        features.append(_feature("duplicate", detail, {"rate": share, "copies": one}))
    return features


def _gates(found: KernelFeatures, longest_frame: int) -> list[Feature]:
    queue = Decimal(1 << 31) - (1 << 31) % FRAME - FRAME
    link = Feature(
        name="rate.link",
        ranges={"rate": _rates(), "queue": _range("size", FRAME, queue, FRAME)},
        choices={"layer": ("l2", "l1")},
        provenance=_tried(f"the queue is counted in packets: each takes the place of {FRAME} bytes, whatever its size"),
    )
    hold = {"rate": _range("probability", _PPB, 1, _PPB), "depth": _range("count", 0, 0, 1),
            "hold": _range("time", 1, _HOUR_NS if found.wide_times else _TICKS_NS, 1)}  # fmt: skip
    detail = "only by time: a packet is held for `hold`, and overtaken by whatever comes meanwhile; never by a count"
    return [link, _feature("reorder", detail, hold), *_shaper(found, longest_frame)]


def _shaper(found: KernelFeatures, longest_frame: int) -> list[Feature]:
    if not found.shaper:
        return []
    ranges = {"rate": _rates(), "burst": _range("size", longest_frame, 1 << 30, 1),
              "queue": _range("size", longest_frame, (1 << 31) - 2, 1)}  # fmt: skip
    detail = "a token bucket (tbf); from or to rate.link the packets in its queue are lost, other changes lose none"
    return [_feature("rate.shaper", detail, ranges, {"layer": ("l2", "l1")})]


def _rates() -> Range:
    return _range("rate", 8_000, 400_000_000_000, 8)


def _feature(
    name: str,
    detail: str,
    ranges: dict[str, Range] | None = None,
    choices: dict[str, tuple[str | bool, ...]] | None = None,
) -> Feature:
    return Feature(name=name, ranges=ranges or {}, choices=choices or {}, provenance=_tried(detail))


def _tried(detail: str) -> Provenance:
    return Provenance(basis="verified", detail=detail)


def _tried_on(release: str, feature: Feature) -> Feature:
    detail = feature.provenance.detail
    told = Provenance(basis="verified", detail=f"tried on kernel {release}{'; ' if detail else ''}{detail}")
    return feature.model_copy(update={"provenance": told})


def _range(dimension: Dimension, low: Decimal | int, high: Decimal | int, step: Decimal | int) -> Range:
    return Range(dimension=dimension, low=Decimal(low), high=Decimal(high), step=Decimal(step))


def _marks_what_is_lost(conditions: Conditions) -> bool:
    ecn, loss = conditions.ecn, conditions.loss
    return ecn is None or (isinstance(loss, RandomLoss) and loss.rate == ecn.rate and loss.rate > 0)


def _is_no_outage(conditions: Conditions) -> bool:
    loss = conditions.loss
    return loss != GilbertElliottLoss(to_bad=Decimal(0), to_good=Decimal(0), bad_loss=Decimal(1), good_loss=Decimal(1))


def _is_fine_enough(conditions: Conditions) -> bool:
    loss = conditions.loss
    if not isinstance(loss, BurstLoss):
        return True
    to_bad = loss.as_gilbert_elliott().to_bad
    return to_bad == 0 or to_bad >= _FEWEST_CHANCES


def _fits_the_kernel(conditions: Conditions) -> bool:
    return not isinstance(conditions.delay, Delay) or len(conditions.delay.table) <= LONGEST_TABLE


def _fits_its_time(conditions: Conditions) -> bool:
    rate = conditions.rate
    return rate is None or rate.mode != "shaper" or rate.burst * 8 * 10**9 <= rate.rate * _TICKS_NS


_RULES = (
    Rule("ecn", "netem marks what it would lose: set loss.random with the same rate", _marks_what_is_lost),
    Rule("loss.gilbert-elliott", "what loses everything in either state is an outage: set that", _is_no_outage),
    Rule("loss.burst", "rate / burst / (1 - rate) of 0, or of at least 1e-7: the kernel draws in steps of 2.3e-10",
         _is_fine_enough),
    Rule("rate.burst", "the burst takes at most 274 s at the rate", _fits_its_time),
    Rule("delay.table", f"a table has at most {LONGEST_TABLE} numbers", _fits_the_kernel),
)  # fmt: skip
