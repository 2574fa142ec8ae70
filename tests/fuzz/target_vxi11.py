"""Whatever bytes reach the core channel, the abort channel or the port mapper: the server answers others as before."""

import atexit
import contextlib
import socket
from dataclasses import replace
from functools import cache

from impairlab.sim_hardware.scpi import Device, Identity, Instrument, Personality
from impairlab.sim_hardware.transports.vxi11 import Vxi11Server, rpc
from impairlab.sim_hardware.transports.vxi11.portmapper import PortMapper
from impairlab.sim_hardware.transports.vxi11.protocol import ABORT_PROGRAM, CORE_PROGRAM
from impairlab.sim_hardware.transports.vxi11.xdr import Reader, opaque, unsigned

IDENTITY = Identity("impairlab", "Fuzzed", "F1", "1.0")
_LINK = unsigned(1, 0, 0) + opaque(b"inst0")
_SETTLED_S = 5


def _core(procedure: int, arguments: bytes) -> bytes:
    return rpc.marked(rpc.call(1, CORE_PROGRAM, 1, procedure, arguments))


_OPEN = _core(10, _LINK)
SEEDS = [
    _OPEN + _core(11, unsigned(0, 9, 9, 8) + opaque(b"*IDN?;*SRE 16")) + _core(12, unsigned(0, 99, 9, 9, 0, 0)),
    _OPEN + _core(12, unsigned(0, 99, 0xFFFF_FFFF, 0xFFFF_FFFF, 1, 0)),
    _OPEN + _core(18, unsigned(0, 1, 5)) + _core(18, unsigned(0, 1, 5)) + _core(19, unsigned(0)),
    _OPEN + b"".join(_core(each, unsigned(0, 1, 9, 9)) for each in range(13, 18)),
    _OPEN + _core(20, unsigned(0, 1) + opaque(b"handle")) + _core(25, unsigned(0, 9, 9, 1, 0)) + _core(26, b""),
    _OPEN + _core(22, unsigned(0, 0, 0, 0, 1, 1, 1) + opaque(b"x")) + _core(23, unsigned(0)) + _core(0, b""),
    _core(10, unsigned(1, 1, 3) + opaque(b"inst0")) + _core(11, unsigned(0, 9, 9, 0) + opaque(b"#41000")),
    rpc.marked(rpc.call(2, ABORT_PROGRAM, 1, 1, unsigned(0))) + rpc.marked(rpc.call(3, 100_000, 2, 4, b"")),
    rpc.call(4, 100_000, 2, 3, unsigned(CORE_PROGRAM, 1, 6, 0)),
    unsigned(0x7FFF_FFFF) + bytes(64) + unsigned(0x8000_0000),
]
"""The first two bytes that are put before each choose the channel and how the rest is cut up."""


class Lonely(Vxi11Server):
    """Opens no interrupt channels, so that no other server of this machine is disturbed."""

    def _open_interrupt(self, host, asked):
        return super()._open_interrupt(host, replace(asked, port=0))


class Plain(Device):
    """Nothing but the common commands."""

    identity = IDENTITY


@cache
def _server() -> Lonely:
    instrument = Instrument(Plain(), Personality(input_buffer=300, output_queue=500))
    server = Lonely(instrument, portmapper_port=0, max_receive=1024, max_links=4)
    atexit.register(server.close)
    return server


def check(data: bytes) -> None:
    """Send `data` to a server. Raises AssertionError, or OSError, when it does not serve others afterwards."""
    choices, content = data[:2].ljust(2, b"\0"), data[2:]
    server = _server()
    PortMapper([]).answer(content, broadcast=bool(choices[0] & 4))
    ports = (server.address.core, server.address.core, server.address.abort, server.address.portmapper)
    size = 1 + choices[1] * 8
    with socket.create_connection(("127.0.0.1", ports[choices[0] % 4]), _SETTLED_S) as sock:
        sock.settimeout(0.001)
        with contextlib.suppress(TimeoutError, ConnectionError):
            for at in range(0, len(content), size):
                sock.sendall(content[at : at + size])
                sock.recv(65_536)
    _assert_serves(server)


def _assert_serves(server: Vxi11Server) -> None:
    with socket.create_connection(("127.0.0.1", server.address.core), _SETTLED_S) as sock:
        stream = sock.makefile("rb")

        def call(procedure: int, arguments: bytes) -> Reader:
            sock.sendall(_core(procedure, arguments))
            length = int.from_bytes(stream.read(4), "big") & 0x7FFF_FFFF
            result = Reader(stream.read(length)[24:])
            assert result.unsigned() == 0
            return result

        link = unsigned(call(10, unsigned(1, 1, 1000) + opaque(b"inst0")).unsigned())
        call(11, link + unsigned(1000, 1000, 8) + opaque(b"*CLS;*SRE 0;*IDN?"))
        reply = call(12, link + unsigned(99, 1000, 1000, 0, 0))
        assert reply.unsigned() == 4
        assert reply.opaque(99) == f"{IDENTITY.show()}\n".encode()
        stream.close()
    assert len(server._clients) <= 4
    assert len(server.instrument.sessions) <= 4
