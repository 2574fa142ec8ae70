"""The diary of a test: what was applied when, counted from the instant at which the test's body began."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from impairlab.drivers.appliance import Commit, Witness
    from impairlab.drivers.model import Conditions, Target

TITLE = "impairlab timeline"

MOST_LINES = 200
_NONE = "-"


@dataclass(frozen=True)
class Entry:
    """One line: instants in ns on time.monotonic_ns(), None where there is none, and what happened."""

    planned_ns: int | None
    sent_ns: int
    acknowledged_ns: int | None
    what: str


@dataclass
class Diary:
    """What tests and scenarios write down.

    Attributes:
        entries: What fixtures wrote.
        sources: Asked for more entries when the diary is read.
        notes: Lines for the end.
    """

    entries: list[Entry] = field(default_factory=list)
    sources: list[Callable[[], Iterable[Entry]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _zero: tuple[int, int] | None = None

    def begin(self) -> None:
        """Note that the test's body begins."""
        self._zero = (time.monotonic_ns(), time.time_ns())

    def witness(self, appliance: str) -> Witness:
        """Return what writes down what an appliance acknowledges."""

        def write_down(settings: Mapping[Target, Conditions], commit: Commit) -> None:
            self.entries += [
                Entry(None, commit.sent_ns, commit.acknowledged_ns, f"{appliance} {target}: {conditions}")
                for target, conditions in settings.items()
            ]

        return write_down

    def text(self) -> str:
        """Return everything in the order of time; empty when nothing happened."""
        entries = sorted((*self.entries, *(e for source in self.sources for e in source())), key=lambda e: e.sent_ns)
        left_out = len(entries) - MOST_LINES
        if not entries and not self.notes:
            return ""
        zero_ns = entries[0].sent_ns if self._zero is None and entries else 0
        head = "t = 0 when the first command was sent: the test's body never began"
        if self._zero is not None:
            zero_ns = self._zero[0]
            head = f"t = 0 when the test's body began, {_clock_time(self._zero[1])}"
        rows = [f"{'planned':>11} {'sent':>11} {'acknowledged':>13}"] if entries else []
        if left_out > 0:
            rows.append(f"{'':>38} ({left_out} earlier ones are left out)")
        for entry in entries[-MOST_LINES:]:
            planned, sent, acknowledged = (
                _NONE if instant is None else f"{(instant - zero_ns) / 1e9:+.4f} s"
                for instant in (entry.planned_ns, entry.sent_ns, entry.acknowledged_ns)
            )
            rows.append(f"{planned:>11} {sent:>11} {acknowledged:>13}  {entry.what}")
        return "\n".join([head, *rows, *self.notes])


_KEY = pytest.StashKey[Diary]()


def new_diary(item: pytest.Item) -> None:
    """Give a test an empty diary; a test that is run again does not go on in the old one."""
    item.stash[_KEY] = Diary()


def diary_of(item: pytest.Item) -> Diary:
    """Return the diary of a test, a new one for the first who asks."""
    return item.stash.setdefault(_KEY, Diary())


def _clock_time(wall_ns: int) -> str:
    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(wall_ns // 10**9))
    return f"{whole}.{wall_ns // 10**6 % 1000:03d} UTC"
