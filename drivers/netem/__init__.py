"""Linux netem, driven so that what is set is what happens: whole states over netlink, and read back."""

from impairlab.drivers.netem.appliance import NetemAppliance

__all__ = ["NetemAppliance"]
