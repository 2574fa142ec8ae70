"""Whoever is on the other end of a core connection, with the links and the interrupt channel it has made."""

from impairlab.sim_hardware.transports.vxi11.interrupt import InterruptChannel
from impairlab.sim_hardware.transports.vxi11.link import Link
from impairlab.sim_hardware.transports.vxi11.protocol import DeviceError, DeviceErrorCode


class Client:
    """One core connection's side of the device.

    Args:
        host: Its address; interrupt channels lead nowhere else.
        port: Its port, to tell clients apart.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.links: dict[int, Link] = {}
        self.interrupt: InterruptChannel | None = None

    def link(self, number: int) -> Link:
        """Return a link of this client; raises `DeviceError` (invalid link identifier)."""
        if number not in self.links:
            raise DeviceError(DeviceErrorCode.INVALID_LINK)
        return self.links[number]

    def close(self) -> None:
        """End every link and the interrupt channel, as the end of the connection does (rule on device_lock)."""
        for link in self.links.values():
            link.close()
        self.links.clear()
        if self.interrupt is not None:
            self.interrupt.close()
