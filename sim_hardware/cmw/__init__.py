"""A simulated R&S CMW500 DAU: its SCPI network impairments on a data plane."""

from impairlab.sim_hardware.cmw.simulated import SimulatedCmw

__all__ = ["SimulatedCmw"]
