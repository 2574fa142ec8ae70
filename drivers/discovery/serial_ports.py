"""Serial ports: listed, never opened: what is written to an unknown device may switch something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

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
