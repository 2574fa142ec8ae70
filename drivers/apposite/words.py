"""Impairments to the words that `set` takes, and the words that `show` has for them back to impairments.

Source of the words for `set`: com/apposite/api/Test.java in github.com/Neotys-Partner-Solutions/Netropy. How `show`
words what is set is not public, but for Gilbert-Elliott: read here is the name of a form, then its numbers in the order
in which `set` takes them, whatever stands between. What cannot be read so is an error and never a guess.
"""

from __future__ import annotations

import re
from decimal import Decimal

from impairlab.drivers.apposite.numbers import (
    counts_in,
    milliseconds,
    numbers_in,
    percent,
    scientific,
    seconds,
    shares_in,
    times_in,
)
from impairlab.drivers.model.delays import AccumulateBurst, AnyDelay, Delay
from impairlab.drivers.model.impairments import AnyLink, Duplicate, LinkState, RandomFlap
from impairlab.drivers.model.losses import (
    AnyLoss,
    BitErrorLoss,
    GilbertElliottLoss,
    Outage,
    PeriodicLoss,
    RandomBurstLoss,
    RandomLoss,
)

NONE = "none"

_NOTHING = re.compile(r"(none|disabled|off|not enabled)\b.*", re.IGNORECASE)
_EVERYTHING = Decimal(1)


class NotInOurWordsError(ValueError):
    """What is set is legal there, and no impairment of the model is that: it cannot be put back."""


def delay_words(delay: AnyDelay | None) -> str:
    """Return what stands behind `set delay`. The delay is legal."""
    match delay:
        case None:
            return NONE
        case Delay(distribution="constant"):
            return f"constant {milliseconds(delay.mean)}"
        case Delay(distribution="normal"):
            return f"normal {milliseconds(delay.mean)} {milliseconds(delay.spread)} {_order(delay)}"
        case Delay(distribution="uniform" | "exponential"):
            least, most = delay.mean - delay.spread, delay.mean + delay.spread
            return f"{delay.distribution} {milliseconds(least)} {milliseconds(most)} {_order(delay)}"
        case AccumulateBurst():
            waits = f"extra-delay {milliseconds(delay.mean)} timeout {milliseconds(delay.hold)}"
            return f"accumulate-and-burst {delay.packets} {waits}"
    raise TypeError(f"{delay} has no words")


def loss_words(loss: AnyLoss | None) -> str:
    """Return what stands behind `set loss`. The loss is legal."""
    match loss:
        case None:
            return NONE
        case Outage():
            return "random 100"
        case RandomLoss():
            return f"random {percent(loss.rate)}"
        case RandomBurstLoss():
            return f"burst {percent(loss.rate)} min {loss.shortest} max {loss.longest}"
        case PeriodicLoss():
            return f"periodic {loss.every} burst {loss.burst}"
        case BitErrorLoss():
            return f"ber {scientific(loss.ber)}"
        case GilbertElliottLoss():
            return (
                f"gilbert-elliott good-state loss {percent(loss.good_loss)} change {percent(loss.to_bad)}"
                f" bad-state loss {percent(loss.bad_loss)} change {percent(loss.to_good)}"
            )
    raise TypeError(f"{loss} has no words")


def outage_words(link: AnyLink | None) -> str:
    """Return what stands behind `set network-outage`. The state is legal."""
    match link:
        case None:
            return NONE
        case RandomFlap():
            up, down = _span(link.up, link.up_most), _span(link.down, link.down_most)
        case LinkState():
            up, down = seconds(link.period - link.down), seconds(link.down)
    return f"periodic interval {up} duration {down}"


def duplication_words(duplicate: Duplicate | None) -> str:
    """Return what stands behind `set duplication`. The duplication is legal."""
    return NONE if duplicate is None else f"random {percent(duplicate.rate)}"


