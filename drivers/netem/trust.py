"""Trust in a kernel: it is checked before the first session relies on it, and believed until the next boot."""

from __future__ import annotations

from collections.abc import Callable

from impairlab.drivers.model.errors import IncompatiblePeer
from impairlab.drivers.netem.address import WhenToCheck
from impairlab.drivers.netem.machine import Machine
from impairlab.drivers.netem.self_check import self_check
from impairlab.drivers.netem.topology import Topology


def ensure_trust(
    topology: Topology,
    when: WhenToCheck,
    machine: Machine,
    name: str,
    check: Callable[[Topology, Machine, str], tuple[str, ...]] = self_check,
) -> None:
    """Check the kernel unless that was done already.

    Args:
        topology: Of the trees that are to be trusted.
        when: "once" since the machine was started, for each shape of tree; "always"; "never".
        machine: Whose kernel it is; keeps the note that it was checked.
        name: What errors call the appliance.
        check: What returns what is wrong.

    Raises:
        IncompatiblePeer: The kernel does something else than it says.
        AuthError: This process may not try it out.
        OSError: It cannot be noted.
    """
    note = f"netem-{machine.release}-{topology.flows}-{topology.roles[0]}.checked"
    if when == "never" or (when == "once" and machine.read_note(note) is not None):
        return
    if problems := check(topology, machine, name):
        raise IncompatiblePeer(
            f"the kernel {machine.release} does not do what it says: {'; '.join(problems)}; `impairlab doctor "
            "netem` checks again, and check=never in the address goes on without",
            appliance=name,
        )
    machine.write_note(note, "")
