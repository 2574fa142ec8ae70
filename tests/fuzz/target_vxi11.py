"""Whatever a VXI-11 client sends to the core channel, the abort channel or the port mapper, the others are served."""

import socket
import struct
from functools import cache

from hostile import DEADLINE_S, connection, pour, receive

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

_CORE, _ABORT, _MAPPER = 0x0607AF, 0x0607B0, 100_000
_CREATE_LINK, _WRITE, _READ, _READ_STB, _TRIGGER, _CLEAR, _REMOTE, _LOCAL = 10, 11, 12, 13, 14, 15, 16, 17
_LOCK, _UNLOCK, _ENABLE_SRQ, _DOCMD, _DESTROY, _INTERRUPT = 18, 19, 20, 22, 23, 25
_END = 8


def words(*numbers: int) -> bytes:
    return struct.pack(f"!{len(numbers)}I", *numbers)


def opaque(content: bytes) -> bytes:
    return words(len(content)) + content + bytes(-len(content) % 4)


def call(procedure: int, arguments: bytes, program: int = _CORE, version: int = 1, xid: int = 7) -> bytes:
    record = words(xid, 0, 2, program, version, procedure, 0, 0, 0, 0) + arguments
    return words(1 << 31 | len(record)) + record


LINK = call(_CREATE_LINK, words(1, 0, 0) + opaque(b"inst0"))
LOCKED_LINK = call(_CREATE_LINK, words(1, 1, 0) + opaque(b"inst0"))


def write(link: int, content: bytes, flags: int = _END) -> bytes:
    return call(_WRITE, words(link, 100, 0, flags) + opaque(content))


OWN = int.from_bytes(b"LINK", "big")
"""Stands for the number of the link that `check` has made."""

SEEDS = [
    write(OWN, b"*IDN?") + call(_READ, words(OWN, 100, 10, 0, 0, 0)),
    write(OWN, b"*ESE 1;", 0) + write(OWN, b"*ESE?\n") + call(_READ, words(OWN, 3, 10, 0, 0x80, 59)),
    LOCKED_LINK + call(_READ_STB, words(OWN, 0, 0, 0)) + call(_TRIGGER, words(OWN, 0, 0, 0)) + LINK,
    call(_LOCK, words(OWN, 1, 20)) + call(_CLEAR, words(OWN, 0, 0, 0)) + call(_UNLOCK, words(OWN)),
    call(_REMOTE, words(OWN, 0, 0, 0)) + call(_LOCAL, words(OWN, 0, 0, 0)) + call(_DOCMD, words(OWN, 0, 0, 0, 1, 1, 1)),
    call(_ENABLE_SRQ, words(OWN, 1) + opaque(b"handle")) + call(_INTERRUPT, words(0x7F000001, 9, 0x0607B1, 1, 0)),
    call(_DESTROY, words(OWN)) + write(OWN, b"*RST"),
    call(1, words(OWN), _ABORT) + call(3, words(_CORE, 1, 6, 0), _MAPPER, 2) + call(4, b"", _MAPPER, 2) + call(0, b""),
    words(5) + b"abcde" + words(1 << 31 | 3) + b"xyz" + words(0x7FFFFFFF) + bytes(100),
]


def check(data: bytes) -> None:
    """Send `data` to one of the ports, and ask as another client. Raises AssertionError, TimeoutError."""
    choices, content = data[:2].ljust(2, b"\0"), data[2:]
    server = _server()
    port = server.ports[choices[0] % len(server.ports)]
    with connection((server.host, port)) as hostile:
        if port == server.ports[0]:
            hostile.sendall(LINK)
            content = content.replace(b"LINK", receive(hostile, 44)[32:36])
        pour(hostile, content, 1 + choices[1] * 4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        datagram.sendto(content[4:2000], (server.host, server.mapper))
    server.ask()


class _Server:
    def __init__(self) -> None:
        self._appliance = SimulatedAppliance(NullPlane())
        address = self._appliance.serve_vxi11("127.0.0.1", 0, portmapper_port=0)
        self.host, self.mapper = address.host, address.portmapper
        self.ports = (address.core, address.core, address.abort, address.portmapper)
        self._sock = socket.create_connection((self.host, address.core), DEADLINE_S)
        self._link = struct.unpack("!I", self._answer(LINK)[4:8])[0]

    def ask(self) -> None:
        """Ask as a client that does nothing wrong; locks of others are waited for."""
        wait_for_lock = 1
        error, written = struct.unpack("!II", self._answer(
            call(_WRITE, words(self._link, 5000, 5000, _END | wait_for_lock) + opaque(b"SYST:VERS?"))
        ))  # fmt: skip
        assert (error, written) == (0, 10)
        result = self._answer(call(_READ, words(self._link, 100, 5000, 5000, wait_for_lock, 0)))
        assert result == words(0, 4) + opaque(b"1999.0\n"), result

    def _answer(self, request: bytes) -> bytes:
        """Return what follows the header of an accepted call."""
        self._sock.sendall(request)
        (mark,) = struct.unpack("!I", receive(self._sock, 4))
        reply = receive(self._sock, mark & 0x7FFFFFFF)
        assert reply[:24] == words(7, 1, 0, 0, 0, 0)
        return reply[24:]


@cache
def _server() -> _Server:
    return _Server()
