"""Serial ports: listed, and opened only for who wants it: what is written to an unknown device may switch something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from impairlab.drivers.discovery import asking
from impairlab.drivers.discovery.found import Found


class Port(Protocol):
    """What is used of pyserial's `ListPortInfo`; the attributes are those of the USB adapter, if it is one."""

    device: str
    manufacturer: str | None
    product: str | None
    serial_number: str | None


def find() -> list[Found]:
    """Return the ports that there are."""
    from serial.tools.list_ports import comports  # noqa: PLC0415 - only here

    return found_of(comports())


def found_of(ports: Iterable[Port]) -> list[Found]:
    """Return the ports by name."""
    return [
        Found(
            f"serial://{each.device}",
            "serial",
            manufacturer=each.manufacturer or "",
            model=each.product or "",
            serial=each.serial_number or "",
        )
        for each in sorted(ports, key=lambda each: each.device)
    ]


def identified(found: Found, bauds: Sequence[int], timeout_ns: int) -> Found:
    """Return it with the answer to *IDN? at the first rate that brings one; as it was where none does.

    The device gets a line feed and `*IDN?` at each rate, 8N1, and sees DTR and RTS go on: some boards restart at that.

    Args:
        found: The port.
        bauds: Rates to try, in bit/s.
        timeout_ns: How long opening may take at each rate, and then the answer.
    """
    for baud in bauds:
        if answered := asking.identified(found, f"{found.address}?baud={baud}", timeout_ns):
            return answered
    return found
