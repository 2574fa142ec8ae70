"""Conditions in words, for previews, live views and reports."""

from __future__ import annotations

from impairlab.drivers.model.capabilities import Dimension, feature_name, fields_of, format_value
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.impairments import Impairment

_DIMENSIONS: dict[tuple[str, str], Dimension] = {
    ("delay", "mean"): "time", ("delay", "spread"): "time", ("loss", "rate"): "probability",
    ("loss", "to_bad"): "probability", ("loss", "to_good"): "probability", ("loss", "bad_loss"): "probability",
    ("loss", "good_loss"): "probability", ("loss", "ber"): "probability", ("reorder", "rate"): "probability",
    ("reorder", "hold"): "time", ("duplicate", "rate"): "probability", ("corrupt", "rate"): "probability",
    ("rate", "rate"): "rate", ("rate", "burst"): "size", ("rate", "queue"): "size", ("link", "down"): "time",
    ("link", "period"): "time", ("ecn", "rate"): "probability", ("pfc", "duration"): "time",
    ("pfc", "period"): "time", ("mtu", "size"): "size",
}  # fmt: skip


def describe(conditions: Conditions) -> str:
    """Return e.g. "delay normal mean 40 ms spread 8 ms, loss burst rate 1 % burst 4"; "neutral" for none.

    Fields that have their default value are left out.
    """
    return ", ".join(describe_impairment(impairment) for impairment in conditions) or "neutral"


def describe_impairment(impairment: Impairment) -> str:
    """Return one impairment in words: its kind, its form, then each field that is not at its default."""
    words = feature_name(impairment).split(".")
    for field, value in fields_of(impairment):
        if value == type(impairment).model_fields[field].default:
            continue
        words += [field, _show(value, _DIMENSIONS.get((impairment.kind, field)))]
    return " ".join(words)


def _show(value: object, dimension: Dimension | None) -> str:
    if isinstance(value, tuple):
        return f"of {len(value)}" if len(value) > 8 else "/".join(str(item) for item in value)
    return format_value(value, dimension)
