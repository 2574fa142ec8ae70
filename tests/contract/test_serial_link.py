"""The serial link keeps the link contract over a pseudo-terminal, and copes with the serial server's faults."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

import pytest

from impairlab.drivers.links.address import open_link
from impairlab.drivers.links.identity import IdentityGuard
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.serial_link import SerialLink
from impairlab.drivers.model.errors import ConnectError, ConnectionLost, NoResponse, PartialResponse, RebootDetected
from impairlab.drivers.testing.links import LinkContract
from impairlab.drivers.testing.peers import Script, answering
from impairlab.drivers.testing.pty_peer import pty_peer
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.faults import Mute, PartialReply, Reboot, Refuse
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000
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
        return SerialLink(address, baud=115200, **options)

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
    "address", ["serial://host/dev/x", "serial://", "serial:///dev/x?baud=0", "serial:///dev/x?bits=7", "serial:///"]
)
def test_address_that_is_none(address: str) -> None:
    with pytest.raises(ConnectError, match="is not an address"):
        open_link(address)


def test_boot_messages_are_dropped(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    appliance.serve_serial(tmp_path / "console", baud=115200, boot_messages=b"U-Boot\r\n" * 200)
    with SerialLink(str(tmp_path / "console"), baud=115200) as link:
        assert link.query("*OPC?") == "1"


def test_unplugged_is_known_at_once_and_plugged_in_again(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=115200)
    with SerialLink(str(tmp_path / "console"), baud=115200, greeting=IdentityGuard("box")) as link:
        server.unplug()
        with pytest.raises(ConnectError):
            link.query("*IDN?")
        server.plug()
        assert link.query("*OPC?") == "1"


def test_faults_have_their_names(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=115200)
    with SerialLink(str(tmp_path / "console"), baud=115200) as link:
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


def test_reboot_is_detected_when_the_port_is_opened_again(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=115200, boot_messages=b"booting\n")
    with SerialLink(str(tmp_path / "console"), baud=115200, greeting=IdentityGuard("box")) as link:
        server.inject(Reboot())
        link.desynchronise("a test says so")
        with pytest.raises(RebootDetected):
            link.query("*OPC?")


def test_unplugging_in_mid_answer_is_connection_lost(appliance: SimulatedAppliance, tmp_path: Path) -> None:
    server = appliance.serve_serial(tmp_path / "console", baud=300)
    with SerialLink(str(tmp_path / "console"), baud=300, timeout_ns=20_000 * MS) as link:
        link.write("*IDN?")
        server.unplug()
        with pytest.raises(ConnectionLost):
            link.query("*IDN?")
