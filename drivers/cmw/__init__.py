"""The driver of the network impairments in the data application unit of a Rohde & Schwarz CMW."""

from impairlab.drivers.cmw.appliance import CmwAppliance
from impairlab.drivers.cmw.selection import Selection

__all__ = ["CmwAppliance", "Selection"]
