"""Trust in a kernel: it is checked before the first session relies on it, and believed until the next boot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from impairlab.drivers.model.errors import IncompatiblePeer
from impairlab.drivers.netem.address import WhenToCheck
from impairlab.drivers.netem.devices import NOTES
from impairlab.drivers.netem.self_check import self_check
from impairlab.drivers.netem.topology import Topology


def ensure_trust(
    topology: Topology,
    when: WhenToCheck,
    name: str,
    *,
    check: Callable[[Topology, str], tuple[str, ...]] = self_check,
    folder: Path = NOTES,
) -> None:
    """Check the kernel unless that was done already.

    Args:
        topology: Of the trees that are to be trusted.
        when: "once" since the machine was started, for each shape of tree; "always"; "never".
        name: What errors call the appliance.
        check: What returns what is wrong.
        folder: Where it is noted that nothing was; gone after a restart.

    Raises:
        IncompatiblePeer: The kernel does something else than it says.
        AuthError: This process may not try it out.
        OSError: It cannot be noted.
    """
    note = folder / f"netem-{os.uname().release}-{topology.flows}-{topology.roles[0]}.checked"
    if when == "never" or (when == "once" and note.exists()):
        return
    if problems := check(topology, name):
        raise IncompatiblePeer(
            f"the kernel {os.uname().release} does not do what it says: {'; '.join(problems)}; `impairlab doctor "
            "netem` checks again, and check=never in the address goes on without",
            appliance=name,
        )
    folder.mkdir(parents=True, exist_ok=True)
    note.touch()
