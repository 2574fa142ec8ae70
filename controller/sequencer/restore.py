"""The way back: every appliance is put right and proved to be, whatever happened before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Literal

from impairlab.controller.plan.documents import ErrorRecord, Restoration
from impairlab.controller.sequencer.parts import Box
from impairlab.drivers.model.applied import Snapshot
from impairlab.drivers.model.conditions import NEUTRAL
from impairlab.drivers.model.errors import VerifyMismatch

ATTEMPTS = 3
"""A broken connection is noticed by the first attempt and made anew by the next."""

Goal = Literal["snapshot", "neutral"]


class NotRestored(VerifyMismatch):
    """An appliance could not be put back: what is programmed on it is not known."""


def cleared(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with nothing impaired: same flows, same filters."""
    entries = tuple(entry.model_copy(update={"conditions": NEUTRAL}) for entry in snapshot.entries)
    return snapshot.model_copy(update={"entries": entries})


def put_right(
    boxes: Mapping[str, Box], before: Mapping[str, Snapshot], touched: frozenset[str], goal: Goal
) -> tuple[Restoration, ...]:
    """Bring every appliance to the goal; each is tried even if another fails, and failures are told."""
    return tuple(
        _put_one_right(name, box, before[name], goal)
        if name in touched
        else Restoration(appliance=name, restored=True, how="untouched", attempts=0)
        for name, box in boxes.items()
    )


def _put_one_right(name: str, box: Box, before: Snapshot, goal: Goal) -> Restoration:
    wanted = before if goal == "snapshot" else cleared(before)
    error: ErrorRecord | None = None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            box.restore(wanted)
        except Exception as failure:  # noqa: BLE001 - a defect of one driver must not leave other appliances impaired
            error = ErrorRecord.of(failure)
        else:
            return Restoration(appliance=name, restored=True, how=goal, attempts=attempt, error=error)
    return Restoration(appliance=name, restored=False, how="failed", attempts=ATTEMPTS, error=error)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while appliances are put right, and raise it afterwards. Only the main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        held.append(number)

    previous = signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if held:
        raise KeyboardInterrupt
