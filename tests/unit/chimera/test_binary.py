"""Messages of the binary protocol, byte by byte; the vendor's own client is in tests/contract."""

import socket
import time
from collections.abc import Iterator
from struct import pack, unpack

import pytest

from impairlab.sim_hardware.chimera import SimulatedChimera

STATUS, VALUE, QUERY = 4, 3, 2
OK, NOTLOGGEDON, NOTRESERVED, BADHEADER, BADCOMMAND, BADPARAMETER, BADMODULE, BADPORT, BADINDEX, BADSIZE, BADVALUE = (
    0, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14,
)  # fmt: skip


NOWHERE = (0xFF, 0xFF)


class Wire:
    """A raw socket at the binary port."""

    def __init__(self, chimera: SimulatedChimera) -> None:
        self.socket = socket.create_connection(chimera.binary_address, 10)
        self.asked = 0
        self.told: list[tuple[int, bytes]] = []

    def send(
        self,
        kind: int,
        code: int,
        where: tuple[int, int] = NOWHERE,
        indices: tuple[int, ...] = (),
        values: bytes = b"",
        *,
        magic: bytes = b"XENA",
    ) -> None:
        self.asked += 1
        command = (code & 0xF00) << 4 | kind << 8 | code & 0xFF
        header = pack("!4sHHHBBI", magic, len(indices), len(values), command, *where, self.asked)
        self.socket.sendall(
            header + b"".join(pack("!I", index) for index in indices) + values + bytes(-len(values) % 4)
        )

    def receive(self) -> tuple[int, int, bytes]:
        """Return kind, code and the bytes of indices and values, without their padding."""
        while True:
            magic, indices, size, command, _, _, identifier = unpack("!4sHHHBBI", self._read(16))
            assert magic == b"XENA"
            body = self._read(4 * indices + size + -size % 4)
            if identifier:
                break
            self.told.append((command & 0xFF | command >> 4 & 0xF00, body[: 4 * indices + size]))
        assert identifier == self.asked
        return command >> 8 & 0xF, command & 0xFF | command >> 4 & 0xF00, body[: 4 * indices + size]

    def status(self, kind: int, code: int, *more: object) -> int:
        self.send(kind, code, *more)  # type: ignore[arg-type]
        answered, status, body = self.receive()
        assert (answered, body) == (STATUS, b"")
        return status

    def _read(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            more = self.socket.recv(size - len(got))
            assert more, "closed"
            got += more
        return got


@pytest.fixture
def wire(chimera: SimulatedChimera) -> Iterator[Wire]:
    made = Wire(chimera)
    yield made
    made.socket.close()


@pytest.fixture
def owned(wire: Wire) -> Wire:
    assert wire.status(VALUE, 1, NOWHERE, (), b"xena") == OK
    assert wire.status(VALUE, 2, NOWHERE, (), b"lab1") == OK
    assert wire.status(VALUE, 102, (0, 1), (), b"\x01") == OK
    return wire


def test_a_set_is_answered_with_a_status_and_a_query_with_values(owned: Wire) -> None:
    assert owned.status(VALUE, 1622, (0, 1), (0, 0), pack("!i", 1000)) == OK
    owned.send(QUERY, 1622, (0, 1), (0, 0))
    assert owned.receive() == (VALUE, 1622, pack("!III", 0, 0, 1000))


def test_values_of_every_size_and_padding(owned: Wire) -> None:
    assert owned.status(VALUE, 1704, (0, 1), (1, 0), b"\x01" + bytes(range(12))) == OK
    owned.send(QUERY, 1704, (0, 1), (1, 0))
    assert owned.receive() == (VALUE, 1704, pack("!II", 1, 0) + b"\x01" + bytes(range(12)))
    owned.send(QUERY, 1646, (0, 1), (0,))
    assert owned.receive() == (VALUE, 1646, pack("!Iqq", 0, 0, 1_000_000_000))


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ((VALUE, 1622, (0, 1), (0, 0), pack("!i", -1)), BADVALUE),
        ((VALUE, 1622, (0, 1), (0, 0), pack("!h", 1)), BADSIZE),
        ((VALUE, 1622, (0, 1), (0, 0), pack("!ii", 1, 1)), BADSIZE),
        ((VALUE, 1622, (0, 1), (0,), pack("!i", 1)), BADINDEX),
        ((VALUE, 1622, (0, 1), (0, 5), pack("!i", 1)), BADINDEX),
        ((VALUE, 1622, (0, 9), (0, 0), pack("!i", 1)), BADPORT),
        ((VALUE, 1622, (5, 1), (0, 0), pack("!i", 1)), BADMODULE),
        ((VALUE, 1622, (0, 0), (0, 0), pack("!i", 1)), NOTRESERVED),
        ((VALUE, 1660, (0, 1), (0,), b"\x09"), BADVALUE),
        ((VALUE, 999, (0, 1), (), b""), BADPARAMETER),
        ((1, 1622, (0, 1), (0, 0), b""), BADCOMMAND),
    ],
)
def test_refusals(owned: Wire, asked: tuple[int, int, tuple[int, int], tuple[int, ...], bytes], status: int) -> None:
    assert owned.status(*asked) == status


def test_nothing_before_logon(wire: Wire) -> None:
    assert wire.status(QUERY, 10) == NOTLOGGEDON
    assert wire.status(VALUE, 1, NOWHERE, (), b"wrong") == BADVALUE


def test_messages_arrive_in_any_pieces(wire: Wire) -> None:
    wire.asked = 9
    header = pack("!4sHHHBBI", b"XENA", 0, 4, VALUE << 8 | 1, *NOWHERE, wire.asked)
    for byte in header + b"xena":
        wire.socket.sendall(bytes([byte]))
    assert wire.receive() == (STATUS, OK, b"")


def test_what_does_not_begin_as_it_must_is_the_last(wire: Wire) -> None:
    wire.send(QUERY, 10, magic=b"ANEX")
    assert wire.receive()[:2] == (STATUS, BADHEADER)
    assert wire.socket.recv(1) == b""


def test_changes_are_told_unasked(chimera: SimulatedChimera, owned: Wire) -> None:
    other = Wire(chimera)
    other.status(VALUE, 1, NOWHERE, (), b"xena")
    assert owned.status(VALUE, 1661, (0, 1), (3,), pack("!i", 9)) == OK
    assert owned.status(VALUE, 1622, (0, 1), (0, 0), pack("!i", 1000)) == OK
    owned.socket.close()
    deadline = time.monotonic() + 10
    while (103, b"") not in other.told:
        assert time.monotonic() < deadline
        other.send(QUERY, 3)
        other.receive()
    assert other.told == [(1661, pack("!Ii", 3, 9)), (102, b"\x00"), (103, b"")]
    other.socket.close()
