"""The driver over HiSLIP, VXI-11 and a serial line: the same answers and errors as on the raw socket."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from impairlab.drivers import NEUTRAL, Conditions, connect, delay, loss
from impairlab.drivers.links.address import is_visa_address, open_link
from impairlab.drivers.links.identity import IdentityGuard
from impairlab.drivers.links.mark import Ieee488Marker
from impairlab.drivers.links.tcp import TcpLink
from impairlab.drivers.model.errors import (
    ConnectError,
    ConnectionLost,
    ImpairlabError,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    SessionLimit,
    UnexpectedOutput,
)
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import (
    Chatter,
    CloseMidReply,
    Fragments,
    Garbage,
    LateReply,
    Mute,
    PartialReply,
    Reboot,
    Repeat,
)
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000


@pytest.fixture
def sim() -> Iterator[SimulatedAppliance]:
    with SimulatedAppliance(NullPlane()) as sim:
        yield sim


def serve_hislip(sim: SimulatedAppliance) -> str:
    host, port = sim.serve_hislip(port=0)
    return f"TCPIP::{host}::hislip0,{port}::INSTR"


def serve_vxi11(sim: SimulatedAppliance) -> str:
    address = sim.serve_vxi11(portmapper_port=None)
    return f"TCPIP::{address.host},{address.core}::inst0::INSTR"


@pytest.fixture(params=[serve_hislip, serve_vxi11])
def lan_address(sim: SimulatedAppliance, request: pytest.FixtureRequest) -> str:
    serve: Callable[[SimulatedAppliance], str] = request.param
    return serve(sim)


@pytest.fixture(params=[serve_hislip, serve_vxi11, None], ids=["hislip", "vxi11", "serial"])
def address(sim: SimulatedAppliance, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    serve: Callable[[SimulatedAppliance], str] | None = request.param
    if serve is not None:
        return serve(sim)
    sim.serve_serial(tmp_path / "console", baud=4_000_000)  # a pseudo-terminal does not mind what the client sets
    return f"ASRL{tmp_path}/console::INSTR"


def test_path_is_impaired_and_restored(sim: SimulatedAppliance, address: str) -> None:
    def active():
        return sim.state.conditions("1", "a-b", 0)

    wanted = delay("45 ms", jitter="8 ms"), loss("0.3 %", burst=4)
    with connect(address, serial="SIM0001", timeout_ns=10_000 * MS) as box:
        assert box.identity.model == "IL-8"
        with box.path("1").impaired(*wanted):
            assert active() == Conditions.of(*wanted)
        assert active() == NEUTRAL


@pytest.mark.parametrize("fault", [Fragments(size=3, pause_ns=0), Repeat(), Chatter(), Chatter(pause_ns=10 * MS)])
def test_strange_but_legal_output_never_becomes_a_wrong_value(sim: SimulatedAppliance, lan_address: str, fault) -> None:
    """On a serial line nothing tells the answer that comes after such a line from the next one."""
    with open_link(lan_address, timeout_ns=10_000 * MS) as link:
        for number in range(1, 6):
            sim.inject(fault)
            try:
                assert link.query(f"*ESE {number};*ESE?") in {str(number), "OK"}
            except UnexpectedOutput:
                continue
        sim.clear_faults()
        link.resynchronise(10_000 * MS)
        assert link.query("*ESE 77;*ESE?") == "77"


def test_four_threads_get_their_own_answers(address: str) -> None:
    with open_link(address, timeout_ns=10_000 * MS) as link, ThreadPoolExecutor(4) as pool:
        asked = range(200)
        assert list(pool.map(lambda n: link.query(f"*ESE {n % 256};*ESE?"), asked)) == [str(n % 256) for n in asked]
        assert link.query("SYST:ERR?") == '0,"No error"'


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (LateReply(1500 * MS), NoResponse),
        (PartialReply(keep=4), PartialResponse),
        (CloseMidReply(keep=4), ConnectionLost),
        (Garbage(), MalformedResponse),
    ],
)
def test_every_fault_has_its_error_and_the_next_question_its_answer(
    sim: SimulatedAppliance, address: str, fault, error: type[ImpairlabError]
) -> None:
    with open_link(address, timeout_ns=10_000 * MS, marker=Ieee488Marker()) as link:
        sim.inject(fault)
        with pytest.raises(error) as raised:
            link.query("*IDN?", 100 * MS)
        assert raised.value.appliance == address
        sim.clear_faults()
        assert link.query("*ESE?") == "0"
        assert link.query("*IDN?").startswith("impairlab,IL-8")


def test_mute_session_is_left_for_a_new_one(sim: SimulatedAppliance) -> None:
    with open_link(serve_hislip(sim), timeout_ns=10_000 * MS) as link:
        sim.inject(Mute())
        with pytest.raises(NoResponse):
            link.query("*IDN?", 100 * MS)
        assert link.query("*ESE?") == "0"


def test_mute_session_of_vxi_11_is_found_by_its_status_byte_before_anything_is_asked(sim: SimulatedAppliance) -> None:
    with open_link(serve_vxi11(sim), timeout_ns=10_000 * MS) as link:
        sim.inject(Mute())
        started = time.monotonic()
        assert link.query("*ESE?") == "0"
        assert time.monotonic() - started < 4


def test_reboot_is_detected_once_and_a_slow_boot_waited_for(sim: SimulatedAppliance, lan_address: str) -> None:
    with open_link(lan_address, greeting=IdentityGuard("box"), timeout_ns=10_000 * MS) as link:
        sim.inject(Reboot(boot_ns=200 * MS))
        with pytest.raises(ConnectError, match="refused"):
            link.query("*IDN?")
        with pytest.raises(RebootDetected):
            link.resynchronise(10_000 * MS)
        assert link.query("*IDN?").startswith("impairlab,IL-8")


def test_session_cap_of_hislip_is_named(sim: SimulatedAppliance) -> None:
    host, port = sim.serve_hislip(port=0, max_sessions=1)
    address = f"TCPIP::{host}::hislip0,{port}::INSTR"
    with open_link(address), pytest.raises(SessionLimit):
        open_link(address)


def test_long_answer_comes_whole(address: str) -> None:
    with open_link(address, timeout_ns=10_000 * MS) as link:
        assert link.query(";".join(["*ESR?"] * 2000)).count(";") == 1999


def test_socket_name_is_the_raw_socket(sim: SimulatedAppliance) -> None:
    host, port = sim.serve_scpi()
    with open_link(f"TCPIP0::{host}::{port}::SOCKET") as link:
        assert isinstance(link, TcpLink)
        assert link.query("*IDN?").startswith("impairlab,IL-8")


def test_visa_library_that_is_not_there_is_named() -> None:
    with pytest.raises(ConnectError, match="@ivi"):
        open_link("GPIB0::7::INSTR@ivi")


@pytest.mark.parametrize("address", ["TCPIP::no-such-host.invalid::hislip0::INSTR", "GPIB0::7::INSTR", "TCPIP::::"])
def test_what_leads_nowhere_is_a_connect_error_that_names_it(address: str) -> None:
    with pytest.raises(ConnectError) as raised:
        open_link(address)
    assert raised.value.appliance == address


def test_which_addresses_are_visa_names() -> None:
    for text in ("TCPIP::10.0.0.7::hislip0::INSTR", "USB0::0x0957::0x17A6::MY1::INSTR", "GPIB0::7::INSTR@ivi",
                 "ASRL/dev/ttyUSB0::INSTR", "tcpip0::box::inst0::instr@py"):  # fmt: skip
        assert is_visa_address(text)
    for text in ("tcp://10.0.0.7:5025", "tcp://[::1]:5025", "10.0.0.7", "ssh://a::b", "GPIB0"):
        assert not is_visa_address(text)


def test_answer_time_through_visa_is_bracketed(address: str) -> None:
    with open_link(address) as link:
        before = time.monotonic_ns()
        done = link.exchange("*ESE 1;*OPC?")
        assert before <= done.sent_ns < done.acknowledged_ns <= time.monotonic_ns()


def test_nothing_is_left_open_when_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for name in (f"TCPIP::127.0.0.1::hislip0,{port}::INSTR", f"TCPIP::127.0.0.1,{port}::inst0::INSTR"):
        with pytest.raises(ConnectError, match="refused"):
            open_link(name)
