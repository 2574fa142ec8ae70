"""The raw socket server: bytes on a real connection, limits, and faults that strike it."""

import socket
from collections.abc import Callable, Iterator

import pytest

from impairlab.sim_hardware.scpi import Instrument, ScpiServer

DEADLINE_S = 5.0


class Client:
    """A plain socket with a line reader."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.create_connection(address, timeout=DEADLINE_S)
        self.lines = self.sock.makefile("rb")

    def ask(self, message: str) -> str:
        self.sock.sendall(f"{message}\n".encode())
        return self.lines.readline().decode().rstrip("\n")

    def close(self) -> None:
        self.lines.close()
        self.sock.close()


@pytest.fixture
def server(real_time_instrument: Instrument) -> Iterator[ScpiServer]:
    with ScpiServer(real_time_instrument, port=0) as serving:
        yield serving


@pytest.fixture
def connect(server: ScpiServer) -> Iterator[Callable[[], Client]]:
    clients: list[Client] = []

    def another() -> Client:
        clients.append(Client(server.address))
        return clients[-1]

    yield another
    for client in clients:
        client.close()


def test_two_clients_talk_to_one_instrument(connect: Callable[[], Client]) -> None:
    first, second = connect(), connect()
    assert first.ask("LAMP2:LEV 0.25;LEV?") == "0.25"
    assert second.ask("LAMP2:LEV?\r") == "0.25"


def test_a_held_reply_comes_when_the_operation_is_done(connect: Callable[[], Client]) -> None:
    assert connect().ask("LAMP:GLOW 20 MS;*OPC?") == "1"
