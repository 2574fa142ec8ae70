"""What is programmed on one flow of a port, in the appliance's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DROP, MISORDER, LATENCY, DUPLICATION, CORRUPTION = range(5)
"""The types of impairment that have a distribution, as the indices of PED commands count them."""

KINDS: Mapping[int, str] = {
    DROP: "loss", MISORDER: "reorder", LATENCY: "delay", DUPLICATION: "duplicate", CORRUPTION: "corrupt",
}  # fmt: skip
"""What the model calls them."""

TYPES = tuple(KINDS)

CONTINUOUS = (1, 0)
"""The schedule of what acts all the time; of a burst, of one that comes once."""

NO_CORRUPTION = "OFF"

_FOR_ALL_BUT_DELAYS = (
    "PED_FIXED", "PED_RANDOM", "PED_BER", "PED_FIXEDBURST", "PED_RANDOMBURST", "PED_GE", "PED_UNI", "PED_GAUSS",
    "PED_POISSON", "PED_GAMMA", "PED_CUST",
)  # fmt: skip

LEGAL: Mapping[int, tuple[str, ...]] = {
    DROP: _FOR_ALL_BUT_DELAYS,
    MISORDER: ("PED_FIXED", "PED_FIXEDBURST"),
    LATENCY: (
        "PED_CONST", "PED_UNI", "PED_GAUSS", "PED_POISSON", "PED_GAMMA", "PED_CUST", "PED_STEP", "PED_ACCBURST",
    ),
    DUPLICATION: _FOR_ALL_BUT_DELAYS,
    CORRUPTION: _FOR_ALL_BUT_DELAYS,
}  # fmt: skip
"""The distributions that each type may have (xenanetworks/open-automation-chimera-core, core/manager/flow)."""

BURSTS = frozenset({"PED_FIXEDBURST", "PED_ACCBURST"})
"""Distributions that a schedule starts again, where it says for how long the others act."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution with its schedule.

    Attributes:
        command: The PED command.
        arguments: Of the command; of PED_CUST the values of the table.
        schedule: Duration and period as PED_SCHEDULE counts them.
        comment: Of PED_CUST: what stands beside the table on the appliance.
    """

    command: str
    arguments: tuple[int, ...]
    schedule: tuple[int, int] = CONTINUOUS
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A policer or a shaper that is on: layer, rate in 100 kbit/s, burst in bytes and, of a shaper, buffer in bytes."""

    layer: str
    arguments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Programmed:
    """Everything of one flow; what is not there is off.

    Attributes:
        distributions: By type.
        depth: Of misordering.
        corruption: What is corrupted.
        policer: If it is on.
        shaper: If it is on.
        flap: Duration, period and repetitions of the port's link flap, if it is on; of flow 0 alone.
    """

    distributions: Mapping[int, Distribution] = field(default_factory=dict)
    depth: int = 1
    corruption: str = NO_CORRUPTION
    policer: Band | None = None
    shaper: Band | None = None
    flap: tuple[int, int, int] | None = None


NOTHING = Programmed()
