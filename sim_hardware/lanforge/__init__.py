"""A simulated Candela LANforge ICE: wanlinks by its text command line."""

from impairlab.sim_hardware.lanforge.simulated import SimulatedLanforge

__all__ = ["SimulatedLanforge"]
