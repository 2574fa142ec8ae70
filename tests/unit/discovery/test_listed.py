"""What is made of an mDNS record, of the kernel's folder of USB devices, and of pyserial's list."""

import sys
from types import SimpleNamespace

import pytest

from impairlab.drivers.discovery import mdns, serial_ports, usb
from impairlab.drivers.discovery.found import Found, MeansUnavailable
from impairlab.drivers.links.address import is_visa_address

TXT = {b"txtvers": b"1", b"Manufacturer": b"impairlab", b"Model": b"IL-8", b"SERIALNUMBER": b"S1",
       b"FirmwareVersion": b"1.0", b"flag": None}  # fmt: skip


@pytest.mark.parametrize(
    ("service", "host", "port", "address"),
    [
        (mdns.RAW_SERVICE, "192.0.2.1", 5025, "tcp://192.0.2.1:5025"),
        (mdns.RAW_SERVICE, "2001:db8::1", 5025, "tcp://[2001:db8::1]:5025"),
        (mdns.HISLIP_SERVICE, "192.0.2.1", 4880, "TCPIP::192.0.2.1::hislip0::INSTR"),
        (mdns.HISLIP_SERVICE, "192.0.2.1", 4881, "TCPIP::192.0.2.1::hislip0,4881::INSTR"),
        (mdns.VXI11_SERVICE, "192.0.2.1", 111, "TCPIP::192.0.2.1::inst0::INSTR"),
    ],
)
def test_the_address_of_a_service(service, host, port, address):
    found = mdns.found_of(service, host, port, TXT)
    assert found == Found(address, "mdns", "impairlab", "IL-8", "S1", "1.0")
    assert found.driver == "scpi"


def test_a_service_that_says_nothing_of_itself():
    found = mdns.found_of(mdns.RAW_SERVICE, "192.0.2.1", 5025, {})
    assert (found.identity, found.driver) == ("", None)


class Network:
    """Stands in for Zeroconf: one service, or none."""

    def __init__(self, port, *hosts):
        self.info = SimpleNamespace(port=port, properties=TXT, parsed_scoped_addresses=lambda: list(hosts))

    def get_service_info(self, service, name, timeout_ms):
        self.timeout_ms = timeout_ms
        return self.info


def test_ipv4_is_preferred_and_ipv6_taken():
    both = mdns.resolved(Network(5025, "2001:db8::1", "192.0.2.1"), mdns.RAW_SERVICE, "a", 0)
    assert [each.address for each in both] == ["tcp://192.0.2.1:5025"]
    only = mdns.resolved(Network(5025, "fe80::1%lan0"), mdns.RAW_SERVICE, "a", 0)
    assert [each.address for each in only] == ["tcp://[fe80::1%lan0]:5025"]


def test_a_service_without_a_port_is_not_offered():
    assert mdns.resolved(Network(0, "192.0.2.1"), mdns.RAW_SERVICE, "a", 0) == []


def test_a_service_that_does_not_tell_where_it_is():
    network = Network(5025)
    network.info = None
    assert mdns.resolved(network, mdns.RAW_SERVICE, "a", 0) == []
    assert network.timeout_ms == 0, "the time is over: only what is known is taken"


def test_without_zeroconf_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(MeansUnavailable, match=r"impairlab\[discover\]") as error:
        mdns.find(1)
    assert "\n" not in str(error.value)


def plug_in(devices, name, interfaces, **attributes):
    (devices / name).mkdir()
    for attribute, value in attributes.items():
        (devices / name / attribute).write_text(f"{value}\n")
    for number, (kind, subclass) in enumerate(interfaces):
        interface = devices / f"{name}:1.{number}"
        interface.mkdir()
        (interface / "bInterfaceClass").write_text(f"{kind}\n")
        (interface / "bInterfaceSubClass").write_text(f"{subclass}\n")
        (interface / "bInterfaceNumber").write_text(f"{number:02x}\n")


def test_usb_instruments_and_nothing_else(tmp_path):
    scope = {"manufacturer": "ACME", "product": "Scope 3", "serial": "MY1"}
    plug_in(tmp_path, "1-2", [("02", "02"), ("fe", "03")], idVendor="0957", idProduct="0407", **scope)
    plug_in(tmp_path, "1-3", [("03", "01"), ("fe", "01")], idVendor="046d", idProduct="c31c")
    found = usb.find(tmp_path)
    assert found == [Found("USB0::0x0957::0x0407::MY1::1::INSTR", "usb", "ACME", "Scope 3", "MY1")]
    assert is_visa_address(found[0].address)
    assert found[0].driver is None


def test_a_usb_instrument_without_serial_number_has_no_address(tmp_path):
    plug_in(tmp_path, "1-2", [("fe", "03")], idVendor="0957", idProduct="0407", product="Old")
    assert usb.find(tmp_path) == [Found("", "usb", model="Old")]


def test_no_usb_here(tmp_path):
    assert usb.find(tmp_path / "missing") == []


def test_serial_ports_by_name():
    adapter = SimpleNamespace(device="/dev/ttyUSB0", manufacturer="FTDI", product="FT232R", serial_number="A1")
    plain = SimpleNamespace(device="/dev/ttyS0", manufacturer=None, product=None, serial_number=None)
    found = serial_ports.found_of([adapter, plain])
    assert found == [
        Found("serial:///dev/ttyS0", "serial"),
        Found("serial:///dev/ttyUSB0", "serial", "FTDI", "FT232R", "A1"),
    ]
