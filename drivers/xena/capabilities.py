"""Capabilities: what the commands allow, with the range of delays that the appliance answered.

Whatever no public text says has the provenance `inferred`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from impairlab.drivers.model.capabilities import Capabilities, Dimension, Feature, Provenance, Range
from impairlab.drivers.xena.commands import COMMANDS, MOST_PACKETS, PPM
from impairlab.drivers.xena.delays import POISSON_QUANTUM_NS, STEP_NS
from impairlab.drivers.xena.filters import FIELDS
from impairlab.drivers.xena.patterns import GAP_RESOLUTION, LAWS
from impairlab.drivers.xena.rules import PLACE_RULES, delay_rules, pattern_rules
from impairlab.drivers.xena.translation import MILLISECOND_NS, RATE_STEP

FLOWS = 7
"""Filtered flows of a port, beside flow 0."""

COUNTERS = (
    "dropped_total", "dropped_loss", "dropped_rate", "dropped_other", "delayed", "jittered", "duplicated", "reordered",
    "corrupted",
)  # fmt: skip

_SOURCE = "definitions of tdl-xoa-driver 1.11"

Ranges = Mapping[str, Range]
Choices = Mapping[str, tuple[str | bool, ...]]


def capabilities(paths: tuple[str, ...], delays_ns: tuple[int, int], unit_ns: int) -> Capabilities:
    """Return what the appliance can do.

    Args:
        paths: Names of its paths.
        delays_ns: Least and greatest delay that every flow of every port answered.
        unit_ns: In which schedules count.
    """
    features = (
        *_delays(*delays_ns, unit_ns), *_losses(unit_ns), *_reorders(unit_ns), *_picked("duplicate", unit_ns, {}),
        *_corruptions(unit_ns), *_rates(), *_links(),
    )  # fmt: skip
    return Capabilities(
        paths=paths,
        features={feature.name: feature for feature in features},
        flows=FLOWS,
        filter_fields=FIELDS,
        rules=(*delay_rules(*delays_ns), *pattern_rules()),
        place_rules=PLACE_RULES,
        statistics=COUNTERS,
    )


def _delays(low: int, high: int, unit_ns: int) -> Iterator[Feature]:
    mean = _range("time", low, high, STEP_NS)
    spread = _range("time", STEP_NS, high, STEP_NS)
    said = f"{_SOURCE}; range as PE_LATENCYRANGE answered"
    yield _documented("delay.constant", {"mean": mean}, f"PED_CONST, {said}")
    yield _documented("delay.uniform", {"mean": mean, "spread": spread}, f"PED_UNI, {said}")
    yield _documented("delay.normal", {"mean": mean, "spread": spread}, f"PED_GAUSS, {said}")
    gamma = {"mean": _range("time", STEP_NS, high, STEP_NS), "spread": _range("time", 1, high, 1)}
    yield _documented("delay.gamma", gamma, f"PED_GAMMA, {said}")
    yield _inferred("delay.step", {"mean": mean, "spread": spread}, "PED_STEP; how often low and high, nobody says")
    quantum = _range("time", POISSON_QUANTUM_NS, POISSON_QUANTUM_NS, POISSON_QUANTUM_NS)
    yield _inferred(
        "delay.poisson", {"mean": mean, "spread": quantum},
        "PED_POISSON; that a quantum is 1 ns follows from its standard deviation, the square root of the mean in ns",
    )  # fmt: skip
    deviations = _range("count", -high, high, Decimal("1E-9"))
    yield _inferred(
        "delay.table", {"mean": _range("time", 0, high, 1), "spread": _range("time", 1, high, 1), "table": deviations},
        "PED_CUST with a table of PEC_VAL; that its numbers are drawn at random with LINEAR off, nobody says",
    )  # fmt: skip
    burst = {"hold": mean, **_scheduled(unit_ns), "schedule.on": mean, "schedule.period": _period(unit_ns, least=0)}
    yield _documented("delay.accumulate-burst", burst, f"PED_ACCBURST, {said}")


def _losses(unit_ns: int) -> Iterator[Feature]:
    for feature in _patterns("loss", "", unit_ns):
        if feature.name == "loss.even":
            # The rest is an outage: one command can be read back as one thing only.
            yield feature.model_copy(update={"ranges": {**feature.ranges, "rate": _share(PPM - 1)}})
        else:
            yield feature
    yield _documented("loss.random", {"rate": _share(), **_scheduled(unit_ns)}, f"PED_RANDOM, {_SOURCE}")
    yield _inferred("loss.outage", _scheduled(unit_ns), "PED_FIXED 1000000: all of a million; nobody shows it")


def _reorders(unit_ns: int) -> Iterator[Feature]:
    depth = {"depth": _argument("PE_MISORDER", "depth", "count")}
    yield _documented(
        "reorder.even", {"pattern.rate": _share(), **depth, **_scheduled(unit_ns)},
        f"PED_FIXED and PE_MISORDER, {_SOURCE}",
    )  # fmt: skip
    one = {"pattern.packets": _range("count", 1, 1, 1), **depth, **_again(unit_ns)}
    yield _documented("reorder.single-burst", one, f"PED_FIXEDBURST of one packet and PE_MISORDER, {_SOURCE}")


def _picked(kind: str, unit_ns: int, choices: Choices) -> Iterator[Feature]:
    """Yield a kind that has a plain rate and patterns."""
    plain = {"rate": _share(), **_scheduled(unit_ns)}
    yield _documented(kind, plain, f"PED_RANDOM, {_SOURCE}", choices)
    for feature in _patterns(kind, "pattern.", unit_ns):
        yield feature.model_copy(update={"choices": {**feature.choices, **choices}})


def _corruptions(unit_ns: int) -> Iterator[Feature]:
    for feature in _picked("corrupt", unit_ns, {"damages": ("ethernet", "ip", "udp", "tcp")}):
        if feature.name != "corrupt.bit-error":
            yield feature
            continue
        provenance = Provenance(basis="inferred", detail="PE_CORRUPT BER with PED_BER; nobody says what goes with what")
        yield feature.model_copy(update={"choices": {"damages": ("payload",)}, "provenance": provenance})


def _patterns(kind: str, prefix: str, unit_ns: int) -> Iterator[Feature]:
    """Yield what loss, duplication and corruption have in common."""

    def feature(form: str, command: str, ranges: Ranges, choices: Choices | None = None) -> Feature:
        named = {f"{prefix}{field}": legal for field, legal in ranges.items()}
        again = _again(unit_ns) if command == "PED_FIXEDBURST" else _scheduled(unit_ns)
        named_choices = {f"{prefix}{field}": legal for field, legal in (choices or {}).items()}
        return _documented(f"{kind}.{form}", {**named, **again}, f"{command}, {_SOURCE}", named_choices)

    chances = ("to_bad", "to_good", "bad_loss", "good_loss")
    lengths = _range("count", 1, int(_argument("PED_RANDOMBURST", "maximum", "count").high), 1)
    yield feature("even", "PED_FIXED", {"rate": _share()})
    yield feature("single-burst", "PED_FIXEDBURST", {"packets": _argument("PED_FIXEDBURST", "burst_size", "count")})
    yield feature("random-burst", "PED_RANDOMBURST", {"rate": _share(), "shortest": lengths, "longest": lengths})
    yield feature("gilbert-elliott", "PED_GE", {name: _share() for name in chances})
    yield feature("bit-error", "PED_BER", {"ber": _range("probability", Decimal("1E-18"), Decimal("0.9"), "1E-18")})
    spaced = feature(
        "spaced", "",
        {
            "mean": _range("count", 1, MOST_PACKETS, "0.5"), "spread": _range("count", 0, MOST_PACKETS, GAP_RESOLUTION),
            "table": _range("count", -MOST_PACKETS, MOST_PACKETS, GAP_RESOLUTION),
        },
        {"law": tuple(LAWS)},
    )  # fmt: skip
    said = f"PED_UNI, PED_GAUSS, PED_POISSON, PED_GAMMA, {_SOURCE}; of PED_CUST nobody says how its table is played out"
    yield spaced.model_copy(update={"provenance": Provenance(basis="inferred", detail=said)})


def _rates() -> Iterator[Feature]:
    layer: Choices = {"layer": ("l1", "l2")}
    for mode, command in (("policer", "PE_BANDPOLICER"), ("shaper", "PE_BANDSHAPER")):
        rates = _argument(command, "cir", "rate")
        ranges = {
            "rate": _range("rate", RATE_STEP, int(rates.high) * RATE_STEP, RATE_STEP),
            "burst": _argument(command, "cbs", "size"),
        }
        if mode == "shaper":
            ranges["queue"] = _argument(command, "buffer_size", "size")
        yield _documented(f"rate.{mode}", ranges, f"{command}, {_SOURCE}", layer)


def _links() -> Iterator[Feature]:
    duration, period = (_argument("PP_LINKFLAP_PARAMS", name, "time") for name in ("duration", "period"))
    flap = {
        "down": _range("time", MILLISECOND_NS, int(duration.high) * MILLISECOND_NS, MILLISECOND_NS),
        "period": _range(
            "time", int(period.low) * MILLISECOND_NS, int(period.high) * MILLISECOND_NS, 10 * MILLISECOND_NS
        ),
        "repetitions": _argument("PP_LINKFLAP_PARAMS", "repetition", "count"),
    }
    yield _documented("link.flap", flap, f"PP_LINKFLAP_PARAMS, {_SOURCE}")
    yield _documented("link.down", {}, f"PP_LINKFLAP_PARAMS with a duration of 0, {_SOURCE}")


def _scheduled(unit_ns: int) -> dict[str, Range]:
    """Return the ranges of a schedule that says for how long something acts; it comes again for ever."""
    on = int(_argument("PED_SCHEDULE", "duration", "time").high)
    return {
        "schedule.start": _range("time", 0, 0, 1),
        "schedule.on": _range("time", unit_ns, on * unit_ns, unit_ns),
        "schedule.period": _period(unit_ns),
    }


def _again(unit_ns: int) -> dict[str, Range]:
    """Return the ranges of a schedule that starts a burst of packets again; without one it comes once."""
    return {**_scheduled(unit_ns), "schedule.on": _period(unit_ns)}


def _period(unit_ns: int, least: int = 1) -> Range:
    most = int(_argument("PED_SCHEDULE", "period", "time").high)
    return _range("time", least * unit_ns, most * unit_ns, unit_ns)


def _argument(command: str, name: str, dimension: Dimension) -> Range:
    """Return the range of an argument, in whole numbers."""
    (argument,) = (each for each in COMMANDS[command].sets or () if each.name == name)
    if argument.low is None or argument.high is None:
        raise ValueError(f"{command} {name} has no range")
    return _range(dimension, argument.low, argument.high, 1)


def _share(most_ppm: int = PPM) -> Range:
    return _range("probability", 0, Decimal(most_ppm).scaleb(-6), "1E-6")


def _range(dimension: Dimension, low: Decimal | int, high: Decimal | int, step: Decimal | int | str) -> Range:
    return Range(dimension=dimension, low=Decimal(low), high=Decimal(high), step=Decimal(step))


def _documented(name: str, ranges: Ranges, source: str, choices: Choices | None = None) -> Feature:
    provenance = Provenance(basis="documented", detail=source)
    return Feature(name=name, ranges=ranges, choices=choices or {}, provenance=provenance)


def _inferred(name: str, ranges: Ranges, why: str) -> Feature:
    return Feature(name=name, ranges=ranges, provenance=Provenance(basis="inferred", detail=why))


def common_range(answers: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return the delays that all of several ranges have, on the appliance's step.

    Raises:
        ValueError: There are none.
    """
    lows, highs = zip(*answers, strict=True)
    low, high = -(-max(lows) // STEP_NS) * STEP_NS, min(highs) // STEP_NS * STEP_NS
    if low > high:
        raise ValueError(f"no delay is legal everywhere: the least is {low} ns, the greatest {high} ns")
    return low, high
