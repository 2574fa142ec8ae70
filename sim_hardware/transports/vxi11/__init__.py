"""VXI-11: an instrument behind ONC RPC, found by a broadcast to its port mapper (VXI-11 revision 1.0)."""

from impairlab.sim_hardware.transports.vxi11.portmapper import PORTMAPPER_PORT
from impairlab.sim_hardware.transports.vxi11.server import Vxi11Address, Vxi11Server

__all__ = ["PORTMAPPER_PORT", "Vxi11Address", "Vxi11Server"]
