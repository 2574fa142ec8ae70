"""A simulated Apposite Netropy: the command line of its emulation engine, over SSH."""

from impairlab.sim_hardware.netropy.simulated import SimulatedNetropy

__all__ = ["SimulatedNetropy"]
