"""Places: which path a test is about, and which path plays each role of its scenario."""

from __future__ import annotations

import pytest

from impairlab.controller.plan.rack import PathRef
from impairlab.controller.pytest_plugin.marks import ScenarioMark, whereabouts
from impairlab.controller.pytest_plugin.rack import SharedRack
from impairlab.drivers.model.errors import FileError

_INDIRECT = ("impairlab_path", "impairlab_box")


def place_of(item: pytest.Item, shared: SharedRack) -> PathRef:
    """Return a test's path: its indirect parameter, or the one role of --impairlab-on, or the only appliance's.

    Raises:
        FileError: There is no such place, or nobody says which one.
    """
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    word = next((str(params[name]) for name in _INDIRECT if name in params), None)
    on, rack = shared.settings.on, shared.rack
    if word is not None:
        return rack.bind(word, on.get(word, word))
    if len(on) == 1:
        return rack.bind(*next(iter(on.items())))
    if not on and len(rack.appliances) == 1:
        return rack.bind("", next(iter(rack.appliances)))
    problem = f"which path is impairlab_path? There are {', '.join(on or rack.appliances) or 'none'}"
    legal = "--impairlab-on for one role, or parametrize('impairlab_path', ['APPLIANCE:PATH'], indirect=True)"
    raise FileError([f"{whereabouts(item)}: {problem}; legal: {legal}"])


def binding_of(item: pytest.Item, mark: ScenarioMark, roles: tuple[str, ...], shared: SharedRack) -> dict[str, PathRef]:
    """Return the path of each role: the marker says, or --impairlab-on; one role and one appliance find each other.

    Raises:
        FileError: There is no such place, or nobody says which one.
    """
    on, rack = shared.settings.on, shared.rack
    places = {**{role: on[role] for role in roles if role in on}, **mark.on}
    if not places and len(roles) == len(rack.appliances) == 1:
        places = {roles[0]: next(iter(rack.appliances))}
    for role in roles:
        if role not in places:
            legal = f"on={{{role!r}: 'APPLIANCE'}} in {mark.name}, or --impairlab-on {role}=APPLIANCE"
            raise FileError([f"{whereabouts(item)}: no path plays {role}; legal: {legal}"])
    return {role: rack.bind(role, place) for role, place in places.items()}
