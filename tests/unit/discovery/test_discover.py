"""All means together, and what the verb prints."""

import json
import threading
from dataclasses import replace

import pytest

from impairlab.controller.cli.app import run_command
from impairlab.drivers.discovery import everywhere, vxi11
from impairlab.drivers.discovery.found import Found, MeansUnavailable

BARE = Found("TCPIP::192.0.2.1::inst0::INSTR", "vxi11")
NAMED = Found("TCPIP::192.0.2.1::inst0::INSTR", "mdns", "impairlab", "IL-8", "S1", "1.0")
PORT = Found("serial:///dev/ttyS0", "serial")
UNNAMED = Found("", "usb", model="Old [x]")


@pytest.mark.parametrize("found", [[BARE, NAMED], [NAMED, BARE]])
def test_an_address_is_told_once_with_its_identity(found):
    assert everywhere.merged([*found, PORT]) == [NAMED, PORT]


def test_devices_without_address_are_not_taken_for_one():
    assert everywhere.merged([UNNAMED, UNNAMED]) == [UNNAMED, UNNAMED]


def test_many_are_asked_at_once_and_stay_in_order(monkeypatch):
    together = threading.Barrier(2, timeout=10)

    def identified(found, timeout_ns):
        together.wait()
        return replace(found, model=f"{timeout_ns}")

    monkeypatch.setattr(vxi11, "identified", identified)
    other = replace(BARE, address="TCPIP::192.0.2.2::inst0::INSTR")
    told = everywhere.asked([BARE, PORT, other, NAMED], 5)
    assert told == [replace(BARE, model="5"), PORT, replace(other, model="5"), NAMED]


def test_a_means_that_cannot_be_used_keeps_no_other_from_finding():
    error = MeansUnavailable("no")

    def fail():
        raise error

    assert everywhere.gathered([fail, lambda: [PORT]]) == ([PORT], [error])


@pytest.fixture
def there(monkeypatch):
    def are(*found, unavailable=()):
        monkeypatch.setattr(everywhere, "discover", lambda *_: (list(found), list(unavailable)))

    return are


def test_nobody_is_one_line_and_no_failure(there, capsys):
    there()
    assert run_command(["discover"]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 1
    assert printed.out.startswith("nobody found")
    assert printed.err == ""


def test_the_table(there, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    there(NAMED, UNNAMED, unavailable=[MeansUnavailable("mDNS: needs zeroconf")])
    assert run_command(["discover"]) == 0
    printed = capsys.readouterr()
    lines = [line.split() for line in printed.out.splitlines()]
    assert lines[1] == ["TCPIP::192.0.2.1::inst0::INSTR", "impairlab", "IL-8", "S1", "1.0", "scpi", "mdns"]
    assert lines[2] == ["-", "Old", "[x]", "no", "driver", "usb"]
    assert printed.err == "mDNS: needs zeroconf\n"


def test_what_a_terminal_would_obey_is_not_printed(there, capsys):
    there(replace(NAMED, model="\x1b[2Jbox\r\n\x9b1m"))
    assert run_command(["discover"]) == 0
    printed = capsys.readouterr().out
    assert "\ufffd[2Jbox\ufffd\ufffd\ufffd1m" in printed
    assert not {"\x1b", "\r", "\x9b"} & set(printed)


def test_json(there, capsys):
    there(PORT)
    assert run_command(["discover", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"address": "serial:///dev/ttyS0", "means": "serial", "manufacturer": "", "model": "", "serial": "",
         "firmware": "", "answered": False, "driver": None}
    ]  # fmt: skip


@pytest.mark.parametrize("timeout", ["0", "-1", "4000", "nan", "soon"])
def test_a_timeout_that_is_none(there, timeout):
    there()
    assert run_command(["discover", "--timeout", timeout]) == 2
