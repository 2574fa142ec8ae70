"""What the map of an SNE can do: the published ranges of the impairments that it holds, and what of that is a guess."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal

from impairlab.drivers.calnex.sne_codec import FINEST_NS, MOST_BITS, MOST_ERRORED_BITS, MOST_PACKETS, bits_between
from impairlab.drivers.model.capabilities import Capabilities, Feature, Provenance, Range, Rule
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import Delay, SineDelay
from impairlab.drivers.model.impairments import Corrupt, Reorder
from impairlab.drivers.model.patterns import BitErrors

PATHS = ("1",)

_SOURCE = "SNE 6.1 RESTful Remote Control API"
_FINEST_SHARE = Decimal("1e-4")
_MS = 10**6
_STEP = "; the step is the least value published"
_UNIT = f"that latencies are in ms is an inference{_STEP}"


def _time(low_ns: int, high_ms: int, step_ns: int = FINEST_NS) -> Range:
    return Range(dimension="time", low=Decimal(low_ns), high=Decimal(high_ms * _MS), step=Decimal(step_ns))


def _count(low: int, high: int) -> Range:
    return Range(dimension="count", low=Decimal(low), high=Decimal(high), step=Decimal(1))


def _share(low: Decimal, high: Decimal, step: Decimal = _FINEST_SHARE) -> Range:
    return Range(dimension="probability", low=low, high=high, step=step)


_LATENCY = _time(FINEST_NS, 10_000)
_BETWEEN = _time(2 * FINEST_NS, 10_000)
_LONG = _time(FINEST_NS, 30_000)
_ANY_ORDER: Mapping[str, tuple[str | bool, ...]] = {"keep_order": (True, False)}
_SOME = _share(_FINEST_SHARE, Decimal(1))
_ANY = _share(Decimal(0), Decimal(1))


def _schedule(low_ns: int, high_ms: int) -> dict[str, Range]:
    """Once, after a while: the constraints hold a start and a duration and nothing that repeats."""
    limits = _time(low_ns, high_ms)
    return {"schedule.start": limits, "schedule.on": limits, "schedule.period": _time(0, 0, 1)}


_DELAY_TIMES = _schedule(100_000, 36_000)
_LOSS_TIMES = _schedule(FINEST_NS, 360_000)


def _inferred(detail: str) -> Provenance:
    return Provenance(basis="inferred", detail=f"{_SOURCE}: {detail}")


def _documented(detail: str) -> Provenance:
    return Provenance(basis="documented", detail=f"{_SOURCE}: {detail}")


def _delays(fastest: int) -> Iterator[Feature]:
    highest = 10_000 if fastest <= 1000 else 4_000
    yield Feature(
        name="delay.constant",
        ranges={"mean": _time(FINEST_NS, highest), **_DELAY_TIMES},
        provenance=_inferred(f"constDelayMode, up to {highest} at a maxDataRate of {fastest}; {_UNIT}"),
    )
    yield Feature(
        name="delay.uniform",
        ranges={"mean": _BETWEEN, "spread": _LATENCY, **_DELAY_TIMES},
        choices=_ANY_ORDER,
        provenance=_inferred(f"rangeDelayMode; that all latencies in the range are equally likely, and {_UNIT}"),
    )
    yield Feature(
        name="delay.normal",
        ranges={"mean": _BETWEEN, "spread": _LATENCY, **_DELAY_TIMES},
        choices=_ANY_ORDER,
        provenance=_inferred(f"gaussianDelayMode; {_UNIT}"),
    )
    yield Feature(
        name="delay.ramp",
        ranges={"start": _LONG, "end": _LATENCY, "hold": _LATENCY, "rise": _LONG, **_DELAY_TIMES},
        choices=_ANY_ORDER,
        provenance=_inferred(f"rampDelayMode; {_UNIT}"),
    )
    yield Feature(
        name="delay.sine",
        ranges={"low": _LATENCY, "high": _BETWEEN, "period": _LATENCY, **_DELAY_TIMES},
        choices=_ANY_ORDER,
        provenance=_inferred(f"sinDelayMode; {_UNIT}"),
    )


def _jitter() -> Feature:
    half = _time(FINEST_NS // 2, 500, FINEST_NS // 2)
    return Feature(
        name="delay.uniform",
        ranges={"mean": half, "spread": half},
        provenance=_inferred(f"jitter, 0.01 to 1000; that it delays evenly by 0 to so much, and {_UNIT}"),
    )


def _losses(*, has_markov: bool) -> Iterator[Feature]:
    step = "that the step is 0.01 % is an inference"
    yield Feature(
        name="loss.random",
        ranges={"rate": _share(_FINEST_SHARE, 1 - _FINEST_SHARE), **_LOSS_TIMES},
        provenance=_inferred(f"percentageDropMode, 0 to 100; that the packets are random, and {step}"),
    )
    yield Feature(name="loss.outage", ranges=_LOSS_TIMES, provenance=_documented("percentageDropMode at 100"))
    yield Feature(
        name="loss.periodic",
        ranges={"every": _count(1, MOST_PACKETS), "burst": _count(1, MOST_PACKETS), **_LOSS_TIMES},
        provenance=_documented("standardDropMode with dropBurst"),
    )
    yield Feature(
        name="loss.even",
        ranges={"rate": _share(Decimal("1e-7"), Decimal(1), Decimal("1e-7")), **_LOSS_TIMES},
        provenance=_documented("standardDropMode with dropEvenly"),
    )
    if has_markov:
        yield Feature(
            name="loss.gilbert-elliott",
            ranges={**dict.fromkeys(("to_bad", "to_good", "bad_loss", "good_loss"), _ANY), **_LOSS_TIMES},
            provenance=_inferred(f"markovDropMode, seen in logs of build 11.0.0.18, with no word on it; {step}"),
        )


def _other(resource: str, unit: int) -> Iterator[Feature]:
    match resource:
        case "bandwidththrottle":
            limits = Range(dimension="rate", low=Decimal(500 * unit), high=Decimal(25_000 * unit), step=Decimal(unit))
            words = 'constantThrottleMode, 500 to 25000 "bytes"; that these are a second\'s'
            yield Feature(name="rate.link", ranges={"rate": limits}, provenance=_inferred(words))
        case "packetduplication":
            yield Feature(
                name="duplicate",
                ranges={"rate": _share(Decimal(1), Decimal(1), Decimal(1))},
                provenance=_inferred("simpleMode; that every packet comes twice is said nowhere"),
            )
        case "packetreorder":
            depths = _count(0, 10_000)
            yield Feature(
                name="reorder",
                ranges={"rate": _SOME, "depth": depths, "depth_most": depths, "hold": _time(FINEST_NS, 500)},
                provenance=_inferred(
                    "distanceReorderMode, timeReorderMode; the unit of the displacement, and the steps"
                ),
            )
        case "biterror":
            least = Decimal(1) / MOST_BITS
            yield Feature(
                name="corrupt.bit-error",
                ranges={
                    "pattern.ber": _share(least, Decimal(1), Decimal("1e-16")),
                    "bits": _count(1, MOST_ERRORED_BITS),
                },
                provenance=_inferred(
                    "biterror, 1 to 8 bits after 1 to 1e8 others; that the others are so many on average"
                ),
            )


def _uniform_stays_in_range(conditions: Conditions) -> bool:
    delay = conditions.delay
    if not isinstance(delay, Delay) or delay.distribution != "uniform":
        return True
    return delay.mean - delay.spread >= FINEST_NS and delay.mean + delay.spread <= _LATENCY.high


def _is_even_on_both_sides(conditions: Conditions) -> bool:
    delay = conditions.delay
    return not isinstance(delay, Delay) or delay.mean == delay.spread


def _sine_swings(conditions: Conditions) -> bool:
    return not isinstance(conditions.delay, SineDelay) or conditions.delay.low < conditions.delay.high


def _ramp_or_reorder_is_told_apart(conditions: Conditions) -> bool:
    reorder = conditions.reorder
    if reorder is None or not reorder.depth:
        return True
    return reorder.depth < reorder.depth_most and reorder.hold == Reorder.model_fields["hold"].default


def _ber_is_bits_per_bits(conditions: Conditions) -> bool:
    if not isinstance(conditions.corrupt, Corrupt) or not isinstance(conditions.corrupt.pattern, BitErrors):
        return True
    ber = conditions.corrupt.pattern.ber
    return ber == 0 or Decimal(1) / bits_between(ber) == ber


_RULES = (
    Rule("delay.spread", "0.01 ms <= mean - spread, mean + spread <= 10 s", _uniform_stays_in_range),
    Rule("delay.low", "low < high", _sine_swings),
    Rule(
        "reorder.depth",
        "depth < depth_most and no hold of its own, or depth 0 and a hold",
        _ramp_or_reorder_is_told_apart,
    ),
    Rule("corrupt.pattern.ber", "1 / n, for a whole number n of bits between the errors", _ber_is_bits_per_bits),
)
_DELAY_OR_JITTER = Rule(
    "delay.spread", "0.01 ms <= mean - spread, mean + spread <= 10 s; with a jitter mean = spread",
    lambda conditions: _is_even_on_both_sides(conditions) or _uniform_stays_in_range(conditions),
)  # fmt: skip
_JITTER_ALONE = Rule("delay.spread", "mean = spread: the map has a jitter and no delay", _is_even_on_both_sides)


def capabilities_of(
    resources: Collection[str], *, fastest: int, has_markov: bool, bandwidth_unit: int, has_statistics: bool
) -> Capabilities:
    """Return what a map can do.

    Args:
        resources: Of the impairments that act in either direction.
        fastest: The highest maxDataRate of its delays: it bounds the latency.
        has_markov: Whether the documents of its losses know a Markov mode.
        bandwidth_unit: In bit/s.
        has_statistics: Whether the counters can be read.
    """
    features: list[Feature] = []
    rules = list(_RULES)
    if "delay" in resources:
        features += _delays(fastest)
        rules[0] = _DELAY_OR_JITTER if "jitter" in resources else rules[0]
    elif "jitter" in resources:
        features.append(_jitter())
        rules[0] = _JITTER_ALONE
    if "packetdrop" in resources:
        features += _losses(has_markov=has_markov)
    for resource in resources:
        features += _other(resource, bandwidth_unit)
    features.append(Feature(name="link.down", provenance=_documented("linkdown of the port of entry")))
    return Capabilities(
        paths=PATHS,
        features={feature.name: feature for feature in features},
        rules=tuple(rules),
        effect="immediate",
        statistics=("received_packets", "dropped_loss") if has_statistics else (),
    )
