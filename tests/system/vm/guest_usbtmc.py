"""What runs in the virtual machine: the simulated appliance as a USB device, and three clients of it.

One is the kernel's driver, behind /dev/usbtmc0, which knows nothing of ours; one is PyVISA-py; one is our VISA link.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

import pytest
import pyvisa
from usb import core
from vm.usbtmc_peer import PRODUCT, VENDOR, usbtmc_peer

from impairlab.controller.cli.app import run_command
from impairlab.drivers import connect, delay
from impairlab.drivers.discovery import usb
from impairlab.drivers.links.address import open_link
from impairlab.drivers.links.identity import IdentityGuard
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.visa import VisaLink
from impairlab.drivers.model.errors import (
    ConnectError,
    ConnectionLost,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    SessionLimit,
    UnexpectedOutput,
)
from impairlab.drivers.testing.links import LinkContract
from impairlab.drivers.testing.peers import Script
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import CloseMidReply, Garbage, LateReply, Mute, PartialReply, Reboot, Repeat
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000
LONG_NS = 20_000 * MS
NODE = Path("/dev/usbtmc0")
RULES = Path(__file__).parents[3] / "udev" / "65-impairlab.rules"

CLEAR, TRIGGER, READ_STATUS, SET_TIMEOUT, ABORT_BULK_IN = 0x5B02, 0x5B16, 0x80015B12, 0x40045B0A, 0x5B04
"""ioctls of linux/usb/tmc.h."""


def eventually(holds: Callable[[], bool], within_s: float = 20) -> None:
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)


def is_on_the_bus() -> bool:
    """Whether libusb has heard of a device of ours; udevd tells it."""
    return core.find(idVendor=VENDOR, idProduct=PRODUCT) is not None


@pytest.fixture(scope="session", autouse=True)
def udev() -> None:
    """The kernel's configfs, and udevd with our rules: libusb learns from it that a device has come."""
    subprocess.run(["mount", "-t", "configfs", "none", "/sys/kernel/config"], check=True)
    rules = Path("/run/udev/rules.d")
    rules.mkdir(parents=True)
    shutil.copy(RULES, rules)
    subprocess.run(["/lib/systemd/systemd-udevd", "--daemon"], check=True)


@pytest.fixture
def empty_bus() -> Iterator[None]:
    """Wait afterwards until all programs know that the device has gone."""
    yield
    eventually(lambda: not is_on_the_bus())


@pytest.fixture
def sim(empty_bus: None) -> Iterator[SimulatedAppliance]:
    with SimulatedAppliance(NullPlane()) as sim:
        yield sim


@pytest.fixture
def name(sim: SimulatedAppliance) -> str:
    """The VISA name of the appliance, once it is on the bus."""
    name = sim.serve_usbtmc().resource_name
    eventually(is_on_the_bus)
    eventually(NODE.exists)
    return name


class KernelClient:
    """Talks through the kernel's driver."""

    def __init__(self) -> None:
        self._fd = os.open(NODE, os.O_RDWR)

    def write(self, message: bytes) -> None:
        os.write(self._fd, message)

    def read(self, most: int = 4096) -> bytes:
        return os.read(self._fd, most)

    def ask(self, message: bytes) -> bytes:
        self.write(message)
        return self.read()

    def do(self, request: int, argument: bytes = b"") -> bytes:
        buffer = bytearray(argument)
        fcntl.ioctl(self._fd, request, buffer) if argument else fcntl.ioctl(self._fd, request)
        return bytes(buffer)

    @property
    def status(self) -> int:
        return self.do(READ_STATUS, b"\0")[0]

    def close(self) -> None:
        os.close(self._fd)


@pytest.fixture
def kernel(name: str) -> Iterator[KernelClient]:
    client = KernelClient()
    yield client
    client.close()


