"""One corruption of an Attero-100G: an impairment to the resources that hold it, and back.

Sources: the QuickCall library di_attero100G of github.com/Spirent/iTest-assets (paths, keys, ranges and error texts).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from impairlab.drivers.calnex.rest import number, truth, whole
from impairlab.drivers.links.json_text import Json
from impairlab.drivers.model.impairments import Corrupt, Duplicate, Impairment, Reorder
from impairlab.drivers.model.losses import AnyLoss, Outage, RandomLoss, SingleBurstLoss
from impairlab.drivers.model.patterns import SingleBurst
from impairlab.drivers.model.schedule import AnySchedule, PacketSchedule, Schedule

Body = Mapping[str, Json]
Read = Callable[[str], Body]
"""Ask for a resource of one corruption, e.g. "rate", and return its body."""

KINDS: Mapping[str, str] = {
    "loss": "lostpacket", "corrupt": "erroredpacket", "reorder": "misorderedpacket", "duplicate": "repeatedpacket",
}  # fmt: skip
"""Resource of each kind of impairment."""

_SECOND_NS = 1_000_000_000
_PERCENT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*%")
_EVERYTHING = Decimal(1)


@dataclass(frozen=True, slots=True)
class Corruption:
    """What is programmed in one corruption that is enabled.

    Attributes:
        rate: Share of packets, of distribution type Rate; None for Burst.
        burst: Packets, of distribution type Burst; None for Rate.
        depth: Only of misordered packets.
        schedule: None for period type Continuous.
    """

    rate: Decimal | None = None
    burst: int | None = None
    depth: int | None = None
    schedule: AnySchedule | None = None

    @classmethod
    def of(cls, impairment: Impairment) -> Corruption:
        """Return what programs an impairment, which is legal."""
        match impairment:
            case Outage():
                return cls(rate=_EVERYTHING, schedule=impairment.schedule)
            case RandomLoss():
                return cls(rate=impairment.rate, schedule=impairment.schedule)
            case SingleBurstLoss():
                return cls(burst=impairment.packets, schedule=impairment.schedule)
            case Reorder() | Duplicate() | Corrupt():
                depth = impairment.depth if isinstance(impairment, Reorder) else None
                if isinstance(impairment.pattern, SingleBurst):
                    return cls(burst=impairment.pattern.packets, depth=depth, schedule=impairment.schedule)
                return cls(rate=impairment.rate, depth=depth, schedule=impairment.schedule)
        raise TypeError(f"{impairment} is no corruption")

    def as_impairment(self, kind: str) -> Impairment:
        """Return the impairment that it is."""
        if kind == "loss":
            return self._as_loss()
        if self.burst is not None:
            picked: dict[str, object] = {"pattern": SingleBurst(packets=self.burst), "schedule": self.schedule}
        else:
            picked = {"rate": self.rate, "schedule": self.schedule}
        if kind == "reorder":
            return Reorder.model_validate({**picked, "depth": self.depth})
        if kind == "duplicate":
            return Duplicate.model_validate(picked)
        return Corrupt.model_validate({**picked, "damages": "ethernet"})

    def resources(self) -> dict[str, Body]:
        """Return the body of each resource that matters, in an order in which they can be written."""
        bodies: dict[str, Body] = {}
        if self.depth is not None:
            bodies["depth"] = {"Depth": self.depth}
        if self.burst is not None:
            bodies["distributetype"] = {"DistributeType": "Burst"}
            bodies["burst"] = {"Burst": str(self.burst)}
        elif self.rate is not None:
            bodies["distributetype"] = {"DistributeType": "Rate"}
            bodies["rate"] = {"Rate": write_rate(self.rate)}
        match self.schedule:
            case Schedule(on=on, period=period):
                bodies["duration/time"] = _duration(on // _SECOND_NS, period // _SECOND_NS)
                bodies["periodtype"] = {"PeriodType": "Duration"}
            case PacketSchedule(on_packets=on, period_packets=period):
                bodies["duration/packet"] = _duration(on, period)
                bodies["periodtype"] = {"PeriodType": "DurationPktBased"}
            case None:
                bodies["periodtype"] = {"PeriodType": "Continuous"}
        return bodies

    def _as_loss(self) -> AnyLoss:
        if self.burst is not None:
            return SingleBurstLoss(packets=self.burst, schedule=self.schedule)
        if self.rate is None or self.rate == _EVERYTHING:
            return Outage(schedule=self.schedule)
        return RandomLoss(rate=self.rate, schedule=self.schedule)


def read_corruption(kind: str, read: Read) -> Corruption | None:
    """Read what is programmed for a kind of impairment; None when it is not enabled.

    Raises:
        KeyError: A body lacks its key.
        ValueError: A value cannot be read.
    """
    if not truth(read("enable")["Enable"]):
        return None
    distribution = read("distributetype")["DistributeType"]
    if distribution not in {"Burst", "Rate"}:
        raise ValueError(f"DistributeType {distribution!r} is neither Burst nor Rate")
    return Corruption(
        rate=read_rate(read("rate")["Rate"]) if distribution == "Rate" else None,
        burst=whole(read("burst")["Burst"]) if distribution == "Burst" else None,
        depth=whole(read("depth")["Depth"]) if kind == "reorder" else None,
        schedule=_read_schedule(read),
    )


def write_rate(rate: Decimal) -> str:
    """Return a share of packets as the appliance takes it: "0.1%"."""
    percent = f"{(100 * rate).normalize():f}"
    return f"{percent}%"


def read_rate(text: Json) -> Decimal:
    """Return the share of packets that "0.1%" or "1E-3" says. Raises ValueError."""
    if isinstance(text, str) and (percent := _PERCENT.fullmatch(text.strip())):
        return Decimal(percent[1]) / 100
    return number(text)


def _duration(on: int, period: int) -> Body:
    """The interval is made greater than the duration where nothing repeats, too: nobody says that it need not be."""
    return {"Duration": on, "Period": period or on + 1, "Repeated": bool(period)}


def _read_schedule(read: Read) -> AnySchedule | None:
    period_type = read("periodtype")["PeriodType"]
    if period_type == "Continuous":
        return None
    if period_type == "Duration":
        on, period = _read_duration(read("duration/time"))
        return Schedule(on=on, period=period)  # a bare number is seconds
    if period_type == "DurationPktBased":
        on, period = _read_duration(read("duration/packet"))
        return PacketSchedule(on_packets=on, period_packets=period)
    raise ValueError(f"PeriodType {period_type!r} is none of Continuous, Duration, DurationPktBased")


def _read_duration(body: Body) -> tuple[int, int]:
    """Two spellings of one key are published, Repeated and Repeater; the bodies have the first."""
    repeated = truth(body["Repeated"] if "Repeated" in body else body["Repeater"])
    return whole(body["Duration"]), whole(body["Period"]) if repeated else 0
