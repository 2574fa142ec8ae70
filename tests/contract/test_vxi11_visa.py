"""PyVISA-py on the raw socket and on VXI-11 of one instrument, and what only VXI-11 has."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import pyvisa
from pyvisa.constants import AccessModes, StatusCode
from pyvisa.resources import MessageBasedResource

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

SERVED = ["VXI-11", "SOCKET"]


@pytest.fixture
def names() -> Iterator[dict[str, str]]:
    with SimulatedAppliance(NullPlane()) as appliance:
        vxi11, (host, port) = appliance.serve_vxi11(portmapper_port=None), appliance.serve_scpi()
        yield {"VXI-11": f"TCPIP::{vxi11.host},{vxi11.core}::inst0::INSTR", "SOCKET": f"TCPIP::{host}::{port}::SOCKET"}


@pytest.fixture
def manager() -> Iterator[pyvisa.ResourceManager]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


@pytest.fixture
def opened(names, manager):
    def opened(transport: str = "VXI-11") -> MessageBasedResource:
        return manager.open_resource(names[transport], read_termination="\n", write_termination="\n", timeout=5000)

    return opened


@pytest.mark.parametrize("transport", SERVED)
def test_queries_and_settings(opened, transport):
    box = opened(transport)
    assert box.query("*IDN?") == "impairlab,IL-8,SIM0001,1.0"
    box.write("PATH1:AB:DEL:MEAN 45 MS;STAT ON;:APPL")
    assert box.query("*OPC?;:PATH1:AB:DEL:MEAN?") == "1;0.045"
    box.write("NONSENSE")
    assert box.query("SYST:ERR?").startswith("-113")


@pytest.mark.parametrize("transport", SERVED)
@pytest.mark.parametrize("chunk", [20, 999, 20_000])
def test_a_big_block_in_pieces(opened, transport, chunk):
    box = opened(transport)
    headers = box.query_binary_values("SYST:HELP:HEAD?", datatype="B", container=bytes, chunk_size=chunk)
    assert len(headers) > 3000
    assert b"\n*OPC?\n" in headers
    assert box.query("*OPC?") == "1"


@pytest.mark.parametrize("transport", SERVED)
def test_a_long_message_is_sent_in_pieces(opened, transport):
    box = opened(transport)
    box.write("*ESE 1;" * 4500 + "*ESE 7")
    assert box.query("*ESE?;:SYST:ERR?") == '7;0,"No error"'


@pytest.mark.parametrize("transport", SERVED)
def test_four_clients_at_once(opened, transport):
    boxes = [opened(transport) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: {boxes[number].query("*STB?;:SYST:VERS?") for _ in range(50)}, range(4)))
    assert answers == [{"0;1999.0"}] * 4


def test_status_byte(opened):
    box = opened()
    box.write("*CLS;*SRE 16")
    box.write("*IDN?")
    assert [box.read_stb(), box.read_stb()] == [80, 16]
    box.read()
    assert box.read_stb() == 0


def test_clear_drops_the_response_and_keeps_the_settings(opened):
    box = opened()
    box.write("*ESE 5;*IDN?")
    box.clear()
    assert box.query("*ESE?;:SYST:ERR?") == '5;0,"No error"'


def test_a_query_that_was_not_asked_times_out(opened):
    box = opened()
    box.timeout = 100
    with pytest.raises(pyvisa.VisaIOError) as caught:
        box.read()
    assert caught.value.error_code == StatusCode.error_timeout
    assert box.query("SYST:ERR?") == '-420,"Query UNTERMINATED"'


def test_trigger_without_anybody_who_waits(opened):
    box = opened()
    box.assert_trigger()
    assert box.query("SYST:ERR?").startswith("-211")


def test_lock_keeps_the_others_out_until_it_is_given_back(opened):
    first, second = opened(), opened()
    first.lock_excl()
    with pytest.raises(pyvisa.VisaIOError):
        second.query("*IDN?")
    first.unlock()
    assert second.query("*OPC?") == "1"
    second.lock_excl()
    second.close()
    assert first.query("*OPC?") == "1", "the end of a session gives its lock back"


def test_the_raw_socket_meets_the_lock_of_the_other_transport(opened):
    locked, raw = opened(), opened("SOCKET")
    locked.lock_excl()
    assert raw.query("*IDN?").startswith("impairlab")
    raw.write("PATH1:AB:DEL:STAT ON")
    assert raw.query("SYST:ERR?").startswith("-203")


def test_nothing_is_left_behind(names, manager):
    manager.open_resource(names["VXI-11"], open_timeout=5000, access_mode=AccessModes.no_lock).close()
    assert "vxi11" in {each.name for each in threading.enumerate()}
    with SimulatedAppliance(NullPlane()) as other:
        other.serve_vxi11(portmapper_port=None)
        assert sum(each.name == "vxi11" for each in threading.enumerate()) == 2
    assert sum(each.name == "vxi11" for each in threading.enumerate()) == 1
