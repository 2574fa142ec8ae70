"""A simulated Calnex (Spirent) SNE network emulator: its REST interface on a data plane."""

from impairlab.sim_hardware.sne.simulated import SimulatedSne

__all__ = ["SimulatedSne"]
