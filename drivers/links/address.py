"""Addresses, `tcp://...`, `serial://...` or a VISA resource name, to the link that leads there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, Unpack
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from impairlab.drivers.links.link import Link, LinkOptions
from impairlab.drivers.links.serial_settings import SerialSettings
from impairlab.drivers.links.tcp import TcpLink
from impairlab.drivers.model.errors import ConnectError

FORMS = "write it like tcp://192.0.2.1:5025, serial:///dev/ttyUSB0?baud=9600 or TCPIP::192.0.2.1::hislip0::INSTR"

_VISA = re.compile(
    r"(?P<resource>(?:TCPIP|USB|GPIB|ASRL|PXI|VXI|PRLGX)[^:]*::.+?)(?:@(?P<backend>py|ivi))?", re.IGNORECASE
)
_VISA_SOCKET = re.compile(r"TCPIP\d*::(?P<host>.+)::(?P<port>\d+)::SOCKET", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an appliance is and how its driver is to treat it: "ssh://admin@192.0.2.1:22?engine=1".

    Attributes:
        scheme: The word before "://".
        host: Name or IP address.
        port: Given, or the default.
        user: Before the "@"; None where there is none.
        settings: Every setting the driver knows, given or its default.
    """

    scheme: str
    host: str
    port: int
    user: str | None
    settings: Mapping[str, str]

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        schemes: Mapping[str, int],
        settings: Mapping[str, str],
        example: str,
        name: str | None = None,
    ) -> Self:
        """Read an address.

        Args:
            text: Of the user.
            schemes: The legal ones, each with its default port.
            settings: The legal ones, each with its default.
            example: A legal address, for the error.
            name: What the error calls the appliance; `text` when None.

        Raises:
            ConnectError: It cannot be read, or holds a password; says what would be legal.
        """

        def wrong(problem: str) -> ConnectError:
            words = f"; settings are {', '.join(settings)}" if settings else ""
            return ConnectError(f"{problem}; write it like {example}{words}", appliance=name or text)

        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise wrong(f"{text} is not an address: {error}") from error
        if parts.password is not None:
            raise ConnectError(
                "an address holds no password: give it as the secret", appliance=name or parts.hostname or ""
            )
        if parts.scheme not in schemes or not parts.hostname or parts.path.strip("/") or parts.fragment:
            raise wrong(f"{text} is not an address of this driver")
        found = read_settings(parts.query, settings, lambda problem: wrong(f"{text} {problem}"))
        user = None if parts.username is None else unquote(parts.username)
        return cls(parts.scheme, parts.hostname, port or schemes[parts.scheme], user, found)


def read_settings(query: str, settings: Mapping[str, str], wrong: Callable[[str], ConnectError]) -> Mapping[str, str]:
    """Return every setting that a driver knows, given in what follows a "?" or its default.

    Args:
        query: What follows the "?".
        settings: The legal ones, each with its default.
        wrong: Makes the error of a problem.

    Raises:
        ConnectError: A setting that is unknown, or is given twice.
    """
    given: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in settings:
            raise wrong(f"has an unknown setting {key!r}")
        if key in given:
            raise wrong(f"has the setting {key!r} twice")
        given[key] = value
    return {**settings, **given}


def is_visa_address(address: str) -> bool:
    """Say whether it is a VISA resource name, with or without `@py` or `@ivi` behind it."""
    return _VISA.fullmatch(address) is not None


def open_link(address: str, *, default_port: int | None = None, **options: Unpack[LinkOptions]) -> Link:
    """Open the link that an address names.

    A VISA resource name is opened through PyVISA-py, or through the VISA library of the system where `@ivi` follows it;
    but a VISA SOCKET is the raw socket, and is opened as `tcp://` is.

    Args:
        address: `tcp://host:port`, `serial:///dev/name?baud=9600`, or a VISA resource name.
        default_port: Of `tcp://host`.
        options: See `LineLink`.

    Raises:
        ConnectError: The address cannot be read, or nobody answers there.
    """
    if visa := _VISA.fullmatch(address):
        if raw := _VISA_SOCKET.fullmatch(visa["resource"]):
            return TcpLink(raw["host"], int(raw["port"]), **options)
        from impairlab.drivers.links.visa import VisaLink  # noqa: PLC0415 - PyVISA takes long to import

        return VisaLink(visa["resource"], backend="ivi" if visa["backend"] == "ivi" else "py", **options)
    called = options.get("name") or address
    try:
        parts = urlsplit(address)
        port = parts.port or default_port
    except ValueError as error:
        raise ConnectError(f"{address} is not an address: {error}; {FORMS}", appliance=called) from error
    if parts.scheme == "serial":
        return _open_serial(parts, address, called, options)
    if parts.scheme != "tcp" or not parts.hostname or port is None or parts.path.strip("/"):
        raise ConnectError(f"{address} is not an address; {FORMS}", appliance=called)
    if parts.query or parts.username:
        raise ConnectError(f"{address}: tcp:// takes no settings; {FORMS}", appliance=called)
    return TcpLink(parts.hostname, port, **options)


def _open_serial(parts: SplitResult, address: str, called: str, options: LinkOptions) -> Link:
    from impairlab.drivers.links.serial_link import SerialLink  # noqa: PLC0415 - pySerial is seldom needed

    if parts.netloc or len(parts.path) <= 1:
        raise ConnectError(f"{address} is not an address; {FORMS}", appliance=called)
    try:
        settings = SerialSettings.parse(parts.query)
    except ValueError as error:
        raise ConnectError(f"{address} is not an address: {error}", appliance=called) from error
    return SerialLink(parts.path, settings, **options)
