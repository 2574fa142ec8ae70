"""The live view of a run: phases on a time line, what is applied on which direction, and how the traffic fares."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from impairlab.controller.analysis.quantiles import quantile
from impairlab.controller.traffic.records import Progress
from impairlab.drivers.model import NEUTRAL, Conditions, Direction

_BARS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 60
_RATE_WINDOW_NS = 5_000_000_000
_SECOND_NS = 1_000_000_000
_ARROWS = {"a-b": "A → B", "b-a": "A ← B"}


@dataclass
class PhaseTally:
    """What the view knows of one phase."""

    name: str
    duration_ns: int
    ttft_ms: list[float] = field(default_factory=list)
    worst_gap_ms: float = 0.0
    finished: int = 0
    failed: int = 0

    def add(self, progress: Progress) -> None:
        """Count a finished request in."""
        self.finished += 1
        self.failed += progress.status not in {"ok", "cancelled"}
        if progress.ttft_ms is not None:
            self.ttft_ms.append(progress.ttft_ms)
        self.worst_gap_ms = max(self.worst_gap_ms, progress.max_gap_ms or 0.0)


class LiveView:
    """A run as rich shows it. Give it to the run as its observer and to `rich.live.Live` as its renderable.

    Args:
        title: The scenario's title.
        phases: Name and length in ns of each phase, in order.
        directions: The (role, direction) pairs to show.
        clock: Monotonic nanoseconds.
    """

    def __init__(
        self,
        title: str,
        phases: Sequence[tuple[str, int]],
        directions: Sequence[tuple[str, Direction]],
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._title = title
        self._phases = [PhaseTally(name, duration) for name, duration in phases]
        self._conditions: dict[tuple[str, Direction], Conditions] = dict.fromkeys(directions, NEUTRAL)
        self._clock = clock
        self._guard = threading.Lock()
        self._current = -1
        self._began_ns: int | None = None
        self._finished_at: deque[int] = deque()
        self._recent_ttft: deque[float] = deque(maxlen=_SPARK_WIDTH)

    def phase_began(self, name: str) -> None:
        """Move on to a phase."""
        with self._guard:
            self._began_ns = self._began_ns or self._clock()
            self._current = next(i for i, phase in enumerate(self._phases) if phase.name == name)

    def conditions_changed(self, role: str, direction: Direction, conditions: Conditions) -> None:
        """Show new conditions."""
        with self._guard:
            self._conditions[role, direction] = conditions

    def request_finished(self, progress: Progress) -> None:
        """Count a request in the phase that it was planned for."""
        with self._guard:
            self._phase_at(progress.at_ns).add(progress)
            self._finished_at.append(self._clock())
            if progress.ttft_ms is not None:
                self._recent_ttft.append(progress.ttft_ms)

    def __rich__(self) -> RenderableType:
        """Draw the present moment."""
        with self._guard:
            body = Group(self._timeline(), "", self._applied(), "", self._traffic(), "", self._sparkline())
            elapsed = self._elapsed()
        return Panel(
            body, title=self._title, subtitle=elapsed, subtitle_align="right", border_style="cyan", padding=(1, 2)
        )

    def _phase_at(self, at_ns: int) -> PhaseTally:
        end = 0
        for phase in self._phases:
            end += phase.duration_ns
            if at_ns < end:
                return phase
        return self._phases[-1]

    def _elapsed(self) -> str:
        elapsed = 0 if self._began_ns is None else self._clock() - self._began_ns
        total = sum(phase.duration_ns for phase in self._phases)
        return f"{min(elapsed, total) / _SECOND_NS:.1f} of {total / _SECOND_NS:g} s"

    def _timeline(self) -> Text:
        text = Text()
        for number, phase in enumerate(self._phases):
            style = "bold reverse cyan" if number == self._current else "cyan" if number < self._current else "dim"
            text.append(f" {phase.name} {phase.duration_ns / _SECOND_NS:g} s ", style=style)
            text.append(" ")
        return text

    def _applied(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for (role, direction), conditions in self._conditions.items():
            style = "dim" if conditions.is_neutral else "bold yellow"
            table.add_row(role, _ARROWS[direction], Text(str(conditions), style=style))
        return table

    def _traffic(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for header in ("phase", "requests", "failed", "TTFT p50", "TTFT p99", "worst token gap"):
            table.add_column(header, justify="left" if header == "phase" else "right")
        for phase in self._phases[: self._current + 1]:
            table.add_row(
                phase.name,
                str(phase.finished),
                Text(str(phase.failed), style="bold red" if phase.failed else ""),
                _ms(quantile(phase.ttft_ms, 0.5) if phase.ttft_ms else None),
                _ms(quantile(phase.ttft_ms, 0.99) if phase.ttft_ms else None),
                _ms(phase.worst_gap_ms if phase.finished else None),
            )
        return table

    def _sparkline(self) -> Text:
        horizon = self._clock() - _RATE_WINDOW_NS
        while self._finished_at and self._finished_at[0] < horizon:
            self._finished_at.popleft()
        rate = len(self._finished_at) / (_RATE_WINDOW_NS / _SECOND_NS)
        top = max(self._recent_ttft, default=0.0)
        height = f"   TTFT of the last {len(self._recent_ttft)}, full height {top:.0f} ms" if top else ""
        bars = "".join(_BARS[int(v / (top or 1.0) * (len(_BARS) - 1))] for v in self._recent_ttft)
        return Text.assemble((f"{rate:.1f} answers/s{height}\n", "dim"), (bars, "green"))


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"
