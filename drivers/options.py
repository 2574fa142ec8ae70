"""Options: how to connect to an appliance, whatever its driver."""

from __future__ import annotations

from dataclasses import dataclass

from impairlab.drivers.links.line_link import DEFAULT_TIMEOUT_NS
from impairlab.drivers.links.wire_log import WireLog


@dataclass(frozen=True, slots=True)
class Options:
    """How to connect.

    Attributes:
        name: What messages call the appliance; its address when None.
        serial: The serial number that must answer; None accepts any.
        wire_log: Where every line is recorded.
        secret: What authenticates us, where the appliance asks for it; hidden in logs and errors.
        timeout_ns: Deadline of one exchange.
        gap_ns: Least time from an answer to the next message, for an appliance that loses hurried ones.
    """

    name: str | None = None
    serial: str | None = None
    wire_log: WireLog | None = None
    secret: str | None = None
    timeout_ns: int = DEFAULT_TIMEOUT_NS
    gap_ns: int = 0
