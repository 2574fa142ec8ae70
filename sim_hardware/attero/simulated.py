"""A simulated Attero-100G to run."""

import ssl
import time
from collections.abc import Callable

from impairlab.sim_hardware.attero.api import AtteroApi
from impairlab.sim_hardware.attero.box import POSITIONS, AtteroBox
from impairlab.sim_hardware.faults import (
    IdleDatapath,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StatisticsNotReady,
)
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.rest.simulated import SimulatedRest
from impairlab.sim_hardware.transports.http import HttpRequest, HttpResponse

SECOND_NS = 1_000_000_000
_DEFAULT_POSITION = 7


class SimulatedAttero(SimulatedRest):
    """A network emulator that speaks the Attero-100G's REST interface; a context manager that closes it.

    It has one path, the first of its plane: what comes in at Port1 goes a-b, what comes in at Port2 goes b-a. What is
    not public about the box stands in `house`.

    Args:
        plane: What happens to packets; `close` closes it.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        password: Of the option "Authentication"; None for a box without it.
        serial: Serial number of instrument/information.
        default_position: Which of the profiles 0 to 7 takes the packets that no other does.
        duration_unit_ns: The unit of Duration and Period of duration/time.
        tls: Serves HTTPS when given; see `SelfSigned`.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Raises:
        OSError: When the address cannot be had.
        ImpairlabError: When the plane has failed.
    """

    instrument_faults = (SessionExpired, IdleDatapath, StatisticsNotReady, SilentClamp, SilentlyIgnored)

    def __init__(
        self,
        plane: Plane,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        password: str | None = None,
        serial: str = "SIM00001",
        default_position: int = _DEFAULT_POSITION,
        duration_unit_ns: int = SECOND_NS,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if default_position not in POSITIONS:
            raise ValueError(f"a profile has a position from 0 to {POSITIONS[-1]}, not {default_position}")
        self._password = password
        self._serial = serial
        self._default_position = default_position
        self._duration_unit_ns = duration_unit_ns
        super().__init__(plane, host, port, update_ns=0, tls=tls, clock=clock)

    def _begin(self) -> None:
        unit_ns = self._duration_unit_ns
        self._box = AtteroBox(self._data_path, self._faults, self._clock, self._default_position, unit_ns)
        self._api = AtteroApi(self._box, self._faults, self._serial, self._password)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        return self._api.answer(request)

    def _power_on(self) -> None:
        self._api.power_on()
        self._box.power_on()
