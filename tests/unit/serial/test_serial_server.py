"""The serial server: pacing against the model, device clear, noise, echo, XON/XOFF, unplugging, and no thread left."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.transports.serial import FramingNoise, PacedLine, ParityNoise, SerialServer

S = 1_000_000_000


@contextmanager
def served(link: Path, **options: object) -> Iterator[tuple[SerialServer, serial.Serial]]:
    with SimulatedAppliance(NullPlane()) as box:
        server = box.serve_serial(link, **options)
        with serial.Serial(str(link), 115200, timeout=5, write_timeout=5) as port:
            yield server, port


def ask(port: serial.Serial, message: str) -> str:
    port.write(message.encode() + b"\n")
    return port.readline().decode().rstrip("\n")


def test_characters_follow_each_other_at_the_rate() -> None:
    line = PacedLine(1000)  # 10 ms a character
    line.put(b"abc", 0)
    assert [line.take(ns) for ns in (9_999_999, 10_000_000, 29_999_999, 30_000_000)] == [b"", b"a", b"b", b"c"]
    line.put(b"d", 31_000_000)
    line.put(b"e", 40_000_000)
    assert line.next_due_ns == 41_000_000
    assert line.take(50_999_999) == b"d"
    assert line.take(51_000_000) == b"e"
    assert line.next_due_ns is None


def test_stopped_line_does_not_make_up_for_the_pause() -> None:
    line = PacedLine(1000)
    line.put(b"ab", 0)
    line.stop()
    assert line.take(S) == b""
    line.resume(S)
    assert line.take(S + 10_000_000) == b"a"


def test_rate_that_is_none() -> None:
    with pytest.raises(ValueError, match="above 0"):
        PacedLine(0)


@pytest.mark.parametrize("baud", [9600, 38400])
def test_question_and_answer_take_their_time_on_the_wire(tmp_path: Path, baud: int) -> None:
    with served(tmp_path / "tty", baud=baud) as (_, port):
        started = time.monotonic_ns()
        answer = ask(port, "*ESE?;" * 40 + "*ESE?")
        took = time.monotonic_ns() - started
    model = (6 * 41 + len(answer) + 1) * 10 * S // baud
    assert 0.99 <= took / model < 1.5


def test_carriage_return_before_the_line_feed(tmp_path: Path) -> None:
    with served(tmp_path / "tty", baud=115200) as (_, port):
        port.write(b"*OPC?\r\n")
        assert port.readline() == b"1\n"


def test_control_c_is_device_clear_but_not_in_a_block(tmp_path: Path) -> None:
    with served(tmp_path / "tty", baud=115200) as (_, port):
        port.write(b"*ESE 12;NONSENSE\x03")
        assert ask(port, "*ESE?") == "0"
        assert ask(port, ":SYST:ERR?").startswith("0,")
        port.write(b"NONSENSE #13a\x03b\n")
        assert ask(port, ":SYST:ERR?").startswith("-113")


@pytest.mark.parametrize(("noise", "code"), [(ParityNoise(), "-361"), (FramingNoise(), "-362")])
def test_noise_costs_one_message(tmp_path: Path, noise: ParityNoise | FramingNoise, code: str) -> None:
    with served(tmp_path / "tty", baud=115200) as (server, port):
        server.disturb(noise)
        port.write(b"*ESE 12\n")
        assert ask(port, ":SYST:ERR?").startswith(code)
        assert ask(port, "*ESE?") == "0"


def test_message_longer_than_the_input_buffer_is_an_overrun(tmp_path: Path) -> None:
    with served(tmp_path / "tty", baud=4_000_000) as (server, port):
        port.write(b"A" * (server.instrument.personality.input_buffer + 1) + b"\n")
        assert ask(port, ":SYST:ERR?").startswith("-363")


def test_echo(tmp_path: Path) -> None:
    with served(tmp_path / "tty", baud=115200, echo=True) as (_, port):
        assert ask(port, "*OPC?") == "*OPC?"
        assert port.readline() == b"1\n"


def test_xoff_stops_answers_until_xon(tmp_path: Path) -> None:
    with served(tmp_path / "tty", baud=115200, xon_xoff=True) as (_, port):
        port.write(b"\x13*OPC?\n")
        port.timeout = 0.2
        assert port.readline() == b""
        port.write(b"\x11")
        port.timeout = 5
        assert port.readline() == b"1\n"


def test_port_comes_back_under_its_name(tmp_path: Path) -> None:
    link = tmp_path / "tty"
    with served(link, baud=115200) as (server, port):
        server.unplug()
        assert not link.is_symlink()
        with pytest.raises(serial.SerialException):
            port.read()
        server.plug()
        with serial.Serial(str(link), 115200, timeout=5) as again:
            assert ask(again, "*OPC?") == "1"


def test_port_comes_back_when_its_folder_does(tmp_path: Path) -> None:
    folder = tmp_path / "dev"
    folder.mkdir()
    with served(folder / "tty", baud=115200) as (server, _):
        server.unplug()
        folder.rmdir()
        server.plug()
        assert not folder.exists()
        folder.mkdir()
        deadline = time.monotonic() + 5
        while not (folder / "tty").is_symlink() and time.monotonic() < deadline:
            time.sleep(0.01)
        with serial.Serial(str(folder / "tty"), 115200, timeout=5) as again:
            assert ask(again, "*OPC?") == "1"


def test_closed_server_leaves_no_thread_and_no_link(tmp_path: Path) -> None:
    before = threading.active_count()
    with served(tmp_path / "tty"):
        assert threading.active_count() > before
    assert threading.active_count() == before
    assert not (tmp_path / "tty").is_symlink()


def test_a_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "tty").write_text("mine")
    with SimulatedAppliance(NullPlane()) as box, pytest.raises(FileExistsError):
        box.serve_serial(tmp_path / "tty")


def test_pyvisa_py_as_an_independent_client(tmp_path: Path) -> None:
    pyvisa = pytest.importorskip("pyvisa")
    with SimulatedAppliance(NullPlane(), serial="S9") as box:
        box.serve_serial(tmp_path / "tty", baud=115200)
        manager = pyvisa.ResourceManager("@py")
        device = manager.open_resource(
            f"ASRL{tmp_path}/tty::INSTR", baud_rate=115200, read_termination="\n", write_termination="\n"
        )
        device.timeout = 5000
        assert device.query("*IDN?").split(",")[2] == "S9"
        device.close()
        manager.close()
