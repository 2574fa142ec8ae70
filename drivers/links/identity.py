"""Who answers, asked on every new connection: the same appliance as before, and without a restart in between."""

from __future__ import annotations

from impairlab.drivers.links.link import Ask
from impairlab.drivers.model.applied import Identity
from impairlab.drivers.model.errors import IdentityMismatch, MalformedResponse, RebootDetected

QUESTION = "*ESR?;*IDN?"
"""*IDN? comes last: its answer is arbitrary text and ends the response (IEEE 488.2 10.14)."""

POWER_ON_BIT = 128
"""PON in the standard event status register (IEEE 488.2 11.5.1.1.2)."""


class IdentityGuard:
    """A greeting for IEEE 488.2 instruments.

    The first connection tells the identity, unless one is expected; every later one must answer the same, and with the
    power-on bit still clear. Reading the register clears the bit, so a reboot is reported once.

    Args:
        address: For messages.
        serial: The serial number expected; None accepts any.

    Attributes:
        identity: Who answered first; None before any connection.
    """

    def __init__(self, address: str, serial: str | None = None) -> None:
        self.identity: Identity | None = None
        self._address = address
        self._serial = serial

    def __call__(self, ask: Ask) -> None:
        """Ask and compare.

        Raises:
            IdentityMismatch: Another appliance answers.
            RebootDetected: It was switched on since the last connection: what was programmed is gone.
            MalformedResponse: The answer is not a number and an identity.
        """
        reply = ask(QUESTION)
        events, identity = self._parse(reply)
        if self._serial is not None and identity.serial != self._serial:
            raise IdentityMismatch(
                f"expected serial number {self._serial!r}, {identity} answers", appliance=self._address,
                command=QUESTION, seen=reply.encode(),
            )  # fmt: skip
        if self.identity is None:
            self.identity = identity
            return
        if identity != self.identity:
            raise IdentityMismatch(
                f"{self.identity} answered before, now {identity}", appliance=self._address,
                command=QUESTION, seen=reply.encode(), state_known=False,
            )  # fmt: skip
        if events & POWER_ON_BIT:
            raise RebootDetected(
                "the appliance restarted; what was programmed is gone", appliance=self._address, command=QUESTION,
                seen=reply.encode(), state_known=False,
            )  # fmt: skip

    def _parse(self, reply: str) -> tuple[int, Identity]:
        events, _, identity = reply.partition(";")
        try:
            number = int(events)
            manufacturer, model, serial, firmware = identity.split(",")
        except ValueError as error:
            raise MalformedResponse(
                f"{reply!r} is no event register and identity", appliance=self._address, command=QUESTION,
                seen=reply.encode(), retryable=True,
            ) from error  # fmt: skip
        return number, Identity(manufacturer=manufacturer, model=model, serial=serial, firmware=firmware)
