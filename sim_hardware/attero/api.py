"""The REST interface of the Attero-100G: paths to deeds, refusals to the texts that are in print.

Source: the quickcalls of Spirent/iTest-assets `di_attero100G` and what calnexRest.py sends: /api/<path>?format=json or
/api/<path>.json, flat JSON objects, `AuthToken` in every body where there is a password.
"""

from collections import deque
from hashlib import md5, sha256
from http import HTTPStatus

from impairlab.sim_hardware.attero import house
from impairlab.sim_hardware.attero.box import AtteroBox
from impairlab.sim_hardware.attero.calls import Call, Deed, Routes, port_of
from impairlab.sim_hardware.attero.corruption_api import CorruptionApi
from impairlab.sim_hardware.attero.delay_api import DelayApi
from impairlab.sim_hardware.attero.profile_api import ProfileApi
from impairlab.sim_hardware.attero.results_api import ResultsApi
from impairlab.sim_hardware.attero.values import TOKEN_KEY, BadArgument
from impairlab.sim_hardware.faults import ArmedFaults, SessionExpired
from impairlab.sim_hardware.rest.bodies import Read, written
from impairlab.sim_hardware.rest.refusals import HouseRefusal, Refused
from impairlab.sim_hardware.rest.routes import Asked, Router
from impairlab.sim_hardware.transports.http import HttpRequest, HttpResponse, json_response

_OPEN_PATHS = (
    ("authentication", "login"),
    ("instrument", "information"),
    ("instrument", "options", "features"),
)
_NOT_DONE = (
    "app/impairment/allpktcapture/{}",
    "app/profile/filter/pcap/analysis/{}",
    "physical/port/ethernet/{}/{}/select",
    "physical/internal/seedtime",
    "script/recorder/{}",
)
_MOST_ENTRIES = 100


class AtteroApi:
    """Answers requests.

    Args:
        box: What it does.
        faults: `SessionExpired` strikes here.
        serial: What instrument/information answers.
        password: What the login takes as MD5; None for no authentication at all.
    """

    def __init__(self, box: AtteroBox, faults: ArmedFaults, serial: str, password: str | None) -> None:
        self._box = box
        self._faults = faults
        self._serial = serial
        self._password = password
        self._logins = 0
        self.power_on()

    def power_on(self) -> None:
        """Forget the token, the error log and the files."""
        self._token: str | None = None
        self._entries: deque[tuple[int, str]] = deque(maxlen=_MOST_ENTRIES)
        self._logged = 0
        self._router: Router[Deed] = Router(
            [
                *self._instrument_routes(),
                *DelayApi(self._box).routes(),
                *CorruptionApi(self._box).routes(),
                *ProfileApi(self._box).routes(),
                *ResultsApi(self._box).routes(),
            ]
        )

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request, whatever it is."""
        target = Asked.read(request.target)
        path = _without_format(target.path)
        call = Call(request, target.query)
        try:
            return json_response(HTTPStatus.OK, written(self._done(call, path)))
        except Refused as refused:
            return self._refusal(refused.refusal, refused.message)
        except BadArgument as error:
            return self._refusal(house.BAD_VALUE, str(error))

    def _done(self, call: Call, path: tuple[str, ...]) -> Read:
        method = "GET" if call.request.method == "HEAD" else call.request.method
        found = self._router.find(method, path)
        if found is None:
            methods = self._router.methods(path)
            if methods:
                raise Refused(house.NO_METHOD, f"{method[:20]} is none of {', '.join(methods)}.")
            raise Refused(house.NO_RESOURCE, f"No such path: {'/'.join(path)[:200]}.")
        self._require_token(call, path)
        return found.handler(call, *found.variables)

    def _require_token(self, call: Call, path: tuple[str, ...]) -> None:
        if self._password is None:
            return
        if self._faults.strike(SessionExpired) is not None:
            self._token = None
        if path in _OPEN_PATHS:
            return
        if self._token is None or call.argument(TOKEN_KEY) != self._token:
            raise Refused(house.UNAUTHORISED, f"{TOKEN_KEY} is missing or not known: authentication/login.")

    def _instrument_routes(self) -> Routes:
        yield "GET", "instrument/information", lambda _: self._information()
        yield "GET", "instrument/options/features", lambda _: {"Features": self._features()}
        yield "GET", "instrument/errorlog", lambda _: self._error_log()
        yield "DELETE", "instrument/errorlog", lambda _: self._forget_errors()
        yield "GET", "authentication/login", self._log_in
        yield "GET", "layer1/{}/state", lambda _, port: {"Port": port_of(port), "State": "Up"}
        for path in _NOT_DONE:
            for method in ("GET", "PUT", "POST"):
                yield method, path, _not_done

    def _information(self) -> Read:
        return {"HwType": "Attero-100G", "SerialNumber": self._serial, "HwCapabilities": []}

    def _features(self) -> list[Read]:
        return ["Delay", "Jitter", "Corruption", *([] if self._password is None else ["Authentication"])]

    def _error_log(self) -> Read:
        return {"Entries": [{"Id": number, "Message": text} for number, text in self._entries]}

    def _forget_errors(self) -> Read:
        self._entries.clear()
        return self._error_log()

    def _log_in(self, call: Call) -> Read:
        if self._password is None:
            raise Refused(house.NO_RESOURCE, "This box has no authentication.")
        wanted = md5(self._password.encode(), usedforsecurity=False).hexdigest()
        given = call.argument("Password")
        if not isinstance(given, str) or given.lower() != wanted:
            raise Refused(house.UNAUTHORISED, "The password is wrong.")
        self._logins += 1
        self._token = sha256(f"{self._serial}:{self._logins}".encode()).hexdigest()
        return {TOKEN_KEY: self._token}

    def _refusal(self, refusal: HouseRefusal, message: str) -> HttpResponse:
        self._logged += 1
        self._entries.append((self._logged, message))
        code = house.ERROR_CODES[refusal]
        return json_response(refusal.status, {"ResponseStatus": {"ErrorCode": code, "Message": message}}, code)


def _without_format(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return a path without /api and .json; what does not begin with /api is no path."""
    if path[:1] != ("api",) or len(path) < 2:
        return ()
    return (*path[1:-1], path[-1].removesuffix(".json"))


def _not_done(call: Call, *_: str) -> Read:
    raise Refused(house.NOT_DONE, f"This simulation cannot do it: {call.request.target[:200]}.")
