"""A simulated iTrinegy NE-ONE: virtual interfaces and their modules, one command a connection."""

from impairlab.sim_hardware.itrinegy.simulated import SimulatedNeOne

__all__ = ["SimulatedNeOne"]
