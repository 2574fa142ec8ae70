"""Does this kernel do what it says? Packets are impaired in a namespace of their own, and compared with what was set.

Some kernels take every attribute, tell it back, and do something else: delays of 4.3 s where jitter was asked for
(4.15: chaos-mesh 2331, pumba 103), random loss that loses nothing. No table of versions knows which.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic, sleep
from typing import Self

from impairlab.drivers.model.conditions import NEUTRAL, Conditions
from impairlab.drivers.model.delays import Delay
from impairlab.drivers.model.impairments import RateLimit
from impairlab.drivers.model.losses import GilbertElliottLoss, RandomLoss
from impairlab.drivers.netem import trees
from impairlab.drivers.netem.machine import Machine, SpareNamespace
from impairlab.drivers.netem.probe import spare_of
from impairlab.drivers.netem.topology import Topology
from impairlab.drivers.netem.translate import Sizing, neutral, stages_of
from impairlab.drivers.netem.wire import links, messages
from impairlab.drivers.netem.wire.messages import Place
from impairlab.drivers.netem.wire.route import Route
from impairlab.drivers.netem.wire.spare import SMALLEST_PROBE

PROBES = 2000
SIGMAS = 5.5
"""How far chance may take an outcome: 4 in 100 million comparisons go further."""

_LOOPBACK = 1
_SIZING = Sizing()
_SETTLED_S = 3.0
"""How long packets that should be through may still be under way; beyond any delay here, and the machine's own."""

_POLL_S = 0.005
_EARLY_NS, _SLOW_NS, _LATE_NS = 1_000_000, 10_000_000, 200_000_000
"""By how much clocks may differ; a busy machine be late with the quickest packet; and with half of them."""

_HEADERS = 14 + 20 + 8


@dataclass(frozen=True)
class Outcome:
    """What became of the probes of one trial.

    Attributes:
        sent: How many there were, numbered from 0.
        arrived: Numbers of those that came, in the order in which they came.
        delays_ns: How long each of these took.
        took_ns: From the first arrival to the last.
    """

    sent: int
    arrived: Sequence[int]
    delays_ns: Sequence[int]
    took_ns: int

    @classmethod
    def of(cls, sent: int, came: Sequence[tuple[int, int, int]]) -> Self:
        """Return what `SpareNamespace.receive_probes` tells."""
        times = [at_ns for _, _, at_ns in came] or [0]
        return cls(sent, [number for number, _, _ in came], [took for _, took, _ in came], times[-1] - times[0])

    @property
    def lost(self) -> int:
        """How many never came."""
        return self.sent - len(set(self.arrived))

    @property
    def bursts(self) -> list[int]:
        """Lengths of the runs of lost probes."""
        edges = [-1, *sorted(set(self.arrived)), self.sent]
        return [after - before - 1 for before, after in pairwise(edges) if after - before > 1]


@dataclass(frozen=True)
class Trial:
    """One impairment, and what must come of it.

    Attributes:
        conditions: What is set.
        problem: Says what is wrong with an outcome; None where it is as it must be.
        probes: How many packets.
        size: Bytes of UDP payload of each.
    """

    conditions: Conditions
    problem: Callable[[Outcome], str | None]
    probes: int = PROBES
    size: int = SMALLEST_PROBE


def self_check(
    topology: Topology, machine: Machine, name: str, trials: Iterable[Trial] | None = None
) -> tuple[str, ...]:
    """Return what the kernel does otherwise than it says; empty when nothing is. Takes about a second.

    Args:
        topology: Of the trees that are to be trusted: the trials run in one like them, on the flow without a filter.
        machine: Whose kernel it is.
        name: What errors call the appliance.
        trials: Others than the usual ones.

    Raises:
        AuthError: This process may not make a namespace.
        KernelRefused: The kernel refuses a tree that `probe` has found it to take.
    """
    wanted = tuple(usual_trials() if trials is None else trials)
    with spare_of(machine, name) as spare:
        return tuple(_problems(topology, spare, wanted))


