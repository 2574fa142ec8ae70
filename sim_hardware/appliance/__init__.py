"""A simulated impairment appliance that speaks the reference SCPI dialect (docs/reference/scpi.md)."""

from impairlab.sim_hardware.appliance.appliance import SimulatedAppliance
from impairlab.sim_hardware.appliance.state import ApplianceState

__all__ = ["ApplianceState", "SimulatedAppliance"]
