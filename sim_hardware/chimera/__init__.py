"""A simulated Teledyne Xena Chimera, written from what is public about its text and binary protocols."""

from impairlab.sim_hardware.chimera.chassis import Identity
from impairlab.sim_hardware.chimera.house_answers import HouseOptions
from impairlab.sim_hardware.chimera.simulator import SimulatedChimera

__all__ = ["HouseOptions", "Identity", "SimulatedChimera"]
