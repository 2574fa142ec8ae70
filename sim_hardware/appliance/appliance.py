"""A simulated appliance to run: a data plane, a box on it, and servers for its dialect."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

from impairlab.sim_hardware.appliance.box import Box
from impairlab.sim_hardware.appliance.device import ImpairmentDevice
from impairlab.sim_hardware.appliance.state import ApplianceState
from impairlab.sim_hardware.faults import Fault, InstrumentFault
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.scpi import Identity, Instrument, Personality, ScpiServer
from impairlab.sim_hardware.transports.hislip import HISLIP_PORT, HislipServer
from impairlab.sim_hardware.transports.lxi import HTTP_PORT, Announcement, LxiWeb
from impairlab.sim_hardware.transports.lxi.announcement import (
    HISLIP_SERVICE,
    HTTP_SERVICE,
    LXI_SERVICE,
    RAW_SERVICE,
    VXI11_SERVICE,
    Service,
)
from impairlab.sim_hardware.transports.serial import AccessServer, SerialServer
from impairlab.sim_hardware.transports.serial.access_server import Parity
from impairlab.sim_hardware.transports.serial.server import DEFAULT_BAUD, End
from impairlab.sim_hardware.transports.usbtmc import PRODUCT, VENDOR, UsbIdentity, UsbtmcServer
from impairlab.sim_hardware.transports.vxi11 import PORTMAPPER_PORT, Vxi11Address, Vxi11Server

MANUFACTURER = "impairlab"


class _Server(Protocol):
    """What every server of the dialect can do."""

    def inject(self, fault: Fault, count: int | None = 1) -> None: ...

    def clear_faults(self) -> None: ...

    def close(self) -> None: ...


class SimulatedAppliance:
    """An impairment appliance that speaks the reference SCPI dialect; a context manager that closes it.

    Args:
        plane: What happens to packets; `close` closes it.
        serial: Serial number of *IDN?.
        model: Model of *IDN?.
        firmware: Firmware of *IDN?.
        settle_ns: How long after a commit the data plane is told to switch.
        update_interval_ns: What SYSTem:UPDate:INTerval? answers.
        personality: The choices that the standards leave open.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Raises:
        ValueError: When a field of the identity is not legal in *IDN?.
    """

    def __init__(
        self,
        plane: Plane,
        *,
        serial: str = "SIM0001",
        model: str = "IL-8",
        firmware: str = "1.0",
        settle_ns: int = 0,
        update_interval_ns: int = 1_000_000,
        personality: Personality | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._plane = plane
        self._box = Box(plane, clock, settle_ns)
        self._identity = Identity(MANUFACTURER, model, serial, firmware)
        device = ImpairmentDevice(self._box, self._identity, update_interval_ns)
        self.instrument = Instrument(device, personality, clock)
        self._servers: list[_Server] = []
        self._access_servers: list[AccessServer] = []
        self._web: LxiWeb | None = None
        self._announcement: Announcement | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the servers and the data plane; a second call does nothing."""
        for each in (self._announcement, self._web, *self._servers, *self._access_servers):
            if each is not None:
                each.close()
        self._servers.clear()
        self._access_servers.clear()
        self._announcement = self._web = None
        self._plane.close()

    def serve_scpi(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        max_connections: int | None = None,
        idle_close_ns: int | None = None,
    ) -> tuple[str, int]:
        """Serve the dialect on a raw TCP socket until `close`; return the address, with the port that was free for 0.

        Args:
            host: See `ScpiServer`, as all that follow.
            port: 0 takes a free one.
            max_connections: See `ScpiServer`.
            idle_close_ns: See `ScpiServer`.

        Raises:
            OSError: When the address cannot be had.
        """
        server = ScpiServer(self.instrument, host, port, max_connections=max_connections, idle_close_ns=idle_close_ns)
        self._servers.append(server)
        return server.address

    def serve_hislip(
        self, host: str = "127.0.0.1", port: int = HISLIP_PORT, *, max_sessions: int | None = None
    ) -> tuple[str, int]:
        """Serve the dialect over HiSLIP until `close`; return the address, with the port that was free for 0.

        Raises:
            OSError: When the address cannot be had.
        """
        server = HislipServer(self.instrument, host, port, max_sessions=max_sessions)
        self._servers.append(server)
        return server.address

    def serve_vxi11(
        self, host: str = "127.0.0.1", port: int = 0, *, portmapper_port: int | None = PORTMAPPER_PORT
    ) -> Vxi11Address:
        """Serve the dialect over VXI-11 until `close`, with a port mapper unless its port is None.

        Returns:
            Where it listens, with the ports that were free for 0.

        Raises:
            OSError: When an address cannot be had; a port below 1024 is for root, as a rule.
        """
        server = Vxi11Server(self.instrument, host, port, portmapper_port=portmapper_port)
        self._servers.append(server)
        return server.address

    def serve_serial(
        self,
        link: Path,
        *,
        baud: int = DEFAULT_BAUD,
        end: End = b"\n",
        echo: bool = False,
        xon_xoff: bool = False,
        boot_messages: bytes = b"",
    ) -> SerialServer:
        """Serve the dialect on a pseudo-terminal that is found at `link` until `close`; see `SerialServer`.

        Raises:
            OSError: When the link cannot be made.
        """
        server = SerialServer(
            self.instrument, link, baud=baud, end=end, echo=echo, xon_xoff=xon_xoff, boot_messages=boot_messages
        )
        self._servers.append(server)
        return server

    def serve_rfc2217(
        self, host: str = "127.0.0.1", port: int = 0, *, baud: int = DEFAULT_BAUD, parity: Parity = "none"
    ) -> tuple[str, int]:
        """Serve the dialect at a serial port behind an access server until `close`; return the address.

        Raises:
            OSError: When the address cannot be had.
        """
        server = AccessServer(self.instrument, host, port, baud=baud, parity=parity)
        self._access_servers.append(server)
        return server.address

    def serve_usbtmc(
        self, *, vendor: int = VENDOR, product: int = PRODUCT, controller: str | None = None
    ) -> UsbtmcServer:
        """Serve the dialect as a USB device until `close`; see `UsbtmcServer`. Needs root, as a rule.

        Args:
            vendor: idVendor.
            product: idProduct.
            controller: A name in /sys/class/udc; None takes one that is free.

        Raises:
            OSError: ENODEV where the kernel has no USB device controller, and so cannot be a device.
        """
        who = self._identity
        identity = UsbIdentity(vendor, product, who.manufacturer, who.model, who.serial)
        server = UsbtmcServer(self.instrument, identity, controller)
        self._servers.append(server)
        return server

    def serve_lxi(self, host: str = "127.0.0.1", port: int = HTTP_PORT) -> tuple[str, int]:
        """Serve the LXI identification document over HTTP until `close`; return the address.

        It names the transports that are served when it is asked for.

        Raises:
            OSError: When the address cannot be had.
            RuntimeError: When it is served already.
        """
        if self._web is not None:
            raise RuntimeError("the identification is served already")
        self._web = LxiWeb(self._identity, self.resource_names, host, port)
        return self._web.address

    def announce(self, host: str = "127.0.0.1") -> str:
        """Advertise by mDNS what is served now, until `close`; return the instance name. Needs the extra `discover`.

        Raises:
            ModuleNotFoundError: When zeroconf is not installed.
            OSError: When the network does not let it.
            RuntimeError: When it is advertised already.
        """
        if self._announcement is not None:
            raise RuntimeError("the services are advertised already")
        self._announcement = Announcement(self._identity, self._services(), host)
        return self._announcement.name

    def resource_names(self, host: str) -> list[str]:
        """Return the VISA resource names under which it answers at `host`."""
        names = []
        for server in self._servers:
            match server:
                case ScpiServer(address=(_, port)):
                    names.append(f"TCPIP::{host}::{port}::SOCKET")
                case HislipServer(address=(_, port)):
                    device = "hislip0" if port == HISLIP_PORT else f"hislip0,{port}"
                    names.append(f"TCPIP::{host}::{device}::INSTR")
                case Vxi11Server(address=Vxi11Address(core=port, portmapper=mapper)):
                    where = host if mapper == PORTMAPPER_PORT else f"{host},{port}"
                    names.append(f"TCPIP::{where}::inst0::INSTR")
                case UsbtmcServer(resource_name=name):
                    names.append(name)
        return names

    def _services(self) -> list[Service]:
        services = []
        for server in self._servers:
            match server:
                case ScpiServer(address=(_, port)):
                    services.append(Service(RAW_SERVICE, port))
                case HislipServer(address=(_, port)):
                    services.append(Service(HISLIP_SERVICE, port))
                case Vxi11Server(address=Vxi11Address(core=port, portmapper=mapper)):
                    services.append(Service(VXI11_SERVICE, mapper or port))
        if self._web is not None:
            port = self._web.address[1]
            services += [Service(LXI_SERVICE, port), Service(HTTP_SERVICE, port)]
        return services

    def inject(self, fault: Fault | InstrumentFault, count: int | None = 1) -> None:
        """Let something go wrong in the instrument, or on every server; see `ScpiServer.inject`."""
        if isinstance(fault, InstrumentFault):
            self.instrument.faults.arm(fault, count)
            return
        for server in self._servers:
            server.inject(fault, count)

    def clear_faults(self) -> None:
        """Disarm every fault and accept connections again."""
        self.instrument.faults.clear()
        for server in self._servers:
            server.clear_faults()

    @property
    def state(self) -> ApplianceState:
        """What is active now, whatever anybody was told."""
        with self.instrument.guard:
            self.instrument.operations.advance()
            return self._box.state
