"""The driver of Candela's LANforge-ICE: WanLinks on its command line."""

from impairlab.drivers.lanforge.appliance import LanforgeIce

__all__ = ["LanforgeIce"]
