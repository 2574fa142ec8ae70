"""Proof: what was asked, sent and read back, field by field, and where two states differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from impairlab.drivers.model.applied import Applied
from impairlab.drivers.model.capabilities import Capabilities, feature_name, fields_of, form_of, format_value
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.effects import effect
from impairlab.drivers.model.flows import Target
from impairlab.drivers.model.impairments import Impairment

CLEARED = "-"
"""What a record shows for an impairment that is not there."""


def applied_records(
    target: Target,
    capabilities: Capabilities,
    *,
    before: Conditions,
    asked: Conditions,
    sent: Conditions,
    read_back: Conditions,
    bracket: tuple[int, int],
) -> Iterator[Applied]:
    """Yield a record per field set, one per impairment cleared, and one for the whole flow when there is neither.

    Args:
        target: Where.
        capabilities: Of the appliance: tell the dimension of each field.
        before: What was set before, as far as known.
        asked: What the user wanted.
        sent: What was sent.
        read_back: What the appliance answered afterwards.
        bracket: sent_ns and acknowledged_ns.
    """
    words = [_words(conditions, capabilities) for conditions in (asked, sent, read_back)]
    fields = [*words[1], *(kind for kind in _kinds(before) if kind not in _kinds(sent))] or ["conditions"]
    for field in fields:
        in_asked, in_sent, in_read_back = (each.get(field, CLEARED) for each in words)
        yield Applied(
            target=target, field=field, asked=in_asked, sent=in_sent, read_back=in_read_back,
            sent_ns=bracket[0], acknowledged_ns=bracket[1],
        )  # fmt: skip


def differences(wanted: Mapping[Target, Conditions], found: Mapping[Target, Conditions]) -> list[str]:
    """Return one line for each impairment in which `found` does something else than is wanted."""
    lines = []
    for target, conditions in wanted.items():
        want = {each.kind: each for each in conditions}
        have = {each.kind: each for each in found[target]}
        lines += [
            f"{target} {kind}: wanted {_show(want.get(kind))}, read {_show(have.get(kind))}"
            for kind in (*want, *(kind for kind in have if kind not in want))
            if effect(want.get(kind)) != effect(have.get(kind))
        ]
    return lines


def _words(conditions: Conditions, capabilities: Capabilities) -> dict[str, str]:
    words = {}
    for impairment in conditions:
        form = form_of(impairment)
        if form is not None:
            words[f"{impairment.kind}.{form[0]}"] = form[1]
        feature = capabilities.features.get(feature_name(impairment))
        if feature is None:
            continue
        for field, value in fields_of(impairment):
            legal = feature.ranges.get(field)
            if legal is not None or field in feature.choices:
                words[f"{impairment.kind}.{field}"] = format_value(value, legal.dimension if legal else None)
        if not any(word.partition(".")[0] == impairment.kind for word in words):
            words[impairment.kind] = "on"
    return words


def _kinds(conditions: Conditions) -> list[str]:
    return [impairment.kind for impairment in conditions]


def _show(impairment: Impairment | None) -> str:
    if impairment is None:
        return CLEARED
    return f"{feature_name(impairment)} {impairment.model_dump_json(exclude_defaults=True)}"
