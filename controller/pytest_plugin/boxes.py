"""A box lent to a test: noted before, put back after, and told of in the test's diary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from impairlab.controller.pytest_plugin.diary import diary_of
from impairlab.controller.pytest_plugin.rack import SharedRack
from impairlab.controller.sequencer.restore import NotRestored, interrupts_held, put_right
from impairlab.drivers.appliance import Appliance
from impairlab.drivers.model import Snapshot
from impairlab.drivers.model.errors import ImpairlabError


def lend(stack: ExitStack, item: pytest.Item, name: str, shared: SharedRack, *, alone: bool) -> Appliance:
    """Return an appliance that the end of the stack puts back as it was, whatever happened to it.

    Args:
        stack: Its end is the end of the test.
        item: The test.
        name: The appliance.
        shared: The rack.
        alone: Whether to hold the appliance's own lock; a scenario's run holds it itself.

    Raises:
        ImpairlabError: What connecting, locking or reading raised.
        NotRestored: At the end: it could not be put back.
    """
    stack.enter_context(shared.turn())
    shared.expect_trusted(name)
    box = stack.enter_context(shared.connected(name))
    item.user_properties.append(("impairlab.appliance", f"{name}: {box.identity}"))
    box.add_witness(diary_of(item).witness(name))
    if alone:
        stack.enter_context(_locked(box))
    stack.callback(_put_back, item, box, box.snapshot(), shared)
    return box


def _put_back(item: pytest.Item, box: Appliance, before: Snapshot, shared: SharedRack) -> None:
    with interrupts_held():
        [restoration] = put_right({box.name: box}, {box.name: before}, frozenset({box.name}), "snapshot")
    if not restoration.restored:
        shared.distrust(box.name, item.nodeid)
        why = restoration.error.message if restoration.error is not None else ""
        problem = f"could not be put back in {restoration.attempts} attempts: {why}"
        raise NotRestored(problem, appliance=box.name, state_known=False)


@contextmanager
def _locked(box: Appliance) -> Iterator[None]:
    """Hold the appliance's own lock; where letting go fails, the end of the session does it."""
    box.lock()
    try:
        yield
    finally:
        with suppress(ImpairlabError):
            box.unlock()
