"""The distributions of the impairments: which there are, for which impairment, and when their values fit together.

Source: xoa-cli reference, PED_ commands, with the validity rules in their notes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from math import sqrt

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.house_answers import HouseOptions

MOST_PACKETS = 4_194_288
LATENCY_STEP_NS = 100
POISSON_QUANTUM_NS = LATENCY_STEP_NS
MILLION = 1_000_000


class Kind(IntEnum):
    """The impairments that have a distribution, by their index."""

    DROP = 0
    MISORDER = 1
    LATENCY = 2
    DUPLICATION = 3
    CORRUPTION = 4


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution in use.

    Attributes:
        name: The command that set it, less its PED_; OFF for none.
        values: Its values.
    """

    name: str = "OFF"
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Impairing:
    """One impairment of one flow.

    Attributes:
        distribution: Which packets, or how long.
        duration: First value of its schedule, in units of the schedule.
        period: Second value of its schedule; 0 for continuous, or once.
        enabled: Whether it acts.
    """

    distribution: Distribution = Distribution()
    duration: int = 1
    period: int = 0
    enabled: bool = False

    @property
    def acts(self) -> bool:
        """Whether it does anything to packets."""
        return self.enabled and self.distribution.name != "OFF"


PACKETS_ONLY = frozenset({"FIXED", "RANDOM", "BER", "FIXEDBURST", "RANDOMBURST", "GE"})
LATENCY_ONLY = frozenset({"CONST", "ACCBURST", "STEP"})
SPACED = frozenset({"UNI", "GAUSS", "POISSON", "GAMMA", "CUST"})
BURSTS = frozenset({"FIXEDBURST", "ACCBURST"})
LEGAL: Mapping[Kind, frozenset[str]] = {
    Kind.DROP: PACKETS_ONLY | SPACED,
    Kind.MISORDER: frozenset({"FIXED", "FIXEDBURST"}),
    Kind.LATENCY: LATENCY_ONLY | SPACED,
    Kind.DUPLICATION: PACKETS_ONLY | SPACED,
    Kind.CORRUPTION: PACKETS_ONLY | SPACED,
}

_SPREADS: Mapping[str, Callable[[int, int], tuple[float, float, float]]] = {
    "GAUSS": lambda mean, deviation: (mean, deviation, 3),
    "GAMMA": lambda shape, scale: (shape * scale, sqrt(shape) * scale, 4),
}


@dataclass(frozen=True, slots=True)
class LatencyRange:
    """The legal latencies of a flow, in nanoseconds."""

    low: int
    high: int

    def clamped(self, value: int) -> int:
        """Return the nearest legal latency."""
        return min(max(value, self.low), self.high)


def settled(kind: Kind, wanted: Distribution, latencies: LatencyRange, options: HouseOptions) -> Distribution:
    """Return what a distribution becomes: as wanted, or clamped where the reference says so.

    Raises:
        StatusError: Not one of this impairment's, or its values do not fit together.
    """
    if wanted.name not in LEGAL[kind]:
        raise house.WRONG_IMPAIRMENT.error()
    if kind is not Kind.LATENCY:
        return _counted(kind, wanted)
    return _timed(wanted, latencies, options)


def _counted(kind: Kind, wanted: Distribution) -> Distribution:
    if kind is Kind.MISORDER and wanted.name == "FIXEDBURST":
        return replace(wanted, values=(1,))
    if wanted.name == "RANDOMBURST" and wanted.values[0] > wanted.values[1]:
        raise house.OUT_OF_VALIDITY.error()
    if wanted.name == "CUST":
        return wanted
    if wanted.name in SPACED:
        if max(wanted.values) > MOST_PACKETS:
            raise house.OUT_OF_VALIDITY.error()
        _check_spread(wanted, 0, MOST_PACKETS, poisson_unit=1)
    return wanted


def _timed(wanted: Distribution, latencies: LatencyRange, options: HouseOptions) -> Distribution:
    if wanted.name == "CUST":
        return wanted
    plain = wanted.values[:1] if wanted.name == "GAMMA" else ()
    values = plain + tuple(_on_grid(value, options) for value in wanted.values[len(plain) :])
    if wanted.name in {"CONST", "ACCBURST", "UNI"}:
        values = tuple(latencies.clamped(value) for value in values)
    elif wanted.name == "STEP" and not all(latencies.low <= value <= latencies.high for value in values):
        raise house.OUT_OF_VALIDITY.error()
    timed = replace(wanted, values=values)
    _check_spread(timed, latencies.low, latencies.high, poisson_unit=POISSON_QUANTUM_NS)
    return timed


def _on_grid(value: int, options: HouseOptions) -> int:
    beyond = value % LATENCY_STEP_NS
    if beyond and options.off_grid == "refuse":
        raise house.OFF_GRID.error()
    return value - beyond


def _check_spread(wanted: Distribution, low: int, high: int, *, poisson_unit: int) -> None:
    """Refuse what the rules of the reference put outside of the range."""
    name, values = wanted.name, wanted.values
    if name in {"UNI", "STEP"} and values[0] > values[1]:
        raise house.OUT_OF_VALIDITY.error()
    spread: tuple[float, float, float]
    if name == "POISSON":
        mean = values[0] / poisson_unit
        spread = (float(values[0]), sqrt(mean) * poisson_unit, 3.0)
    elif name in _SPREADS:
        spread = _SPREADS[name](*values)
    else:
        return
    mean, deviation, times = spread
    if mean + times * deviation > high or (name == "GAUSS" and mean - times * deviation < low):
        raise house.OUT_OF_VALIDITY.error()


def check_custom(kind: Kind, values: tuple[int, ...], latencies: LatencyRange) -> None:
    """Refuse a custom distribution that does not fit an impairment. Raises StatusError."""
    for_latency = kind is Kind.LATENCY
    if len(values) != (LATENCY_ENTRIES if for_latency else PACKET_ENTRIES):
        raise house.OUT_OF_VALIDITY.error()
    low, high = (latencies.low, latencies.high) if for_latency else (0, MOST_PACKETS)
    if not all(low <= value <= high for value in values):
        raise house.OUT_OF_VALIDITY.error()


def schedule(impairing: Impairing, kind: Kind, duration: int, period: int) -> Impairing:
    """Return an impairment with another schedule. Raises StatusError."""
    if kind is Kind.LATENCY and impairing.distribution.name != "ACCBURST":
        raise house.SCHEDULE_OF_LATENCY.error()
    if 0 < period < duration:
        raise house.SHORT_PERIOD.error()
    return replace(impairing, duration=duration, period=period)


LATENCY_ENTRIES = 1024
PACKET_ENTRIES = 512
