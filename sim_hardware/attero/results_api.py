"""Statistics in the Attero's REST interface; their names are ours, see `house`."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from impairlab.drivers.model import Statistics
from impairlab.sim_hardware.attero.box import PORTS, AtteroBox
from impairlab.sim_hardware.attero.calls import Call, Deed, Routes, place_of, port_of
from impairlab.sim_hardware.attero.corruption import CORRUPTIONS
from impairlab.sim_hardware.rest.bodies import Read

_BASE = "results/impairment"
_RESETS = ("results/statistics/reset", "results/statistics/all/reset", "results/statistics/elapsed/reset")
_SECOND_NS = 1_000_000_000
_COUNTERS = dict(zip(CORRUPTIONS, ("dropped_loss", "corrupted", "reordered", "duplicated"), strict=True))
_TRAFFIC = {
    "RxPackets": "received_packets",
    "RxBytes": "received_bytes",
    "TxPackets": "forwarded_packets",
    "TxBytes": "forwarded_bytes",
}

_Show = Callable[[Sequence[Statistics]], dict[str, Read]]


class ResultsApi:
    """Routes to the counters of a box."""

    def __init__(self, box: AtteroBox) -> None:
        self._box = box

    def routes(self) -> Routes:
        """Yield them."""
        kinds: dict[str, _Show] = {"traffic": _traffic, **{f"corruption/{kind}": _hit(kind) for kind in CORRUPTIONS}}
        for name, show in kinds.items():
            yield "GET", f"{_BASE}/{name}/{{}}/statistics", self._of_port(show)
            yield "GET", f"{_BASE}/{name}/{{}}/{{}}/statistics", self._of_place(show)
        yield "GET", "results/statistics/all", self._everything
        yield "GET", "results/statistics/elapsed", lambda _: self._elapsed()
        for path in _RESETS:
            yield "PUT", path, self._reset
        yield "GET", "results/statusleds", lambda _: {port: {"Link": "Up"} for port in PORTS}

    def _of_port(self, show: _Show) -> Deed:
        return lambda _, port: show(self._box.statistics(port_of(port)))

    def _of_place(self, show: _Show) -> Deed:
        def of_place(_: Call, port: str, position: str) -> Read:
            at, number = place_of(port, position)
            return show(self._box.statistics(at, (number,)))

        return of_place

    def _everything(self, _: Call) -> Read:
        ports: dict[str, Read] = {}
        for port in PORTS:
            counted = self._box.statistics(port)
            kinds: dict[str, Read] = {kind: _hit(kind)(counted) for kind in CORRUPTIONS}
            ports[port] = {"Traffic": _traffic(counted), **kinds}
        return {**ports, **self._elapsed()}

    def _elapsed(self) -> dict[str, Read]:
        return {"Elapsed": Decimal(self._box.counted_for_ns) / _SECOND_NS}

    def _reset(self, _: Call) -> Read:
        self._box.clear_statistics()
        return self._elapsed()


def _sum(counted: Sequence[Statistics], name: str) -> int | None:
    numbers: list[int] = [number for each in counted if (number := getattr(each, name)) is not None]
    return sum(numbers) if numbers else None


def _traffic(counted: Sequence[Statistics]) -> dict[str, Read]:
    return {shown: _sum(counted, name) for shown, name in _TRAFFIC.items()}


def _hit(kind: str) -> _Show:
    return lambda counted: {"Packets": _sum(counted, _COUNTERS[kind])}
