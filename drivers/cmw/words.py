"""Conditions to the settings of an entry, and back.

Source of the commands and of their kinds (a number, a choice, a switch): the package RsCmwDau by Rohde & Schwarz.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import ValidationError

from impairlab.drivers.cmw.site import Units
from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.delays import Delay
from impairlab.drivers.model.losses import Outage, RandomLoss

SETTINGS = ("JDIStribut", "DELay", "JITTer", "PLRate", "CRATe", "DRATe", "RRATe", "ENABle")
"""All that impairs, in the order in which it is written after `FIRST`.

On an entry that is on each setting may act as it comes, and none may make a state that is refused, such as a uniform
jitter wider than its delay: the old jitter goes before the law and the delay that it belonged to, the new one comes
after its own. What is off is switched on last.
"""

FIRST = ("JITTer", "0")

LAWS: Mapping[str, str] = {"normal": "NORMal", "pareto": "PAReto", "uniform": "UNIForm"}
"""Choices of JDIStribut by distribution. PNORmal has no word in the vocabulary."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d{1,3})?")
_SWITCH: Mapping[str, bool] = {"ON": True, "1": True, "OFF": False, "0": False}


class NotInOurWordsError(ValueError):
    """What is set is legal there, and no impairment of the model is that: it cannot be put back."""


def words_of(conditions: Conditions, units: Units) -> Sequence[tuple[str, str]]:
    """Return setting and value of all that is written, in its order. The conditions are legal.

    Where nothing is impaired the entry is switched off and its values stay: they do nothing.
    """
    if conditions.is_neutral:
        return [("ENABle", "OFF")]
    delay = conditions.delay if isinstance(conditions.delay, Delay) else Delay.model_validate({"mean": 0})
    loss = conditions.loss
    rates = {
        "PLRate": Decimal(1) if isinstance(loss, Outage) else loss.rate if isinstance(loss, RandomLoss) else Decimal(0),
        "CRATe": conditions.corrupt.rate if conditions.corrupt else Decimal(0),
        "DRATe": conditions.duplicate.rate if conditions.duplicate else Decimal(0),
        "RRATe": conditions.reorder.rate if conditions.reorder else Decimal(0),
    }
    return [
        FIRST,
        ("JDIStribut", LAWS.get(delay.distribution, LAWS["normal"])),
        ("DELay", _plain(Decimal(delay.mean) / units.time)),
        ("JITTer", _plain(Decimal(delay.spread) / units.time)),
        *((setting, _plain(rate / units.rate)) for setting, rate in rates.items()),
        ("ENABle", "ON"),
    ]


def read_words(answers: Mapping[str, str], units: Units) -> Conditions:
    """Read what the settings answer.

    Raises:
        NotInOurWordsError: A jitter of the law PNORmal, or one wider than its delay.
        ValueError: An answer that cannot be read.
    """
    if answers["ENABle"].strip().upper() not in _SWITCH:
        raise ValueError(f"ENABle {answers['ENABle']!r} is neither ON nor OFF")
    if not _SWITCH[answers["ENABle"].strip().upper()]:
        return NEUTRAL
    loss = _share(answers["PLRate"], units)
    found: dict[str, object] = {"delay": _delay(answers, units)}
    if loss:
        found["loss"] = {"model": "outage"} if loss == 1 else {"model": "random", "rate": loss}
    for kind, setting in (("corrupt", "CRATe"), ("duplicate", "DRATe"), ("reorder", "RRATe")):
        rate = _share(answers[setting], units)
        if rate:
            found[kind] = {"rate": rate}
    try:
        return Conditions.model_validate(found)
    except ValidationError as error:
        raise NotInOurWordsError(f"{dict(answers)}: {error}") from error


def _delay(answers: Mapping[str, str], units: Units) -> dict[str, object] | None:
    mean, spread = (_nanoseconds(answers[setting], units) for setting in ("DELay", "JITTer"))
    if not spread:
        return {"distribution": "constant", "mean": f"{mean} ns"} if mean else None
    for law, word in LAWS.items():
        if _is_choice(answers["JDIStribut"], word):
            return {"distribution": law, "mean": f"{mean} ns", "spread": f"{spread} ns", "keep_order": False}
    if _is_choice(answers["JDIStribut"], "PNORmal"):
        raise NotInOurWordsError("JDIStribut PNORmal: no distribution here is that")
    raise ValueError(f"JDIStribut {answers['JDIStribut']!r} is none of {', '.join(LAWS.values())}, PNORmal")


def _is_choice(text: str, word: str) -> bool:
    """Whether an answer is a choice, in its short form (the capitals) or its long one (SCPI-1999 vol. 1, 6.2.1)."""
    short = "".join(letter for letter in word if letter.isupper())
    return text.strip().upper() in {short, word.upper()}


def _nanoseconds(text: str, units: Units) -> int:
    return round(_number(text) * units.time)


def _share(text: str, units: Units) -> Decimal:
    return (_number(text) * units.rate).normalize()


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a number")
    return Decimal(text.strip())


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
