"""The REST interface of the SNE: paths to deeds, deeds to the 1201 envelope.

Source: "SNE 6.1 RESTful Remote Control API" and its quickcall library, Spirent/iTest-assets `di_sne`; for newer
firmware PyPI py_sne_rest_client 0.2 and the logs in its repository, waripoornima/sne_rest_client.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal

from impairlab.sim_hardware.faults import ArmedFaults, SessionExpired
from impairlab.sim_hardware.rest.bodies import BadBody, Read, read_json, read_object, written
from impairlab.sim_hardware.rest.refusals import HouseRefusal, Refused
from impairlab.sim_hardware.rest.routes import Asked, Router
from impairlab.sim_hardware.sne import house
from impairlab.sim_hardware.sne.box import SneBox
from impairlab.sim_hardware.sne.captures import Captures
from impairlab.sim_hardware.sne.counters import nodes_of
from impairlab.sim_hardware.sne.maps import Map, map_from_json, map_from_xml
from impairlab.sim_hardware.sne.resources import ENABLED, RESOURCES, Resource
from impairlab.sim_hardware.sne.users import Users
from impairlab.sim_hardware.transports.http import HttpRequest, HttpResponse, Json, Part, json_response, read_form

Firmware = Literal["6.1", "newer"]

SUCCESS: dict[str, Json] = {"code": 1201, "message": "Operation Successful"}
_MOST_PORTS = 8
_SWAGGER = b"<!doctype html><title>SNE</title><p>A simulation. Its paths are in the manual of the REST interface.</p>\n"


@dataclass(frozen=True, slots=True)
class _Call:
    """One request on its way to a deed."""

    request: HttpRequest
    query: dict[str, str]
    user: str

    def object(self) -> dict[str, Read]:
        """Return the body, an object. Raises `Refused`."""
        try:
            return read_object(self.request.body)
        except BadBody as error:
            raise Refused(house.BAD_BODY, f"the body is {error}") from error

    def file(self, name: str | None = None) -> Part:
        """Return the file of the form that the body is. Raises `Refused`."""
        form = read_form(self.request.headers, self.request.body) or []
        parts = [part for part in form if part.name == (name or part.name)]
        if not parts:
            raise Refused(house.BAD_BODY, f"the body is no form with a file{f' {name}' if name else ''}")
        return parts[0]


Deed = Callable[..., "HttpResponse | Json"]


class SneApi:
    """Answers requests.

    Args:
        box: What it does.
        users: Who may ask.
        faults: `SessionExpired` strikes here.
        firmware: "6.1" without bearer tokens, or "newer" with them.
        build: What the box says its software is.
    """

    def __init__(self, box: SneBox, users: Users, faults: ArmedFaults, firmware: Firmware, build: str) -> None:
        self._box = box
        self._users = users
        self._faults = faults
        self._firmware = firmware
        self._build = build
        self._captures = Captures()
        self._router: Router[Deed] = Router(self._routes())

    def power_on(self) -> None:
        """Forget tokens and files."""
        self._users.expire()
        self._captures = Captures()

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request, whatever it is."""
        target = _understood(request.target)
        try:
            found = self._router.find("GET" if request.method == "HEAD" else request.method, target.path)
            if found is None:
                raise self._no_such(request, target)
            call = _Call(request, dict(target.query), self._user(request, target))
            answer = found.handler(call, *found.variables)
        except Refused as refused:
            return _refusal(refused)
        return answer if isinstance(answer, HttpResponse) else json_response(HTTPStatus.OK, answer)

    def _no_such(self, request: HttpRequest, target: Asked) -> Refused:
        methods = self._router.methods(target.path)
        if methods:
            return Refused(house.NO_METHOD, f"{request.method[:20]} is none of {', '.join(methods)}")
        return Refused(house.NO_RESOURCE, f"no such path: {request.target[:200]}")

    def _user(self, request: HttpRequest, target: Asked) -> str:
        if target.path[:1] == ("swagger",) or target.path[1:] == ("users", "authenticate"):
            return ""
        if self._faults.strike(SessionExpired) is not None:
            self._users.expire()
            raise Refused(house.UNAUTHORISED, "the session has expired")
        if self._firmware == "6.1":
            return self._users.of_name(target.query.get("userToken"))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self._users.of_token(token.strip() if scheme.lower() == "bearer" else None)

    def _routes(self) -> Iterator[tuple[str, str, Deed]]:
        yield "GET", "swagger/index.html", lambda _: HttpResponse(HTTPStatus.OK, _SWAGGER, "text/html")
        yield "GET", "api/instrument/software/buildversion", lambda _: self._build
        yield "GET", "api/maps", lambda _: _with_status(maps=[_listed(one) for one in self._box.maps])
        yield "POST", "api/maps/upload", self._upload_xml
        if self._firmware == "newer":
            yield "POST", "api/users/authenticate", self._authenticate
            yield "POST", "api/maps/json", self._upload_json
        yield "PUT", "api/physical/ports/reserve", self._reserve
        yield "PUT", "api/physical/ports/release", self._release
        yield "GET", "api/files/capturereplay", self._list_captures
        yield "POST", "api/files/capturereplay", self._store_capture
        yield "GET", "api/files/capturereplay/{}", self._send_capture
        yield "DELETE", "api/files/capturereplay/{}", self._delete_capture
        yield "DELETE", "webui/maps", self._delete_map
        yield "POST", "api/maps/{}/load", self._on_map(self._box.load)
        yield "PUT", "api/maps/{}/start", self._on_map(self._box.start)
        yield "PUT", "api/maps/{}/stop", self._on_map(self._box.stop)
        yield "PUT", "api/maps/{}/unload", self._on_map(self._box.unload)
        yield "GET", "api/maps/{}/impairments", self._impairments
        yield "GET", "api/maps/{}/stats", self._statistics
        yield "GET", "api/maps/{}/impairments/{}/enabled", self._is_enabled
        yield "PUT", "api/maps/{}/impairments/{}/enabled", self._enable
        for resource in RESOURCES:
            path = f"api/maps/{{}}/impairments/{{}}/{resource.name}"
            yield "GET", path, self._getting(resource.name)
            yield "PUT", path, self._putting(resource.name)
        yield "PUT", "api/maps/{}/{}/linkup", self._linking(up=True)
        yield "PUT", "api/maps/{}/{}/linkdown", self._linking(up=False)
        yield "GET", "api/maps/{}", lambda _, name: _with_status(maps=[_listed(self._box.find(name))])
        yield "GET", "api/maps/{}/{}", self._port_state

    def _authenticate(self, call: _Call) -> Json:
        body = call.object()
        return {"token": self._users.authenticate(body.get("username"), body.get("password"))}

    def _upload_xml(self, call: _Call) -> Json:
        self._box.upload(map_from_xml(call.file("mapFile").content, call.user, self._box.paths))
        return SUCCESS

    def _upload_json(self, call: _Call) -> Json:
        self._box.upload(map_from_json(call.file("mapFileFormFile").content, call.user, self._box.paths))
        return SUCCESS

    def _delete_map(self, call: _Call) -> Json:
        self._box.delete(self._box.find(call.query.get("mapId", "")), call.user)
        return SUCCESS

    def _on_map(self, deed: Callable[[Map, str], None]) -> Deed:
        def act(call: _Call, name: str) -> Json:
            deed(self._box.find(name), call.user)
            return SUCCESS

        return act

    def _reserve(self, call: _Call) -> Json:
        ports = self._ports(call)
        self._box.require(call.user, ports)
        self._box.reservations.reserve(call.user, ports)
        return SUCCESS

    def _release(self, call: _Call) -> Json:
        self._box.reservations.release(call.user, self._ports(call))
        return SUCCESS

    def _ports(self, call: _Call) -> list[int]:
        """Return the ports that a body lists, from 0. Raises `Refused`."""
        try:
            document = read_json(call.request.body)
        except BadBody as error:
            raise Refused(house.BAD_BODY, f"the body is {error}") from error
        most = min(2 * self._box.paths, _MOST_PORTS) - 1
        ports = [each for each in document if isinstance(each, int)] if isinstance(document, list) else []
        if not ports or ports != document or any(isinstance(each, bool) or not 0 <= each <= most for each in ports):
            raise Refused(house.BAD_VALUE, f"the body must be a list of ports from 0 to {most}")
        return ports

    def _impairments(self, _: _Call, name: str) -> Json:
        return _with_status(
            impairments=[
                {
                    "name": each.name,
                    "impId": each.guid,
                    "enabled": written(each.settings[ENABLED]),
                    "type": self._kind(each.resource),
                }
                for each in self._box.find(name).disruptors
            ]
        )

    def _kind(self, resource: Resource) -> str:
        newer = resource.newer_kind if self._firmware == "newer" else ""
        return newer or resource.kind

    def _statistics(self, _: _Call, name: str) -> Json:
        return _with_status(nodes=[*nodes_of(self._box.statistics(self._box.find(name)))])

    def _is_enabled(self, _: _Call, name: str, impairment: str) -> Json:
        disruptor = self._box.find_disruptor(self._box.find(name), impairment)
        return _with_status(enabled=written(disruptor.settings[ENABLED]))

    def _enable(self, call: _Call, name: str, impairment: str) -> Json:
        one = self._box.find(name)
        self._box.enable(one, self._box.find_disruptor(one, impairment), call.query.get("enabled"), call.user)
        return SUCCESS

    def _getting(self, resource: str) -> Deed:
        def get(_: _Call, name: str, impairment: str) -> Json:
            disruptor = self._box.find_disruptor(self._box.find(name), impairment, resource)
            settings: dict[str, Json] = {key: written(value) for key, value in disruptor.settings.items()}
            if self._firmware == "newer":
                settings = {disruptor.resource.key: settings}
            return _with_status(updatePending=self._box.update_pending(), **settings)

        return get

    def _putting(self, resource: str) -> Deed:
        def put(call: _Call, name: str, impairment: str) -> Json:
            one = self._box.find(name)
            self._box.change(one, self._box.find_disruptor(one, impairment, resource), call.object(), call.user)
            return SUCCESS

        return put

    def _port(self, one: Map, text: str) -> int:
        """Return a port of a map, from 0, as the paths have it from 1. Raises `Refused`."""
        if text.isascii() and text.isdigit() and len(text) == 1 and int(text) - 1 in one.ports:
            return int(text) - 1
        legal = ", ".join(str(port + 1) for port in one.ports)
        raise Refused(house.NO_RESOURCE, f"map {one.name!r} has no port {text[:20]!r}; it has {legal}")

    def _linking(self, *, up: bool) -> Deed:
        def link(call: _Call, name: str, port: str) -> Json:
            one = self._box.find(name)
            self._box.set_link(one, self._port(one, port), call.user, up=up)
            return SUCCESS

        return link

    def _port_state(self, _: _Call, name: str, port: str) -> Json:
        one = self._box.find(name)
        return _with_status(portStatus="Down" if self._port(one, port) in one.down else "Up")

    def _list_captures(self, _: _Call) -> Json:
        sizes = self._captures.sizes()
        return _with_status(captureReplayFiles=[{"name": name, "size": size} for name, size in sizes.items()])

    def _store_capture(self, call: _Call) -> Json:
        part = call.file()
        self._captures.store(part.filename, part.content)
        return SUCCESS

    def _send_capture(self, _: _Call, name: str) -> HttpResponse:
        return HttpResponse(HTTPStatus.OK, self._captures.content(name), "application/octet-stream")

    def _delete_capture(self, _: _Call, name: str) -> Json:
        self._captures.delete(name)
        return SUCCESS


def _understood(target: str) -> Asked:
    """Read a target as the manual writes them, too: with & where the ? before the query belongs."""
    if "?" not in target and "&" in target.rpartition("/")[2]:
        target = target.replace("&", "?", 1)
    return Asked.read(target)


def _with_status(**content: Json) -> Json:
    return {"status": SUCCESS, **content}


def _listed(one: Map) -> Json:
    return {
        "mapName": one.name,
        "mapId": one.guid,
        "state": "Active" if one.active else "Stopped",
        "user": one.user,
        "portsUsed": ",".join(str(port + 1) for port in one.ports),
    }


def _refusal(refused: Refused) -> HttpResponse:
    refusal: HouseRefusal = refused.refusal
    body: Json = {"code": house.CODE_OFFSET + refusal.status, "message": refused.message}
    response = json_response(refusal.status, body)
    if refusal is house.UNAUTHORISED:
        return replace(response, headers={"WWW-Authenticate": "Bearer"})
    return response
