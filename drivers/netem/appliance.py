"""NetemAppliance: the machine's own network devices as an impairment appliance."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from threading import RLock
from time import monotonic, monotonic_ns, sleep
from typing import TypeVar

from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.model.applied import FlowEntry, Identity, Statistics
from impairlab.drivers.model.capabilities import Violation
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import (
    ConnectError,
    IdentityMismatch,
    ImpairlabError,
    InstrumentExecutionError,
    LockedByOther,
    MalformedResponse,
    VerifyMismatch,
)
from impairlab.drivers.model.flows import Direction, Filter, Target
from impairlab.drivers.netem import devices, trees
from impairlab.drivers.netem.address import NetemAddress, PathPorts
from impairlab.drivers.netem.capabilities import capabilities
from impairlab.drivers.netem.counting import longest_stay_ns, statistics_of
from impairlab.drivers.netem.devices import Found, Notes
from impairlab.drivers.netem.filters import flower_filters, flows_of, matches, selector_of
from impairlab.drivers.netem.machine import Machine
from impairlab.drivers.netem.probe import KernelFeatures, not_allowed, probe
from impairlab.drivers.netem.topology import OWN_HANDLE, Role, StageState, Topology
from impairlab.drivers.netem.translate import Sizing, conditions_of, neutral, stages_of
from impairlab.drivers.netem.trust import ensure_trust
from impairlab.drivers.netem.wire import filters, links, messages
from impairlab.drivers.netem.wire.attributes import WireError
from impairlab.drivers.netem.wire.host import Host
from impairlab.drivers.netem.wire.links import Link
from impairlab.drivers.netem.wire.messages import KernelRefused, Place, Request
from impairlab.drivers.options import Options

T = TypeVar("T")

_ETHERNET_HEADER = 14
_DRAIN_POLL_S = 0.005


@dataclass(frozen=True)
class Written:
    """What was last written to a flow: the kernel does not tell tables apart, nor a burst from its chain."""

    conditions: Conditions
    states: Mapping[Role, StageState]


class NetemAppliance(Appliance):
    """Linux netem on devices of the machine it runs on (docs/reference/netem.md).

    The tree of queueing disciplines is made once, neutral, and from then on only changed: packets under way stay. When
    it is closed with nothing programmed, it waits until what was delayed has left, and puts the devices right again;
    with something programmed, that stays, and the next driver on the same devices takes it over.

    Args:
        address: E.g. "netem://local?paths=wan:eth1-eth2", or "netem://local?paths=wan:eth0" on a host with one port.
        options: How to connect; `serial` is the name of the host.

    Raises:
        ConnectError: A device is missing, down, carries this SSH session, or has somebody else's disciplines.
        AuthError: Without CAP_NET_ADMIN.
        IncompatiblePeer: The kernel has no netem, not what the address asks for, or does not do what it says.
        LockedByOther: Another process drives one of the devices.
    """

    def __init__(self, address: str, options: Options | None = None) -> None:
        options = options or Options()
        super().__init__(options.name or address)
        self._plan = NetemAddress.parse(address, options.name)
        self._topology = Topology(self._plan.flows, self._plan.separate)
        self._written: dict[Target, Written] = {}
        self._baseline: dict[Target, Statistics] = {}
        self._longest_ns = 0
        self._programmed = False
        self._turn = RLock()
        self._closing = ExitStack()
        with ExitStack() as undo:
            self._machine: Machine = undo.enter_context(closing(Host()))
            self._route = self._machine.route
            self._notes = Notes(self._machine)
            self.identity = Identity(manufacturer="Linux", model="netem", serial=self._machine.nodename,
                                     firmware=self._machine.release)  # fmt: skip
            if options.serial not in {None, self.identity.serial}:
                problem = f"this host is {self.identity.serial}, not {options.serial}"
                raise IdentityMismatch(problem, appliance=self.name)
            self._open(undo)
            self._closing = undo.pop_all()

    def read_many(self, targets: Iterable[Target]) -> Sequence[FlowEntry]:
        """Return what is programmed on each of the flows."""
        with self._turn:
            targets = tuple(targets)
            there = self._present()
            selectors = self._selectors({target for target in targets if target.flow})
            return [
                FlowEntry(target=target, filter=selectors.get(target), conditions=self._conditions(target, there))
                for target in targets
            ]

    def drift(self) -> tuple[str, ...]:
        """Return what somebody else has changed since it was written, one text an attribute; empty when nothing is."""
        with self._turn:
            there = self._present()
            return tuple(
                f"{target} on {self._links[target.path, target.direction].name}: {difference}"
                for target, written in self._written.items()
                for difference in trees.differences(written.states, self._told(target, there))
            )

    def queue_limit(self, target: Target) -> int:
        """Return how many packets the delay of a flow holds before it drops."""
        with self._turn:
            state = self._told(target, self._present())["delay"]
        return state.limit

    def statistics(self, target: Target) -> Statistics:
        """Return the counters of one flow."""
        now, before = self._counted(target), self._baseline.get(target)
        if before is None:
            return now
        counts = {
            name: value - getattr(before, name)
            for name, value in now.model_dump(exclude_none=True).items()
            if name != "at_ns"
        }
        return now.model_copy(update=counts)

    def clear_statistics(self, target: Target) -> None:
        """Count from zero: the kernel's own counters go on, and what they show now is taken off."""
        self._baseline[target] = self._counted(target)

    def lock(self) -> None:
        """Do nothing: as long as it is open, nobody else can drive its devices."""

    def unlock(self) -> None:
        """Do nothing; see `lock`."""

    def close(self) -> None:
        """Put the devices right when nothing is programmed, after what was delayed has left; else leave them alone."""
        with self._turn:
            self._closing.close()

    def _open(self, undo: ExitStack) -> None:
        present = links.links(self._route)
        devices.existing(present, self._plan.paths, self.name)
        if not self._plan.allow_ssh:
            devices.not_the_way_in(self._machine, present, self._plan.paths, self.name)
        self._ports = {device: present[device] for path in self._plan.paths for device in path.devices}
        undo.callback(self._machine.release_claims)
        self._claim()
        found = probe(self._topology, self._machine, self.name)
        self._check_wants(found)
        ensure_trust(self._topology, self._plan.check, self._machine, self.name)
        self._sizing = {
            device: Sizing(bits) if (bits := self._machine.speed(device)) else Sizing() for device in self._ports
        }
        longest_frame = max(link.mtu for link in self._ports.values()) + _ETHERNET_HEADER
        names = tuple(path.name for path in self._plan.paths)
        quickest = Sizing(max(sizing.bits_per_second for sizing in self._sizing.values()))
        self.capabilities = capabilities(found, self._topology, names, quickest, longest_frame)
        roots = trees.roots(self._route)
        for link in self._ports.values():  # all are looked at before the first is touched
            devices.foreign_root(roots, link, self.name, replace=self._plan.replace_foreign)
            self._programmed |= self._check_shape(link)
        self._links: dict[tuple[str, Direction], Link] = {}
        for path in self._plan.paths:
            self._reach(partial(self._take, path, undo))
        undo.callback(self._leave)

    def _claim(self) -> None:
        for device in self._ports:
            holder = self._machine.claim(device)
            if holder is not None:
                raise LockedByOther(holder, appliance=self.name)

    def _check_wants(self, found: KernelFeatures) -> None:
        wants = {
            "flows wants cls_flower: `modprobe cls_flower`": bool(self._plan.flows) and not found.flower,
            "a path with one device wants ifb and act_mirred: `modprobe ifb act_mirred cls_matchall`": not found.ingress
            and any(path.b is None for path in self._plan.paths),
            "seed wants a kernel whose netem has one (6.6)": self._plan.seed is not None and not found.seed,
        }
        for problem, is_so in wants.items():
            if is_so:
                raise ConnectError(f"kernel {self.identity.firmware} cannot: {problem}", appliance=self.name)

    def _take(self, path: PathPorts, undo: ExitStack) -> None:
        """Make the devices of a path ready and build their trees; what fails half-way is undone."""
        for direction in ("a-b", "b-a"):
            leaving = path.leaves_by(direction)
            port = self._ports[leaving or path.a]
            roots = trees.roots(self._route)
            if leaving is not None:
                self._prepare(port, roots, undo, is_host=path.b is None)
                self._links[path.name, direction] = port
            else:
                self._links[path.name, direction] = devices.intercept(port, self._route, roots, self.name)
                undo.callback(self._unless_programmed, partial(devices.release, port, self._route))
            self._build(self._links[path.name, direction], undo)

    def _check_shape(self, link: Link) -> bool:
        """Return whether a tree of an earlier driver stands on a device.

        Raises:
            ConnectError: One of another shape does.
        """
        there = trees.present(self._route)
        if (link.index, OWN_HANDLE) not in there:
            return False
        if not self._topology.handles() <= {handle for index, handle in there if index == link.index}:
            raise ConnectError(
                f"{link.name} has a tree of this driver of another shape; connect with the flows and chain it was made "
                f"with, or remove it with `tc qdisc del dev {link.name} root`",
                appliance=self.name,
            )
        return True

    def _prepare(self, port: Link, roots: Mapping[int, messages.Qdisc], undo: ExitStack, *, is_host: bool) -> None:
        root = devices.foreign_root(roots, port, self.name, replace=self._plan.replace_foreign)
        adopted = port.index in roots and roots[port.index].place.handle == OWN_HANDLE
        noted = self._notes.found(port.index) if adopted else None
        found = noted or Found.on(port, root, self._machine)
        self._notes.keep(port.index, found)
        undo.callback(self._unless_programmed, lambda: self._put_right(port, found))
        devices.quieten(port, found, self._machine, is_host=is_host)
        if root is not None:
            self._route.change([messages.delete_qdisc(Place(port.index, 0, messages.ROOT))])

    def _build(self, link: Link, undo: ExitStack) -> None:
        adopted = self._check_shape(link)
        undo.callback(self._unless_programmed, partial(self._uproot, link))
        if not adopted:
            states = neutral(self._sizing_of(link), self._plan.seed)
            self._route.change(self._topology.install(link.index, states))

    def _uproot(self, link: Link) -> None:
        """Remove a tree, which lets go of whatever it holds; without it the kernel's default stands there again."""
        try:
            self._route.change([messages.delete_qdisc(Place(link.index, 0, messages.ROOT))])
        except KernelRefused as refused:
            if refused.errno not in {errno.ENOENT, errno.ENODEV, errno.EINVAL}:
                raise

    def _put_right(self, port: Link, found: Found) -> None:
        devices.put_right(port, found, self._machine)
        self._notes.forget(port.index)

    def _leave(self) -> None:
        """The first step of closing: see whether anything is programmed, and if not, wait for what is under way.

        A tree that cannot be read any more is put right as far as it goes.
        """
        self._programmed = any(not entry.conditions.is_neutral for entry in self.read_many(self.targets()))
        deadline = monotonic() + self._longest_ns / 1e9
        while not self._programmed and monotonic() < deadline and self._queued():
            sleep(_DRAIN_POLL_S)

    def _unless_programmed(self, step: Callable[[], None]) -> None:
        if not self._programmed:
            self._reach(step)

    def _queued(self) -> int:
        there = self._present()
        indexes = {link.index for link in self._links.values()}
        return sum(qdisc.counters.queued for (index, handle), qdisc in there.items()
                   if index in indexes and handle == OWN_HANDLE)  # fmt: skip

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        with self._turn:
            there = self._present()
            asked: list[Request] = []
            written: dict[Target, Written] = {}
            for target, conditions in settings.items():
                link = self._links[target.path, target.direction]
                have = self._told(target, there)
                states = trees.wanted(stages_of(conditions, self._sizing_of(link)), self._topology, have)
                asked += trees.requests(self._topology.chain(target.flow), states, have, link.index)
                written[target] = Written(conditions, states)
                self._written.pop(target, None)
            sent_ns = monotonic_ns()
            self._reach(lambda: self._route.change(asked))
            acknowledged_ns = monotonic_ns()
            self._written.update(written)
            self._longest_ns = max(self._longest_ns, *(longest_stay_ns(each.states) for each in written.values()))
            self._prove(written)
            return Commit(sent_ns, acknowledged_ns)

    def _prove(self, written: Mapping[Target, Written]) -> None:
        """Read back attribute by attribute: finer than conditions, which have no word for some of them."""
        there = self._present()
        wrong = [
            f"{target} {difference}"
            for target, each in written.items()
            for difference in trees.differences(each.states, self._told(target, there))
        ]
        if wrong:
            raise VerifyMismatch(f"read back otherwise than set: {'; '.join(wrong)}", appliance=self.name)

    def _write_filter(self, target: Target, selector: Filter | None) -> None:
        with self._turn:
            index = self._links[target.path, target.direction].index
            old = flows_of(self._flower(index)).get(target.flow, [])
            asked = [filters.delete_filter(index, OWN_HANDLE, each.priority, each.match.protocol) for each in old]
            if selector is not None:
                class_id = self._topology.class_of(target.flow)
                asked += [filters.add_filter(index, OWN_HANDLE, each)
                          for each in flower_filters(target.flow, class_id, selector)]  # fmt: skip
            self._reach(lambda: self._route.change(asked))

    def _check_filter(self, target: Target, selector: Filter | None) -> Iterator[Violation]:
        yield from super()._check_filter(target, selector)
        if selector is not None and not matches(selector):
            yield Violation(
                where=str(target), field="filter", problem="source and destination are of different IP versions",
                legal="both IPv4 or both IPv6",
            )  # fmt: skip

    def _selectors(self, targets: Iterable[Target]) -> dict[Target, Filter | None]:
        flower: dict[int, dict[int, list[filters.FlowerFilter]]] = {}
        found = {}
        for target in targets:
            index = self._links[target.path, target.direction].index
            if index not in flower:
                flower[index] = flows_of(self._flower(index))
            try:
                found[target] = selector_of(flower[index].get(target.flow, []))
            except ValueError as error:
                raise MalformedResponse(f"{target}: {error}", appliance=self.name) from error
        return found

    def _flower(self, index: int) -> list[filters.FlowerFilter]:
        answers = self._reach(lambda: list(self._route.ask(filters.list_filters(index, OWN_HANDLE))))
        return [each for each in map(filters.read_filter, answers) if each is not None]

    def _conditions(self, target: Target, there: trees.Present) -> Conditions:
        """Return what the kernel's attributes amount to: what was written where they are those, else what they say."""
        told = self._told(target, there)
        written = self._written.get(target)
        if written is not None and not trees.differences(written.states, told):
            return written.conditions
        return conditions_of(told)

    def _told(self, target: Target, there: trees.Present) -> dict[Role, StageState]:
        link = self._links[target.path, target.direction]
        try:
            told = trees.told(there, self._topology, link.index, target.flow)
        except WireError as error:
            raise MalformedResponse(f"{link.name}: {error}", appliance=self.name) from error
        if told is None:
            raise VerifyMismatch(
                f"{target}: the queueing disciplines of this driver on {link.name} are gone: somebody else removed "
                "them; connect anew",
                appliance=self.name,
                state_known=False,
            )
        return told

    def _counted(self, target: Target) -> Statistics:
        with self._turn:
            there = self._present()
            self._told(target, there)
            index = self._links[target.path, target.direction].index
            chain = [
                qdisc.counters
                for spot in self._topology.chain(target.flow)
                if (qdisc := trees.standing(there, index, spot)) is not None
            ]
        return statistics_of(chain, separate=self._topology.separate)

    def _sizing_of(self, link: Link) -> Sizing:
        """An ifb is as quick as the device before it."""
        for path in self._plan.paths:
            if path.b is None and devices.ifb_name(path.a) == link.name:
                return self._sizing[path.a]
        return self._sizing[link.name]

    def _present(self) -> trees.Present:
        return self._reach(lambda: trees.present(self._route))

    def _reach(self, step: Callable[[], T]) -> T:
        """Do something with the kernel, and say what it refuses in our words."""
        try:
            return step()
        except ImpairlabError:
            raise
        except KernelRefused as refused:
            if refused.errno in {errno.EPERM, errno.EACCES}:
                raise not_allowed(self.name) from refused
            text = refused.strerror or ""
            number = refused.errno or 0
            raise InstrumentExecutionError([(number, text)], appliance=self.name, state_known=False) from refused
