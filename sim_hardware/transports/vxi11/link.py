"""One link of a client to the device: its message exchange, and the client's wish to be told of service requests."""

from collections.abc import Callable

from impairlab.sim_hardware.faults import ArmedFaults
from impairlab.sim_hardware.scpi.session import Session
from impairlab.sim_hardware.transports.asked_exchange import AskedExchange

_TURN_UNITS = 50
"""What one link executes before the others have their turn."""


class Link(AskedExchange):
    """Made by create_link.

    Args:
        number: The link identifier.
        session: Owned from here on.
        faults: What strikes its responses.
        clock: Monotonic nanoseconds.

    Attributes:
        number: As given.
        handle: What the client is told when this link requests service; None while that is not enabled.
        aborted: Whether device_abort has asked the operation that waits to end.
    """

    def __init__(self, number: int, session: Session, faults: ArmedFaults, clock: Callable[[], int]) -> None:
        self.number = number
        self.handle: bytes | None = None
        self.aborted = False
        session.turn_units = _TURN_UNITS
        self._service_told = False
        super().__init__(session, faults, clock)

    def take_service_request(self) -> bytes | None:
        """Return the handle once for every request for service, where that is enabled."""
        requested = self.service_requested
        new = requested and not self._service_told
        if self.handle is None or not new:
            self._service_told = self._service_told and requested
            return None
        self._service_told = True
        return self.handle
