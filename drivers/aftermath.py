"""Aftermath: what became of a write whose acknowledgement never came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import ImpairlabError, RebootDetected
from impairlab.drivers.model.flows import Target

if TYPE_CHECKING:
    from impairlab.drivers.appliance import Appliance


def find_out(
    appliance: Appliance,
    settings: Mapping[Target, Conditions],
    failure: ImpairlabError,
    reconnect: Callable[[], None],
) -> None:
    """Say in `failure` whether the write took effect, if that can be known.

    Args:
        appliance: Is read after `reconnect`.
        settings: What was written.
        failure: Gets a note, and `state_known` where it took effect. The caller raises it.
        reconnect: Makes a new connection, on which no late answer can come.

    Raises:
        RebootDetected: The appliance restarted meanwhile.
    """
    try:
        reconnect()
        entries = appliance.read_many(settings)
    except RebootDetected as reboot:
        reboot.command = failure.command
        raise reboot from failure
    except ImpairlabError as error:
        failure.add_note(f"and afterwards: {error}")
        return
    found = {entry.target: entry.conditions for entry in entries}
    if found == dict(settings):
        failure.state_known = True
        failure.add_note("read back on a new connection: it took effect")
        return
    part = any(each in found[target] for target, conditions in settings.items() for each in conditions)
    failure.add_note(f"read back on a new connection: it had not taken effect{', or only in part' if part else ''}")
