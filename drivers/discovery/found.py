"""What a means of discovery tells of one instrument."""

from __future__ import annotations

from dataclasses import dataclass

from impairlab.drivers.identities import driver_for
from impairlab.drivers.model.errors import ImpairlabError


class MeansUnavailable(ImpairlabError):  # noqa: N818 - nothing went wrong: there is no such means here
    """A means of discovery cannot be used on this machine."""


@dataclass(frozen=True, slots=True)
class Found:
    """An instrument, or a port at which one may be.

    Attributes:
        address: As `connect` takes it; "" where no address can name it.
        means: How it was found: "mdns", "vxi11", "usb" or "serial".
        manufacturer: "" where it is not known, as with all that follow. Of a serial port that was not asked: that of
            the USB adapter.
        model: See `manufacturer`.
        serial: Serial number; see `manufacturer`.
        firmware: See `manufacturer`.
        answered: Whether it told its identity itself when it was asked.
    """

    address: str
    means: str
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    answered: bool = False

    @property
    def identity(self) -> str:
        """What is known of it in one line; "" for nothing."""
        return " ".join(filter(None, (self.manufacturer, self.model, self.serial, self.firmware)))

    @property
    def driver(self) -> str | None:
        """The driver that states to fit its manufacturer and model; None where none does."""
        return driver_for(self.manufacturer, self.model)
