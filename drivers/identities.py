"""Which driver fits an instrument that says who it is. No driver and no link is loaded to tell.

A distribution with drivers of its own offers a tuple of `Drives` as entry point `impairlab.identities`, under the name
of the driver; best from a module that imports nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points

from impairlab.drivers.model.drives import Drives
from impairlab.drivers.model.errors import ImpairlabError

GROUP = "impairlab.identities"

_BUILT_IN: dict[str, Sequence[Drives]] = {
    "rs-cmw": (Drives("Rohde&Schwarz", r"CMW.*"),),
    "scpi": (Drives("impairlab", r"IL-\d+"),),
}


def driver_for(manufacturer: str, model: str) -> str | None:
    """Return the name of the driver that states to fit; None where none does, or more than one.

    Raises:
        ImpairlabError: What a driver states cannot be loaded.
    """
    fitting = {name for name, driven in _stated() if any(each.fits(manufacturer, model) for each in driven)}
    return fitting.pop() if len(fitting) == 1 else None


def _stated() -> Iterator[tuple[str, Sequence[Drives]]]:
    yield from _BUILT_IN.items()
    for entry in entry_points(group=GROUP):
        if entry.name not in _BUILT_IN:
            yield entry.name, _loaded(entry)


def _loaded(entry: EntryPoint) -> Sequence[Drives]:
    try:
        stated: Sequence[Drives] = entry.load()
    except (ImportError, AttributeError) as error:
        raise ImpairlabError(f"what {entry.name!r} drives ({entry.value}) cannot be loaded: {error}") from error
    return stated
