"""The identification document has the elements of the LXI schema 2.0, each in its place."""

import re
from xml.etree import ElementTree as ET

import pytest

from impairlab.sim_hardware.scpi import Identity
from impairlab.sim_hardware.transports.lxi.pages import NAMESPACE, identification, welcome

IDENTITY = Identity("R&S <impairlab>", "IL-8", "SIM0001", "1.0")
RESOURCES = ["TCPIP::10.0.0.1::inst0::INSTR", "TCPIP::10.0.0.1::5025::SOCKET"]

# InstrumentIdentification 2.0: the sequence of LXIDevice and of its Interface, each element once (1), at most once (?)
# or any number of times (*).
DEVICE = """Manufacturer1 Model1 SerialNumber1 FirmwareRevision1 ManufacturerDescription? HomepageURL? DriverURL*
    ConnectedDevices? UserDescription? IdentificationURL? Interface* IVISoftwareModuleName* Subinstruments? Extension?
    LXIClass? Domain? LXIVersion1 LXIExtendedFunctions?"""
INTERFACE = """InstrumentAddressString* Hostname? IPAddress* SubnetMask? MACAddress? Gateway? DHCPEnabled?
    AutoIPEnabled?"""


def fits(element: ET.Element, sequence: str) -> bool:
    pattern = "".join(f"(?:<{each[:-1]}>){each[-1].replace('1', '')}" for each in sequence.split())
    names = "".join(f"<{child.tag.removeprefix(f'{{{NAMESPACE}}}')}>" for child in element)
    return re.fullmatch(pattern, names) is not None


@pytest.fixture
def root() -> ET.Element:
    page = identification(IDENTITY, "10.0.0.1", "http://10.0.0.1/lxi/identification", RESOURCES)
    assert page.content_type.startswith("text/xml")
    return ET.fromstring(page.content)  # noqa: S314 - our own


def text(root: ET.Element, path: str) -> str | None:
    return root.findtext("/".join(f"{{{NAMESPACE}}}{each}" for each in path.split("/")))


def test_every_element_is_in_its_place(root):
    assert root.tag == f"{{{NAMESPACE}}}LXIDevice"
    assert fits(root, DEVICE)
    interface = root.find(f"{{{NAMESPACE}}}Interface")
    assert fits(interface, INTERFACE)
    assert interface.attrib == {"InterfaceType": "LXI", "IPType": "IPv4", "InterfaceName": "lan0"}


def test_an_element_out_of_place_would_be_seen(root):
    root.append(root[0])
    assert not fits(root, DEVICE)
    root.remove(root[-1])
    root.remove(root[-1])
    assert not fits(root, DEVICE)


def test_it_says_what_idn_says(root):
    fields = [text(root, name) for name in ("Manufacturer", "Model", "SerialNumber", "FirmwareRevision")]
    assert ",".join(fields) == IDENTITY.show()
    assert text(root, "IdentificationURL") == "http://10.0.0.1/lxi/identification"
    assert text(root, "Interface/InstrumentAddressString") == RESOURCES[0]
    assert text(root, "Interface/IPAddress") == "10.0.0.1"


def test_an_ipv6_address_is_told():
    page = identification(IDENTITY, "fe80::1", "http://[fe80::1]/lxi/identification", [])
    assert b'IPType="IPv6"' in page.content


def test_the_welcome_page_escapes_what_it_shows():
    page = welcome(IDENTITY, RESOURCES).content
    assert b"R&amp;S &lt;impairlab&gt;" in page
    assert b"<impairlab>" not in page
    assert RESOURCES[1].encode() in page
