"""Whatever a HiSLIP client sends on either of its channels, the others are served once its locks are gone."""

import socket
import struct
from functools import cache

from hostile import DEADLINE_S, connection, drain, pour, receive

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane

_HEADER = struct.Struct("!2sBBIQ")
_FIRST_ID = 0xFFFFFF00
_WHOLE, _HALF, _NONE = range(3)


def message(kind: int, control: int = 0, parameter: int = 0, payload: bytes = b"") -> bytes:
    return _HEADER.pack(b"HS", kind, control, parameter, len(payload)) + payload


SEEDS = [
    message(7, 1, _FIRST_ID, b"*IDN?\n") + message(7, 1, _FIRST_ID + 2, b"*OPC?"),
    message(6, 0, _FIRST_ID, b"*ESE 1;") + message(7, 0, _FIRST_ID + 2, b"*ESE?") + message(12, 1, _FIRST_ID + 4),
    message(8) + message(7, 1, _FIRST_ID, b"SYST:ERR?"),
    message(15, 0, 0, struct.pack("!Q", 100)) + message(21, 1, _FIRST_ID) + message(24),
    message(4, 1, 0) + message(4, 0, _FIRST_ID) + message(4, 1, 50, b"key") + message(4, 1, 0, b"") + message(4, 0),
    message(19) + message(10, 3, _FIRST_ID) + message(200, 9) + message(3, 1) + message(2, 0, 0, b"bye"),
    message(0, 0, 0x01000000, b"hislip0") + message(17, 0, 1) + _HEADER.pack(b"HS", 6, 0, 0, 1 << 62),
]


def check(data: bytes) -> None:
    """Send `data` as a client of some state does, and ask as another. Raises AssertionError, TimeoutError."""
    choices, content = data[:2].ljust(2, b"\0"), data[2:]
    server = _server()
    with connection(server.address) as sync, connection(server.address) as second:
        state = choices[0] % 3
        if state != _NONE:
            sync.sendall(message(0, 0, 0x01000000, b"hislip0"))
            header = _HEADER.unpack(receive(sync, _HEADER.size))
            if state == _WHOLE:
                second.sendall(message(17, 0, header[3] & 0xFFFF))
                receive(second, _HEADER.size)
        hostile = second if choices[0] & 64 else sync
        pour(hostile, content, 1 + choices[1] * 4)
    server.ask()


class _Server:
    def __init__(self) -> None:
        self._appliance = SimulatedAppliance(NullPlane())
        self.address = self._appliance.serve_hislip(port=0)
        self._sync, self._second = (socket.create_connection(self.address, DEADLINE_S) for _ in range(2))
        self._sync.sendall(message(0, 0, 0x01000000, b"hislip0"))
        session = _HEADER.unpack(receive(self._sync, _HEADER.size))[3] & 0xFFFF
        self._second.sendall(message(17, 0, session))
        receive(self._second, _HEADER.size)
        self._id = _FIRST_ID

    def ask(self) -> None:
        """Ask as a client that does nothing wrong."""
        self._sync.sendall(message(7, 1, self._id, b"SYST:VERS?\n"))
        self._id = (self._id + 2) % (1 << 32)
        prologue, kind, _, _, length = _HEADER.unpack(receive(self._sync, _HEADER.size))
        assert (prologue, kind, receive(self._sync, length)) == (b"HS", 7, b"1999.0\n")
        drain(self._second)


@cache
def _server() -> _Server:
    return _Server()
