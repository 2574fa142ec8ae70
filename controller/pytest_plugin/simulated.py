"""The simulated rack: one appliance in this process, on a free port, with real packets where the machine allows it."""

from __future__ import annotations

from impairlab.controller.plan.rack import ApplianceEntry, Rack, Station
from impairlab.controller.pytest_plugin.options import Sim
from impairlab.controller.pytest_plugin.stations import Stations
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.planes.netns import End, NetnsPlane

NAME = "sim-1"
_ENDS: tuple[End, ...] = ("client", "server")


class Simulation:
    """A simulated appliance that listens.

    Its control server runs in threads of this process, so that a test can look into it; the packets have a process of
    their own.

    Attributes:
        appliance: The appliance, to inject faults into and to look at.
        plane: "netns" or "null".
        stations: Where traffic starts from; None without real packets.
        no_packets: Why there are no real packets; empty where there are.

    Raises:
        ImpairlabError: The plane that was asked for cannot be had.
    """

    def __init__(self, sim: Sim, serial: str) -> None:
        plane, self.no_packets = _plane(sim)
        self.appliance = SimulatedAppliance(plane, serial=serial)
        self.plane = "netns" if isinstance(plane, NetnsPlane) else "null"
        self.stations = _stations(plane) if isinstance(plane, NetnsPlane) else None
        self._address = self.appliance.serve_scpi()

    def rack(self) -> Rack:
        """Return the rack that holds the appliance and its stations."""
        host, port = self._address
        entry = ApplianceEntry(driver="scpi", address=f"tcp://{host}:{port}", tags=("simulated", self.plane))
        prefixes = {} if self.stations is None else self.stations.prefixes
        stations = {name: Station(prefix=prefix) for name, prefix in prefixes.items()}
        return Rack(appliances={NAME: entry}, stations=stations)

    def close(self) -> None:
        """End the appliance and its data plane."""
        self.appliance.close()


def _plane(sim: Sim) -> tuple[NetnsPlane | NullPlane, str]:
    if sim == "null":
        return NullPlane(), "the simulated appliance has no packets: --impairlab-sim null"
    try:
        return NetnsPlane(), ""
    except ImpairlabError as error:
        if sim == "netns":
            raise
        return NullPlane(), f"the simulated appliance has no packets: {error}"


def _stations(plane: NetnsPlane) -> Stations:
    return Stations(
        prefixes={end: tuple(plane.command_in(end, ())) for end in _ENDS},
        addresses={"client": plane.client_address, "server": plane.server_address},
    )
