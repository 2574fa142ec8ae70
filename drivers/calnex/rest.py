"""What drivers of REST appliances have in common: addresses, refusals, and finding out what became of a write."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from threading import Lock

from impairlab.drivers.aftermath import find_out
from impairlab.drivers.appliance import Appliance, Commit
from impairlab.drivers.links.address import Address
from impairlab.drivers.links.http import HttpLink
from impairlab.drivers.links.http_channel import Endpoint, read_fingerprint
from impairlab.drivers.links.http_message import Answer
from impairlab.drivers.links.json_text import Json
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import (
    ConnectError,
    ExchangeTimeout,
    InstrumentCommandError,
    InstrumentDeviceError,
    InstrumentError,
    InstrumentExecutionError,
    ProtocolError,
    RebootDetected,
    TransportError,
)
from impairlab.drivers.model.flows import Target

_NO_SUCH_THING = (404, 405, 501)
_LONGEST_TEXT = 500


def place_of(address: Address, called: str) -> Endpoint:
    """Return where an address leads; a scheme of the driver's own is plain HTTP.

    Raises:
        ConnectError: Its fingerprint is none, or is given without https.
    """
    scheme = "https" if address.scheme == "https" else "http"
    pinned = address.settings["fingerprint"]
    if not pinned:
        return Endpoint(scheme, address.host, address.port)
    if scheme != "https":
        raise ConnectError("a fingerprint is of a certificate: write https:// before it", appliance=called)
    try:
        return Endpoint(scheme, address.host, address.port, read_fingerprint(pinned))
    except ValueError as error:
        raise ConnectError(str(error), appliance=called) from error


class RestAppliance(Appliance):
    """An appliance that is programmed over REST, setting by setting; a write that failed is looked at again."""

    _link: HttpLink
    _patience_ns: int

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._writing = Lock()

    def close(self) -> None:
        """Close the connection. What is programmed stays. A second call does nothing."""
        self._link.close()

    def _write(self, settings: Mapping[Target, Conditions]) -> Commit:
        """A write is many exchanges: those of two threads take turns."""
        try:
            with self._writing:
                return self._program(settings)
        except RebootDetected:
            raise
        except (TransportError, ExchangeTimeout, ProtocolError) as failure:
            find_out(self, settings, failure, lambda: self._link.resynchronise(self._patience_ns))
            raise

    @abstractmethod
    def _program(self, settings: Mapping[Target, Conditions]) -> Commit:
        """Write what differs; when the appliance refuses a part, put back what was there."""


def refusal_of(answer: Answer, text: str, appliance: str) -> InstrumentError:
    """Return the error for a status of 400 and above.

    404, 405 and 501 say that there is no such thing (InstrumentCommandError), other 4xx that it cannot be done
    (InstrumentExecutionError), 5xx that the appliance failed (InstrumentDeviceError; what it did is then unknown).
    """
    errors = [(answer.status, text[:_LONGEST_TEXT])]
    if answer.status in _NO_SUCH_THING:
        return InstrumentCommandError(errors, appliance=appliance, command=answer.command)
    if answer.status < 500:
        return InstrumentExecutionError(errors, appliance=appliance, command=answer.command)
    harmless = answer.command.startswith("GET ")
    return InstrumentDeviceError(errors, appliance=appliance, command=answer.command, state_known=harmless)


def truth(value: Json) -> bool:
    """Return a switch, as the word that a sample of the vendor's sends too. Raises ValueError."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError(f"{value!r} is neither true nor false")


def number(value: Json) -> Decimal:
    """Return a number, written as one or as text. Raises ValueError."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    try:
        found = Decimal(value) if isinstance(value, str) else None
    except ArithmeticError:
        found = None
    if found is None or not found.is_finite():
        raise ValueError(f"{value!r} is no number")
    return found


def whole(value: Json) -> int:
    """Return a whole number, written as one or as text. Raises ValueError."""
    found = number(value)
    if found != int(found):
        raise ValueError(f"{value!r} is no whole number")
    return int(found)
