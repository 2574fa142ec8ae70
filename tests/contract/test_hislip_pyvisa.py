"""Clients that are not ours on the HiSLIP server: PyVISA-py, in all that it can do, and its protocol module."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import pyvisa
from pyvisa.resources import TCPIPInstrument
from pyvisa_py.protocols import hislip as independent

from impairlab.sim_hardware.scpi import Action, Block, Device, Identity, Instrument, Personality, Setting
from impairlab.sim_hardware.transports.hislip import HislipServer
from impairlab.sim_hardware.transports.hislip.session import Control

MAV, ERROR, SERVICE = 0x10, 0x04, 0x40


class Store(Device):
    """Gives back the bytes that it was given."""

    identity = Identity("impairlab", "Store", "S1", "1.0")

    def commands(self):
        return [
            Setting("DATA", Block(), set=self.keep, query=lambda _: self.content),
            Action("WORK", lambda at: at.instrument.operations.start("work") and None),
        ]

    def reset(self) -> None:
        self.content = b""
        self.triggers = 0

    def keep(self, _, content: bytes) -> None:
        self.content = content

    def trigger(self) -> None:
        self.triggers += 1


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def server(store: Store) -> Iterator[HislipServer]:
    with HislipServer(Instrument(store, Personality(input_buffer=8_000_000)), port=0) as server:
        yield server


@pytest.fixture
def open_resource(server: HislipServer) -> Iterator[Callable[[], TCPIPInstrument]]:
    manager = pyvisa.ResourceManager("@py")
    host, port = server.address
    with closing(manager):
        yield lambda: manager.open_resource(
            f"TCPIP::{host}::hislip0,{port}::INSTR", resource_pyclass=TCPIPInstrument, read_termination="\n",
            timeout=10_000,
        )  # fmt: skip


@pytest.fixture
def resource(open_resource: Callable[[], TCPIPInstrument]) -> Iterator[TCPIPInstrument]:
    with closing(open_resource()) as resource:
        yield resource


def test_queries_and_numbers(resource: TCPIPInstrument) -> None:
    assert resource.query("*IDN?") == "impairlab,Store,S1,1.0"
    assert resource.query_ascii_values("*ESE 12;*ESE?;*ESE? MAX", separator=";", converter="d") == [12, 255]
    resource.write("NONSENSE 'a;b'")
    assert resource.query("SYST:ERR?") == '-113,"Undefined header;:NONSENSE"'


@pytest.mark.parametrize("size", [0, 1, 4096, 1 << 20, 5_000_000])
def test_blocks_of_any_size_and_bytes_go_both_ways(resource: TCPIPInstrument, store: Store, size: int) -> None:
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    resource.write_binary_values("DATA ", content, datatype="B")
    assert resource.query_binary_values("DATA?", datatype="B", container=bytes) == content
    assert store.content == content
    assert resource.query("SYST:ERR?") == '0,"No error"'


def test_small_messages_in_both_directions(resource: TCPIPInstrument, store: Store) -> None:
    resource.set_visa_attribute(pyvisa.constants.ResourceAttribute.tcpip_hislip_max_message_kb, 1)
    content = bytes(range(256)) * 40
    resource.write_binary_values("DATA ", content, datatype="B")
    assert resource.query_binary_values("DATA?", datatype="B", container=bytes) == content


def test_status_byte_follows_the_message_that_is_available(resource: TCPIPInstrument) -> None:
    assert resource.read_stb() & MAV == 0
    resource.write("*IDN?")
    assert resource.read_stb() & MAV
    assert resource.read() == "impairlab,Store,S1,1.0"
    assert resource.read_stb() & MAV == 0
    resource.write("NONSENSE")
    assert resource.query("*ESE?") == "0"
    assert resource.read_stb() == ERROR
    assert resource.query("*CLS;SYST:ERR?") == '0,"No error"'


def test_status_byte_between_queries_is_no_interruption(resource: TCPIPInstrument, server: HislipServer) -> None:
    for _ in range(20):
        assert resource.query("*ESE?") == "0"
        resource.read_stb()
    assert resource.query("SYST:ERR?") == '0,"No error"'
    assert server.sessions[0].delivery.unread_ends == 0


def test_clear_forgets_the_held_response_and_the_session_goes_on(resource: TCPIPInstrument) -> None:
    resource.write("*ESE 5;WORK;*OPC?")
    resource.clear()
    assert resource.query("*ESE?") == "5"
    assert resource.query("SYST:ERR?") == '0,"No error"'


def test_clear_with_an_unread_response_is_more_than_pyvisa_py_can_do(resource: TCPIPInstrument) -> None:
    """The standard has the client drop what was sent before the acknowledgement (6.12); PyVISA-py 0.8.1 does not."""
    resource.write("*IDN?")
    with pytest.raises(RuntimeError, match="expected message type 'DeviceClearAcknowledge', received 'DataEnd"):
        resource.clear()


def test_message_instead_of_a_read_is_interrupted_and_the_answer_is_the_newer_one(resource: TCPIPInstrument) -> None:
    resource.write("*IDN?")
    assert resource.query("*ESE?") == "0"
    assert resource.query("SYST:ERR?") == '-410,"Query INTERRUPTED"'


def test_several_sessions_at_once(open_resource: Callable[[], TCPIPInstrument]) -> None:
    resources = [open_resource() for _ in range(8)]
    for number, resource in enumerate(resources):
        resource.write(f"*ESE {number};*ESE?")
    assert [resource.read() for resource in resources] == [str(number) for number in range(8)]
    for resource in resources:
        resource.close()


@pytest.fixture
def protocol(server: HislipServer) -> Iterator[independent.Instrument]:
    host, port = server.address
    with closing(independent.Instrument(host, timeout=10.0, port=port)) as instrument:
        yield instrument


def test_what_its_resource_does_not_offer_its_protocol_module_does(
    protocol: independent.Instrument, server: HislipServer, store: Store
) -> None:
    assert protocol.async_lock_info() == 0
    assert protocol.async_lock_request(0.1) == "success"
    assert protocol.async_lock_info() == 1
    assert protocol.async_lock_request(0.1) == "error"
    assert protocol.async_lock_release() == "success"
    assert protocol.async_lock_request(0.1, "key") == "success"
    assert protocol.async_lock_release() == "success shared"
    protocol.trigger()
    protocol.send(b"*IDN?")
    assert protocol.receive() == b"impairlab,Store,S1,1.0\n"
    assert store.triggers == 1
    for request in independent.REMOTELOCALCONTROLCODE:
        protocol.async_remote_local_control(request)
    assert server.sessions[0].control == Control.ENABLED | Control.LOCKOUT


def test_lock_that_another_client_holds_fails_after_its_time(
    protocol: independent.Instrument, server: HislipServer
) -> None:
    host, port = server.address
    with closing(independent.Instrument(host, timeout=10.0, port=port)) as other:
        assert other.async_lock_request(0.0) == "success"
        assert protocol.async_lock_request(0.05) == "failure"


def test_errors_are_understood(protocol: independent.Instrument) -> None:
    protocol.async_device_clear()
    protocol.device_clear_complete(0)
    independent.send_msg(protocol._sync, "AsyncStatusQuery", 0, 0)
    assert independent.Error(protocol._sync).error_code == "Unrecognized Message Type"
    independent.send_msg(protocol._sync, "Initialize", 0, 0)
    assert independent.FatalError(protocol._sync).error_code == "Invalid Initialization sequence"
