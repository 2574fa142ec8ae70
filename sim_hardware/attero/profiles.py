"""One profile: which packets, and what they suffer. And from its settings to what the model calls them.

Source of the meanings: the help of the quickcalls, Spirent/iTest-assets `di_attero100G`. Where it leaves one open, see
`house`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from impairlab.drivers.model import (
    AnyLoss,
    AnySchedule,
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    Impairment,
    PacketSchedule,
    RandomLoss,
    Reorder,
    Schedule,
    SingleBurst,
    SingleBurstLoss,
)
from impairlab.drivers.model.units import format_time
from impairlab.sim_hardware.attero.corruption import CORRUPTIONS, NEW, Corruption, Span
from impairlab.sim_hardware.attero.filters import ProfileFilter
from impairlab.sim_hardware.attero.jitter import Samples

LEAST_DELAY_NS, MOST_DELAY_NS = 50_000, 20_000_000_000


@dataclass(frozen=True, slots=True)
class Profile:
    """The settings of one profile of one port.

    Attributes:
        enable: Whether it takes packets at all.
        name: What the user calls it.
        filter: Which packets; None for none, and for the default profile all that are left.
        delay_ns: How long packets are delayed.
        delay_enable: Whether they are.
        jitter: What is added to the delay.
        jitter_enable: Whether it is.
        corruptions: Every kind by its name.
    """

    enable: bool = False
    name: str = "Profile"
    filter: ProfileFilter | None = None
    delay_ns: int = LEAST_DELAY_NS
    delay_enable: bool = False
    jitter: Samples = ()
    jitter_enable: bool = False
    corruptions: Mapping[str, Corruption] = field(default_factory=lambda: dict.fromkeys(CORRUPTIONS, NEW))


def conditions_of(profile: Profile, second_ns: int) -> Conditions:
    """Return what packets of a profile suffer.

    Args:
        profile: Whether it is enabled is not looked at.
        second_ns: The unit of times.
    """
    found: list[Impairment] = []
    delay = _delay(profile)
    if delay is not None:
        found.append(delay)
    for kind, corruption in profile.corruptions.items():
        if corruption.acts:
            found.append(_impairment(kind, corruption, _schedule(corruption, second_ns)))
    return Conditions.of(*found)


def _delay(profile: Profile) -> Delay | None:
    base_ns = profile.delay_ns if profile.delay_enable else 0
    unit_ns = max(profile.jitter, default=0) if profile.jitter_enable else 0
    if unit_ns:
        table = tuple(Decimal(sample) / unit_ns for sample in profile.jitter)
        return Delay(mean=format_time(base_ns), spread=format_time(unit_ns), distribution="table", table=table)
    return Delay(mean=format_time(base_ns)) if base_ns else None


def _schedule(corruption: Corruption, second_ns: int) -> AnySchedule | None:
    if not corruption.enable or corruption.period_type == "Continuous":
        return None
    if corruption.period_type == "Duration":
        on, period = _span(corruption.time)
        return Schedule(on=format_time(on * second_ns), period=format_time(period * second_ns))
    on, period = _span(corruption.packet)
    return PacketSchedule(on_packets=on, period_packets=period)


def _span(span: Span) -> tuple[int, int]:
    return span.duration, span.period if span.repeated else 0


def _impairment(kind: str, corruption: Corruption, schedule: AnySchedule | None) -> Impairment:
    is_burst = corruption.distribution == "Burst"
    rate = Decimal(0) if is_burst else corruption.rate.share
    pattern = SingleBurst(packets=corruption.burst) if is_burst else None
    match kind:
        case "lostpacket":
            return _loss(corruption, schedule)
        case "erroredpacket":
            return Corrupt(rate=rate, pattern=pattern, damages="ethernet", schedule=schedule)
        case "misorderedpacket":
            return Reorder(rate=rate, pattern=pattern, depth=corruption.depth, schedule=schedule)
        case _:
            return Duplicate(rate=rate, pattern=pattern, schedule=schedule)


def _loss(corruption: Corruption, schedule: AnySchedule | None) -> AnyLoss:
    if corruption.distribution == "Burst":
        return SingleBurstLoss(packets=corruption.burst, schedule=schedule)
    return RandomLoss(rate=corruption.rate.share, schedule=schedule)
