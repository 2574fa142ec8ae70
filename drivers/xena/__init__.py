"""The driver of Teledyne Xena Chimera impairment modules, through the text CLI of their chassis."""

from impairlab.drivers.xena.appliance import XenaChimera

__all__ = ["XenaChimera"]
