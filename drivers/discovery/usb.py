"""USB: test and measurement devices as the kernel describes them in sysfs. No device is opened."""

from __future__ import annotations

from pathlib import Path

from impairlab.drivers.discovery.found import Found

SYSFS = Path("/sys/bus/usb/devices")

_TEST_AND_MEASUREMENT = ("fe", "03")


def find(devices: Path = SYSFS) -> list[Found]:
    """Return the devices that are plugged in.

    Args:
        devices: The kernel's folder of USB devices and interfaces.
    """
    return [_device(each) for each in sorted(devices.glob("*:*")) if _is_instrument(each)]


def _is_instrument(interface: Path) -> bool:
    return (_read(interface, "bInterfaceClass"), _read(interface, "bInterfaceSubClass")) == _TEST_AND_MEASUREMENT


def _device(interface: Path) -> Found:
    device = interface.with_name(interface.name.partition(":")[0])
    serial = _read(device, "serial")
    number = int(_read(interface, "bInterfaceNumber") or "0", 16)
    name = f"USB0::0x{_read(device, 'idVendor')}::0x{_read(device, 'idProduct')}::{serial}::{number}::INSTR"
    return Found(
        name if serial else "",  # VISA has no name for a device without serial number
        "usb",
        manufacturer=_read(device, "manufacturer"),
        model=_read(device, "product"),
        serial=serial,
    )


def _read(folder: Path, attribute: str) -> str:
    try:
        return (folder / attribute).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # not every device has every attribute, and one may be unplugged meanwhile
        return ""
