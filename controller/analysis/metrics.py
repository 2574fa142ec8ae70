"""What is measured of a request, each with its formula. A request that failed is infinitely late in all of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Literal

from impairlab.controller.traffic.records import MICROSECOND_NS, RequestRecord

STALL_NS = 100_000_000
"""A gap above this is a stall (draft-calabria-bmwg-ai-fabric-inference-bench: ITL > 100 ms)."""

TOKEN_DEADLINE_NS = 50_000_000
"""Time per token that `fluidity` allows unless told otherwise (same draft: reference ITL < 50 ms)."""


def ttft(record: RequestRecord) -> float:
    """From the send to the first content chunk."""
    return inf if not record.ok or record.first_ns is None else record.first_ns - record.send_ns


def ttft_sched(record: RequestRecord) -> float:
    """From the planned instant to the first content chunk: what a user waits, and free of coordinated omission."""
    return inf if not record.ok or record.first_ns is None else record.first_ns


def e2e(record: RequestRecord) -> float:
    """From the send to the last content chunk."""
    return inf if not record.ok or record.end_ns is None else record.end_ns - record.send_ns


def e2e_sched(record: RequestRecord) -> float:
    """From the planned instant to the last content chunk."""
    return inf if not record.ok or record.end_ns is None else record.end_ns


def tpot(record: RequestRecord) -> float | None:
    """Mean time per output token after the first; undefined for fewer than two tokens. Blind to single stalls."""
    if not record.ok or record.first_ns is None or record.end_ns is None:
        return inf
    if record.output_tokens is None or record.output_tokens < 2:
        return None
    return (record.end_ns - record.first_ns) / (record.output_tokens - 1)


def max_gap(record: RequestRecord) -> float | None:
    """The longest time between two content chunks; undefined for fewer than two chunks."""
    if not record.ok:
        return inf
    return max(record.gaps_us) * MICROSECOND_NS if record.gaps_us else None


def stall_count(record: RequestRecord, theta_ns: int = STALL_NS) -> float:
    """How many gaps are longer than `theta_ns`."""
    return sum(gap * MICROSECOND_NS > theta_ns for gap in record.gaps_us) if record.ok else inf


def stall_time(record: RequestRecord, theta_ns: int = STALL_NS) -> float:
    """How much of the gaps is beyond `theta_ns`, in sum."""
    return sum(max(0, gap * MICROSECOND_NS - theta_ns) for gap in record.gaps_us) if record.ok else inf


def fluidity(record: RequestRecord, token_ns: int = TOKEN_DEADLINE_NS) -> float | None:
    """The share of token deadlines that were met, 0 to 1; 0 for a failure, undefined for fewer than two chunks.

    Each chunk after the first is due `token_ns` after the deadline before it, so what comes early earns slack for
    later. A late chunk misses every deadline that passed while it was awaited, and the clock starts anew from it
    (fluidity-index, Etalon, arXiv 2407.07000; the first token is left to TTFT).
    """
    if not record.ok:
        return 0.0
    if not record.gaps_us:
        return None
    slack_ns = deadlines = missed = 0
    for gap_us in record.gaps_us:
        late_ns = gap_us * MICROSECOND_NS - slack_ns - token_ns
        if late_ns <= 0:
            slack_ns = -late_ns
            deadlines += 1
        else:
            passed = 1 + late_ns // token_ns
            slack_ns = 0
            deadlines += passed
            missed += passed
    return 1 - missed / deadlines


@dataclass(frozen=True)
class Metric:
    """A metric by name: what it is of, in which unit (`ns` or a plain `count`), by which formula. Larger is worse."""

    key: str
    unit: Literal["ns", "count"]
    formula: str
    of: Callable[[RequestRecord], float | None]

    def values(self, records: Iterable[RequestRecord]) -> list[float]:
        """The metric of each request for which it is defined."""
        return [value for record in records if (value := self.of(record)) is not None]


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.key: metric
        for metric in (
            Metric("ttft", "ns", "t_1 - t_send", ttft),
            Metric("ttft_sched", "ns", "t_1 - t_sched", ttft_sched),
            Metric("e2e", "ns", "t_end - t_send", e2e),
            Metric("e2e_sched", "ns", "t_end - t_sched", e2e_sched),
            Metric("tpot", "ns", "(t_end - t_1) / (N - 1), N = output tokens", tpot),
            Metric("max_gap", "ns", "max(t_i - t_i-1) over content chunks", max_gap),
            Metric("stall_count", "count", "gaps > 100 ms", stall_count),
            Metric("stall_time", "ns", "sum of max(0, gap - 100 ms)", stall_time),
        )
    }
)

_SCHEDULED = MappingProxyType({"ttft": "ttft_sched", "e2e": "e2e_sched"})


def verdict_metric(key: str) -> Metric:
    """The metric that a verdict on `key` rests on: latencies count from the planned instant.

    Raises:
        KeyError: There is no such metric.
    """
    return METRICS[_SCHEDULED.get(key, key)]


def planned_between(records: Iterable[RequestRecord], start_ns: int, end_ns: int) -> list[RequestRecord]:
    """The requests that were planned in [start, end) on the monotonic clock, whenever they finished."""
    return [record for record in records if start_ns <= record.t_sched_ns < end_ns]


def good_fraction(records: Sequence[RequestRecord], limits: Mapping[str, float]) -> float | None:
    """The share of attempted requests within all limits (metric key to largest good value). None of no requests.

    A metric that is undefined for a request does not speak against it.
    """
    if not records:
        return None
    good = 0
    for record in records:
        values = ((METRICS[key].of(record), limit) for key, limit in limits.items())
        good += record.ok and all(value is None or value <= limit for value, limit in values)
    return good / len(records)
