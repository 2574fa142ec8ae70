"""An appliance of the rack, connected and known to be the one that the rack means."""

from __future__ import annotations

from collections.abc import Mapping

from impairlab.controller.plan.rack import Rack
from impairlab.drivers.appliance import Appliance
from impairlab.drivers.links.wire_log import WireLog
from impairlab.drivers.model.errors import IdentityMismatch
from impairlab.drivers.registry import connect


def connect_appliance(
    name: str, rack: Rack, environment: Mapping[str, str], wire_log: WireLog | None = None
) -> Appliance:
    """Connect to an appliance of the rack.

    Args:
        name: Its name in the rack.
        rack: The rack.
        environment: Where its secret is looked up.
        wire_log: Where every line is recorded.

    Raises:
        FileError: The rack has no such appliance.
        AuthError: The secret is not in the environment, or the appliance does not accept it.
        DriverError: There is no such driver.
        IdentityMismatch: What answers is not what the rack expects.
        TransportError: No way to the appliance.
    """
    entry = rack.appliance(name)
    secret = entry.password(environment)
    box = connect(entry.address, entry.driver, name=name, serial=entry.expect.serial, wire_log=wire_log, secret=secret)
    differences = entry.expect.differences(box.identity)
    if differences:
        box.close()
        raise IdentityMismatch("; ".join(differences), appliance=name)
    return box
