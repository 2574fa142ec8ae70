"""The VISA link keeps the link contract, over HiSLIP, over VXI-11 and at a serial port."""

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

import pytest

from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.visa import VisaLink
from impairlab.drivers.testing.links import LinkContract
from impairlab.drivers.testing.peers import Script
from impairlab.drivers.testing.pty_peer import pty_peer
from impairlab.drivers.testing.visa_peers import hislip_peer, vxi11_peer

numbers = itertools.count()


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


class TestVisaLinkOverSerial(LinkContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @contextmanager
    def serve(self, script: Script) -> Iterator[str]:
        with pty_peer(script, self.folder / f"console{next(numbers)}") as link:
            yield f"ASRL{link}::INSTR"

    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> VisaLink:
        return VisaLink(address, **options)

    def unreachable_address(self) -> str:
        return f"ASRL{self.folder}/no-such-port::INSTR"