def read_delay(text: str) -> AnyDelay | None:
    """Read what `show` has behind Delay.

    Raises:
        NotInOurWordsError: It is recorded, or has no timeout.
        ValueError: It cannot be read.
    """
    form = text.lower()
    if _NOTHING.fullmatch(form):
        return None
    if form.startswith("accumulate"):
        return _read_accumulation(form)
    times = times_in(form, "ms")
    match _form(text, "constant", "uniform", "normal", "exponential"), times:
        case "constant", [mean]:
            return Delay.model_validate({"distribution": "constant", "mean": _ns(mean)})
        case "normal" as distribution, [mean, spread]:
            return _scattered(distribution, mean, spread, form)
        case ("uniform" | "exponential") as distribution, [least, most] if (least + most) % 2 == 0:
            return _scattered(distribution, (least + most) // 2, (most - least) // 2, form)
    raise ValueError(f"Delay {text!r} cannot be read")


def read_loss(text: str) -> AnyLoss | None:
    """Read what `show` has behind Loss. Raises as `read_delay`."""
    form = text.lower()
    if _NOTHING.fullmatch(form):
        return None
    match _form(text, "gilbert-elliott", "periodic", "burst", "ber", "bit error", "random"):
        case "gilbert-elliott" if len(shares := shares_in(form)) == 4:
            good_loss, to_bad, bad_loss, to_good = shares
            return GilbertElliottLoss(to_bad=to_bad, to_good=to_good, bad_loss=bad_loss, good_loss=good_loss)
        case "periodic" if len(counts := counts_in(form)) in {1, 2}:
            every, burst = (*counts, 1)[:2]
            if burst > every:
                raise NotInOurWordsError(f"Loss {text!r}: a burst longer than its period")
            return PeriodicLoss(every=every, burst=burst)
        case "burst" if len(numbers := numbers_in(form)) == 3:
            shortest, longest = int(numbers[1]), int(numbers[2])
            return RandomBurstLoss(rate=shares_in(form)[0], shortest=shortest, longest=longest)
        case "ber" | "bit error" if len(numbers := numbers_in(form)) == 1:
            return BitErrorLoss(ber=numbers[0])
        case "random" if len(shares := shares_in(form)) == 1:
            return Outage() if shares[0] == _EVERYTHING else RandomLoss(rate=shares[0])
    raise ValueError(f"Loss {text!r} cannot be read")


def read_outage(text: str) -> AnyLink | None:
    """Read what `show` has behind Network outage. Raises ValueError."""
    form = text.lower()
    if _NOTHING.fullmatch(form):
        return None
    interval, word, duration = form.partition("duration")
    if not form.startswith("period") or not word:
        raise ValueError(f"Network outage {text!r} cannot be read")
    up, down = times_in(interval, "s"), times_in(duration, "s")
    if len(up) == len(down) == 1:
        return LinkState.model_validate({"state": "flap", "down": _ns(down[0]), "period": _ns(up[0] + down[0])})
    if not up or not down or len(up) > 2 or len(down) > 2:
        raise ValueError(f"Network outage {text!r} cannot be read")
    spans = {"up": up[0], "up_most": up[-1], "down": down[0], "down_most": down[-1]}
    return RandomFlap.model_validate({field: _ns(span) for field, span in spans.items()})


def read_duplication(text: str) -> Duplicate | None:
    """Read what `show` has behind Duplication. Raises ValueError."""
    if _NOTHING.fullmatch(text):
        return None
    shares = shares_in(text)
    if _form(text, "random") is None or len(shares) != 1:
        raise ValueError(f"Duplication {text!r} cannot be read")
    return Duplicate(rate=shares[0])


def is_nothing(text: str) -> bool:
    """Whether `show` says that something is not set."""
    return _NOTHING.fullmatch(text) is not None


def _form(text: str, *forms: str) -> str | None:
    """Return the first of the forms that the text names first of all. Raises NotInOurWordsError for a recording."""
    words = text.lower()
    if words.startswith("recorded"):
        raise NotInOurWordsError(f"{text!r}: a recording")
    return next((form for form in forms if words.startswith(form)), None)


def _scattered(distribution: str, mean: int, spread: int, form: str) -> Delay:
    keep_order = re.search(r"reordering\W*(is )?(enabled|on|yes|allowed)", form) is None
    fields = {"distribution": distribution, "mean": _ns(mean), "spread": _ns(spread), "keep_order": keep_order}
    return Delay.model_validate(fields)


def _read_accumulation(form: str) -> AccumulateBurst:
    count = counts_in(re.split(r"extra|time", form)[0])
    extra = re.search(r"extra[- ]delay\W*([^,]*?)(?=,|time-?out|$)", form)
    timeout = re.search(r"time-?out\W*([^,]*?)(?=,|extra|$)", form)
    if len(count) != 1:
        raise ValueError(f"Delay {form!r} cannot be read")
    waits = [times_in(found[1], "ms") if found else [] for found in (extra, timeout)]
    if not waits[1] or not waits[1][0]:
        raise NotInOurWordsError(f"Delay {form!r}: no timeout")
    mean = waits[0][0] if waits[0] else 0
    return AccumulateBurst.model_validate({"packets": count[0], "mean": _ns(mean), "hold": _ns(waits[1][0])})


def _order(delay: Delay) -> str:
    return f"reordering {'disabled' if delay.keep_order else 'enabled'}"


def _span(least: int, most: int) -> str:
    return seconds(least) if least == most else f"{seconds(least)}-{seconds(most)}"


def _ns(nanoseconds: int) -> str:
    return f"{nanoseconds} ns"
