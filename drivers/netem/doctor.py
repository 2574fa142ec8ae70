"""What netem needs on this machine, and whether it is there: every guard's answer, without changing a device."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from impairlab.drivers.model.errors import AuthError, IncompatiblePeer
from impairlab.drivers.netem import devices, trees
from impairlab.drivers.netem import probe as kernel
from impairlab.drivers.netem.address import NetemAddress
from impairlab.drivers.netem.machine import Machine
from impairlab.drivers.netem.self_check import self_check
from impairlab.drivers.netem.topology import OWN_HANDLE, Topology
from impairlab.drivers.netem.wire import links
from impairlab.drivers.netem.wire.host import Host
from impairlab.drivers.netem.wire.links import Link


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: The thing.
        state: "wrong" is what the driver would refuse; "note" is worth knowing.
        says: What was found, and how to put it right.
    """

    what: str
    state: Literal["ok", "note", "wrong"]
    says: str


def examine(address: NetemAddress | None) -> Iterator[Finding]:
    """Look at the machine, and at the devices of an address. Raises OSError."""
    if platform.system() != "Linux":
        yield Finding("system", "wrong", f"netem is a part of Linux, and this is {platform.system()}")
        return
    with Host() as machine:
        yield from _machine(machine, address)


def _machine(machine: Machine, address: NetemAddress | None) -> Iterator[Finding]:
    yield Finding("system", "ok", f"Linux {machine.release}")
    topology = Topology(address.flows, address.separate) if address else Topology()
    netem = _kernel(topology, machine)
    yield netem
    if netem.state == "ok":
        yield _truth(topology, machine)
    tc = shutil.which("tc")
    yield Finding("tc", "ok" if tc else "note", tc or "not found; the driver needs none, you may: install iproute2")
    if address is not None:
        yield from _ports(address, machine)


def _kernel(topology: Topology, machine: Machine) -> Finding:
    try:
        kernel.probe(topology, machine, "this machine")
    except AuthError:
        return Finding("rights", "wrong", f"{kernel.NOT_ALLOWED}; whether there is sch_netem is not known without")
    except IncompatiblePeer:
        return Finding("sch_netem", "wrong", kernel.absence(machine))
    return Finding("sch_netem", "ok", "the kernel has it, and this process may use it")


def _truth(topology: Topology, machine: Machine) -> Finding:
    problems = self_check(topology, machine, "this machine")
    if problems:
        return Finding("self-check", "wrong", f"the kernel does not do what it says: {'; '.join(problems)}")
    return Finding("self-check", "ok", "delay, jitter, loss, bursts and rate of packets are as they were set")


def _ports(address: NetemAddress, machine: Machine) -> Iterator[Finding]:
    present, roots = links.links(machine.route), trees.roots(machine.route)
    for device in (device for path in address.paths for device in path.devices):
        if problem := devices.absence(present, device):
            yield Finding(device, "wrong", problem)
            continue
        link = present[device]
        owner = machine.holder(device)
        problems = (
            None if address.allow_ssh else devices.way_in(machine, link),
            devices.foreignness(roots, link, replace=address.replace_foreign),
            f"locked by {owner}" if owner else None,
        )
        wrong = [problem for problem in problems if problem]
        yield from (Finding(device, "wrong", problem) for problem in wrong)
        if not wrong:
            yield Finding(device, "ok", "up, and nobody else's")
        root = roots.get(link.index)
        if root is not None and root.place.handle == OWN_HANDLE and not owner:
            yield Finding(device, "note", "has a tree that a driver left; the next to connect takes it over")
        yield _merging(link, machine)


def _merging(link: Link, machine: Machine) -> Finding:
    gro, lro = machine.merging(link.name)
    words = {True: "on", False: "off", None: "not told"}
    text = f"gro {words[gro]}, lro {words[lro]}, gso_max_segs {link.gso_segments}"
    return Finding(link.name, "note", f"{text}; the driver sets what it needs, and puts it back")
