"""How late the generator itself was: sampled while it runs, summed up at the end."""

import asyncio
import math
import time
from collections.abc import Sequence

from .records import GeneratorHealth, RequestRecord
from .spec import SECOND_NS

SAMPLE_NS = 10_000_000


class LagSampler:
    """Measures how late the running loop fires a timer, every 10 ms, from `start` to `stop`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due_ns = 0
        self._timer: asyncio.TimerHandle | None = None
        self.samples_ns: list[int] = []

    def start(self) -> None:
        """Begin sampling."""
        self._due_ns = time.monotonic_ns() + SAMPLE_NS
        self._timer = self._loop.call_at(self._due_ns / SECOND_NS, self._sample)

    def stop(self) -> None:
        """End sampling."""
        if self._timer is not None:
            self._timer.cancel()

    def _sample(self) -> None:
        self.samples_ns.append(max(0, time.monotonic_ns() - self._due_ns))
        self.start()


def sum_up(
    lags_ns: Sequence[int],
    records: Sequence[RequestRecord],
    *,
    planned: int,
    started_ns: int,
    ended_ns: int,
    wall_offset_ns: int,
) -> GeneratorHealth:
    """The health of a run that is over."""
    dispatch_ns = [record.send_ns for record in records]
    return GeneratorHealth(
        lag_p99_ns=_p99(lags_ns),
        lag_max_ns=max(lags_ns, default=0),
        dispatch_p99_ns=_p99(dispatch_ns),
        dispatch_max_ns=max(dispatch_ns, default=0),
        planned=planned,
        dispatched=len(records),
        finished=sum(record.status != "cancelled" for record in records),
        incomplete=sum(record.status == "cancelled" for record in records),
        offered_rate=_rate([record.t_sched_ns for record in records]),
        achieved_rate=_rate([record.t_sched_ns + record.send_ns for record in records]),
        started_ns=started_ns,
        ended_ns=ended_ns,
        wall_offset_ns=wall_offset_ns,
    )


def _p99(values_ns: Sequence[int]) -> int:
    ordered = sorted(values_ns)
    return ordered[math.ceil(0.99 * len(ordered)) - 1] if ordered else 0


def _rate(instants_ns: Sequence[int]) -> float | None:
    """Arrivals per second between the first and the last of them."""
    if len(instants_ns) < 2 or min(instants_ns) == max(instants_ns):
        return None
    return (len(instants_ns) - 1) * SECOND_NS / (max(instants_ns) - min(instants_ns))
