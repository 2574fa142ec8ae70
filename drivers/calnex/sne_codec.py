"""Impairments to the settings of an SNE map, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from impairlab.drivers.calnex.rest import truth, whole
from impairlab.drivers.calnex.sne_documents import Document, ForeignError, Names, in_milliseconds
from impairlab.drivers.links.json_text import Json
from impairlab.drivers.model.delays import Delay, RampDelay, SineDelay
from impairlab.drivers.model.impairments import Corrupt, Duplicate, Impairment, RateLimit, Reorder
from impairlab.drivers.model.losses import EvenLoss, GilbertElliottLoss, Outage, PeriodicLoss, RandomLoss
from impairlab.drivers.model.patterns import BitErrors

Values = dict[Names, Json]

MOST_PACKETS = 10**7
MOST_BITS = 10**8
MOST_ERRORED_BITS = 8
FINEST_NS = 10_000
"""0.01 ms: the least latency that is published, and so taken for the step."""

_FINEST_MS = in_milliseconds(FINEST_NS)
_REORDERING: Names = ("allowReordering",)
_MEAN: Names = ("meanLatency", "maxLatency")
_LOW: Names = ("minLatency", "min")
_HIGH: Names = ("maxLatency", "max")
_PROBABILITY: Names = ("packetProbability",)
_DISTANCE: tuple[Names, Names] = (("minDistance", "minDisplacement"), ("maxDistance", "maxDisplacement"))
_DISPLACEMENT: tuple[Names, Names] = (("minDisplacement",), ("maxDisplacement",))
_DRAWN_OR_TIMED = {"rangeDelayMode", "gaussianDelayMode", "rampDelayMode", "sinDelayMode"}
"""The modes of a delay in which packets could overtake."""


def write(document: Document, impairment: Impairment, bandwidth_unit: int) -> Document:
    """Return the document that says an impairment, which is legal. `bandwidth_unit` is in bit/s."""
    values: Values
    match impairment:
        case Delay() if document.resource == "jitter":
            return document.enabled({("jitter",): in_milliseconds(2 * impairment.spread)})
        case Delay() | RampDelay() | SineDelay():
            return _write_delay(document, impairment).timed(impairment.schedule)
        case RateLimit():
            values = {("bandwidth",): impairment.rate // bandwidth_unit}
            return document.enabled(values, "constantThrottleMode").timed(None)
        case Duplicate():
            return document.enabled({}, "simpleMode")
        case Reorder():
            return _write_reorder(document, impairment)
        case Corrupt(pattern=BitErrors(ber=ber), bits=bits):
            return document.enabled({("erroredBits",): bits, ("totalBits",): bits_between(ber)})
    return _write_loss(document, impairment)


def read(document: Document, bandwidth_unit: int) -> Impairment:
    """Return the impairment that an enabled document says.

    Raises:
        ForeignError: The vocabulary has no words for it.
        KeyError, ValueError: It cannot be read.
    """
    return _READERS[document.resource](document, bandwidth_unit)


def bits_between(ber: Decimal) -> int:
    """Return in how many bits one error begins, to the nearest whole number."""
    return round(1 / Fraction(ber))


def _write_delay(document: Document, delay: Delay | RampDelay | SineDelay) -> Document:
    in_order: Values = {_REORDERING: not delay.keep_order}
    values: Values
    ms = in_milliseconds
    match delay:
        case RampDelay():
            values = {
                ("startLatency",): ms(delay.start), ("startPeriod",): ms(delay.hold), ("endLatency",): ms(delay.end),
                ("riseTime",): ms(delay.rise),
            }  # fmt: skip
            return document.enabled({**values, **in_order}, "rampDelayMode")
        case SineDelay():
            values = {_LOW: ms(delay.low), _HIGH: ms(delay.high), ("sinDuration",): ms(delay.period)}
            return document.enabled({**values, **in_order}, "sinDelayMode")
        case Delay(distribution="uniform", mean=mean, spread=spread):
            values = {_LOW: ms(mean - spread), _HIGH: ms(mean + spread)}
            return document.enabled({**values, **in_order}, "rangeDelayMode")
        case Delay(distribution="normal", mean=mean, spread=spread):
            values = {("minLatency",): _FINEST_MS, _MEAN: ms(mean), ("deviation",): ms(spread)}
            return document.enabled({**values, **in_order}, "gaussianDelayMode")
    return document.enabled({("latency",): ms(delay.mean), ("jitterPcnt",): 0}, "constDelayMode")


def _write_loss(document: Document, loss: Impairment) -> Document:
    values: Values
    match loss:
        case RandomLoss():
            made = document.enabled({("percentageDrop",): 100 * loss.rate}, "percentageDropMode")
        case Outage():
            made = document.enabled({("percentageDrop",): 100}, "percentageDropMode")
        case PeriodicLoss():
            made = document.enabled(_standard(loss.burst, loss.every, "dropBurst"), "standardDropMode")
        case EvenLoss():
            share = Fraction(loss.rate).limit_denominator(MOST_PACKETS)
            made = document.enabled(_standard(share.numerator, share.denominator, "dropEvenly"), "standardDropMode")
        case GilbertElliottLoss():
            values = {
                ("highLossDropProbability",): 100 * loss.bad_loss, ("lowLossDropProbability",): 100 * loss.good_loss,
                ("highLossTransProbability",): 100 * loss.to_good, ("lowLossTransProbability",): 100 * loss.to_bad,
            }  # fmt: skip
            made = document.enabled(values, "markovDropMode")
        case _:
            raise TypeError(f"{loss} is not offered")
    return made.timed(loss.schedule)


def _standard(count: int, per: int, method: str) -> Values:
    return {("packetDropCount",): count, ("perPacketCount",): per, ("dropMethod",): method}


def _write_reorder(document: Document, reorder: Reorder) -> Document:
    probability: Values = {_PROBABILITY: 100 * reorder.rate}
    mode = "distanceReorderMode" if reorder.depth else "timeReorderMode"
    if not document.knows(mode, *_PROBABILITY):
        document = replace(document, content={**document.content, "packetProbability": 0})
    if reorder.depth:
        low, high = _DISTANCE
        return document.enabled({**probability, low: reorder.depth, high: reorder.depth_most}, mode)
    low, high = _DISPLACEMENT
    held: Values = dict.fromkeys((low, high), in_milliseconds(reorder.hold))
    return document.enabled({**probability, **held}, mode)


def _read_delay(document: Document, _unit: int) -> Impairment:
    ms = document.milliseconds
    common: dict[str, object] = {"schedule": document.schedule()}
    if document.mode in _DRAWN_OR_TIMED:
        common["keep_order"] = not truth(document.value(*_REORDERING))
    match document.mode:
        case "constDelayMode":
            if document.number("jitterPcnt"):
                raise ForeignError(f"a latency with {document.value('jitterPcnt')} % of jitter")
            return Delay.model_validate({"mean": ms("latency"), "distribution": "constant", **common})
        case "rangeDelayMode":
            low, high = document.number(*_LOW), document.number(*_HIGH)
            law = {"mean": f"{(low + high) / 2:f} ms", "spread": f"{(high - low) / 2:f} ms"}
            return Delay.model_validate({"distribution": "uniform", **law, **common})
        case "gaussianDelayMode":
            if document.number("minLatency") != _FINEST_MS:
                raise ForeignError(f"a normal delay that is cut at {ms('minLatency')}")
            law = {"mean": ms(*_MEAN), "spread": ms("deviation")}
            return Delay.model_validate({"distribution": "normal", **law, **common})
        case "rampDelayMode":
            law = {
                "start": ms("startLatency"),
                "end": ms("endLatency"),
                "hold": ms("startPeriod"),
                "rise": ms("riseTime"),
            }
            return RampDelay.model_validate({**law, **common})
        case "sinDelayMode":
            law = {"low": ms(*_LOW), "high": ms(*_HIGH), "period": ms("sinDuration")}
            return SineDelay.model_validate({**law, **common})
    raise ForeignError(document.mode)


def _read_jitter(document: Document, _unit: int) -> Impairment:
    half = f"{document.number('jitter') / 2:f} ms"
    return Delay.model_validate({"distribution": "uniform", "mean": half, "spread": half})


def _read_loss(document: Document, _unit: int) -> Impairment:
    schedule = document.schedule()
    match document.mode:
        case "percentageDropMode":
            percent = document.number("percentageDrop")
            return Outage(schedule=schedule) if percent == 100 else RandomLoss(rate=percent / 100, schedule=schedule)
        case "standardDropMode":
            count, per = whole(document.value("packetDropCount")), whole(document.value("perPacketCount"))
            if document.value("dropMethod") == "dropBurst":
                return PeriodicLoss(every=per, burst=count, schedule=schedule)
            return EvenLoss(rate=Decimal(count) / Decimal(per), schedule=schedule)
        case "markovDropMode":
            share = {
                "bad_loss": document.number("highLossDropProbability") / 100,
                "good_loss": document.number("lowLossDropProbability") / 100,
                "to_good": document.number("highLossTransProbability") / 100,
                "to_bad": document.number("lowLossTransProbability") / 100,
            }
            return GilbertElliottLoss.model_validate({**share, "schedule": schedule})
    raise ForeignError(document.mode)


def _read_rate(document: Document, unit: int) -> Impairment:
    if document.mode != "constantThrottleMode" or document.schedule() is not None:
        raise ForeignError(f"a bandwidth of {document.mode}, or with time constraints")
    return RateLimit(rate=whole(document.value("bandwidth")) * unit, mode="link")


def _read_duplicate(document: Document, _unit: int) -> Impairment:
    if document.mode == "simpleMode":
        return Duplicate(rate=1)
    raise ForeignError(f"copies of {document.mode} that come later")


def _read_reorder(document: Document, _unit: int) -> Impairment:
    rate = document.number(*_PROBABILITY) / 100
    if document.mode == "distanceReorderMode":
        low, high = (whole(document.value(*names)) for names in _DISTANCE)
        return Reorder(rate=rate, depth=low, depth_most=high)
    if document.mode == "timeReorderMode":
        least, most = (document.number(*names) for names in _DISPLACEMENT)
        if most != least:
            raise ForeignError(f"packets held for {least} to {most} ms")
        return Reorder.model_validate({"rate": rate, "depth": 0, "hold": f"{most:f} ms"})
    raise ForeignError(document.mode)


def _read_corrupt(document: Document, _unit: int) -> Impairment:
    bits, between = whole(document.value("erroredBits")), document.number("totalBits")
    return Corrupt(pattern=BitErrors(ber=1 / between), bits=bits)


_READERS: Mapping[str, Callable[[Document, int], Impairment]] = {
    "delay": _read_delay, "jitter": _read_jitter, "packetdrop": _read_loss, "bandwidththrottle": _read_rate,
    "packetduplication": _read_duplicate, "packetreorder": _read_reorder, "biterror": _read_corrupt,
}  # fmt: skip
