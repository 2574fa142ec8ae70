"""Addresses: `tcp://host:port` and later its like, to the link that leads there."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from impairlab.drivers.links.line_link import DEFAULT_TIMEOUT_NS
from impairlab.drivers.links.link import Greeting, Link
from impairlab.drivers.links.tcp import TcpLink
from impairlab.drivers.links.wire_log import WireLog
from impairlab.drivers.model.errors import ConnectError


def open_link(
    address: str,
    *,
    name: str | None = None,
    greeting: Greeting | None = None,
    wire_log: WireLog | None = None,
    secrets: Iterable[str] = (),
    timeout_ns: int = DEFAULT_TIMEOUT_NS,
    gap_ns: int = 0,
    default_port: int | None = None,
) -> Link:
    """Open the link that an address names.

    Raises:
        ConnectError: The address cannot be read, or nobody answers there.
    """
    try:
        parts = urlsplit(address)
        port = parts.port or default_port
    except ValueError as error:
        raise ConnectError(
            f"{address} is not an address: {error}; write it like tcp://192.0.2.1:5025", appliance=name or address
        ) from error
    if parts.scheme != "tcp" or not parts.hostname or port is None or parts.path.strip("/"):
        raise ConnectError(
            f"{address} is not an address; write it like tcp://192.0.2.1:5025", appliance=name or address
        )
    return TcpLink(
        parts.hostname, port, name=name, greeting=greeting, wire_log=wire_log, secrets=secrets,
        timeout_ns=timeout_ns, gap_ns=gap_ns,
    )  # fmt: skip
