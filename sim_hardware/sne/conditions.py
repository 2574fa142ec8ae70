"""From the impairments between two ports to what the model calls them.

Source of the meanings: "SNE 6.1 RESTful Remote Control API". Where it leaves one open, see `house`.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from impairlab.drivers.model import (
    AnyDelay,
    AnyLoss,
    BitErrors,
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    EvenLoss,
    GilbertElliottLoss,
    Impairment,
    PeriodicLoss,
    RampDelay,
    RandomLoss,
    RateLimit,
    Reorder,
    Schedule,
    SineDelay,
)
from impairlab.drivers.model.units import format_time
from impairlab.sim_hardware.rest.bodies import Read
from impairlab.sim_hardware.sne.maps import Disruptor
from impairlab.sim_hardware.sne.resources import ENABLED, TIMES
from impairlab.sim_hardware.sne.settings import Settings, amount, chosen

_MS = 1_000_000
_DEFAULT_QUEUE = 256_000
_LEAST_LATENCY = Decimal("0.01")
_JITTER = "jitter"
_DEVIATIONS_THAT_MATTER = 4

Content = Mapping[str, Read]


class CannotDo(Exception):  # noqa: N818 - a fact about the simulation
    """The settings are legal and the simulation cannot do to packets what they say."""


def conditions_of(disruptors: Sequence[Disruptor], bandwidth_unit: int) -> Conditions:
    """Return what packets suffer between two ports.

    Args:
        disruptors: Between them, in order.
        bandwidth_unit: Bit/s of a bandwidth of 1.

    Raises:
        CannotDo: With every reason.
    """
    enabled = [each for each in disruptors if each.settings[ENABLED]]
    found: dict[str, Impairment] = {}
    reasons: list[str] = []
    jitters = [each for each in enabled if each.resource.name == _JITTER]
    for disruptor in (*(each for each in enabled if each.resource.name != _JITTER), *jitters):
        try:
            _add(found, disruptor, bandwidth_unit)
        except CannotDo as reason:
            reasons.append(f"{disruptor.name}: {reason}")
    if reasons:
        raise CannotDo("; ".join(reasons))
    return Conditions.of(*found.values())


def _add(found: dict[str, Impairment], disruptor: Disruptor, bandwidth_unit: int) -> None:
    if disruptor.resource.name == _JITTER:
        found["delay"] = _jittered(found.get("delay"), amount(disruptor.settings, "jitter"))
        return
    impairment = _impairment(disruptor, bandwidth_unit)
    if impairment is not None and impairment.kind in found:
        raise CannotDo(f"another {impairment.kind} stands before it")
    if impairment is not None:
        found[impairment.kind] = impairment


def _impairment(disruptor: Disruptor, bandwidth_unit: int) -> Impairment | None:
    settings = disruptor.settings
    mode, content = chosen(disruptor.resource, settings)
    match disruptor.resource.name:
        case "delay":
            return _DELAYS[mode](content, _schedule(settings))
        case "packetdrop":
            return _loss(content, _schedule(settings))
        case "bandwidththrottle":
            return _throttle(settings, mode, content, bandwidth_unit)
        case "packetduplication":
            if mode != "simpleMode":
                raise CannotDo(f"copies that come later ({mode})")
            return Duplicate(rate=Decimal(1))
        case "packetreorder":
            return _reorder(amount(settings, "packetProbability") / 100, mode, content)
        case "biterror":
            ber = 1 / amount(settings, "totalBits")
            return Corrupt(pattern=BitErrors(ber=ber), bits=int(amount(settings, "erroredBits")))
        case other:
            raise CannotDo(f"{other} is not simulated")


def _ns(content: Content, name: str) -> int:
    return int(amount(content, name) * _MS)


def _time(content: Content, name: str) -> str:
    return format_time(_ns(content, name))


def _schedule(settings: Settings) -> Schedule | None:
    times = settings[TIMES]
    if not isinstance(times, dict) or not times["enableTimeConstraints"]:
        return None
    return Schedule(start=_time(times, "startDelay"), on=_time(times, "duration"))


def _constant(content: Content, schedule: Schedule | None) -> AnyDelay:
    mean = _ns(content, "latency")
    spread = int(mean * amount(content, "jitterPcnt") / 100)
    law = "uniform" if spread else "constant"
    return Delay(mean=format_time(mean), spread=format_time(spread), distribution=law, schedule=schedule)


def _between(content: Content, schedule: Schedule | None) -> AnyDelay:
    low, high = _ns(content, "minLatency"), _ns(content, "maxLatency")
    middle, half = (low + high) // 2, (high - low) // 2
    law = "uniform" if half else "constant"
    return Delay(
        mean=format_time(middle),
        spread=format_time(half),
        distribution=law,
        keep_order=_keeps(content),
        schedule=schedule,
    )


def _gaussian(content: Content, schedule: Schedule | None) -> AnyDelay:
    mean, deviation = amount(content, "meanLatency"), amount(content, "deviation")
    if amount(content, "minLatency") > max(_LEAST_LATENCY, mean - _DEVIATIONS_THAT_MATTER * deviation):
        raise CannotDo(f"a minLatency within {_DEVIATIONS_THAT_MATTER} deviations of the mean")
    return Delay(
        mean=_time(content, "meanLatency"),
        spread=_time(content, "deviation"),
        distribution="normal",
        keep_order=_keeps(content),
        schedule=schedule,
    )


def _ramp(content: Content, schedule: Schedule | None) -> AnyDelay:
    return RampDelay(
        start=_time(content, "startLatency"),
        end=_time(content, "endLatency"),
        hold=_time(content, "startPeriod"),
        rise=_time(content, "riseTime"),
        keep_order=_keeps(content),
        schedule=schedule,
    )


def _sine(content: Content, schedule: Schedule | None) -> AnyDelay:
    return SineDelay(
        low=_time(content, "minLatency"),
        high=_time(content, "maxLatency"),
        period=_time(content, "sinDuration"),
        keep_order=_keeps(content),
        schedule=schedule,
    )


_DELAYS: Mapping[str, Callable[[Content, Schedule | None], AnyDelay]] = {
    "constDelayMode": _constant,
    "rangeDelayMode": _between,
    "gaussianDelayMode": _gaussian,
    "rampDelayMode": _ramp,
    "sinDelayMode": _sine,
}


def _keeps(content: Content) -> bool:
    return not content["allowReordering"]


def _jittered(delay: Impairment | None, jitter: Decimal) -> Delay:
    """Add 0 to `jitter` ms to a constant delay, or to none."""
    half = int(jitter * _MS) // 2
    if delay is None:
        return Delay(mean=format_time(half), spread=format_time(half), distribution="uniform")
    if not isinstance(delay, Delay) or delay.spread or delay.schedule is not None:
        raise CannotDo("a jitter on top of a delay that is not constant")
    mean = format_time(delay.mean + half)
    return Delay(mean=mean, spread=format_time(half), distribution="uniform", keep_order=delay.keep_order)


def _loss(content: Content, schedule: Schedule | None) -> AnyLoss | None:
    if "percentageDrop" in content:
        rate = amount(content, "percentageDrop") / 100
        return RandomLoss(rate=rate, schedule=schedule) if rate else None
    if "highLossDropProbability" in content:
        return _chain(content, schedule)
    count, every = int(amount(content, "packetDropCount")), int(amount(content, "perPacketCount"))
    if content["dropMethod"] == "dropBurst":
        return PeriodicLoss(every=every, burst=count, schedule=schedule)
    return EvenLoss(rate=Decimal(count) / every, schedule=schedule)


def _chain(content: Content, schedule: Schedule | None) -> GilbertElliottLoss:
    return GilbertElliottLoss(
        to_bad=amount(content, "lowLossTransProbability") / 100,
        to_good=amount(content, "highLossTransProbability") / 100,
        bad_loss=amount(content, "highLossDropProbability") / 100,
        good_loss=amount(content, "lowLossDropProbability") / 100,
        schedule=schedule,
    )


def _throttle(settings: Settings, mode: str, content: Content, bandwidth_unit: int) -> RateLimit:
    if mode != "constantThrottleMode":
        raise CannotDo("a bandwidth that wanders (rangeThrottleMode)")
    if _schedule(settings) is not None:
        raise CannotDo("a throttle with time constraints")
    rate = int(amount(content, "bandwidth") * bandwidth_unit)
    queue = int(amount(settings, "fifoSize")) or _DEFAULT_QUEUE
    return RateLimit(rate=rate, mode="link", queue=queue, layer="l1" if settings["includeEthernetFraming"] else "l2")


def _reorder(rate: Decimal, mode: str, content: Content) -> Reorder | None:
    if not rate:
        return None
    if mode == "distanceReorderMode":
        least, most = int(amount(content, "minDistance")), int(amount(content, "maxDistance"))
        return Reorder(rate=rate, depth=least, depth_most=most if most > least else 0)
    least_ms, most_ms = amount(content, "minDisplacement"), amount(content, "maxDisplacement")
    if least_ms != most_ms:
        raise CannotDo("a displacement that differs from packet to packet")
    return Reorder(rate=rate, depth=0, hold=_time(content, "minDisplacement")) if least_ms else None
