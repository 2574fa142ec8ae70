"""*IDN? for who does not say of himself who he is."""

from __future__ import annotations

from dataclasses import replace

from impairlab.drivers.discovery.found import Found
from impairlab.drivers.links.address import open_link
from impairlab.drivers.model.errors import ImpairlabError


def identified(found: Found, address: str, timeout_ns: int) -> Found | None:
    """Return it with the address and the answer to *IDN?; None where no such answer comes.

    Args:
        found: What was found.
        address: Where to ask.
        timeout_ns: How long connecting may take, and then the answer.
    """
    try:
        with open_link(address, timeout_ns=timeout_ns, connect_timeout_ns=timeout_ns) as link:
            fields = [each.strip() for each in link.query("*IDN?").split(",")]
    except ImpairlabError:
        return None
    if len(fields) != 4:
        return None
    manufacturer, model, serial, firmware = fields
    return replace(
        found, address=address, manufacturer=manufacturer, model=model, serial=serial, firmware=firmware, answered=True
    )
