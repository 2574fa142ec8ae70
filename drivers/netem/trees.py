"""Trees of disciplines on the devices: what the kernel says of them, and the requests that bring them to a state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from impairlab.drivers.netem.topology import Role, Spot, StageState, Topology
from impairlab.drivers.netem.translate import UNLIMITED, Stages, merged
from impairlab.drivers.netem.wire import messages, netem, tbf
from impairlab.drivers.netem.wire.messages import Qdisc, Request
from impairlab.drivers.netem.wire.netem import NetemState
from impairlab.drivers.netem.wire.route import Route
from impairlab.drivers.netem.wire.tbf import TbfState

Present = Mapping[tuple[int, int], Qdisc]
"""Disciplines by index of device and handle."""


def present(route: Route) -> Present:
    """Return all disciplines of the namespace that have a handle. Raises KernelRefused."""
    every = (messages.read_qdisc(message) for message in route.ask(messages.list_qdiscs(0)))
    return {(each.place.index, each.place.handle): each for each in every}


def roots(route: Route) -> dict[int, Qdisc]:
    """Return the root of each device. Raises KernelRefused."""
    every = (messages.read_qdisc(message) for message in route.ask(messages.list_qdiscs(0)))
    return {each.place.index: each for each in every if each.place.parent == messages.ROOT}


def told(there: Present, topology: Topology, index: int, flow: int) -> dict[Role, StageState] | None:
    """Return the states of a flow's chain as the kernel tells them; None when the chain is not whole.

    Raises:
        WireError: What stands there is of another kind.
    """
    chain: dict[Role, StageState] = {}
    for spot in topology.chain(flow):
        qdisc = standing(there, index, spot)
        if qdisc is not None:
            chain[spot.role] = tbf.decode(qdisc.options) if qdisc.kind == tbf.KIND else netem.decode(qdisc.options)
    return chain if {spot.role for spot in topology.netems(flow)} <= chain.keys() else None


def standing(there: Present, index: int, spot: Spot) -> Qdisc | None:
    """Return the discipline in a spot."""
    found = (there.get((index, each.handle)) for each in spot.either)
    return next((qdisc for qdisc in found if qdisc is not None), None)


def wanted(stages: Stages, topology: Topology, have: Stages) -> dict[Role, StageState]:
    """Return the states that are to be written, so that no queue is thrown away without need.

    A shaper that is no longer wanted stays, with no limit, until it is replaced by another kind of gate.
    """
    chain = dict(stages) if topology.separate else merged(stages)
    gate, gate_there = chain["gate"], have.get("gate")
    if isinstance(gate, NetemState) and not gate.rate and not gate.latency_ns:
        if isinstance(gate_there, TbfState):
            chain["gate"] = UNLIMITED
        elif not topology.separate:
            del chain["gate"]
    return chain


def requests(chain: Sequence[Spot], states: Stages, have: Stages, index: int) -> list[Request]:
    """Return the requests that bring a chain to these states.

    The loss is left alone where it is as it should be already: writing it starts its chain anew in the good state.
    """
    asked = []
    for spot in chain:
        state = states.get(spot.role)
        there = have.get(spot.role)
        if state is None or (spot.role == "loss" and there is not None and reads_as(state, there)):
            continue
        kind, options = (
            (tbf.KIND, tbf.encode(state)) if isinstance(state, TbfState) else (netem.KIND, netem.encode(state))
        )
        request = messages.change_qdisc if type(there) is type(state) else messages.graft_qdisc
        place = spot.shaper if isinstance(state, TbfState) else spot
        asked.append(request(place.on(index), kind, options))
    return asked


def reads_as(state: StageState, there: StageState) -> bool:
    """Whether the kernel that was given a state answers this."""
    if isinstance(state, TbfState):
        return isinstance(there, TbfState) and state.reads_as(there)
    return isinstance(there, NetemState) and state.as_told() == replace(there, seed=None)


def differences(states: Stages, have: Stages) -> list[str]:
    """Return one text for each attribute in which what is there is not what was set."""
    found = []
    for role, state in states.items():
        there = have.get(role)
        if there is None or type(there) is not type(state):
            found.append(f"{role} is {'missing' if there is None else 'of another kind'}")
        elif not reads_as(state, there):
            told_of = state.as_told() if isinstance(state, NetemState) else state
            found += [
                f"{role} {field.name} is {getattr(there, field.name)}, was set to {getattr(told_of, field.name)}"
                for field in fields(told_of)
                if field.name != "seed" and getattr(there, field.name) != getattr(told_of, field.name)
            ]
    return found