def usual_trials() -> Iterator[Trial]:
    """Yield one trial of each kind of thing that netem does to packets."""
    steady = Delay(mean="20 ms")
    yield Trial(NEUTRAL, lambda found: _all_came(found) or _took(found, 0, 0))
    yield Trial(Conditions.of(steady), lambda found: _all_came(found) or _took(found, 20_000_000, 20_000_000))
    jitter = Delay(mean="20 ms", spread="10 ms", distribution="uniform", keep_order=False)
    yield Trial(Conditions.of(jitter), lambda found: _all_came(found) or _took(found, 10_000_000, 30_000_000))
    yield Trial(Conditions.of(RandomLoss(rate="10 %")), lambda found: _lost(found, 0.1, 1))
    chain = GilbertElliottLoss(to_bad="5 %", to_good="25 %")
    yield Trial(Conditions.of(chain), lambda found: _lost(found, 1 / 6, (2 - 0.3) / 0.3) or _burst(found, 0.25))
    line = RateLimit(rate="10 Mbit/s", mode="link", queue="1 MB")
    yield Trial(Conditions.of(line), lambda found: _all_came(found) or _paced(found, 10_000_000, 1000), 200, 1000)


def _problems(topology: Topology, spare: SpareNamespace, trials: Iterable[Trial]) -> Iterator[str]:
    spare.route.change([links.set_up(_LOOPBACK)])
    for trial in trials:
        tree = _Tree(spare.route, topology)
        tree.set(trial.conditions)
        spare.send_probes(trial.probes, trial.size)
        tree.drained()
        tree.set(NEUTRAL)  # so that the mark, which comes last, is not lost
        problem = trial.problem(Outcome.of(trial.probes, spare.receive_probes()))
        tree.remove()
        if problem:
            yield f"{trial.conditions}: {problem}"


class _Tree:
    """The driver's tree on the loopback device of the namespace."""

    def __init__(self, route: Route, topology: Topology) -> None:
        self._route, self._topology = route, topology
        route.change(topology.install(_LOOPBACK, neutral(_SIZING, None)))

    def remove(self) -> None:
        self._route.change([messages.delete_qdisc(Place(_LOOPBACK, 0, messages.ROOT))])

    def set(self, conditions: Conditions) -> None:
        have = trees.told(trees.present(self._route), self._topology, _LOOPBACK, 0) or {}
        states = trees.wanted(stages_of(conditions, _SIZING), self._topology, have)
        self._route.change(trees.requests(self._topology.chain(0), states, have, _LOOPBACK))

    def drained(self) -> None:
        """Wait until nothing is under way, or should not be any more."""
        deadline = monotonic() + _SETTLED_S
        while monotonic() < deadline and any(q.counters.queued for q in trees.present(self._route).values()):
            sleep(_POLL_S)


def _all_came(found: Outcome) -> str | None:
    if sorted(found.arrived) == list(range(found.sent)):
        return None
    return f"{len(found.arrived)} packets came of {found.sent}, and each should once"


def _took(found: Outcome, least_ns: int, most_ns: int) -> str | None:
    """Compare delays, which a busy machine only ever makes longer, with the range that they should fill."""
    delays = sorted(found.delays_ns)
    quickest, median, slow = delays[0], delays[len(delays) // 2], delays[len(delays) * 9 // 10]
    told = (
        f"delays from {quickest / 1e6:.1f} ms, half below {median / 1e6:.1f} ms, nine in ten below {slow / 1e6:.1f} ms"
    )
    reaches = most_ns - (most_ns - least_ns) // 4
    if (
        least_ns - _EARLY_NS <= quickest <= least_ns + _SLOW_NS
        and reaches - _EARLY_NS <= slow
        and median <= most_ns + _LATE_NS
    ):
        return None
    return f"{told}; should be {least_ns / 1e6:g} to {most_ns / 1e6:g} ms"


def _lost(found: Outcome, rate: float, spread: float) -> str | None:
    """Compare a loss with its rate; `spread` is how many times wider than independent losses' its variance is."""
    wanted = found.sent * rate
    margin = SIGMAS * math.sqrt(wanted * (1 - rate) * spread)
    if abs(found.lost - wanted) <= margin:
        return None
    return f"{found.lost} of {found.sent} packets were lost; should be {wanted:.0f} +- {margin:.0f}"


def _burst(found: Outcome, to_good: float) -> str | None:
    mean, wanted = sum(found.bursts) / len(found.bursts), 1 / to_good
    margin = SIGMAS * math.sqrt(1 - to_good) * wanted / math.sqrt(len(found.bursts))
    if abs(mean - wanted) <= margin:
        return None
    return f"packets were lost {mean:.1f} at a time; should be {wanted:g} +- {margin:.1f}"


def _paced(found: Outcome, bits_per_second: int, size: int) -> str | None:
    least_ns = (found.sent - 1) * (size + _HEADERS) * 8 * 1_000_000_000 // bits_per_second
    if least_ns * 0.95 <= found.took_ns <= least_ns * 1.1 + _LATE_NS:
        return None
    return f"{found.sent} packets took {found.took_ns / 1e6:.0f} ms; should be {least_ns / 1e6:.0f} ms"
