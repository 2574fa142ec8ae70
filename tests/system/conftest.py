"""Times that are measured on a machine that also does other things."""

import statistics
from collections.abc import Callable, Sequence

import pytest
from vm import machine

WINDOW = 11


@pytest.fixture(scope="session")
def run_in_vm() -> Callable[..., machine.Outcome]:
    """Run a command in a virtual machine, see `vm.machine.run_in_vm`; skips where there can be none."""
    if reason := machine.why_not():
        pytest.skip(reason)
    return machine.run_in_vm


@pytest.fixture(scope="session")
def calm_median() -> Callable[[Sequence[float]], float]:
    """The least median of eleven consecutive times: what else a machine does only ever adds to them."""

    def least(times: Sequence[float]) -> float:
        assert len(times) >= WINDOW
        return min(statistics.median(times[i : i + WINDOW]) for i in range(len(times) - WINDOW + 1))

    return least


@pytest.fixture(scope="session")
def at_best() -> Callable[[Callable[[], float], float], float]:
    """Measure until the result is below a limit, ten times at most, for the same reason; the least result."""

    def measured(measure: Callable[[], float], limit: float) -> float:
        results = [measure()]
        while results[-1] >= limit and len(results) < 10:
            results.append(measure())
        return min(results)

    return measured
