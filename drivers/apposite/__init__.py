"""Driver of Apposite Netropy, an appliance with an interactive command line over SSH."""

from impairlab.drivers.apposite.netropy import NetropyAppliance

__all__ = ["NetropyAppliance"]
