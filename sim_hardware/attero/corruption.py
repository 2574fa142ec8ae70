"""The settings of one kind of corruption of one profile, and of symbol errors of one port.

Source: the help of the quickcalls, Spirent/iTest-assets `di_attero100G`; ranges that it leaves out are in `house`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from impairlab.sim_hardware.attero.values import (
    BadArgument,
    Rate,
    choice,
    integer,
    integer_text,
    only,
    required,
    truth,
)
from impairlab.sim_hardware.rest.bodies import Read

CORRUPTIONS = ("lostpacket", "erroredpacket", "misorderedpacket", "repeatedpacket")
MISORDERED = "misorderedpacket"

PeriodType = Literal["Continuous", "Duration", "DurationPktBased"]
DISTRIBUTIONS = ("Rate", "Burst")
PERIOD_TYPES: tuple[PeriodType, ...] = ("Continuous", "Duration", "DurationPktBased")
MOST_BURST = 10_000
MOST_DEPTH = 32
MOST_SPAN = 2**31 - 1
_FIRST_RATE = Rate.read("0.1%")


@dataclass(frozen=True, slots=True)
class Span:
    """How long a corruption acts, in whatever unit, and when it does so again."""

    duration: int = 1
    period: int = 2
    repeated: bool = False

    def changed(self, body: Mapping[str, Read], unit: str) -> "Span":
        """Return it after a PUT. Raises `BadArgument`."""
        only(body, "Duration", "Period", "Repeated")
        after = Span(
            integer(body.get("Duration", self.duration), "Duration", 1, MOST_SPAN),
            integer(body.get("Period", self.period), "Period", 1, MOST_SPAN),
            truth(body.get("Repeated", self.repeated), "Repeated"),
        )
        if after.repeated and after.period <= after.duration:
            raise BadArgument(
                f"Repeat interval ({after.period} {unit}) must be greater than the impairment duration "
                f"({after.duration} {unit})"
            )
        return after

    def shown(self) -> dict[str, Read]:
        """Return what GET answers."""
        return {"Duration": self.duration, "Period": self.period, "Repeated": self.repeated}


@dataclass(frozen=True, slots=True)
class Corruption:
    """One kind of corruption.

    Attributes:
        enable: Whether it acts.
        distribution: Rate or Burst.
        burst: Packets in a burst.
        rate: Share of packets.
        depth: By how many packets a misordered one is overtaken.
        period_type: When it acts.
        time: For "Duration".
        packet: For "DurationPktBased"; symbols of a symbol error.
        fired: A burst that `now` has asked for, whether it is enabled or not.
    """

    enable: bool = False
    distribution: str = "Rate"
    burst: int = 1
    rate: Rate = _FIRST_RATE
    depth: int = 1
    period_type: str = "Continuous"
    time: Span = Span()
    packet: Span = Span()
    fired: bool = False

    @property
    def acts(self) -> bool:
        """Whether packets suffer from it."""
        return self.enable or self.fired


NEW = Corruption()


def resources_of(kind: str) -> tuple[str, ...]:
    """Return the paths of the settings behind those of a kind of corruption."""
    depth = ("depth",) if kind == MISORDERED else ()
    count = "duration/symbolcount" if kind == "symbolerror" else "duration/packet"
    return ("enable", "distributetype", "burst", "rate", *depth, "periodtype", "duration/time", count)


def changed(corruption: Corruption, resource: str, body: Mapping[str, Read]) -> Corruption:
    """Return the settings after a PUT to one of them. Raises `BadArgument`; nothing has changed."""
    match resource:
        case "enable":
            enable = truth(required(only(body, "Enable"), "Enable"), "Enable")
            return replace(corruption, enable=enable, fired=False)
        case "distributetype":
            value = required(only(body, "DistributeType"), "DistributeType")
            return replace(corruption, distribution=choice(value, "DistributeType", DISTRIBUTIONS), fired=False)
        case "burst":
            burst = integer_text(required(only(body, "Burst"), "Burst"), "Burst", 1, MOST_BURST)
            return replace(corruption, burst=burst, fired=False)
        case "rate":
            return replace(corruption, rate=Rate.read(required(only(body, "Rate"), "Rate")))
        case "depth":
            return replace(corruption, depth=integer(required(only(body, "Depth"), "Depth"), "Depth", 1, MOST_DEPTH))
        case "periodtype":
            value = required(only(body, "PeriodType"), "PeriodType")
            return replace(corruption, period_type=choice(value, "PeriodType", PERIOD_TYPES))
        case "duration/time":
            return replace(corruption, time=corruption.time.changed(body, "seconds"))
        case "duration/packet":
            return replace(corruption, packet=corruption.packet.changed(body, "packets"))
        case _:
            return replace(corruption, packet=corruption.packet.changed(body, "symbols"))


def refuse_deep(corruption: Corruption) -> None:
    """Refuse a rate that a misordering of this depth cannot have. Raises `BadArgument`."""
    if corruption.rate.share * (1 + corruption.depth) >= 1:
        raise BadArgument("The Rate value must be lower than 1/(1+depth)\nParameter name: Rate")


def reset(corruption: Corruption, resource: str) -> Corruption:
    """Return the settings with one of them, or all of them for "", as they were at first."""
    match resource:
        case "enable":
            return replace(corruption, enable=False, fired=False)
        case "distributetype":
            return replace(corruption, distribution=NEW.distribution, fired=False)
        case "burst":
            return replace(corruption, burst=NEW.burst)
        case "rate":
            return replace(corruption, rate=NEW.rate)
        case "depth":
            return replace(corruption, depth=NEW.depth)
        case "periodtype":
            return replace(corruption, period_type=NEW.period_type)
        case "duration":
            return replace(corruption, time=NEW.time, packet=NEW.packet)
        case "duration/time":
            return replace(corruption, time=NEW.time)
        case "duration/packet" | "duration/symbolcount":
            return replace(corruption, packet=NEW.packet)
        case _:
            return NEW


def shown(corruption: Corruption, resource: str) -> dict[str, Read]:
    """Return what GET of one setting answers."""
    match resource:
        case "enable":
            return {"Enable": corruption.enable}
        case "distributetype":
            return {"DistributeType": corruption.distribution}
        case "burst":
            return {"Burst": str(corruption.burst)}
        case "rate":
            return {"Rate": corruption.rate.text}
        case "depth":
            return {"Depth": corruption.depth}
        case "periodtype":
            return {"PeriodType": corruption.period_type}
        case "duration/time":
            return corruption.time.shown()
        case _:
            return corruption.packet.shown()


def shown_whole(corruption: Corruption, kind: str) -> dict[str, Read]:
    """Return what GET of everything answers."""
    whole: dict[str, Read] = {}
    for resource in resources_of(kind):
        if not resource.startswith("duration/"):
            whole.update(shown(corruption, resource))
    return {**whole, **shown_durations(corruption, kind)}


def shown_durations(corruption: Corruption, kind: str) -> dict[str, Read]:
    """Return what GET of the durations answers."""
    count = "SymbolCount" if kind == "symbolerror" else "Packet"
    return {"Time": dict(corruption.time.shown()), count: dict(corruption.packet.shown())}
