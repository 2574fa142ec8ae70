"""A HiSLIP client written from the standard, with none of the server's code: it says what a test tells it to say."""

import socket
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from impairlab.sim_hardware.scpi import SECOND, Action, Device, Identity, Instrument, Node, Numeric, Query, Word
from impairlab.sim_hardware.transports.hislip import HislipServer

HEADER = struct.Struct("!2sBBIQ")
FIRST_ID = 0xFFFFFF00


class Received(NamedTuple):
    kind: int
    control: int
    parameter: int
    payload: bytes


class Lamp(Device):
    """Common commands, an operation that takes time, and a response of any length."""

    identity = Identity("impairlab", "Lamp", "L1", "1.0")

    def commands(self):
        return [
            Action("GLOW", self.glow, Numeric(SECOND, minimum=0, maximum=100)),
            Query("LONG?", self.long, Numeric(minimum=1, maximum=10_000_000)),
        ]

    def power_on(self, instrument):
        self.instrument = instrument
        self.triggers = 0

    def glow(self, at: Node, seconds) -> None:
        self.instrument.operations.start("glow", int(seconds * 1_000_000_000))

    def long(self, at: Node, length) -> Word:
        return Word("0123456789" * (int(length) // 10))

    def trigger(self) -> None:
        self.triggers += 1


class Client:
    """Both channels of one session."""

    def __init__(self, address: tuple[str, int], sub_address: bytes = b"hislip0", version: int = 0x0100) -> None:
        self.message_id = FIRST_ID
        self.rmt = 0
        self.sync = self.connect(address)
        self.send(self.sync, 0, 0, version << 16 | 0x5454, sub_address)
        answer = self.receive(self.sync)
        assert answer.kind == 1, answer
        self.version, self.number, self.overlapped = answer.parameter >> 16, answer.parameter & 0xFFFF, answer.control
        self.asynchronous = self.connect(address)
        self.send(self.asynchronous, 17, 0, self.number)
        assert self.receive(self.asynchronous).kind == 18

    @staticmethod
    def connect(address: tuple[str, int]) -> socket.socket:
        return socket.create_connection(address, 10)

    @staticmethod
    def send(sock: socket.socket, kind: int, control: int = 0, parameter: int = 0, payload: bytes = b"") -> None:
        sock.sendall(HEADER.pack(b"HS", kind, control, parameter, len(payload)) + payload)

    @staticmethod
    def receive(sock: socket.socket) -> Received:
        header = b""
        while len(header) < HEADER.size:
            piece = sock.recv(HEADER.size - len(header))
            if not piece:
                raise EOFError(header)
            header += piece
        prologue, kind, control, parameter, length = HEADER.unpack(header)
        assert prologue == b"HS"
        payload = b""
        while len(payload) < length:
            piece = sock.recv(length - len(payload))
            if not piece:
                raise EOFError(payload)
            payload += piece
        return Received(kind, control, parameter, payload)

    def write(self, message: bytes, *, kind: int = 7, rmt: int | None = None) -> int:
        """Send a DataEnd (or Data, or Trigger); return its MessageID."""
        used = self.message_id
        self.send(self.sync, kind, self.rmt if rmt is None else rmt, used, message)
        self.rmt = 0
        self.message_id = (used + 2) & 0xFFFFFFFF
        return used

    def read(self) -> bytes:
        """Read a whole response."""
        content = b""
        while True:
            piece = self.receive(self.sync)
            assert piece.kind in {6, 7}, piece
            content += piece.payload
            if piece.kind == 7:
                self.rmt = 1
                self.last_read = piece.parameter
                return content

    def ask(self, message: bytes) -> bytes:
        self.write(message)
        return self.read()

    def tell(self, kind: int, control: int = 0, parameter: int = 0, payload: bytes = b"") -> Received:
        """One transaction on the asynchronous channel."""
        self.send(self.asynchronous, kind, control, parameter, payload)
        return self.receive(self.asynchronous)

    def status(self, rmt: int | None = None) -> int:
        control = self.rmt if rmt is None else rmt
        self.rmt = 0
        answer = self.tell(21, control, (self.message_id - 2) & 0xFFFFFFFF)
        assert answer.kind == 22, answer
        return answer.control

    def lock(self, timeout_ms: int = 0, key: bytes = b"") -> int:
        return self.tell(4, 1, timeout_ms, key).control

    def unlock(self) -> int:
        return self.tell(4, 0, (self.message_id - 2) & 0xFFFFFFFF).control

    def clear(self, features: int = 0) -> int:
        answer = self.tell(19)
        assert answer.kind == 23
        self.send(self.sync, 8, features)
        while (answer := self.receive(self.sync)).kind != 9:
            assert answer.kind in {6, 7}, answer
        self.message_id, self.rmt = FIRST_ID, 0
        return answer.control

    def is_quiet(self, sock: socket.socket, within_s: float = 0.1) -> bool:
        """Whether nothing comes for a while."""
        sock.settimeout(within_s)
        try:
            return sock.recv(1, socket.MSG_PEEK) == b"" and False
        except TimeoutError:
            return True
        finally:
            sock.settimeout(10)

    def close(self) -> None:
        self.sync.close()
        self.asynchronous.close()


@pytest.fixture
def lamp() -> Lamp:
    return Lamp()


@pytest.fixture
def instrument(lamp: Lamp) -> Instrument:
    return Instrument(lamp)


@pytest.fixture
def server(instrument: Instrument) -> Iterator[HislipServer]:
    with HislipServer(instrument, port=0) as server:
        yield server


@pytest.fixture
def open_client() -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def open_client(server: HislipServer, **options) -> Client:
        clients.append(Client(server.address, **options))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(server: HislipServer, open_client: Callable[..., Client]) -> Client:
    return open_client(server)
