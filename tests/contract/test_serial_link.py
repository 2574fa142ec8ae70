"""The serial link keeps the link contract over a pseudo-terminal, and copes with the serial server's faults."""

import itertools
import os
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

import pytest

from impairlab.drivers import NEUTRAL, Conditions, connect, delay
from impairlab.drivers.links.address import open_link
from impairlab.drivers.links.identity import IdentityGuard
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.mark import Ieee488Marker
from impairlab.drivers.links.serial_link import SerialLink
from impairlab.drivers.links.serial_settings import SerialSettings
from impairlab.drivers.model.errors import (
    ConnectError,
    ConnectionLost,
    ImpairlabError,
    NoResponse,
    PartialResponse,
    RebootDetected,
)
from impairlab.drivers.testing.links import LinkContract
from impairlab.drivers.testing.peers import Script, answering
from impairlab.drivers.testing.pty_peer import pty_peer
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import Garbage, LateReply, Mute, PartialReply, Reboot, Refuse
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000
QUICK = SerialSettings(baud=115200)
numbers = itertools.count()


class TestSerialLink(LinkContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @contextmanager
    def serve(self, script: Script) -> Iterator[str]:
        with pty_peer(script, self.folder / f"console{next(numbers)}") as link:
            yield str(link)

    def open_link(self, address: str, **options: Unpack[LinkOptions]) -> SerialLink:
        return SerialLink(address, QUICK, **options)

    def unreachable_address(self) -> str:
        return str(self.folder / "no-such-port")

    def test_port_that_somebody_has_open_is_busy(self) -> None:
        with (
            self.serve(answering(str)) as address,
            self.open_link(address),
            pytest.raises(ConnectError, match="lock"),
        ):
            self.open_link(address)


@pytest.fixture
def appliance() -> Iterator[SimulatedAppliance]:
    with SimulatedAppliance(NullPlane(), serial="S7") as box:
        yield box


def test_address_with_a_rate_leads_to_the_appliance(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    appliance.serve_serial(tmp_path / "console", baud=115200)
    with open_link(f"serial://{tmp_path}/console?baud=115200") as link:
        assert link.query("*IDN?").split(",")[2] == "S7"


@pytest.mark.parametrize(
    ("address", "legal"),
    [
        ("serial://host/dev/x", "serial:///dev/ttyUSB0"),
        ("serial://", "serial:///dev/ttyUSB0"),
        ("serial:///", "serial:///dev/ttyUSB0"),
        ("serial:///dev/x?baud=0", "a number of bit/s"),
        ("serial:///dev/x?bits=9", "bits is one of 7, 8"),
        ("serial:///dev/x?flow=on", "flow is one of none, xonxoff, rtscts"),
        ("serial:///dev/x?speed=1", "no setting 'speed', but baud, bits, parity, stop, flow, end, echo"),
        ("serial:///dev/x?end=cr&end=lf", "end is there twice"),
        ("serial:///dev/x?baud", "bad query field"),
    ],
)
def test_address_that_is_none(address: str, legal: str) -> None:
    with pytest.raises(ConnectError, match="is not an address") as raised:
        open_link(address)
    assert legal in str(raised.value)


def test_driver_over_the_line_impairs_and_restores(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    appliance.serve_serial(tmp_path / "console", baud=4_000_000, end=b"\r", echo=True)
    with (
        connect(f"serial://{tmp_path}/console?baud=4000000&end=cr&echo=on", serial="S7") as box,
        box.path("1").impaired(delay("45 ms")),
    ):
        assert appliance.state.conditions("1", "a-b", 0) == Conditions.of(delay("45 ms"))
    assert appliance.state.conditions("1", "a-b", 0) == NEUTRAL


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("echo", ["off", "on"])
def test_ends_of_lines_and_echo(appliance: SimulatedAppliance, tmp_path: Path, end: bytes, echo: str) -> None:
    appliance.serve_serial(tmp_path / "console", baud=4_000_000, end=end, echo=echo == "on")
    name = {b"\n": "lf", b"\r": "cr", b"\r\n": "crlf"}[end]
    address = f"serial://{tmp_path}/console?baud=4000000&end={name}&echo={echo}"
    with open_link(address, marker=Ieee488Marker()) as link:
        assert link.address == address.replace("&end=lf", "").replace("&echo=off", "")
        for number in range(20):
            link.write(f"*ESE {number}")
            assert link.query("*ESE?") == str(number)


def test_echo_that_the_address_does_not_tell_of(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    appliance.serve_serial(tmp_path / "console", baud=115200, echo=True)
    with pytest.raises(ConnectError, match="add echo=on"):
        SerialLink(str(tmp_path / "console"), QUICK, marker=MarkerOfAnother(), connect_timeout_ns=300 * MS)


class MarkerOfAnother:
    """Never takes an answer for its own."""

    def question(self) -> str:
        return "*OPC?"

    def is_answer(self, line: str) -> bool:
        return False


def test_late_answers_are_never_taken_for_others(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    """Each comes long after the 30 ms of quiet, when the port is open again."""
    server = appliance.serve_serial(tmp_path / "console", baud=115200)
    late = 0
    with SerialLink(str(tmp_path / "console"), QUICK, marker=Ieee488Marker()) as link:
        server.inject(LateReply(200 * MS, every=4), None)
        for number in range(16):
            try:
                assert link.query(f"*ESE {number};*ESE?", 100 * MS) == str(number)
            except NoResponse:
                late += 1
        server.clear_faults()
        assert link.query("*ESE 99;*ESE?") == "99"
    assert late


def test_nobody_answers_the_mark(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=115200)
    server.inject(Mute())
    with pytest.raises(NoResponse, match="which answer is whose"):
        SerialLink(str(tmp_path / "console"), QUICK, marker=Ieee488Marker(), connect_timeout_ns=150 * MS)


def test_noise_instead_of_an_answer(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=115200)
    with SerialLink(str(tmp_path / "console"), QUICK, marker=Ieee488Marker()) as link:
        server.inject(Garbage(b"\xf0\x8f\x00~"))
        with pytest.raises(PartialResponse) as raised:
            link.query("*OPC?", 100 * MS)
        assert raised.value.seen == b"\xf0\x8f\x00~"
        server.inject(Garbage(b"\xf0\x8f~\n"))
        assert link.query("*OPC?") == "1", "the noise met the mark, which was asked for again"


@contextmanager
def bare_line() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal without anybody: its near end, and the name of the far one."""
    near, far = os.openpty()
    tty.setraw(far)
    try:
        yield near, os.ttyname(far)
    finally:
        os.close(near)
        os.close(far)


def test_xoff_of_the_instrument_halts_the_link_until_xon() -> None:
    with bare_line() as (near, name), SerialLink(name, SerialSettings(flow="xonxoff")) as link:
        assert os.read(near, 10) == b"\n"
        os.write(near, b"\x13")
        with pytest.raises(NoResponse, match="took in no more"):
            link.write("*RST", 100 * MS)
        link.close()
    with bare_line() as (near, name), SerialLink(name, SerialSettings(flow="xonxoff")) as link:
        assert os.read(near, 10) == b"\n"
        os.write(near, b"\x13")
        writing = threading.Thread(target=link.write, args=("*RST", 20_000 * MS))
        writing.start()
        os.write(near, b"\x11")
        assert os.read(near, 10) == b"*RST\n"
        writing.join()


def test_settings_reach_the_port() -> None:
    """As far as a pseudo-terminal keeps them: it takes no parity and no character but of eight bits."""
    settings = SerialSettings(baud=19200, stop=2, flow="rtscts")
    with bare_line() as (_, name), SerialLink(name, settings):
        descriptor = os.open(name, os.O_RDWR | os.O_NOCTTY)
        inputs, _, control, _, _, speed, _ = termios.tcgetattr(descriptor)
        os.close(descriptor)
    assert control & termios.CSTOPB
    assert control & termios.CRTSCTS
    assert not inputs & (termios.IXON | termios.IXOFF)
    assert speed == termios.B19200


def test_boot_messages_are_dropped(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    """Without a marker a busy machine may pause for longer in mid-message than the 30 ms that count as quiet."""
    appliance.serve_serial(tmp_path / "console", baud=115200, boot_messages=b"U-Boot\r\n" * 200)
    with SerialLink(str(tmp_path / "console"), QUICK, marker=Ieee488Marker()) as link:
        assert link.query("*OPC?") == "1"


def test_unplugged_is_known_at_once_and_plugged_in_again(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=115200)
    with SerialLink(str(tmp_path / "console"), QUICK, greeting=IdentityGuard("box")) as link:
        server.unplug()
        with pytest.raises(ConnectError):
            link.query("*IDN?")
        server.plug()
        assert link.query("*OPC?") == "1"


def test_faults_have_their_names(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=115200)
    with SerialLink(str(tmp_path / "console"), QUICK) as link:
        server.inject(PartialReply(3))
        with pytest.raises(PartialResponse) as raised:
            link.query("*IDN?", 150 * MS)
        assert len(raised.value.seen) == 3
        server.inject(Mute())
        with pytest.raises(NoResponse):
            link.query("*IDN?", 150 * MS)
        server.inject(Refuse(for_ns=100 * MS))
        link.resynchronise(5_000 * MS)
        assert link.query("*OPC?") == "1"


def test_reboot_in_the_middle_of_a_session(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    """Boot messages come instead of the answer, or before it."""
    server = appliance.serve_serial(tmp_path / "console", baud=115200, boot_messages=b"U-Boot 2026\r\nlogin: ")
    guard = IdentityGuard("box")
    with SerialLink(str(tmp_path / "console"), QUICK, greeting=guard, marker=Ieee488Marker()) as link:
        server.inject(Reboot(boot_ns=100 * MS))
        told: list[type[ImpairlabError]] = []
        while RebootDetected not in told:
            with pytest.raises(ImpairlabError) as raised:
                link.query("*OPC?", 200 * MS)
            told.append(type(raised.value))
            assert len(told) < 4
        assert link.query("*OPC?") == "1"


def test_reboot_is_detected_when_the_port_is_opened_again(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=115200, boot_messages=b"booting\n")
    with SerialLink(str(tmp_path / "console"), QUICK, greeting=IdentityGuard("box")) as link:
        server.inject(Reboot())
        link.desynchronise("a test says so")
        with pytest.raises(RebootDetected):
            link.query("*OPC?")


def test_unplugging_in_mid_answer_is_connection_lost(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=300)
    with SerialLink(str(tmp_path / "console"), SerialSettings(baud=300), timeout_ns=20_000 * MS) as link:
        link.write("*IDN?")
        server.unplug()
        with pytest.raises(ConnectionLost):
            link.query("*IDN?")
