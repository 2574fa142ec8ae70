"""Serial ports are asked who is there when that is wanted, at each rate in turn, and left alone otherwise."""

import json
import termios
from types import SimpleNamespace

import pytest

from impairlab.controller.cli.app import run_command
from impairlab.drivers.discovery import everywhere, mdns, serial_ports, usb, vxi11
from impairlab.drivers.discovery.found import Found
from impairlab.drivers.testing.pty_peer import pty_peer

SECOND_NS = 1_000_000_000


def speed(descriptor):
    return termios.tcgetattr(descriptor)[4]


class Board:
    """Answers at one rate and babbles at all others, as a line does; keeps what it was sent."""

    def __init__(self, rate, answer):
        self.rate, self.answer, self.heard = rate, answer, []

    def __call__(self, number, wire):
        while (line := wire.read_line()) is not None:
            self.heard.append(line)
            wire.send(self.answer if speed(wire.far) == self.rate else b"\xf0\x8f\xfe")


INSTRUMENT = b"impairlab,IL-8,S1,1.0\r\n"


@pytest.mark.parametrize(("rate", "baud"), [(termios.B9600, 9600), (termios.B115200, 115200)])
def test_the_rate_that_brings_an_answer_is_in_the_address(tmp_path, rate, baud):
    board = Board(rate, INSTRUMENT)
    with pty_peer(board, tmp_path / "console") as link:
        told = serial_ports.identified(Found(f"serial://{link}", "serial", "FTDI", "FT232R"), [9600, 115200], SECOND_NS)
    assert told == Found(f"serial://{link}?baud={baud}", "serial", "impairlab", "IL-8", "S1", "1.0", answered=True)
    assert told.driver == "scpi"
    assert set(board.heard) == {"*IDN?"}


@pytest.mark.parametrize("answer", [b"", b"login: \n", b"ERROR\n", b"\xff\n"])
def test_who_does_not_say_who_he_is_stays_as_he_was_found(tmp_path, answer):
    with pty_peer(Board(termios.B9600, answer), tmp_path / "console") as link:
        found = Found(f"serial://{link}", "serial", "FTDI", "FT232R")
        assert serial_ports.identified(found, [9600], SECOND_NS // 10) == found


def test_a_port_that_cannot_be_opened_stays_as_it_was_found(tmp_path):
    found = Found(f"serial://{tmp_path}/none", "serial")
    assert serial_ports.identified(found, [9600], SECOND_NS) == found


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """One serial port here, and nothing else."""
    for means in (mdns, vxi11):
        monkeypatch.setattr(means, "find", lambda _: [])
    monkeypatch.setattr(usb, "find", list)
    board = Board(termios.B9600, b"Acme,W100,S1,1\n")
    with pty_peer(board, tmp_path / "console") as link:
        port = SimpleNamespace(device=str(link), manufacturer="FTDI", product="FT232R", serial_number=None)
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [port])
        yield board


def test_ports_are_left_alone_by_default(alone, capsys):
    assert run_command(["discover", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["manufacturer"], told["answered"]) == ("FTDI", False)
    assert alone.heard == []


def test_ports_are_asked_when_that_is_wanted(alone, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run_command(["discover", "--ask-serial", "--baud", "9600"]) == 0
    line = capsys.readouterr().out.splitlines()[1].split()
    assert line[0].endswith("console?baud=9600")
    assert line[1:] == ["Acme", "W100", "S1", "1", "no", "driver", "serial"]


def test_discovery_asks_no_port_without_rates(alone):
    (told,), _ = everywhere.discover(SECOND_NS)
    assert not told.answered
    assert alone.heard == []
