"""Data planes: what really happens to packets, behind one protocol."""

from impairlab.sim_hardware.planes.null import NullPlane, Program
from impairlab.sim_hardware.planes.plane import EVERY_OPTION, FILTER, Plane

__all__ = ["EVERY_OPTION", "FILTER", "NullPlane", "Plane", "Program"]
