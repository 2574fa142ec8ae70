"""A simulated SNE to run."""

import ssl
import time
from collections.abc import Callable, Mapping

from impairlab.sim_hardware.faults import (
    IdleDatapath,
    LinksDown,
    Pending,
    ReservedByOther,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StaleInUse,
    StatisticsNotReady,
)
from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.rest.simulated import SimulatedRest
from impairlab.sim_hardware.sne.api import Firmware, SneApi
from impairlab.sim_hardware.sne.box import SneBox
from impairlab.sim_hardware.sne.users import Users
from impairlab.sim_hardware.transports.http import HttpRequest, HttpResponse

DEFAULT_LIFETIME_NS = 3_600_000_000_000
DEFAULT_UPDATE_NS = 20_000_000
_ACCOUNTS_OF_NEWER: Mapping[str, str] = {"admin": ""}


class SimulatedSne(SimulatedRest):
    """A network emulator that speaks the SNE's REST interface; a context manager that closes it.

    Ports 0 and 1 (1 and 2 where they count from one) are the first path of the plane, 2 and 3 the second. What is not
    public about the box stands in `house`.

    Args:
        plane: What happens to packets; `close` closes it.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        firmware: "6.1": no authentication, or `?userToken=` where there are users; maps are XML. "newer": bearer tokens
            from POST /users/authenticate; maps are JSON.
        users: Passwords by user name. None: nobody with 6.1, "admin" with an empty password with newer firmware. With
            6.1 the passwords are of no use.
        token_lifetime_ns: How long a bearer token is good for.
        update_ns: How long `updatePending` is true after a change, until the data plane switches.
        bandwidth_unit: Bit/s of a throttle's bandwidth of 1. The manual says "bytes".
        build: What /instrument/software/buildversion answers; None for the firmware's name.
        tls: Serves HTTPS when given; see `SelfSigned`.
        clock: Nanoseconds that never go back; a test brings its own and moves it by hand.

    Raises:
        OSError: When the address cannot be had.
        ImpairlabError: When the plane has failed.
    """

    instrument_faults = (
        ReservedByOther,
        SessionExpired,
        LinksDown,
        IdleDatapath,
        StatisticsNotReady,
        StaleInUse,
        Pending,
        SilentClamp,
        SilentlyIgnored,
    )

    def __init__(
        self,
        plane: Plane,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        firmware: Firmware = "newer",
        users: Mapping[str, str] | None = None,
        token_lifetime_ns: int = DEFAULT_LIFETIME_NS,
        update_ns: int = DEFAULT_UPDATE_NS,
        bandwidth_unit: int = 8,
        build: str | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._firmware = firmware
        accounts = (_ACCOUNTS_OF_NEWER if firmware == "newer" else {}) if users is None else users
        self._users = Users(accounts, token_lifetime_ns, clock)
        self._bandwidth_unit = bandwidth_unit
        self._build = f"{firmware} simulated" if build is None else build
        super().__init__(plane, host, port, update_ns=update_ns, tls=tls, clock=clock)

    def _begin(self) -> None:
        self._box = SneBox(self._data_path, self._faults, self._clock, self._bandwidth_unit)
        self._api = SneApi(self._box, self._users, self._faults, self._firmware, self._build)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        return self._api.answer(request)

    def _power_on(self) -> None:
        self._api.power_on()
        self._box.power_on()
