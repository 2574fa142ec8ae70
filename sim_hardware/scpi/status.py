"""The status model: standard event register, OPERation and QUEStionable groups, and the status byte they sum up to.

Sources: IEEE 488.2, 11 (status byte, standard event register); SCPI-1999 volume 1, 9 and volume 2, 20 (STATus).
"""

from collections.abc import Callable
from enum import IntFlag

from impairlab.sim_hardware.scpi.errors import POWER_ON_BIT

ALL_TRANSITIONS = 0x7FFF
"""Bit 15 of a SCPI register is always 0."""


class StatusByte(IntFlag):
    """The bits of the status byte (IEEE 488.2 11.2, SCPI-1999 9)."""

    ERROR_AVAILABLE = 0x04
    QUESTIONABLE = 0x08
    MESSAGE_AVAILABLE = 0x10
    EVENT_SUMMARY = 0x20
    MASTER_SUMMARY = 0x40
    OPERATION = 0x80


class Operating(IntFlag):
    """Bits of the OPERation condition that SCPI-1999 9.3 and common practice name."""

    SWEEPING = 1 << 3
    MEASURING = 1 << 4
    WAITING_FOR_TRIGGER = 1 << 5
    WAITING_FOR_ARM = 1 << 6
    LOCKED = 1 << 10


class StatusGroup:
    """Condition, transition filters, latched event and enable: one SCPI status structure of 16 bits.

    Args:
        on_summary: Called when the summary has become true.
    """

    def __init__(self, on_summary: Callable[[], None] = lambda: None) -> None:
        self._on_summary = on_summary
        self._condition = 0
        self._event = 0
        self.preset()

    def preset(self) -> None:
        """Enable nothing, latch every rise and no fall; events stay (SCPI-1999 20.5)."""
        self._enable = 0
        self._rising = ALL_TRANSITIONS
        self._falling = 0

    @property
    def condition(self) -> int:
        """The state as it is now; setting it latches the transitions that the filters let through."""
        return self._condition

    @condition.setter
    def condition(self, value: int) -> None:
        new = value & ALL_TRANSITIONS
        before = self.summary
        self._event |= (new & ~self._condition & self._rising) | (self._condition & ~new & self._falling)
        self._condition = new
        if self.summary and not before:
            self._on_summary()

    def raise_bits(self, bits: int) -> None:
        """Set `bits` of the condition."""
        self.condition |= bits

    def lower_bits(self, bits: int) -> None:
        """Clear `bits` of the condition."""
        self.condition &= ~bits

    @property
    def enable(self) -> int:
        """Which events reach the status byte."""
        return self._enable

    @enable.setter
    def enable(self, value: int) -> None:
        self._enable = value & ALL_TRANSITIONS

    @property
    def rising(self) -> int:
        """The positive transition filter (PTRansition)."""
        return self._rising

    @rising.setter
    def rising(self, value: int) -> None:
        self._rising = value & ALL_TRANSITIONS

    @property
    def falling(self) -> int:
        """The negative transition filter (NTRansition)."""
        return self._falling

    @falling.setter
    def falling(self, value: int) -> None:
        self._falling = value & ALL_TRANSITIONS

    def read_event(self) -> int:
        """Return the latched events and clear them."""
        event, self._event = self._event, 0
        return event

    def clear(self) -> None:
        """Clear the latched events, as *CLS does."""
        self._event = 0

    @property
    def summary(self) -> bool:
        """Whether an enabled event is latched."""
        return bool(self._event & self._enable)


class StatusModel:
    """The whole status reporting of an instrument, but for what belongs to a session (queues).

    Args:
        on_summary: Called when a condition has made the summary of a group true, which may be a reason for service.
    """

    def __init__(self, on_summary: Callable[[], None] = lambda: None) -> None:
        self._on_summary = on_summary
        self.event = 0
        self._event_enable = 0
        self._service_enable = 0
        self.power_on_clear = True
        self.power_on()

    def power_on(self) -> None:
        """Set PON; forget events, and the enables too unless *PSC 0 kept them (IEEE 488.2 10.25)."""
        self.event = POWER_ON_BIT
        self.operation = StatusGroup(self._on_summary)
        self.questionable = StatusGroup(self._on_summary)
        if self.power_on_clear:
            self._event_enable = 0
            self._service_enable = 0

    @property
    def event_enable(self) -> int:
        """*ESE: which standard events reach the status byte, 0 to 255."""
        return self._event_enable

    @event_enable.setter
    def event_enable(self, value: int) -> None:
        self._event_enable = value & 0xFF

    @property
    def service_enable(self) -> int:
        """*SRE: which status byte bits ask for service; bit 6 is ignored and reads 0 (IEEE 488.2 11.3.2.3)."""
        return self._service_enable

    @service_enable.setter
    def service_enable(self, value: int) -> None:
        self._service_enable = value & 0xFF & ~StatusByte.MASTER_SUMMARY

    def read_event(self) -> int:
        """*ESR?: return the standard event register and clear it."""
        event, self.event = self.event, 0
        return event

    def clear(self) -> None:
        """*CLS: clear every event register, no enable and no condition."""
        self.event = 0
        self.operation.clear()
        self.questionable.clear()

    def preset(self) -> None:
        """STATus:PRESet: preset both groups; event registers and queues stay."""
        self.operation.preset()
        self.questionable.preset()

    def status_byte(self, *, error_available: bool, message_available: bool) -> StatusByte:
        """Return the status byte with bit 6 as MSS, for a session with or without errors and output waiting."""
        summary = StatusByte(0)
        if error_available:
            summary |= StatusByte.ERROR_AVAILABLE
        if message_available:
            summary |= StatusByte.MESSAGE_AVAILABLE
        if self.questionable.summary:
            summary |= StatusByte.QUESTIONABLE
        if self.operation.summary:
            summary |= StatusByte.OPERATION
        if self.event & self._event_enable:
            summary |= StatusByte.EVENT_SUMMARY
        if summary & self._service_enable:
            summary |= StatusByte.MASTER_SUMMARY
        return summary


class ServiceRequest:
    """RQS of one session: set on a new reason for service, cleared by a serial poll (IEEE 488.2 11.3.3)."""

    def __init__(self) -> None:
        self.requested = False
        self._reasons = 0

    def update(self, status_byte: StatusByte, service_enable: int) -> None:
        """Take note of the status byte; a reason that was not there before requests service."""
        reasons = status_byte & service_enable
        if reasons & ~self._reasons:
            self.requested = True
        if not reasons:
            self.requested = False
        self._reasons = reasons

    def poll(self, status_byte: StatusByte) -> StatusByte:
        """Return the status byte with bit 6 as RQS, and clear RQS."""
        answered = status_byte & ~StatusByte.MASTER_SUMMARY
        if self.requested:
            answered |= StatusByte.MASTER_SUMMARY
        self.requested = False
        return answered
