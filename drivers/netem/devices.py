"""Devices made ready and put right again: offloads, ifb, the root that was there, and the guards before all that."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Self

from impairlab.drivers.model.errors import ConnectError
from impairlab.drivers.netem.address import PathPorts
from impairlab.drivers.netem.machine import Machine
from impairlab.drivers.netem.topology import OWN_HANDLE
from impairlab.drivers.netem.wire import filters, links, messages
from impairlab.drivers.netem.wire.links import Link
from impairlab.drivers.netem.wire.messages import KernelRefused, Place, Qdisc
from impairlab.drivers.netem.wire.route import Route

REBUILT = frozenset({"pfifo", "bfifo", "fq_codel", "tbf", "netem"})
"""Disciplines without classes that can be made again from what the kernel tells of them."""


@dataclass(frozen=True)
class Found:
    """What a device was like.

    Attributes:
        gro: See `Machine.merging`.
        lro: See there.
        gso_segments: See `links.Link`.
        root_kind: Of a root that somebody had set; "" for the kernel's default.
        root_handle: Of that.
        root_options: Of that, in hexadecimal.
    """

    gro: bool | None
    lro: bool | None
    gso_segments: int
    root_kind: str = ""
    root_handle: int = 0
    root_options: str = ""

    @classmethod
    def on(cls, link: Link, root: Qdisc | None, machine: Machine) -> Self:
        """Look at a device."""
        gro, lro = machine.merging(link.name)
        if root is None:
            return cls(gro, lro, link.gso_segments)
        return cls(gro, lro, link.gso_segments, root.kind, root.place.handle, root.options.hex())


class Notes:
    """What devices were like, for whoever finishes what another process has left."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def keep(self, index: int, found: Found) -> None:
        """Note it. Raises OSError."""
        self._machine.write_note(self.name(index), json.dumps(asdict(found)))

    def found(self, index: int) -> Found | None:
        """Return what was noted; None where nothing was, or nothing that can be read."""
        try:
            return Found(**json.loads(self._machine.read_note(self.name(index)) or ""))
        except (ValueError, TypeError):
            return None

    def forget(self, index: int) -> None:
        """Note no longer."""
        self._machine.drop_note(self.name(index))

    def name(self, index: int) -> str:
        """Devices are numbered in each network namespace by itself."""
        return f"netem-{self._machine.namespace}-{index}.json"


def existing(present: Mapping[str, Link], paths: tuple[PathPorts, ...], name: str) -> None:
    """Refuse a device that is not there, or is down.

    Raises:
        ConnectError: Says which there are.
    """
    for device in (device for path in paths for device in path.devices):
        if problem := absence(present, device):
            raise ConnectError(problem, appliance=name)


def absence(present: Mapping[str, Link], device: str) -> str | None:
    """Return what is wrong with a device that is not there, or is down; None where it is up."""
    if device not in present:
        return f"there is no device {device}; there are {', '.join(sorted(present))}"
    return None if present[device].up else f"{device} is down: `ip link set {device} up`"


def not_the_way_in(machine: Machine, present: Mapping[str, Link], paths: tuple[PathPorts, ...], name: str) -> None:
    """Refuse the device that carries this SSH session: an outage would cut off whoever could end it.

    Raises:
        ConnectError: Says how to allow it.
    """
    for device in (device for path in paths for device in path.devices):
        if problem := way_in(machine, present[device]):
            raise ConnectError(problem, appliance=name)


def way_in(machine: Machine, link: Link) -> str | None:
    """Return what is wrong with the device that carries this SSH session; None with any other."""
    session = machine.ssh_session.split()
    if len(session) != 4 or (link.index, session[2]) not in set(links.addresses(machine.route)):
        return None
    return (
        f"{link.name} carries this SSH session ({session[2]}): impair another device, work from the console, or "
        "add ssh=allow to the address"
    )


def foreign_root(roots: Mapping[int, Qdisc], link: Link, name: str, *, replace: bool) -> Qdisc | None:
    """Return somebody else's root that is to be put back at the end; None for the kernel's default and for our own.

    Raises:
        ConnectError: It may not be replaced, or cannot be put back.
    """
    if problem := foreignness(roots, link, replace=replace):
        raise ConnectError(problem, appliance=name)
    root = roots.get(link.index)
    return None if root is None or root.place.handle in {0, OWN_HANDLE} else root


def foreignness(roots: Mapping[int, Qdisc], link: Link, *, replace: bool) -> str | None:
    """Return what is wrong with somebody else's root; None where there is none, or it may be replaced and put back."""
    root = roots.get(link.index)
    if root is None or root.place.handle in {0, OWN_HANDLE}:
        return None
    what = f"{link.name} has a queueing discipline of somebody else: {root.kind} {root.place.handle >> 16:x}:"
    if not replace:
        return (
            f"{what}; remove it with `tc qdisc del dev {link.name} root`, or add foreign=replace to the address to "
            "have it put back at the end"
        )
    if root.kind not in REBUILT:
        return f"{what}; it could not be put back as it was (only {', '.join(sorted(REBUILT))} can)"
    return None


def quieten(link: Link, found: Found, machine: Machine, *, is_host: bool) -> None:
    """Have no super-packets at a device. Raises OSError."""
    if found.gro:
        machine.set_gro(link.name, on=False)
    if found.lro:
        machine.set_lro(link.name, on=False)
    if is_host:
        machine.route.change([links.set_gso_segments(link.index, 1)])


def put_right(link: Link, found: Found, machine: Machine) -> None:
    """Undo `quieten`, and put back the root that was there. Raises OSError."""
    if found.gro:
        machine.set_gro(link.name, on=True)
    if found.lro:
        machine.set_lro(link.name, on=True)
    if found.gso_segments:
        machine.route.change([links.set_gso_segments(link.index, found.gso_segments)])
    if found.root_kind:
        place = Place(link.index, found.root_handle, messages.ROOT)
        machine.route.change([messages.add_qdisc(place, found.root_kind, bytes.fromhex(found.root_options))])


def ifb_name(device: str) -> str:
    """Return the name of the ifb through which goes what comes in at a device."""
    return f"il-{device}"[:15]


def intercept(link: Link, route: Route, roots: Mapping[int, Qdisc], name: str) -> Link:
    """Return the ifb through which goes what comes in at a device, made now or by an earlier driver.

    Raises:
        ConnectError: Somebody else has a say in what comes in there.
        KernelRefused: The kernel has no ifb.
    """
    ifb = links.links(route).get(ifb_name(link.name))
    if ifb is not None and roots.get(ifb.index) is not None and roots[ifb.index].place.handle == OWN_HANDLE:
        return ifb
    try:
        route.change([filters.add_ingress(link.index)])
    except KernelRefused as refused:
        if refused.errno != errno.EEXIST:
            raise
        raise ConnectError(
            f"{link.name} has an ingress discipline of somebody else; remove it with `tc qdisc del dev {link.name} "
            "ingress` (or clsact)",
            appliance=name,
        ) from refused
    if ifb is None:
        route.change([links.add_link(ifb_name(link.name), "ifb")])
        ifb = links.links(route)[ifb_name(link.name)]
    route.change([links.set_up(ifb.index), filters.redirect_ingress(link.index, ifb.index)])
    return ifb


def release(link: Link, route: Route) -> None:
    """Let what comes in come in as it did, and remove the ifb."""
    with suppress(KernelRefused):
        route.change([messages.delete_qdisc(Place(link.index, messages.INGRESS_HANDLE, messages.INGRESS))])
    ifb = links.links(route).get(ifb_name(link.name))
    if ifb is not None:
        route.change([links.delete_link(ifb.index)])
