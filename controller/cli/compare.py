"""What several appliances can do, side by side: features by appliance, with the legal values where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from impairlab.controller.plan.documents import CapabilitiesRecord
from impairlab.drivers.model.applied import Identity
from impairlab.drivers.model.capabilities import Capabilities, Feature
from impairlab.drivers.model.units import format_time

_LABEL_WIDTH = 26
_COLUMN_WIDTH = 17
_PAPER_WIDTH = 100
_LEGEND = (
    "documented: a public text says so; inferred: nobody says so; verified: seen on hardware; -: not offered.\n"
    "Fields that are legal alike wherever they are offered are left out; --json has them all."
)


@dataclass(frozen=True, slots=True)
class Stated:
    """What one appliance can do.

    Attributes:
        name: The heading of its column.
        identity: Who said so; None where only the driver was asked.
        capabilities: What it can do.
    """

    name: str
    identity: Identity | None
    capabilities: Capabilities


Row = tuple[str, tuple[str, ...]]
"""A label and one cell for each appliance."""


def matrix_rows(stated: Sequence[Stated]) -> Iterator[Row]:
    """Yield a row for each feature, followed by one for each of its fields that is not legal alike everywhere."""
    for name in _feature_names(stated):
        features = [each.capabilities.features.get(name) for each in stated]
        yield name, tuple("-" if feature is None else feature.provenance.basis for feature in features)
        for field in dict.fromkeys(field for feature in features if feature for field in _legal(feature)):
            cells = tuple("" if feature is None else _legal(feature).get(field, "fixed") for feature in features)
            if len({cell for cell in cells if cell}) > 1:
                yield f"  {field}", cells


def other_rows(stated: Sequence[Stated]) -> Iterator[Row]:
    """Yield what there is to say beside features."""
    each = [one.capabilities for one in stated]
    hitless = {True: "yes", False: "no", None: "not known"}
    yield "paths", tuple(", ".join(one.paths) or "-" for one in each)
    yield "flows with a filter", tuple(str(one.flows) for one in each)
    yield "filter fields", tuple(", ".join(sorted(one.filter_fields)) or "-" for one in each)
    yield "counters", tuple(", ".join(one.statistics) or "-" for one in each)
    yield "changes act", tuple("at once" if one.effect == "immediate" else "at a commit" for one in each)
    yield "hitless", tuple(hitless[one.hitless] for one in each)
    yield "changes apart at least", tuple(format_time(one.update_interval_ns) for one in each)
    yield "only one of", tuple("; ".join(", ".join(sorted(group)) for group in one.exclusive) or "-" for one in each)


def print_matrix(stated: Sequence[Stated]) -> None:
    """Print the matrix; as many appliances side by side as can be read, the others below."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=max(console.width, _PAPER_WIDTH))
    abreast = max(1, (console.width - _LABEL_WIDTH) // _COLUMN_WIDTH)
    rows = list(matrix_rows(stated))
    others = list(other_rows(stated))
    for start in range(0, len(stated), abreast):
        part = slice(start, start + abreast)
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", expand=True)
        table.add_column("feature", ratio=_LABEL_WIDTH, overflow="fold")
        for one in stated[part]:
            table.add_column(one.name, ratio=_COLUMN_WIDTH, overflow="fold")
        for label, cells in rows:
            table.add_row(label, *cells[part])
        table.add_section()
        for label, cells in others:
            table.add_row(label, *cells[part])
        console.print(table)
        console.print()
    console.print(_LEGEND)


def as_document(stated: Sequence[Stated]) -> Mapping[str, object]:
    """Return the matrix for machines: all appliances whole, and every feature by appliance."""
    return {
        "appliances": {
            one.name: {
                "identity": one.identity.model_dump() if one.identity else None,
                **CapabilitiesRecord.of(one.capabilities).model_dump(mode="json", exclude={"features"}),
            }
            for one in stated
        },
        "features": {
            name: {one.name: _dumped(one.capabilities.features.get(name)) for one in stated}
            for name in _feature_names(stated)
        },
    }


def _feature_names(stated: Sequence[Stated]) -> list[str]:
    """Return the names of all features; the forms of a kind stand together."""
    names = dict.fromkeys(name for one in stated for name in one.capabilities.features)
    kinds = list(dict.fromkeys(name.partition(".")[0] for name in names))
    return sorted(names, key=lambda name: kinds.index(name.partition(".")[0]))


def _legal(feature: Feature) -> dict[str, str]:
    numbers = {name: span.describe().replace(" in steps of ", " by ") for name, span in feature.ranges.items()}
    return numbers | {name: ", ".join(map(str, legal)).lower() for name, legal in feature.choices.items()}


def _dumped(feature: Feature | None) -> Mapping[str, object] | None:
    return feature.model_dump(mode="json", exclude={"name"}) if feature else None
