"""A simulated CMW to run."""

import time
from collections.abc import Callable
from typing import ClassVar, Self, get_args

from impairlab.sim_hardware.appliance.state import ApplianceState
from impairlab.sim_hardware.cmw.box import CmwBox
from impairlab.sim_hardware.cmw.device import MOST_INSTANCES, CmwDevice
from impairlab.sim_hardware.faults import (
    ArmedFaults,
    DialectFault,
    EndlessErrors,
    Fault,
    IdleDatapath,
    SilentClamp,
    SilentlyIgnored,
)
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.scpi import Identity, Instrument, Personality, ScpiServer

MANUFACTURER, MODEL, FIRMWARE = "Rohde&Schwarz", "CMW500", "3.7.51"
"""As in the simulated identity of PyPI RsCmwDau 3.7.51.26, which takes every model that has CMW in it."""

_LONGEST_MNEMONIC = len("NIMPairments15")
"""IEEE 488.2 allows 12 characters; the vendor's client sends these 14."""


class SimulatedCmw:
    """An R&S CMW500 that impairs as its data application unit does; a context manager that closes it.

    What is not public about the box stands in `house`.

    Args:
        plane: What happens to packets; `close` closes it. Path i is measurement instance i, at most four.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        serial: Serial number of *IDN?.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Raises:
        OSError: The address cannot be had.
        ValueError: The plane has more than four paths, or the serial number is not legal in *IDN?.
    """

    instrument_faults: ClassVar[tuple[type[object], ...]] = (IdleDatapath, SilentClamp, SilentlyIgnored, EndlessErrors)

    def __init__(
        self,
        plane: Plane,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        serial: str = "SIM00001",
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if len(plane.paths) > MOST_INSTANCES:
            raise ValueError(f"at most {MOST_INSTANCES} measurement instances, not {len(plane.paths)} paths")
        self._plane = plane
        self._faults = ArmedFaults()
        self._box = CmwBox(plane, clock, self._faults)
        identity = Identity(MANUFACTURER, MODEL, serial, FIRMWARE)
        device = CmwDevice(self._box, identity, len(plane.paths))
        self._instrument = Instrument(device, Personality(longest_mnemonic=_LONGEST_MNEMONIC), clock)
        self._server = ScpiServer(self._instrument, host, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Where it is served, "tcp://127.0.0.1:40312"."""
        host, port = self._server.address
        where = f"[{host}]" if ":" in host else host
        return f"tcp://{where}:{port}"

    @property
    def state(self) -> ApplianceState:
        """What is active now, whatever anybody was told."""
        with self._instrument.guard:
            return ApplianceState(self._box.active)

    def inject(self, fault: Fault | DialectFault | EndlessErrors, count: int | None = 1) -> None:
        """Let something go wrong, in the instrument or on the way; see `ScpiServer.inject`.

        Raises:
            ValueError: This box cannot have that fault, or `count` is not positive.
        """
        if type(fault) not in {*self.instrument_faults, *get_args(Fault)}:
            legal = sorted(each.__name__ for each in (*self.instrument_faults, *get_args(Fault)))
            raise ValueError(f"this box has no fault {type(fault).__name__}; it has {', '.join(legal)}")
        if isinstance(fault, Fault):
            self._server.inject(fault, count)
        elif isinstance(fault, EndlessErrors):
            self._instrument.faults.arm(fault, count)
        else:
            self._faults.arm(fault, count)

    def clear_faults(self) -> None:
        """Disarm every fault and accept connections again."""
        self._faults.clear()
        self._instrument.faults.clear()
        self._server.clear_faults()

    def close(self) -> None:
        """Close every connection and the data plane; a second call does nothing."""
        self._server.close()
        self._plane.close()
