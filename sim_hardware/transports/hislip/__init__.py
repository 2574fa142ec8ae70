"""HiSLIP 1.0: two TCP connections a client, one for messages and one for what cannot wait (IVI-6.1)."""

from impairlab.sim_hardware.transports.hislip.server import HISLIP_PORT, HislipServer

__all__ = ["HISLIP_PORT", "HislipServer"]
