"""What this kernel's netem can do, tried out where no packet passes: a network namespace that is thrown away.

No table of versions: distributions carry fixes back and leave things out.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from impairlab.drivers.model.errors import AuthError, ImpairlabError, IncompatiblePeer
from impairlab.drivers.netem.machine import Machine, SpareNamespace
from impairlab.drivers.netem.topology import Role, Topology
from impairlab.drivers.netem.wire import filters, messages, netem, tbf
from impairlab.drivers.netem.wire.links import add_link, links
from impairlab.drivers.netem.wire.messages import KernelRefused, Place, Request
from impairlab.drivers.netem.wire.netem import NetemState, Slot
from impairlab.drivers.netem.wire.route import Route

_LOOPBACK = 1
_SPARE = Place(_LOOPBACK, 0x10000, messages.ROOT)
_NEUTRAL: Mapping[Role, NetemState] = {"loss": NetemState(), "delay": NetemState(), "gate": NetemState()}
NOT_ALLOWED = (
    "changing queueing disciplines needs CAP_NET_ADMIN, and trying out what the kernel can do CAP_SYS_ADMIN: "
    "run as root"
)
_ODD_NS = 12_345_678_901_234_567
"""142 days and some nanoseconds: no kernel without 64-bit times answers this."""


@dataclass(frozen=True)
class KernelFeatures:
    """What was found.

    Attributes:
        release: Of the kernel.
        wide_times: Delays in 64 bits of nanoseconds.
        negative_latency: A negative delay is taken (kernels before 6.12).
        seed: The random numbers can be seeded.
        slot: Packets can be released in slots.
        duplicate: Duplication is taken in the tree that was asked about.
        shaper: There is a token bucket filter.
        flower: There are filters.
        ingress: What comes in can be sent through an ifb.
        own_counters: netem counts what it delayed, lost, duplicated and so on.
    """

    release: str
    wide_times: bool
    negative_latency: bool
    seed: bool
    slot: bool
    duplicate: bool
    shaper: bool
    flower: bool
    ingress: bool
    own_counters: bool


def probe(topology: Topology, machine: Machine, name: str) -> KernelFeatures:
    """Try everything.

    Raises:
        AuthError: This process may not change queueing disciplines.
        IncompatiblePeer: The kernel has no netem.
    """
    with spare_of(machine, name) as spare:
        return _probe(topology, spare.route, machine, name)


@contextmanager
def spare_of(machine: Machine, name: str) -> Iterator[SpareNamespace]:
    """Yield a network namespace of its own, which ends afterwards.

    Raises:
        AuthError: This process may not make one, or not try something out.
    """
    try:
        with machine.spare() as spare:
            yield spare
    except PermissionError as failure:
        raise not_allowed(name) from failure


def not_allowed(name: str) -> AuthError:
    """Return what to say when the kernel forbids it."""
    return AuthError(NOT_ALLOWED, appliance=name)


def no_netem(machine: Machine, name: str) -> IncompatiblePeer:
    """Return what to say when there is no netem."""
    return IncompatiblePeer(absence(machine), appliance=name)


def absence(machine: Machine) -> str:
    """Return what is wrong with a kernel without netem."""
    return (
        f"kernel {machine.release} has no netem: `modprobe sch_netem`; if there is no such module, install the "
        "package with it (RHEL, Fedora: kernel-modules-extra; Ubuntu: linux-modules-extra)"
    )


def _probe(topology: Topology, route: Route, machine: Machine, name: str) -> KernelFeatures:
    if not _takes(
        route, messages.add_qdisc(_SPARE, netem.KIND, netem.encode(NetemState())), missing=no_netem(machine, name)
    ):
        raise no_netem(machine, name)
    wide = _told(route, NetemState(latency_ns=_ODD_NS))
    found = KernelFeatures(
        release=machine.release,
        wide_times=wide.latency_ns == _ODD_NS,
        negative_latency=_keeps(route, NetemState(latency_ns=-1_000_000)),
        seed=_told(route, NetemState(seed=_ODD_NS)).seed == _ODD_NS,
        slot=_keeps(route, NetemState(slot=Slot(1_000_000, 2_000_000))),
        duplicate=False,
        shaper=False,
        flower=False,
        ingress=False,
        own_counters=bool(_root(route).counters.extended),
    )
    route.change([messages.delete_qdisc(_SPARE)])
    shaper = _takes(route, messages.add_qdisc(_SPARE, tbf.KIND, tbf.encode(tbf.TbfState(10**6, 3028, 10**5))))
    if shaper:
        route.change([messages.delete_qdisc(_SPARE)])
    return replace(
        found,
        shaper=shaper,
        duplicate=_duplicates(route, topology),
        flower=_filters(route),
        ingress=_ingress(route),
    )


def _duplicates(route: Route, topology: Topology) -> bool:
    """Some kernels refuse duplication beside another netem: try it in the very tree that is to be built."""
    requests = topology.install(_LOOPBACK, _NEUTRAL)
    if not all(_takes(route, request) for request in requests):
        return False
    spot = next(spot for spot in topology.chain(topology.flows) if spot.role == "delay")
    duplicating = netem.encode(NetemState(duplicate=1 << 30))
    taken = _takes(route, messages.change_qdisc(spot.on(_LOOPBACK), netem.KIND, duplicating))
    route.change([messages.delete_qdisc(Place(_LOOPBACK, 0, messages.ROOT))])
    return taken


def _filters(route: Route) -> bool:
    topology = Topology(flows=1)
    if not all(_takes(route, request) for request in topology.install(_LOOPBACK, _NEUTRAL)):
        return False
    match = filters.Match(filters.IPV4, ip_protocol=17, destination_port=9)
    filter_ = filters.FlowerFilter(1, topology.class_of(1), match)
    taken = _takes(route, filters.add_filter(_LOOPBACK, topology.class_of(0) & 0xFFFF0000, filter_))
    route.change([messages.delete_qdisc(Place(_LOOPBACK, 0, messages.ROOT))])
    return taken


def _ingress(route: Route) -> bool:
    if not _takes(route, add_link("probe", "ifb")):
        return False
    spare = links(route)["probe"].index
    return _takes(route, filters.add_ingress(_LOOPBACK)) and _takes(route, filters.redirect_ingress(_LOOPBACK, spare))


def _takes(route: Route, request: Request, missing: ImpairlabError | None = None) -> bool:
    try:
        route.change([request])
    except KernelRefused as refused:
        if refused.errno in {errno.EPERM, errno.EACCES}:
            raise
        if missing is not None and refused.errno == errno.ENOENT:
            raise missing from refused
        return False
    return True


def _keeps(route: Route, state: NetemState) -> bool:
    """Whether a state is taken and read back."""
    taken = _takes(route, messages.change_qdisc(_SPARE, netem.KIND, netem.encode(state)))
    return taken and netem.decode(_root(route).options).as_told() == state.as_told()


def _told(route: Route, state: NetemState) -> NetemState:
    _takes(route, messages.change_qdisc(_SPARE, netem.KIND, netem.encode(state)))
    return netem.decode(_root(route).options)


def _root(route: Route) -> messages.Qdisc:
    every = (messages.read_qdisc(message) for message in route.ask(messages.list_qdiscs(_LOOPBACK)))
    return next(qdisc for qdisc in every if qdisc.place.parent == messages.ROOT and qdisc.place.index == _LOOPBACK)
