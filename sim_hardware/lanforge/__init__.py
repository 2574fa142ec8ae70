"""A simulated LANforge-ICE: WanLinks on the command line of TCP port 4001."""

from impairlab.sim_hardware.lanforge.simulated import SimulatedLanforge

__all__ = ["SimulatedLanforge"]
