"""What an instrument says of itself: the LXI identification document and a welcome page.

The order of elements is that of the schema InstrumentIdentification 2.0 (lxistandard.org). The version element is
required there; the simulation does not claim conformance.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from impairlab.sim_hardware.scpi.device import Identity

NAMESPACE = "http://lxistandard.org/schemas/InstrumentIdentification/2.0"
LXI_VERSION = "1.6"
IDENTIFICATION_PATH = "/lxi/identification"


@dataclass(frozen=True, slots=True)
class Page:
    """A document to serve."""

    content_type: str
    content: bytes


def identification(identity: Identity, host: str, url: str, resources: Sequence[str]) -> Page:
    """Return the identification document.

    Args:
        identity: The fields of *IDN?.
        host: The address at which the instrument was asked.
        url: Where this document is.
        resources: VISA resource names under which it answers.
    """
    root = Element("LXIDevice", xmlns=NAMESPACE)
    _add(root, "Manufacturer", identity.manufacturer)
    _add(root, "Model", identity.model)
    _add(root, "SerialNumber", identity.serial)
    _add(root, "FirmwareRevision", identity.firmware)
    _add(root, "UserDescription", "simulated by impairlab")
    _add(root, "IdentificationURL", url)
    version = "IPv6" if ":" in host else "IPv4"
    interface = SubElement(root, "Interface", InterfaceType="LXI", IPType=version, InterfaceName="lan0")
    for resource in resources:
        _add(interface, "InstrumentAddressString", resource)
    _add(interface, "Hostname", host)
    _add(interface, "IPAddress", host)
    _add(root, "LXIVersion", LXI_VERSION)
    indent(root)
    return Page("text/xml; charset=utf-8", tostring(root, "utf-8", xml_declaration=True) + b"\n")


def welcome(identity: Identity, resources: Sequence[str]) -> Page:
    """Return the page for people."""
    rows = {
        "Manufacturer": identity.manufacturer,
        "Model": identity.model,
        "Serial number": identity.serial,
        "Firmware": identity.firmware,
        "Addresses": ", ".join(resources),
    }
    table = "".join(f"<tr><th>{name}<td>{html.escape(value)}" for name, value in rows.items())
    title = html.escape(f"{identity.manufacturer} {identity.model}")
    link = f'<p><a href="{IDENTIFICATION_PATH}">LXI identification</a>'
    text = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1><table>{table}</table>"
    )
    return Page("text/html; charset=utf-8", f"{text}{link}\n".encode())


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text