def test_the_kernels_driver_takes_it_for_an_instrument(kernel: KernelClient) -> None:
    assert kernel.ask(b"*IDN?\n") == b"impairlab,IL-8,SIM0001,1.0\n"
    assert kernel.ask(b"*IDN?") == b"impairlab,IL-8,SIM0001,1.0\n"
    for number in range(10):
        assert kernel.ask(b"*ESE %d;*ESE?\n" % number) == b"%d\n" % number
    long = kernel.ask(b";".join([b"*ESR?"] * 600) + b"\n")
    assert (long.count(b";"), long[-1:]) == (599, b"\n")
    whole_packets = 512 - 12  # with the header it fills a packet, and one of no bytes must follow
    kernel.write(b"*ESE?;" * (whole_packets // 2 - 1) + b"*ESE?\n")
    assert len(kernel.read(8192)) == whole_packets


def test_the_kernels_driver_clears_polls_and_triggers(kernel: KernelClient) -> None:
    assert kernel.status == 0
    kernel.write(b"*IDN?\n")
    eventually(lambda: bool(kernel.status & 16))
    kernel.do(CLEAR)
    assert kernel.status & 16 == 0
    assert kernel.ask(b"SYST:ERR?\n") == b'0,"No error"\n'
    kernel.do(TRIGGER)
    assert kernel.ask(b"SYST:ERR?\n") == b'-211,"Trigger ignored"\n'
    kernel.write(b"*IDN?\n")
    assert kernel.ask(b"SYST:ERR?\n") == b'-410,"Query INTERRUPTED"\n'
    kernel.do(SET_TIMEOUT, struct.pack("<I", 300))
    with pytest.raises(TimeoutError):
        kernel.read()
    assert kernel.ask(b"SYST:ERR?\n") == b'-420,"Query UNTERMINATED"\n'


def test_a_service_request_comes_by_the_interrupt_endpoint(kernel: KernelClient) -> None:
    kernel.write(b"*CLS;*SRE 4\n")
    kernel.write(b"NO:SUCH:THING\n")
    seen = []
    eventually(lambda: bool(seen.append(kernel.status) or seen[-1] & 64))
    assert seen[-1] & 4
    assert kernel.status & 64 == 0


def test_the_rule_names_the_node_and_lets_a_group_use_it(name: str) -> None:
    link = Path("/dev/lab/usbtmc-1d6b-0104-SIM0001")
    eventually(link.is_symlink)
    assert link.resolve() == NODE
    assert NODE.stat().st_mode & 0o777 == 0o660
    assert NODE.group() == "plugdev"


def test_pyvisa_py_talks_to_it(name: str) -> None:
    manager = pyvisa.ResourceManager("@py")
    with manager.open_resource(name) as box:
        assert box.query("*IDN?") == "impairlab,IL-8,SIM0001,1.0\n"
        assert box.query(";".join(["*ESR?"] * 300)).count(";") == 299
        box.timeout = 300
        with pytest.raises(pyvisa.errors.VisaIOError):
            box.read()
        assert box.query("SYST:ERR?") == '-420,"Query UNTERMINATED"\n'
    manager.close()


def test_it_is_discovered_and_driven_under_its_name(sim: SimulatedAppliance, name: str) -> None:
    assert [(each.address, each.model, each.serial) for each in usb.find()] == [(name, "IL-8", "SIM0001")]
    with connect(name, serial="SIM0001", timeout_ns=LONG_NS) as box:
        with box.path("1").impaired(delay("45 ms")):
            assert sim.state.conditions("1", "a-b", 0).delay.mean == 45 * MS
        assert sim.state.conditions("1", "a-b", 0).delay is None
        with pytest.raises(SessionLimit):
            open_link(name)


@pytest.mark.parametrize(
    ("fault", "error", "seen"),
    [
        (LateReply(2_000 * MS), NoResponse, b""),
        (PartialReply(keep=4), PartialResponse, b"impa"),
        (Garbage(), MalformedResponse, Garbage().content),
        (Repeat(), UnexpectedOutput, b"impairlab,IL-8,SIM0001,1.0\n" * 2),
        (Mute(), NoResponse, b""),
        (CloseMidReply(keep=4), ConnectionLost, b"impa"),
    ],
)
def test_every_fault_has_its_error_and_the_next_question_its_answer(
    sim: SimulatedAppliance, name: str, fault, error, seen: bytes
) -> None:
    with open_link(name, timeout_ns=LONG_NS, connect_timeout_ns=LONG_NS) as link:
        assert link.query("*ESE 7;*ESE?") == "7"
        sim.inject(fault)
        with pytest.raises(error) as raised:
            link.query("*IDN?", 1_000 * MS)
        assert raised.value.seen == seen
        sim.clear_faults()
        assert link.query("*ESE?") == "7"


def test_a_reboot_is_detected(sim: SimulatedAppliance, name: str) -> None:
    with open_link(name, greeting=IdentityGuard("box"), timeout_ns=LONG_NS, connect_timeout_ns=LONG_NS) as link:
        sim.inject(Reboot(boot_ns=300 * MS))
        with pytest.raises(RebootDetected):
            link.query("*IDN?")
        assert link.query("*IDN?").startswith("impairlab,IL-8")


def test_a_device_that_is_not_there_is_known_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(ConnectError, match="No device found"):
        open_link("USB0::0x1d6b::0x0104::NOBODY::0::INSTR")
    assert time.monotonic() - started < 5


def test_a_second_device_needs_a_second_controller(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["sim", "serve", "--plane", "null", "--port", "0", "--usbtmc"]) == 5
    assert "every USB device controller has a gadget: dummy_udc.0" in capsys.readouterr().err


class TestVisaLinkOverUsbtmc(LinkContract):
    questions = 25

    @contextmanager
    def serve(self, script: Script) -> Iterator[str]:
        with usbtmc_peer(script) as name:
            eventually(is_on_the_bus)
            yield name
        eventually(lambda: not is_on_the_bus())

    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> VisaLink:
        return VisaLink(address, **options)

    def unreachable_address(self) -> str:
        return "USB0::0x1d6b::0x0104::NOBODY::0::INSTR"
