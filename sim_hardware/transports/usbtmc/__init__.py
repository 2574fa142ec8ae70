"""USBTMC with the USB488 subclass: the instrument as a USB device, where the kernel can be one (USBTMC 1.0)."""

from impairlab.sim_hardware.transports.usbtmc.gadget import UsbIdentity
from impairlab.sim_hardware.transports.usbtmc.server import PRODUCT, VENDOR, UsbtmcServer

__all__ = ["PRODUCT", "VENDOR", "UsbIdentity", "UsbtmcServer"]
