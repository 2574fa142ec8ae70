"""What the state of a Chimera means in terms of the model: conditions and filters for the data plane."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import TypeAdapter

from impairlab.drivers.model import (
    AccumulateBurst,
    AnyDelay,
    AnyLoss,
    BitErrors,
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    Even,
    FlowEntry,
    GilbertElliott,
    LinkState,
    Outage,
    Random,
    RandomBurst,
    RateLimit,
    Reorder,
    Schedule,
    SingleBurst,
    Spaced,
    Target,
)
from impairlab.drivers.model.losses import Loss
from impairlab.drivers.model.patterns import AnyPattern
from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.distributions import (
    BURSTS,
    MILLION,
    POISSON_QUANTUM_NS,
    Distribution,
    Impairing,
)
from impairlab.sim_hardware.chimera.filters import selection
from impairlab.sim_hardware.chimera.state import (
    CORRUPT_BER,
    CORRUPT_ETHERNET,
    CORRUPT_IP,
    CORRUPT_OFF,
    CORRUPT_TCP,
    CORRUPT_UDP,
    Custom,
    FlowState,
    ModuleState,
    PortState,
)

MS = 1_000_000
RATE_UNIT = 100_000
MISORDER_HOLD_NS = 1_000_000_000

_LOSS: TypeAdapter[AnyLoss] = TypeAdapter(Loss)
_DAMAGES = {
    CORRUPT_ETHERNET: "ethernet",
    CORRUPT_IP: "ip",
    CORRUPT_UDP: "udp",
    CORRUPT_TCP: "tcp",
    CORRUPT_BER: "payload",
}


@dataclass(frozen=True, slots=True)
class _Made:
    """What a flow was made into, and what from."""

    flow: FlowState
    customs: Mapping[int, Custom]
    emulates: bool
    link: LinkState | None
    entry: FlowEntry | None

    def is_of(self, flow: FlowState, port: PortState, *, emulates: bool, link: LinkState | None) -> bool:
        """Say whether it would be made again just so."""
        same = self.flow is flow and self.customs is port.customs
        return same and self.emulates == emulates and self.link == link


class Mapper:
    """Makes the state of a module into entries; a flow that is as it was before is not made again.

    Args:
        paths: Of the data plane; the pairs of ports in their order.
        schedule_unit_ns: Unit of PED_SCHEDULE.
    """

    def __init__(self, paths: tuple[str, ...], schedule_unit_ns: int) -> None:
        self._paths = paths
        self._unit_ns = schedule_unit_ns
        self._made: dict[tuple[int, int], _Made] = {}

    def entries(self, module: ModuleState) -> tuple[FlowEntry, ...]:
        """Return everything that is to be programmed.

        Raises:
            StatusError: <NOTSUPPORTED>, for what the data plane cannot do.
        """
        return tuple(entry for port in range(len(module.ports)) for entry in self._of_port(module, port))

    def _of_port(self, module: ModuleState, port: int) -> Iterator[FlowEntry]:
        state, link = module.ports[port], _link(module, port)
        emulates = state.emulates and not module.bypass
        for number, flow in enumerate(state.flows):
            made = self._made.get((port, number))
            if made is None or not made.is_of(flow, state, emulates=emulates, link=link):
                target = Target(path=self._paths[port // 2], direction="b-a" if port % 2 else "a-b", flow=number)
                maker = _FlowMaker(state, flow, self._unit_ns)
                made = _Made(flow, state.customs, emulates, link, maker.entry(target, emulates=emulates, link=link))
                self._made[port, number] = made
            if made.entry is not None:
                yield made.entry


def _link(module: ModuleState, port: int) -> LinkState | None:
    """Return the link that what a port receives goes through."""
    partner = module.ports[port ^ 1]
    flaps = [each.flap for each in (module.ports[port], partner) if each.flap.on]
    if len(flaps) > 1:
        raise house.TWO_FLAPS.error()
    down_for_good = any(not flap.duration for flap in flaps)
    if down_for_good or not partner.transmits or port // 2 in module.links_down:
        return LinkState(state="down")
    for flap in flaps:
        down, period = _ns(flap.duration * MS), _ns(flap.period * MS)
        return LinkState.model_validate(
            {"state": "flap", "down": down, "period": period, "repetitions": flap.repetitions}
        )
    return None


class _FlowMaker:
    """Makes one flow of a port into an entry."""

    def __init__(self, port: PortState, flow: FlowState, schedule_unit_ns: int) -> None:
        self._port, self._flow = port, flow
        self._unit_ns = schedule_unit_ns

    def entry(self, target: Target, *, emulates: bool, link: LinkState | None) -> FlowEntry | None:
        """Return what the flow is to do; None where it is not in use."""
        wanted = selection(self._flow.working) if target.flow else None
        if target.flow and (wanted is None or not emulates):
            return None
        conditions = self._conditions(self._flow) if emulates else Conditions()
        conditions = conditions.model_copy(update={"link": link})
        if not target.flow and conditions.is_neutral:
            return None
        return FlowEntry(target=target, filter=wanted, conditions=conditions)

    def _conditions(self, flow: FlowState) -> Conditions:
        drop, misorder, latency, duplication, corruption = flow.impairing
        return Conditions(
            delay=self._delay(latency) if latency.acts else None,
            loss=self._loss(drop) if drop.acts else None,
            reorder=self._reorder(misorder, flow.depth) if misorder.acts else None,
            duplicate=self._duplicate(duplication) if duplication.acts else None,
            corrupt=self._corrupt(corruption, flow.corruption) if corruption.acts else None,
            rate=_limit(flow),
        )

    def _loss(self, drop: Impairing) -> AnyLoss | None:
        pattern, schedule = pattern_of(drop.distribution, self._port), self._schedule(drop)
        if pattern is None:
            return None
        if isinstance(pattern, Random) and pattern.rate == 1:
            return Outage(schedule=schedule)
        return _LOSS.validate_python({**pattern.model_dump(), "schedule": schedule})

    def _reorder(self, misorder: Impairing, depth: int) -> Reorder | None:
        pattern, schedule = pattern_of(misorder.distribution, self._port), self._schedule(misorder)
        if pattern is None or isinstance(pattern, Random):
            return None
        return Reorder.model_validate(
            {"pattern": pattern, "depth": depth, "hold": _ns(MISORDER_HOLD_NS), "schedule": schedule}
        )

    def _duplicate(self, duplication: Impairing) -> Duplicate | None:
        pattern, schedule = pattern_of(duplication.distribution, self._port), self._schedule(duplication)
        match pattern:
            case None:
                return None
            case Random(rate=rate):
                return Duplicate(rate=rate, schedule=schedule)
        return Duplicate(pattern=pattern, schedule=schedule)

    def _corrupt(self, corruption: Impairing, kind: int) -> Corrupt | None:
        pattern, schedule = pattern_of(corruption.distribution, self._port), self._schedule(corruption)
        if pattern is None or kind == CORRUPT_OFF:
            return None
        which = {"rate": pattern.rate} if isinstance(pattern, Random) else {"pattern": pattern}
        return Corrupt.model_validate({**which, "damages": _DAMAGES[kind], "schedule": schedule})

    def _delay(self, latency: Impairing) -> AnyDelay | None:
        distribution = latency.distribution
        if distribution.name != "ACCBURST":
            return delay_of(distribution, self._port)
        hold_ns = distribution.values[0]
        if not hold_ns:
            return None
        period_ns = latency.period * self._unit_ns
        acts_ns = min(hold_ns, period_ns) if period_ns else hold_ns
        return AccumulateBurst.model_validate({"hold": _ns(hold_ns), "schedule": _acting(acts_ns, period_ns)})

    def _schedule(self, impairing: Impairing) -> Schedule | None:
        period_ns = impairing.period * self._unit_ns
        if not period_ns:
            return None
        on_ns = period_ns if impairing.distribution.name in BURSTS else impairing.duration * self._unit_ns
        return _acting(on_ns, period_ns)


def _limit(flow: FlowState) -> RateLimit | None:
    """Return the limit of a flow. Raises StatusError when it has two, or one that lets nothing pass."""
    policer, shaper = flow.policer, flow.shaper
    if policer.on and shaper.on:
        raise house.BOTH_LIMITS.error()
    for limit, mode in ((policer, "policer"), (shaper, "shaper")):
        if limit.on:
            if not limit.rate:
                raise house.BOTH_LIMITS.error()
            return RateLimit.model_validate(
                {
                    "mode": mode,
                    "rate": limit.rate * RATE_UNIT,
                    "burst": limit.burst,
                    "queue": limit.queue,
                    "layer": "l2" if limit.layer2 else "l1",
                }
            )
    return None


def pattern_of(distribution: Distribution, port: PortState) -> AnyPattern | None:
    """Return which packets a distribution hits; None for none."""
    values = distribution.values
    match distribution.name:
        case "FIXED":
            return Even(rate=_ppm(values[0])) if values[0] else None
        case "RANDOM":
            return Random(rate=_ppm(values[0])) if values[0] else None
        case "BER":
            return BitErrors(ber=Decimal(values[0]).scaleb(values[1]))
        case "FIXEDBURST":
            return SingleBurst(packets=values[0])
        case "RANDOMBURST":
            return _random_burst(*values)
        case "GE":
            good, to_bad, bad, to_good = map(_ppm, values)
            return GilbertElliott(to_bad=to_bad, to_good=to_good, bad_loss=bad, good_loss=good)
    return _spaced(distribution, port)


def _random_burst(shortest: int, longest: int, ppm: int) -> RandomBurst | None:
    """A burst of no packets is none: those of 1 and more begin so much more rarely."""
    rate = _ppm(ppm)
    if not longest or not ppm:
        return None
    if not shortest:
        shortest, rate = 1, rate * longest / (longest + 1)
    return RandomBurst(rate=rate, shortest=shortest, longest=longest)


def _spaced(distribution: Distribution, port: PortState) -> Spaced | None:
    values = [Decimal(value) for value in distribution.values]
    match distribution.name:
        case "UNI":
            low, high = (max(Decimal(1), value) for value in values)
            return Spaced(law="uniform", mean=(low + high) / 2, spread=(high - low) / 2)
        case "GAUSS":
            return Spaced(law="normal", mean=max(Decimal(1), values[0]), spread=values[1])
        case "POISSON":
            return Spaced(law="poisson", mean=max(Decimal(1), values[0]))
        case "GAMMA":
            shape, scale = values
            if not shape * scale:
                return Spaced(law="uniform", mean=Decimal(1))
            return Spaced(law="gamma", mean=max(Decimal(1), shape * scale), spread=shape.sqrt() * scale)
        case "CUST":
            entries = [Decimal(value) for value in port.customs[distribution.values[0]].values]
            mean = max(Decimal(1), sum(entries, Decimal(0)) / len(entries))
            return Spaced(law="table", mean=mean, spread=Decimal(1), table=tuple(entry - mean for entry in entries))
    return None


def delay_of(distribution: Distribution, port: PortState) -> Delay | None:
    """Return the law of a latency; None for none."""
    values = distribution.values
    match distribution.name:
        case "CONST":
            return _delay("constant", values[0], 0)
        case "UNI" | "STEP":
            low, high = values
            law = "uniform" if distribution.name == "UNI" else "step"
            return _delay(law, (low + high) // 2, (high - low) // 2)
        case "GAUSS":
            return _delay("normal", *values)
        case "POISSON":
            return _delay("poisson", values[0], POISSON_QUANTUM_NS if values[0] else 0)
        case "GAMMA":
            shape, scale = values
            return _delay("gamma", shape * scale, round(Decimal(shape).sqrt() * scale))
        case "CUST":
            entries = port.customs[values[0]].values
            mean = sum(entries) // len(entries)
            table = tuple(Decimal(entry - mean) for entry in entries)
            return Delay.model_validate({"distribution": "table", "mean": _ns(mean), "spread": _ns(1), "table": table})
    return None


def _delay(law: str, mean_ns: int, spread_ns: int) -> Delay | None:
    if not spread_ns:
        return Delay.model_validate({"distribution": "constant", "mean": _ns(mean_ns)}) if mean_ns else None
    return Delay.model_validate({"distribution": law, "mean": _ns(mean_ns), "spread": _ns(spread_ns)})


def _acting(on_ns: int, period_ns: int) -> Schedule:
    return Schedule.model_validate({"on": _ns(on_ns), "period": _ns(period_ns)})


def _ns(nanoseconds: int) -> str:
    """Return a time as the model reads it: a bare number would be seconds."""
    return f"{nanoseconds} ns"


def _ppm(value: int) -> Decimal:
    return Decimal(value) / MILLION
