"""The driver of iTrinegy's NE-ONE: virtual interfaces and their modules, one command a connection."""

from impairlab.drivers.itrinegy.appliance import NeOneAppliance

__all__ = ["NeOneAppliance"]
