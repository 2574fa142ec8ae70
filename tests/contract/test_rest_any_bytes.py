"""Whatever a client sends to a simulated REST appliance: a well-formed answer, and others are served as before."""

import http.client
import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impairlab.sim_hardware.attero import SimulatedAttero
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.rest.simulated import SimulatedRest
from impairlab.sim_hardware.sne import SimulatedSne
from impairlab.sim_hardware.sne.resources import RESOURCES
from impairlab.sim_hardware.transports.http import HttpRequest

_DISRUPTORS = "".join(f'<disruptor name="{each.name}" type="{each.kind}"/>' for each in RESOURCES)
MAP = f'<map name="wan" format="impairlab-1"><link from="0" to="1">{_DISRUPTORS}</link></map>'
FORM = b'--b\r\nContent-Disposition: form-data; name="mapFile"; filename="m"\r\n\r\n' + MAP.encode() + b"\r\n--b--\r\n"
SNE_PATHS = [
    "/api/maps", "/api/maps/json", "/api/maps/upload", "/api/maps/wan/load",
    "/api/maps/wan/start", "/api/maps/wan/stop", "/api/maps/wan/unload", "/api/maps/wan/stats",
    "/api/maps/wan/1/linkdown", "/api/maps/wan/1",
    "/api/physical/ports/reserve", "/api/files/capturereplay", "/api/users/authenticate", "/webui/maps?mapId=wan",
    "/api/maps/wan/impairments/delay/enabled?enabled=true",
    *(f"/api/maps/wan/impairments/{each.name}/{each.name}" for each in RESOURCES),
]  # fmt: skip
_KINDS = ("lostpacket", "erroredpacket", "misorderedpacket", "repeatedpacket")
_SETTINGS = ("enable", "distributetype", "burst", "rate", "depth", "periodtype", "duration/time", "duration/packet",
             "now", "resetall")  # fmt: skip
ATTERO_PATHS = [
    "/api/app/impairment/delay/Port1/7.json", "/api/app/impairment/delay/Port1/7/enable",
    "/api/app/impairment/delay/all",
    "/api/app/impairment/jitter/generate", "/api/app/impairment/jitter/Port1/7/jitterprofile?format=json",
    "/api/app/impairment/jitter/jitterprofile/file/upload", "/api/app/profile/Port1/1/filter",
    "/api/app/profile/Port1/1/profilesswap", "/api/app/profile/Port1/1/delay/copy", "/api/instrument/errorlog",
    "/api/results/statistics/all", "/api/authentication/login?Password=x",
    *(f"/api/app/impairment/corruption/{kind}/Port1/7/{each}" for kind in _KINDS for each in _SETTINGS),
]  # fmt: skip
KEYS = [
    "enabled", "delayMode", "constDelayMode", "rangeDelayMode", "rampDelayMode", "delayModeSettings",
    "latency",
    "packetDropMode", "packetDropSettings", "standardDropMode", "packetDropCount", "perPacketCount", "timeConstraints",
    "jitter", "mapName", "links", "username", "password", "Delay", "Enable", "Burst", "Rate", "Depth", "Duration",
    "Period", "Repeated", "DistributeType", "PeriodType", "Samples", "Distribution", "Maximum", "Name", "Fields",
    "Value",
]  # fmt: skip

numbers = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.sampled_from([0.01, 1, 7, 50, 100, 50_000, 10**400, 1e308, 1e-320])
)
scalars = st.one_of(
    st.none(), st.booleans(), numbers, st.text(max_size=12), st.sampled_from([*KEYS, "0.1%", "1E-3", "true", "UDP"])
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=12,
)
bodies = st.one_of(
    documents.map(lambda document: json.dumps(document).encode()),
    st.binary(max_size=80),
    st.just(FORM),
    st.binary(max_size=60).map(lambda junk: FORM[:-30] + junk + FORM[-20:]),
    st.sampled_from([b"[" * 100_000, b'{"Delay": ' + b"9" * 10_000 + b"}", b'{"latency": 1e999999999999}', b"NaN",
                     b'"\\ud800"', b'{"enabled": NaN}', b"\xff"]),
)  # fmt: skip
METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "BREW"])
VERY_LONG = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def sne() -> Iterator[SimulatedSne]:
    with SimulatedSne(NullPlane(), update_ns=0, firmware="6.1", users={}) as sim:
        yield sim


@pytest.fixture(scope="module")
def attero() -> Iterator[SimulatedAttero]:
    with SimulatedAttero(NullPlane()) as sim:
        yield sim


def well_formed(content: bytes, method: str) -> int:
    """Parse a response with the standard library's client, which refuses what is none; its status."""

    class Source:
        def makefile(self, *_: Any) -> io.BytesIO:
            return io.BytesIO(content)

    response = http.client.HTTPResponse(Source(), method=method)
    response.begin()
    body = response.read()
    if method != "HEAD":
        assert len(body) == int(response.headers["Content-Length"])
        if response.headers["Content-Type"] == "application/json":
            json.loads(body)
    return response.status


def answered(sim: SimulatedRest, method: str, target: str, body: bytes) -> int:
    request = HttpRequest(method, target, {"content-type": "multipart/form-data; boundary=b"}, body)
    return well_formed(sim._answer(request).encoded(keep_alive=True, with_body=method != "HEAD"), method)


@VERY_LONG
@given(METHODS, st.sampled_from(SNE_PATHS) | st.text(max_size=40).map(lambda path: f"/api/{path}"), bodies)
def test_the_sne_answers_anything(sne: SimulatedSne, method: str, target: str, body: bytes) -> None:
    for begin in (("POST", "/api/maps/upload"), ("POST", "/api/maps/wan/load"), ("PUT", "/api/maps/wan/start")):
        answered(sne, *begin, FORM)
    assert answered(sne, "GET", "/api/maps/wan/impairments", b"") == 200
    assert 200 <= answered(sne, method, target, body) <= 507


@VERY_LONG
@given(METHODS, st.sampled_from(ATTERO_PATHS) | st.text(max_size=40).map(lambda path: f"/api/{path}"), bodies)
def test_the_attero_answers_anything(attero: SimulatedAttero, method: str, target: str, body: bytes) -> None:
    assert 200 <= answered(attero, method, target, body) <= 507


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300) | st.sampled_from(SNE_PATHS).map(lambda path: f"PUT {path} HTTP/1.1\r\nHost: x".encode())
)
def test_any_bytes_on_the_wire(sne: SimulatedSne, content: bytes) -> None:
    host, _, port = sne.address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.sendall(content + b"\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        reply = sock.makefile("rb").read()
    assert reply == b"" or reply.startswith(b"HTTP/1.1 ")
