"""The markers of a test as values, or one message about what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

import pytest

NEEDS = "impairlab_needs(*features): skip the test unless its appliance has every feature, e.g. 'loss.burst'."
SCENARIO = (
    "impairlab_scenario(file, on=None): run a scenario file in step with the test. The test's body begins with the "
    "scenario's first phase; when it ends first, so does the scenario. `on` says which path plays which role, "
    "e.g. {'wan': 'wan-1'}."
)


_UNMET = pytest.StashKey[str]()


@dataclass(frozen=True)
class ScenarioMark:
    """What `impairlab_scenario` says.

    Attributes:
        file: The scenario file; a relative path is relative to the test's file.
        on: By role "appliance" or "appliance:path".
    """

    file: Path
    on: Mapping[str, str]
    name: ClassVar[str] = "impairlab_scenario"


def needs_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the features that a test needs, by all its `impairlab_needs` markers, the outermost first.

    Raises:
        pytest.fail.Exception: A marker is not used as it is meant.
    """
    features: list[str] = []
    for mark in reversed(list(item.iter_markers("impairlab_needs"))):
        expect_arguments(item, mark, ())
        if not mark.args or not all(isinstance(word, str) for word in mark.args):
            misuse(item, mark, "features are strings, at least one, like 'loss.burst'")
        features += mark.args
    return tuple(features)


def scenario_of(item: pytest.Item) -> ScenarioMark | None:
    """Return what a test's closest `impairlab_scenario` says.

    Raises:
        pytest.fail.Exception: The marker is not used as it is meant.
    """
    mark = item.get_closest_marker("impairlab_scenario")
    if mark is None:
        return None
    expect_arguments(item, mark, ("file", "on"))
    by_place = dict(zip(("file", "on"), mark.args, strict=False))
    for word in by_place.keys() & mark.kwargs:
        misuse(item, mark, f"{word!r} is given twice")
    given: dict[str, object] = {**by_place, **mark.kwargs}
    file, on = given.get("file"), given.get("on")
    if len(mark.args) > 2 or not isinstance(file, str | Path):
        misuse(item, mark, "it takes the scenario's file, and on={role: 'appliance:path'}")
    if on is None:
        on = {}
    if not isinstance(on, Mapping) or not all(isinstance(word, str) for pair in on.items() for word in pair):
        misuse(item, mark, f"on={on!r} is not a mapping of roles to places, like {{'wan': 'wan-1:1'}}")
    return ScenarioMark(item.path.parent / file, on)


def skip_as_unmet(item: pytest.Item, reason: str) -> NoReturn:
    """Skip a test for a need that is not met."""
    item.stash[_UNMET] = reason
    pytest.skip(reason)


def unmet_need(item: pytest.Item) -> str | None:
    """Return the need that a test was skipped for."""
    return item.stash.get(_UNMET, None)


def expect_arguments(item: pytest.Item, mark: pytest.Mark, known: Iterable[str]) -> None:
    """Fail for a keyword argument that a marker does not have."""
    for word in mark.kwargs:
        if word not in known:
            misuse(item, mark, f"unknown argument {word!r}; legal: {', '.join(known) or 'none by name'}")


def misuse(item: pytest.Item, mark: pytest.Mark, problem: str) -> NoReturn:
    """Fail with one line that says where and what."""
    pytest.fail(f"{whereabouts(item)}: {mark.name}: {problem}", pytrace=False)


def whereabouts(item: pytest.Item) -> str:
    """Return e.g. "tests/test_chat.py:12"."""
    path, line, _ = item.location
    return path if line is None else f"{path}:{line + 1}"
