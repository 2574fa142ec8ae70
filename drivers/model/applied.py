"""Applied: proof of what was set, field by field, and when."""

from __future__ import annotations

from pydantic import Field

from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.flows import Filter, Target
from impairlab.drivers.model.frozen import Frozen


class Identity(Frozen):
    """Who an appliance says it is (IEEE 488.2 *IDN?: four fields)."""

    manufacturer: str
    model: str
    serial: str
    firmware: str

    def __str__(self) -> str:
        """Return e.g. "impairlab IL-8 SIM0001 1.0"."""
        return f"{self.manufacturer} {self.model} {self.serial} {self.firmware}"


class Applied(Frozen):
    """One field as asked, sent and read back, with the time bracket in which it took effect.

    Attributes:
        target: Where.
        field: e.g. "delay.mean"; "delay" alone when the whole impairment was cleared.
        asked: What the user wanted, exact text with unit; "-" for cleared.
        sent: What was sent: differs from `asked` where the value was moved to the appliance's step.
        read_back: What the appliance answered afterwards; None where it was not read.
        sent_ns: time.monotonic_ns() just before the first byte of the write left.
        acknowledged_ns: time.monotonic_ns() just after the appliance's acknowledgement arrived.
    """

    target: Target
    field: str
    asked: str
    sent: str
    read_back: str | None = None
    sent_ns: int = Field(ge=0)
    acknowledged_ns: int = Field(ge=0)

    @property
    def quantised(self) -> bool:
        """Whether what was sent is not exactly what was asked."""
        return self.asked != self.sent


class FlowEntry(Frozen):
    """What is programmed on one flow."""

    target: Target
    filter: Filter | None = None
    conditions: Conditions = Conditions()


class Snapshot(Frozen):
    """Everything that is programmed on an appliance at one time; restoring it is a whole write and a read-back."""

    identity: Identity
    entries: tuple[FlowEntry, ...]
    taken_ns: int


class Statistics(Frozen):
    """Packet counters of one flow since they were last cleared; None where the appliance does not count.

    `received - dropped_* ... ` need not equal `forwarded` while packets are still inside.
    """

    at_ns: int
    received_packets: int | None = None
    received_bytes: int | None = None
    forwarded_packets: int | None = None
    forwarded_bytes: int | None = None
    dropped_total: int | None = None
    dropped_loss: int | None = None
    dropped_rate: int | None = None
    dropped_link: int | None = None
    dropped_mtu: int | None = None
    dropped_other: int | None = None
    delayed: int | None = None
    jittered: int | None = None
    corrupted: int | None = None
    duplicated: int | None = None
    reordered: int | None = None
    marked: int | None = None
