"""LXI discovery: identification over HTTP, and advertisement by mDNS (LXI Device Specification, 9 and 10)."""

from impairlab.sim_hardware.transports.lxi.announcement import Announcement
from impairlab.sim_hardware.transports.lxi.web import HTTP_PORT, LxiWeb

__all__ = ["HTTP_PORT", "Announcement", "LxiWeb"]
