"""The commands that read counters and clear them.

Sources: xoa-cli reference, PE_…TOTAL and PE_FLOW…TOTAL; codes from PyPI tdl-xoa-driver 1.11.0.
"""

from collections.abc import Callable

from impairlab.sim_hardware.chimera.commands import Command, Level, Place
from impairlab.sim_hardware.chimera.counters import Counted, Ledger, counted, together
from impairlab.sim_hardware.chimera.flow_commands import FLOW
from impairlab.sim_hardware.chimera.parameters import LONG_HIGH, Integer, Values
from impairlab.sim_hardware.chimera.state import FLOWS

_DROPS = ("total", "programmed", "bandwidth", "other")
_LAYERS = ("total", "fcs", "ip", "udp", "tcp")

_COUNTERS: tuple[tuple[str, int, tuple[str, ...], Callable[[Counted], tuple[int, ...]]], ...] = (
    (
        "DROPTOTAL",
        1750,
        (*(f"pkt_drop_count_{each}" for each in _DROPS), *(f"pkt_drop_ratio_{each}" for each in _DROPS)),
        Counted.drops,
    ),
    ("LATENCYTOTAL", 1751, ("pkt_count", "ratio"), lambda all_of: all_of.one(all_of.delayed)),
    ("DUPTOTAL", 1752, ("pkt_count", "ratio"), lambda all_of: all_of.one(all_of.duplicated)),
    ("MISTOTAL", 1753, ("pkt_count", "ratio"), lambda all_of: all_of.one(all_of.misordered)),
    (
        "CORTOTAL",
        1754,
        (
            *(f"{each}_corrupted_pkt_count" for each in _LAYERS),
            *(f"{each}_corrupted_pkt_ratio" for each in _LAYERS),
        ),
        Counted.corruptions,
    ),
    ("JITTERTOTAL", 1755, ("pkt_count", "ratio"), lambda all_of: all_of.one(all_of.jittered)),
)
_FLOW_CODE_OFFSET = 20


def counter_commands() -> tuple[Command, ...]:
    """Return the commands of the counters, of ports and flows."""
    return (
        *(_total(name, code, names, picked) for name, code, names, picked in _COUNTERS),
        *(_flow_total(name, code, names, picked) for name, code, names, picked in _COUNTERS),
        Command(
            "PE_CLEAR",
            1756,
            Level.PORT,
            taken=(),
            take=lambda place, _: place.chassis.clear_port_statistics(place.port),
        ),
        Command(
            "PE_FLOWCLEAR",
            1776,
            Level.PORT,
            (FLOW,),
            taken=(),
            take=lambda place, _: place.chassis.clear_statistics(place.port, place.indices[0]),
        ),
        _traffic("PT_FLOWTOTAL", 1740, _sent),
        Command("PT_FLOWCLEAR", 1742, Level.PORT, (FLOW,), taken=(), take=_take_clear_sent),
        _traffic("PR_FLOWTOTAL", 1741, _received),
        Command("PR_FLOWCLEAR", 1743, Level.PORT, (FLOW,), taken=(), take=_take_clear_received),
    )


def _traffic(name: str, code: int, counted_now: Callable[[Place], tuple[int, int]]) -> Command:
    return Command(
        name,
        code,
        Level.PORT,
        (FLOW,),
        shown=_parameters(("l2_bps", "pps", "byte_count", "packet_count")),
        show=lambda place: (0, 0, *counted_now(place)),
    )


def _ledger(place: Place) -> Ledger:
    return place.chassis.ledger(place.port, place.indices[0])


def _received(place: Place) -> tuple[int, int]:
    statistics, cleared = place.chassis.statistics(place.port, place.indices[0]), _ledger(place).cleared_received
    return (statistics.received_bytes or 0) - cleared[0], (statistics.received_packets or 0) - cleared[1]


def _sent(place: Place) -> tuple[int, int]:
    statistics, cleared = place.chassis.statistics(place.port, place.indices[0]), _ledger(place).cleared_sent
    return (statistics.forwarded_bytes or 0) - cleared[0], (statistics.forwarded_packets or 0) - cleared[1]


def _take_clear_received(place: Place, _: Values) -> None:
    before, (size, packets) = _ledger(place).cleared_received, _received(place)
    _ledger(place).cleared_received = before[0] + size, before[1] + packets


def _take_clear_sent(place: Place, _: Values) -> None:
    before, (size, packets) = _ledger(place).cleared_sent, _sent(place)
    _ledger(place).cleared_sent = before[0] + size, before[1] + packets


def _parameters(names: tuple[str, ...]) -> tuple[Integer, ...]:
    return tuple(Integer(name, 0, LONG_HIGH, size=8) for name in names)


def _counted(place: Place, flow: int) -> Counted:
    chassis, port = place.chassis, place.port
    return counted(chassis.statistics(port, flow), chassis.ledger(port, flow), place.state.flows[flow].corruption)


def _total(name: str, code: int, names: tuple[str, ...], picked: Callable[[Counted], tuple[int, ...]]) -> Command:
    return Command(
        f"PE_{name}",
        code,
        Level.PORT,
        shown=_parameters(names),
        show=lambda place: picked(together(_counted(place, flow) for flow in range(FLOWS))),
    )


def _flow_total(name: str, code: int, names: tuple[str, ...], picked: Callable[[Counted], tuple[int, ...]]) -> Command:
    return Command(
        f"PE_FLOW{name}",
        code + _FLOW_CODE_OFFSET,
        Level.PORT,
        (FLOW,),
        shown=_parameters(names),
        show=lambda place: picked(_counted(place, place.indices[0])),
    )
