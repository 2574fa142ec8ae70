"""Identification over HTTP, and advertisement by mDNS, of a simulated appliance."""

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.scpi import Identity
from impairlab.sim_hardware.transports.lxi import LxiWeb


@pytest.fixture
def appliance() -> Iterator[SimulatedAppliance]:
    before = set(threading.enumerate())
    with SimulatedAppliance(NullPlane()) as appliance:
        yield appliance
    assert set(threading.enumerate()) <= before


@pytest.fixture(scope="module")
def web() -> Iterator[LxiWeb]:
    with LxiWeb(Identity("impairlab", "x"), lambda host: [f"TCPIP::{host}::INSTR"], port=0) as web:
        yield web


def get(address: tuple[str, int], path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request(method, path)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def test_the_identification_names_every_transport(appliance):
    _, scpi = appliance.serve_scpi()
    vxi11 = appliance.serve_vxi11(portmapper_port=None)
    _, hislip = appliance.serve_hislip(port=0)
    response, content = get(appliance.serve_lxi(port=0), "/lxi/identification")
    assert (response.status, response.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    for name in (
        f"TCPIP::127.0.0.1::{scpi}::SOCKET",
        f"TCPIP::127.0.0.1,{vxi11.core}::inst0::INSTR",
        f"TCPIP::127.0.0.1::hislip0,{hislip}::INSTR",
    ):
        assert f"<InstrumentAddressString>{name}<".encode() in content


def test_other_requests(web):
    assert get(web.address, "/")[1].startswith(b"<!doctype html>")
    assert get(web.address, "/nothing")[0].status == 404
    assert get(web.address, "/", "POST")[0].status == 405
    response, content = get(web.address, "/lxi/identification", "HEAD")
    assert int(response.headers["Content-Length"]) > 100
    assert content == b""
    assert get(web.address, "/lxi/identification?x=1")[0].status == 200


def exchange(web: LxiWeb, request: bytes) -> bytes:
    with socket.create_connection(web.address, 10) as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        return sock.makefile("rb").read()


def test_what_is_no_request_is_refused(web):
    assert exchange(web, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert exchange(web, b"GET / HTTP/1.1\r\nX: " + b"x" * 9000).startswith(b"HTTP/1.1 431 ")
    assert exchange(web, b"GET / HT") == b""


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(web, request):
    reply = exchange(web, request + b"\r\n\r\n")
    assert reply == b"" or reply.startswith(b"HTTP/1.1 ")


def test_who_says_nothing_is_sent_away(monkeypatch):
    monkeypatch.setattr("impairlab.sim_hardware.transports.lxi.web._PATIENCE_NS", 50_000_000)
    impatient = LxiWeb(Identity("impairlab", "x"), lambda _: [], port=0)
    with impatient, socket.create_connection(impatient.address, 10) as sock:
        assert sock.recv(1) == b""


def test_an_independent_browser_finds_what_is_announced(appliance):
    zeroconf = pytest.importorskip("zeroconf")
    _, port = appliance.serve_scpi()
    appliance.serve_lxi(port=0)
    name = appliance.announce()
    assert name.startswith("impairlab IL-8 SIM0001")
    with zeroconf.Zeroconf(interfaces=["127.0.0.1"]) as browser:
        kind = "_scpi-raw._tcp.local."
        info = browser.get_service_info(kind, f"{name}.{kind}", timeout=10_000)
        assert info.port == port
        assert info.parsed_addresses() == ["127.0.0.1"]
        assert info.decoded_properties == {
            "txtvers": "1",
            "Manufacturer": "impairlab",
            "Model": "IL-8",
            "SerialNumber": "SIM0001",
            "FirmwareVersion": "1.0",
        }
        for kind in ("_lxi._tcp.local.", "_http._tcp.local."):
            assert browser.get_service_info(kind, f"{name}.{kind}", timeout=10_000) is not None


def test_once_is_enough(appliance):
    appliance.serve_lxi(port=0)
    with pytest.raises(RuntimeError, match="served already"):
        appliance.serve_lxi(port=0)
    pytest.importorskip("zeroconf")
    appliance.announce()
    with pytest.raises(RuntimeError, match="advertised already"):
        appliance.announce()
