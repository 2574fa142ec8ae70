"""What the network impairments of a CMW can do: words from RsCmwDau, limits and units that nobody says in public."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from impairlab.drivers.cmw.site import Site
from impairlab.drivers.cmw.words import LAWS
from impairlab.drivers.model.capabilities import (
    Capabilities,
    Dimension,
    Feature,
    PlaceRule,
    Provenance,
    Range,
    Rule,
    Violation,
)
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import Delay
from impairlab.drivers.model.flows import Target

_WORDS = "words: the package RsCmwDau by Rohde & Schwarz"
_DOUBT = "that it does what Linux netem does under that name is inferred, and limits are netem's, unverified"


def _range(dimension: Dimension, low: str, high: str, step: str) -> Range:
    return Range(dimension=dimension, low=Decimal(low), high=Decimal(high), step=Decimal(step))


_TIME = _range("time", "0", "274000000000", "1000")
_SPREAD = _range("time", "1000", "274000000000", "1000")
_SHARE = _range("probability", "0", "1", "0.000001")
_LOST = _range("probability", "0", "0.999999", "0.000001")


def capabilities(site: Site) -> Capabilities:
    """Return what can be set; talks to nobody, since there is nothing to ask."""

    def feature(name: str, setting: str, ranges: dict[str, Range], also: str = "") -> Feature:
        detail = f"{_WORDS}, {setting}; {_DOUBT}; {site.units.words}, unverified{also}"
        choices: dict[str, tuple[str | bool, ...]] = {"keep_order": (False,)} if "spread" in ranges else {}
        provenance = Provenance(basis="inferred", detail=detail)
        return Feature(name=name, ranges=ranges, choices=choices, provenance=provenance)

    jittered = "; packets overtake each other, as netem's do"
    far = "; how far packets are moved is said nowhere, and not to be set"
    features = [
        feature("delay.constant", "DELay", {"mean": _TIME}),
        *(
            feature(f"delay.{law}", f"JITTer and JDIStribut {word}", {"mean": _TIME, "spread": _SPREAD}, jittered)
            for law, word in LAWS.items()
        ),
        feature("loss.random", "PLRate", {"rate": _LOST}),
        feature("loss.outage", "PLRate", {}, "; it is a loss of 100 %"),
        feature("corrupt", "CRATe", {"rate": _SHARE}),
        feature("duplicate", "DRATe", {"rate": _SHARE}),
        feature("reorder", "RRATe", {"rate": _SHARE}, far),
    ]

    def an_entry_for_it(target: Target, conditions: Conditions) -> Iterator[Violation]:
        if target.path in site.entries and not site.has(target) and not conditions.is_neutral:
            yield Violation(
                field="direction",
                problem=f"path {target.path} has an entry for a-b alone",
                legal="name a second entry in the address, like paths=1-2",
            )

    return Capabilities(
        paths=tuple(site.entries),
        features={each.name: each for each in features},
        rules=(Rule("reorder", "netem moves packets before delayed ones: reorder needs a delay", _has_a_delay),),
        place_rules=(PlaceRule("direction", "a direction needs an entry of its own", an_entry_for_it),),
    )


def _has_a_delay(conditions: Conditions) -> bool:
    delay = conditions.delay
    return conditions.reorder is None or (isinstance(delay, Delay) and (delay.mean > 0 or delay.spread > 0))
