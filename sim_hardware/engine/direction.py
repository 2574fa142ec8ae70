"""One direction of a path: sorts frames into flows, holds them until their release time, lets some be overtaken.

A pure model: the caller brings the clock. `offer` what arrives, take out what is `due`, sleep until `next_release`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random

from impairlab.drivers.model import EVERYTHING_ELSE, NEUTRAL, Conditions, Filter, Statistics
from impairlab.sim_hardware.engine.counters import Counters
from impairlab.sim_hardware.engine.flow import KINDS, Flow
from impairlab.sim_hardware.engine.frames import parse


@dataclass(frozen=True, slots=True)
class FlowProgram:
    """What one flow is to do: the packets it selects and what they suffer."""

    flow: int = EVERYTHING_ELSE
    filter: Filter | None = None
    conditions: Conditions = NEUTRAL


@dataclass(slots=True)
class _Packet:
    frame: bytes
    flow: "Flow[_Packet]"
    number: int
    release_ns: int
    holding: bool = False
    to_pass: int = 0
    gone: bool = False


class DirectionEngine:
    """All flows of one direction.

    Args:
        seed: Same seed, same frames at the same times: same result.
    """

    def __init__(self, seed: int | str) -> None:
        self._random = Random(str(seed))
        self._flows: dict[int, Flow[_Packet]] = {EVERYTHING_ELSE: Flow(self._random)}
        self._filtered: tuple[Flow[_Packet], ...] = ()
        self._heap: list[tuple[int, int, _Packet]] = []
        self._held: list[_Packet] = []
        self._offered = 0
        self._inside = 0

    @property
    def inside(self) -> int:
        """Packets taken in and neither dropped nor released."""
        return self._inside

    def switch(self, now_ns: int, programs: Iterable[FlowProgram]) -> None:
        """Replace all that is programmed, at this instant. Flow 0 is neutral if absent, others then match nothing.

        Packets inside survive and keep their release times. Counters go on.

        Raises:
            ValueError: A filter on "everything else", a numbered flow without one, or conditions
                that the engine has not got; nothing has changed.
        """
        wanted = {EVERYTHING_ELSE: FlowProgram()}
        for program in programs:
            _refuse_nonsense(program)
            wanted[program.flow] = program
        for program in wanted.values():
            self._flow(program.flow).program(now_ns, program.filter, program.conditions)
        self._filtered = tuple(self._flow(number) for number in sorted(wanted) if number != EVERYTHING_ELSE)

    def _flow(self, number: int) -> Flow[_Packet]:
        if number not in self._flows:
            self._flows[number] = Flow(self._random)
        return self._flows[number]

    def offer(self, now_ns: int, frame: bytes) -> None:
        """Take in a frame that arrives at `now_ns`. Times must not go backwards."""
        flow = self._flow_of(frame)
        for release_ns, outgoing in flow.admit(now_ns, frame):
            self._offered += 1
            self._inside += 1
            packet = _Packet(outgoing, flow, self._offered, release_ns)
            heappush(self._heap, (release_ns, packet.number, packet))
            if flow.accumulator is not None:
                self._let_go(now_ns, flow, flow.accumulator.join(packet))

    def _let_go(self, now_ns: int, flow: "Flow[_Packet]", group: Sequence["_Packet"]) -> None:
        """Have a complete group leave before the time at which it would leave anyway."""
        if group:
            leaves_ns = flow.let_go(now_ns)
            for packet in group:
                packet.release_ns = leaves_ns
                heappush(self._heap, (leaves_ns, packet.number, packet))

    def _flow_of(self, frame: bytes) -> Flow[_Packet]:
        if self._filtered:
            headers = parse(frame)
            for flow in self._filtered:
                if flow.matches(headers):
                    return flow
        return self._flows[EVERYTHING_ELSE]

    def due(self, now_ns: int) -> Sequence[bytes]:
        """Release what is due by `now_ns`, in the order of the release times."""
        frames: list[bytes] = []
        heap = self._heap
        while heap and heap[0][0] <= now_ns:
            packet = heappop(heap)[2]
            if packet.gone:
                continue
            if packet.holding:
                self._held.remove(packet)
            elif self._hold_back(packet):
                continue
            self._release(packet, frames)
        return frames

    def _hold_back(self, packet: _Packet) -> bool:
        reorder = packet.flow.reorder
        holds_back = packet.flow.holds_back
        if reorder is None or not reorder.hold or holds_back is None:
            return False
        if not holds_back(packet.release_ns, len(packet.frame)):
            return False
        packet.holding = True
        packet.to_pass = self._random.randint(reorder.depth, reorder.depth_most or reorder.depth)
        self._held.append(packet)
        heappush(self._heap, (packet.release_ns + reorder.hold, packet.number, packet))
        return True

    def _release(self, packet: _Packet, frames: list[bytes]) -> None:
        """Release a packet, and those held back that it is the last to overtake."""
        packet.gone = True
        self._inside -= 1
        frames.append(packet.frame)
        counters = packet.flow.counters
        counters.forwarded_packets += 1
        counters.forwarded_bytes += len(packet.frame)
        if packet.number < packet.flow.latest:
            counters.reordered += 1
        else:
            packet.flow.latest = packet.number
        for held in [h for h in self._held if h.flow is packet.flow and h.number < packet.number]:
            held.to_pass -= 1
            if not held.to_pass:
                self._held.remove(held)
                self._release(held, frames)

    def next_release(self) -> int | None:
        """Return when something is due next; None when nothing is inside."""
        while self._heap and self._heap[0][2].gone:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def statistics(self, now_ns: int, flow: int = EVERYTHING_ELSE) -> Statistics:
        """Return the counters of a flow."""
        return self._flow(flow).counters.at(now_ns)

    def clear_statistics(self, flow: int | None = None) -> None:
        """Set the counters of a flow, or of all, to zero; packets inside are counted when they leave."""
        for one in self._flows.values() if flow is None else (self._flow(flow),):
            one.counters = Counters()


def _refuse_nonsense(program: FlowProgram) -> None:
    if (program.flow == EVERYTHING_ELSE) != (program.filter is None):
        raise ValueError(f"flow {program.flow}: every flow but 0 selects its packets by a filter")
    unknown = {impairment.kind for impairment in program.conditions} - KINDS
    if unknown:
        raise ValueError(f"flow {program.flow}: the engine cannot do {', '.join(sorted(unknown))}")
