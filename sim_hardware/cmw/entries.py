"""One entry of the network impairments, and what it is in terms of the model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

from pydantic import ValidationError

from impairlab.drivers.model import Conditions, Direction, Filter
from impairlab.drivers.model.units import format_time
from impairlab.sim_hardware.cmw.house import HIGHEST_PORT, MOST_PORTS
from impairlab.sim_hardware.scpi import ScpiError

_NS_PER_MS = 1_000_000
_PERCENT = Decimal(100)
_TABLE_SIZE = 512
_PARETO_SHAPE = 3
_PARETO_MEAN = 1.5
_PARETO_DEVIATION = 0.75**0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """The settings of NIMPairments<n>, in the units of its commands."""

    enabled: bool = False
    address: str = ""
    ports: tuple[int, int] = (0, HIGHEST_PORT)
    delay: Decimal = Decimal(0)
    jitter: Decimal = Decimal(0)
    distribution: str = "normal"
    loss: Decimal = Decimal(0)
    corruption: Decimal = Decimal(0)
    duplication: Decimal = Decimal(0)
    reordering: Decimal = Decimal(0)

    @property
    def takes_everything(self) -> bool:
        """Whether every packet is its own."""
        return not self.address and self._every_port

    @property
    def _every_port(self) -> bool:
        return self.ports == (0, HIGHEST_PORT)

    def conditions(self) -> Conditions:
        """Return what a packet of its own suffers. Raises -221 when the settings do not fit together."""
        try:
            return Conditions.model_validate(self._impairments())
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise ScpiError(-221, reason) from error

    def filters(self, direction: Direction) -> Iterator[Filter]:
        """Yield what selects its packets. Raises -221 for more ports than the data plane tells apart."""
        end = "destination" if direction == "a-b" else "source"
        selected: dict[str, object] = {end: self.address} if self.address else {}
        if self._every_port:
            yield Filter.model_validate(selected)
            return
        first, last = self.ports
        if last - first >= MOST_PORTS:
            raise ScpiError(-221, f"{last - first + 1} ports, at most {MOST_PORTS} or all from 0 to {HIGHEST_PORT}")
        for port in range(first, last + 1):
            for protocol in ("tcp", "udp"):
                yield Filter.model_validate({**selected, "protocol": protocol, f"{end}_port": port})

    def _impairments(self) -> Mapping[str, object]:
        rates: Mapping[str, tuple[Decimal, Mapping[str, object]]] = {
            "loss": (self.loss, {"model": "random"}),
            "corrupt": (self.corruption, {"bits": 1}),
            "duplicate": (self.duplication, {"copies": 1}),
            "reorder": (self.reordering, {"depth": 1, "hold": "100 ms"}),
        }
        made: dict[str, object] = {
            kind: {**rest, "rate": percent / _PERCENT} for kind, (percent, rest) in rates.items() if percent
        }
        if self.delay or self.jitter:
            made["delay"] = self._delay()
        return made

    def _delay(self) -> Mapping[str, object]:
        mean: Mapping[str, object] = {"mean": _time(self.delay)}
        if not self.jitter:
            return mean
        spread = {**mean, "spread": _time(self.jitter), "keep_order": False}
        if self.distribution == "pnormal":
            return {**spread, "distribution": "table", "table": PARETO_NORMAL}
        return {**spread, "distribution": self.distribution}


def _time(milliseconds: Decimal) -> str:
    return format_time(int(milliseconds * _NS_PER_MS))


def _pareto_normal() -> Iterator[Decimal]:
    """Yield equally likely deviations; source: the comment in iproute2/iproute2 netem/paretonormal.c."""
    normal = NormalDist()
    for step in range(_TABLE_SIZE):
        share = (step + 0.5) / _TABLE_SIZE
        pareto = ((1 - share) ** (-1 / _PARETO_SHAPE) - _PARETO_MEAN) / _PARETO_DEVIATION
        yield Decimal(f"{0.25 * normal.inv_cdf(share) + 0.75 * pareto:.4f}")


PARETO_NORMAL = tuple(_pareto_normal())
"""PNORmal in multiples of the jitter."""
