"""A serial line with rate, parity, RTS/CTS and break, through pySerial's own client of RFC 2217."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane
from impairlab.sim_hardware.transports.serial.com_port import ComPort
from impairlab.sim_hardware.transports.serial.telnet import (
    Option,
    Subnegotiation,
    TelnetReader,
    escaped,
    subnegotiation,
)

SECOND_NS = 1_000_000_000
HELD = b"PATH1:AB:DEL:MEAN 5 MS;:APPL;*WAI"
"""Ten minutes, until the commit has settled."""

pytestmark = pytest.mark.filterwarnings(r"ignore:set(Daemon|Name)\(\) is deprecated:DeprecationWarning")


@contextmanager
def served(**options) -> Iterator[tuple[str, int]]:
    with SimulatedAppliance(NullPlane(), settle_ns=600 * SECOND_NS) as box:
        yield box.serve_rfc2217(**options)


@contextmanager
def opened(address: tuple[str, int], baud: int = 9600, **options) -> Iterator[serial.SerialBase]:
    url = f"rfc2217://{address[0]}:{address[1]}"
    with serial.serial_for_url(url, baud, timeout=5, **options) as port:
        yield port


def ask(port, message: str) -> str:
    port.write(message.encode() + b"\n")
    return port.readline().decode().rstrip("\n")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_break_is_device_clear() -> None:
    with served() as address, opened(address) as port:
        assert ask(port, "*ESE 5;*ESE?") == "5"
        port.write(b"*ESE 12;NONSENSE")
        port.send_break(0.01)
        assert ask(port, "*ESE?") == "5", "what had been received half is forgotten"
        assert ask(port, ":SYST:ERR?").startswith("0,")


def test_break_ends_a_wait() -> None:
    with served() as address, opened(address) as port:
        port.write(HELD + b";*ESE?\n")
        port.timeout = 0.2
        assert port.readline() == b""
        port.timeout = 5
        port.send_break(0.01)
        assert ask(port, "*ESE?") == "0"


@pytest.mark.parametrize(
    ("instrument", "client", "code"),
    [
        ({"baud": 9600}, {"baud": 19200}, "-362"),
        ({"baud": 9600}, {"bytesize": 7}, "-362"),
        ({"parity": "even"}, {"parity": "N"}, "-361"),
        ({"parity": "odd"}, {"parity": "E"}, "-361"),
    ],
)
def test_client_with_other_settings_is_not_understood_until_it_has_the_right_ones(instrument, client, code) -> None:
    with served(**instrument) as address, opened(address, **client) as port:
        port.timeout = 0.2
        assert ask(port, "*IDN?") == ""
        port.timeout = 5
        port.baudrate, port.bytesize = 9600, 8
        port.parity = {"even": "E", "odd": "O"}.get(instrument.get("parity"), "N")
        assert ask(port, ":SYST:ERR?").startswith(code)
        assert ask(port, "*IDN?").startswith("impairlab")


def test_instrument_sends_while_rts_is_on() -> None:
    with served() as address, opened(address, rtscts=True) as port:
        port.rts = True
        assert ask(port, "*ESE?") == "0"
        port.rts = False
        port.timeout = 0.2
        assert ask(port, "*ESE?") == ""
        port.timeout = 5
        port.rts = True
        assert port.readline() == b"0\n"


def test_instrument_takes_cts_off_while_messages_wait() -> None:
    with served(baud=115200) as address, opened(address, 115200) as port:
        port.write(HELD + b"\n" + b"*ESE 1\n" * 3)
        wait_for(lambda: port._modemstate is not None)
        assert not port.cts
        assert port.dsr
        port.send_break(0.01)
        wait_for(lambda: port.cts)
        assert ask(port, "*ESE?") == "0"


def test_second_client_is_turned_away_and_the_next_one_served() -> None:
    with served() as address:
        with opened(address) as port:
            with socket.create_connection(address, 5) as second:
                assert second.recv(10) == b""
            assert ask(port, "*OPC?") == "1"
        with opened(address) as again:
            assert ask(again, "*OPC?") == "1"


def test_closed_server_leaves_no_thread() -> None:
    before = threading.active_count()
    with served() as address, opened(address):
        assert threading.active_count() > before
    assert threading.active_count() == before


parts = st.one_of(
    st.binary(min_size=1),
    st.builds(Option, st.integers(251, 254), st.integers(0, 255)),
    st.builds(Subnegotiation, st.binary(max_size=60)),
)


def on_the_wire(part: bytes | Option | Subnegotiation) -> bytes:
    match part:
        case bytes():
            return escaped(part)
        case Option(verb=verb, option=option):
            return bytes((255, verb, option))
        case Subnegotiation(content=content):
            return subnegotiation(content)


def joined(read: list[bytes | Option | Subnegotiation]) -> list[bytes | Option | Subnegotiation]:
    """Data that follows data is one piece."""
    told: list[bytes | Option | Subnegotiation] = []
    for part in read:
        if isinstance(part, bytes) and told and isinstance(told[-1], bytes):
            told[-1] += part
        else:
            told.append(part)
    return told


@given(st.lists(parts), st.integers(1, 20))
def test_a_stream_is_taken_apart_however_it_is_cut(sent, cut) -> None:
    stream = b"".join(map(on_the_wire, sent))
    reader = TelnetReader()
    read = [part for at in range(0, len(stream), cut) for part in reader.feed(stream[at : at + cut])]
    assert joined(read) == joined(sent)


@given(st.binary())
def test_no_subnegotiation_is_too_strange(content) -> None:
    port = ComPort(lambda: None, lambda: None)
    assert isinstance(port.answer(content), bytes)
    assert isinstance(port.answer(b"\x2c" + content), bytes)
    assert port.baud > 0
