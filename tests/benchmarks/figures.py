"""Figures: what was measured, what it should be, and whether it is; and rounds in which contenders take turns."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Rates = dict[str, list[float]]
"""Calls a second by contender, round by round."""


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        what: What was measured, or compared with what.
        value: The figure.
        unit: Its unit; "x" for a ratio, "/s" for a rate.
        target: What it should be: at least that for a ratio or a rate, at most that for anything else. None: for
            information.
        beside: What else there is to say.
    """

    what: str
    value: float
    unit: str
    target: float | None = None
    beside: str = ""

    @property
    def more_is_better(self) -> bool:
        return self.unit in {"x", "/s"}

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.more_is_better else self.value <= self.target


def rates(contenders: Mapping[str, Callable[[], None]], rounds: int, turn_ns: int, measured: Rates) -> None:
    """Add the rates of some rounds to those measured.

    In each round every contender has a turn of `turn_ns`, and the order changes from round to round: what disturbs the
    machine disturbs all of them alike. A first round warms up and does not count.
    """
    order = list(contenders)
    for number in range(rounds + 1):
        for name in order:
            rate = _rate(contenders[name], turn_ns)
            if number:
                measured.setdefault(name, []).append(rate)
        order.append(order.pop(0))


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """Return the median of the ratios of one round each."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def _rate(call: Callable[[], None], turn_ns: int) -> float:
    calls = 0
    started_ns = time.perf_counter_ns()
    while (taken_ns := time.perf_counter_ns() - started_ns) < turn_ns:
        call()
        calls += 1
    return calls * 1e9 / taken_ns
