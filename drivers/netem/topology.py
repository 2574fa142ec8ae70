"""Which queueing disciplines stand where, for each flow of a direction.

    root 1a7e:   loss -> delay -> gate                     no flows with a filter
    root 1a7e:   prio -+- loss -> delay -> gate            everything else
                       +- loss -> delay -> gate            flow 1, and so on

Loss has a netem of its own, because every write of a loss model starts its chain anew in its good state: a change of
delay must not. The gate is the bottleneck (rate and its queue), or holds packets back; behind the delay, so that the
queue of the bottleneck is not the packets under way. The prio sends what no filter takes to its first class, whatever
its type of service. In a `single` chain loss and delay share one netem, for kernels that refuse duplication beside
another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from impairlab.drivers.netem.wire import netem, prio
from impairlab.drivers.netem.wire.messages import ROOT, Place, Request, add_qdisc
from impairlab.drivers.netem.wire.netem import NetemState
from impairlab.drivers.netem.wire.tbf import TbfState

OWN_MAJOR = 0x1A7E
OWN_HANDLE = OWN_MAJOR << 16
"""Of the root, by which our own is known: "1a7e:" in the words of tc."""

_FIRST_MAJOR = 0x1A80
_MAJORS_OF_A_FLOW = 4

Role = Literal["loss", "delay", "gate"]
StageState = NetemState | TbfState


@dataclass(frozen=True)
class Spot:
    """Where one discipline of a chain hangs.

    Attributes:
        role: What it is for.
        handle: Its own.
        parent: What it hangs from.
    """

    role: Role
    handle: int
    parent: int

    @property
    def shaper(self) -> Spot:
        """The same spot for a token bucket: the kernel lets no handle pass from one kind of discipline to another."""
        return replace(self, handle=self.handle + 0x10000)

    @property
    def either(self) -> tuple[Spot, ...]:
        """The spot in all forms in which a discipline may stand there."""
        return (self, self.shaper) if self.role == "gate" else (self,)

    def on(self, index: int) -> Place:
        """Return the place on a device."""
        return Place(index, self.handle, self.parent)


@dataclass(frozen=True)
class Topology:
    """The shape of the tree on every device.

    Attributes:
        flows: Flows with a filter, beside everything else.
        separate: Whether loss has a netem of its own.
    """

    flows: int = 0
    separate: bool = True

    @property
    def roles(self) -> tuple[Role, ...]:
        """Of a chain, from the root on."""
        return ("loss", "delay", "gate") if self.separate else ("delay", "gate")

    def chain(self, flow: int) -> tuple[Spot, ...]:
        """Return the disciplines of a flow, from the root on."""
        parent = OWN_HANDLE | (flow + 1) if self.flows else ROOT
        spots = []
        for at, role in enumerate(self.roles):
            major = _FIRST_MAJOR + flow * _MAJORS_OF_A_FLOW + at
            handle = OWN_HANDLE if parent == ROOT else major << 16
            spots.append(Spot(role, handle, parent))
            parent = handle | 1
        return tuple(spots)

    def class_of(self, flow: int) -> int:
        """Return the class to which a filter sends the packets of a flow."""
        return OWN_HANDLE | (flow + 1)

    def install(self, index: int, states: Mapping[Role, NetemState]) -> list[Request]:
        """Return the requests that build the whole tree, each flow the same, on a device with no root of its own."""
        requests = []
        if self.flows:
            requests.append(add_qdisc(Place(index, OWN_HANDLE, ROOT), prio.KIND, prio.encode(self.flows + 1)))
        for flow in range(self.flows + 1):
            requests += [add_qdisc(s.on(index), netem.KIND, netem.encode(states[s.role])) for s in self.netems(flow)]
        return requests

    def netems(self, flow: int) -> tuple[Spot, ...]:
        """Return those that are a netem when they are made; the gate of a single chain is made when it is needed."""
        return tuple(spot for spot in self.chain(flow) if self.separate or spot.role != "gate")

    def handles(self) -> frozenset[int]:
        """Return the handles of the tree as it is when it is made."""
        own = {spot.handle for flow in range(self.flows + 1) for spot in self.netems(flow)}
        return frozenset(own | {OWN_HANDLE})
