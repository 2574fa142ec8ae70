"""The driver of the reference SCPI dialect, written from docs/reference/scpi.md."""

from impairlab.drivers.scpi.appliance import ScpiAppliance

__all__ = ["ScpiAppliance"]
