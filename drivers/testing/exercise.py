"""The exercise: a fixed course through a driver, whose results and bytes are the same each time it is gone through.

`look` changes nothing: who it is, what it can do, what is programmed on every flow. `look_and_write` then sets every
specimen of every feature on one flow, each read back, and restores what was there, which is proved by reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from impairlab.drivers.appliance import Appliance
from impairlab.drivers.model.capabilities import Capabilities
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import CapabilityError, InstrumentError, VerifyMismatch
from impairlab.drivers.testing.places import Places
from impairlab.drivers.testing.specimens import specimens

Result = tuple[str, object]
"""What was done, and what came of it, as JSON has it."""


def look(box: Appliance) -> Iterator[Result]:
    """Yield who the appliance is, what it can do, and what is programmed on each flow. Changes nothing."""
    yield "identity", box.identity.model_dump(mode="json")
    yield "capabilities", _stated(box.capabilities)
    for entry in box.snapshot().entries:
        yield f"programmed {entry.target}", entry.model_dump(mode="json", exclude={"target"})


def look_and_write(box: Appliance) -> Iterator[Result]:
    """Yield what `look` does, what came of each specimen, and at last that everything is as it was.

    A specimen that the appliance refuses, or answers otherwise than it was set, is a result like any other.

    Raises:
        ImpairlabError: The appliance can no more be talked to, or was not restored.
    """
    yield from look(box)
    with box.locked():
        before = box.snapshot()
        try:
            yield from _written(box)
        finally:
            box.restore(before)
        yield (
            "restored",
            [entry.model_dump(mode="json") for entry in box.snapshot().entries]
            == [entry.model_dump(mode="json") for entry in before.entries],
        )


EXERCISES: Mapping[str, Callable[[Appliance], Iterator[Result]]] = MappingProxyType(
    {"look": look, "look-and-write": look_and_write}
)
"""By the names that transcripts have for them."""


def _written(box: Appliance) -> Iterator[Result]:
    places = Places(box)
    for specimen in specimens(box.capabilities.features.values(), places.allow):
        if specimen.conditions is not None:
            yield f"set {specimen}", _tried(box, places, specimen.conditions)


def _tried(box: Appliance, places: Places, conditions: Conditions) -> object:
    target = places.of(conditions)
    try:
        places.prepare(target)
        records = box.apply(target, conditions)
    except (InstrumentError, VerifyMismatch, CapabilityError) as error:
        return type(error).__name__
    return [f"{record.field}: {record.read_back}" for record in records]


def _stated(capabilities: Capabilities) -> Mapping[str, object]:
    return {
        "paths": capabilities.paths,
        "flows": capabilities.flows,
        "filter_fields": sorted(capabilities.filter_fields),
        "features": {name: feature.model_dump(mode="json") for name, feature in capabilities.features.items()},
        "exclusive": [sorted(group) for group in capabilities.exclusive],
        "rules": [f"{rule.name}: {rule.text}" for rule in capabilities.rules],
        "statistics": capabilities.statistics,
    }
