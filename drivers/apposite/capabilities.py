"""What a Netropy can do: forms from published examples, limits as its help says them; where it says none, guesses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from impairlab.drivers.model.capabilities import Capabilities, Dimension, Feature, Provenance, Range, Rule
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import Delay
from impairlab.drivers.model.impairments import RandomFlap
from impairlab.drivers.model.units import format_time

COUNTERS = ("forwarded_packets", "forwarded_bytes", "dropped_total")

SUBJECTS = ("bw", "delay", "loss", "network-outage", "duplication")
"""What `set` sets, as far as it is public."""

_SOURCE = "com/apposite/api/Test.java in github.com/Neotys-Partner-Solutions/Netropy"
_SISTER = "limits are those of the manual of its sister Linktropy Mini"
_STEP = "the step of 0.0001 % is that of loss in the manual of its sister Linktropy Mini"
_LIMITS = re.compile(r"\(\s*([\d.]+(?:e[+-]?\d+)?)\s*(?:-|–|—|to|\.\.+)\s*([\d.]+(?:e[+-]?\d+)?)\s*\)", re.IGNORECASE)

_MS = 10**6
_SECOND = 10**9
_MOST_COUNT = 2**31 - 1


def _range(dimension: Dimension, low: str, high: str, step: str, unit: int = 1) -> Range:
    return Range(dimension=dimension, low=Decimal(low) * unit, high=Decimal(high) * unit, step=Decimal(step) * unit)


_TIME = _range("time", "0", "10000", "0.1", _MS)
_WAIT = _range("time", "0.1", "10000", "0.1", _MS)
_SHARE = _range("probability", "0", "1", "1e-6")
_LOST = _range("probability", "0", "0.999999", "1e-6")
_BER = _range("probability", "1e-18", "9.999999e-1", "1e-24")
_COUNT = _range("count", "1", str(_MOST_COUNT), "1")
_OUTAGE = _range("time", "1", str(_MOST_COUNT), "1", _SECOND)
_BANDWIDTH = _range("rate", "300", "100000000000", "1")


@dataclass(frozen=True, slots=True)
class _Form:
    """One feature.

    Attributes:
        name: Of the feature.
        subject: Behind `set`.
        word: Of the form, behind that.
        ranges: Legal values where the help says none.
        doubt: What of it nobody says; empty where form and limits are published.
        asked: The field of which the first limits in the help are, and their unit in base units.
        choices: See `Feature`.
    """

    name: str
    subject: str
    word: str
    ranges: Mapping[str, Range]
    doubt: str
    asked: tuple[str, Decimal] | None = None
    choices: Mapping[str, tuple[str | bool, ...]] | None = None


_ORDER: Mapping[str, tuple[str | bool, ...]] = {"keep_order": (True, False)}
_IN_MS = Decimal(_MS)
_IN_PERCENT = Decimal("0.01")

_FORMS = (
    _Form("delay.constant", "delay", "constant", {"mean": _TIME}, _SISTER, ("mean", _IN_MS)),
    _Form("delay.uniform", "delay", "uniform", {"mean": _TIME, "spread": _TIME}, _SISTER, choices=_ORDER),
    _Form("delay.normal", "delay", "normal", {"mean": _TIME, "spread": _TIME}, _SISTER, choices=_ORDER),
    _Form(
        "delay.exponential", "delay", "exponential", {"mean": _TIME, "spread": _TIME},
        f"the least and the most are mean -+ spread, what law lies between is said nowhere; {_SISTER}", choices=_ORDER,
    ),
    _Form(
        "delay.accumulate-burst", "delay", "accumulate-and-burst",
        {"mean": _TIME, "packets": _COUNT, "hold": _WAIT}, _SISTER,
    ),
    _Form("loss.random", "loss", "random", {"rate": _LOST}, _STEP,
          ("rate", _IN_PERCENT)),
    _Form("loss.outage", "loss", "random", {}, "it is a random loss of 100 %"),
    _Form("loss.random-burst", "loss", "burst", {"rate": _SHARE, "shortest": _COUNT, "longest": _COUNT},
          "that the share is that of packets at which a burst begins is said nowhere, nor are limits"),
    _Form("loss.periodic", "loss", "periodic", {"every": _COUNT, "burst": _COUNT},
          "that a burst is part of its period is said nowhere, nor are limits"),
    _Form("loss.bit-error", "loss", "ber", {"ber": _BER}, "", ("ber", Decimal(1))),
    _Form(
        "loss.gilbert-elliott", "loss", "gilbert-elliott",
        dict.fromkeys(("to_bad", "to_good", "bad_loss", "good_loss"), _SHARE), _STEP,
    ),
    _Form("link.flap", "network-outage", "periodic", {"down": _OUTAGE, "period": _OUTAGE},
          "that times are seconds, and the interval that between two outages, is said nowhere, nor are limits"),
    _Form(
        "link.random-flap", "network-outage", "periodic",
        dict.fromkeys(("up", "up_most", "down", "down_most"), _OUTAGE), "as link.flap",
    ),
    _Form("duplicate", "duplication", "random", {"rate": _SHARE}, _STEP,
          ("rate", _IN_PERCENT)),
)  # fmt: skip


def _rate_below(line: int) -> _Form:
    below = _BANDWIDTH.model_copy(update={"high": min(_BANDWIDTH.high, Decimal(line - 1))})
    return _Form(
        "rate.link", "bw", "fixed", {"rate": below},
        f"that a frame counts with an overhead of 38 bytes is what `show` says unless changed; {_SISTER}",
        choices={"layer": ("l1",)},
    )  # fmt: skip


def read_capabilities(paths: tuple[str, ...], help_texts: Mapping[str, str], line: int | None) -> Capabilities:
    """Return what a box can do.

    Args:
        paths: Of the engine.
        help_texts: What the box answers to `?`, by what `set` sets; nothing where it has no help.
        line: Bit/s that count as no limit; a bandwidth is below. None: none can be taken away again, so none is given.
    """
    forms = (*_FORMS, _rate_below(line)) if line is not None and line > _BANDWIDTH.low else _FORMS
    features = {form.name: _feature(form, help_texts.get(form.subject, "")) for form in forms}
    return Capabilities(
        paths=paths,
        features=features,
        rules=_rules(features),
        effect="immediate",
        statistics=COUNTERS,
    )


def _feature(form: _Form, help_text: str) -> Feature:
    told = _told(form, help_text)
    ranges = dict(form.ranges) if told is None or form.asked is None else {**form.ranges, form.asked[0]: told}
    if told is not None or not form.doubt:
        detail = f"{_SOURCE}; limits as the appliance's help says them" if told is not None else _SOURCE
        provenance = Provenance(basis="documented", detail=detail)
    else:
        provenance = Provenance(basis="inferred", detail=f"words: {_SOURCE}; {form.doubt}")
    return Feature(name=form.name, ranges=ranges, choices=form.choices or {}, provenance=provenance)


def _told(form: _Form, help_text: str) -> Range | None:
    """Return the limits that the help has on the line of a form, for the field that they are of."""
    if form.asked is None:
        return None
    field, unit = form.asked
    known = form.ranges[field]
    for limits in _limits_of(form.word, help_text):
        low, high = (min(max(Decimal(limit) * unit, Decimal(0)), _ceiling(known)) for limit in limits)
        if low < high:
            return known.model_copy(update={"low": low, "high": min(high, known.high) if field == "rate" else high})
    return None


def _ceiling(known: Range) -> Decimal:
    return Decimal(1) if known.dimension == "probability" else Decimal(2**63 - 1)


def _limits_of(word: str, help_text: str) -> Iterator[tuple[str, str]]:
    for line in help_text.splitlines():
        if re.match(rf"\W*{re.escape(word)}\b", line):
            yield from _LIMITS.findall(line)


def _outage_is_random(conditions: Conditions) -> bool:
    link = conditions.link
    return not isinstance(link, RandomFlap) or link.up < link.up_most or link.down < link.down_most


def _rules(features: Mapping[str, Feature]) -> tuple[Rule, ...]:
    longest = features["delay.constant"].ranges["mean"].high

    def most_is_in_range(conditions: Conditions) -> bool:
        delay = conditions.delay
        return (
            not isinstance(delay, Delay)
            or delay.distribution not in {"uniform", "exponential"}
            or delay.mean + delay.spread <= longest
        )

    return (
        Rule("delay.spread", f"mean and spread are at most {format_time(int(longest))} together", most_is_in_range),
        Rule("link", "a span from least to most; where both are fixed it is a flap", _outage_is_random),
    )
