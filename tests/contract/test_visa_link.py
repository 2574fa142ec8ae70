"""The VISA link keeps the link contract, over HiSLIP and over VXI-11."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Unpack

from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.visa import VisaLink
from impairlab.drivers.testing.links import LinkContract
from impairlab.drivers.testing.peers import Script
from impairlab.drivers.testing.visa_peers import hislip_peer, vxi11_peer


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class TestVisaLinkOverHislip(LinkContract):
    @contextmanager
    def serve(self, script: Script) -> Iterator[str]:
        with hislip_peer(script) as (host, port):
            yield f"TCPIP::{host}::hislip0,{port}::INSTR"

    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> VisaLink:
        return VisaLink(address, **options)

    def unreachable_address(self) -> str:
        return f"TCPIP::127.0.0.1::hislip0,{closed_port()}::INSTR"


class TestVisaLinkOverVxi11(LinkContract):
    @contextmanager
    def serve(self, script: Script) -> Iterator[str]:
        with vxi11_peer(script) as (host, port):
            yield f"TCPIP::{host},{port}::inst0::INSTR"

    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> VisaLink:
        return VisaLink(address, **options)

    def unreachable_address(self) -> str:
        return f"TCPIP::127.0.0.1,{closed_port()}::inst0::INSTR"
