"""A client that is not ours, PyVISA-py, understands the server."""

from collections.abc import Iterator

import pytest
import pyvisa
from pyvisa.resources import TCPIPSocket

from impairlab.sim_hardware.scpi import Device, Identity, Instrument, ScpiServer


class Plain(Device):
    """Nothing but the common commands."""

    identity = Identity("impairlab", "Plain", "P1", "1.0")


@pytest.fixture
def resource() -> Iterator[TCPIPSocket]:
    with ScpiServer(Instrument(Plain()), port=0) as server:
        manager = pyvisa.ResourceManager("@py")
        resource = manager.open_resource(
            f"TCPIP::{server.address[0]}::{server.address[1]}::SOCKET",
            resource_pyclass=TCPIPSocket,
            read_termination="\n",
            write_termination="\r\n",
            timeout=5000,
        )
        yield resource
        resource.close()
        manager.close()


def test_queries_and_numbers(resource: TCPIPSocket) -> None:
    assert resource.query("*IDN?") == "impairlab,Plain,P1,1.0"
    assert resource.query_ascii_values("*ESE 12;*ESE?;*ESE? MAX", separator=";", converter="d") == [12, 255]
    resource.write("NONSENSE 'a;b'")
    assert resource.query("SYST:ERR?") == '-113,"Undefined header;:NONSENSE"'


def test_block_of_many_lines(resource: TCPIPSocket) -> None:
    headers = resource.query_binary_values("SYST:HELP:HEAD?", datatype="B", container=bytes)
    assert b"\n*OPC?\n" in headers
    assert resource.query("*OPC?") == "1"
