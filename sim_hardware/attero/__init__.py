"""A simulated Calnex Attero-100G network emulator: its REST interface on a data plane."""

from impairlab.sim_hardware.attero.simulated import SimulatedAttero

__all__ = ["SimulatedAttero"]
