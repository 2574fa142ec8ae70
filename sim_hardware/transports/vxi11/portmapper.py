"""The port mapper: tells on which port a program listens; a broadcast call of it is how instruments are found.

Version 2 of program 100000 (RFC 1833, 3), and of its procedures those that only tell: NULL, GETPORT and DUMP.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from impairlab.sim_hardware.transports.vxi11 import rpc
from impairlab.sim_hardware.transports.vxi11.xdr import XdrError, unsigned

PORTMAPPER_PORT = 111
PROGRAM = 100_000
VERSION = 2
GET_PORT = 3
DUMP = 4

TCP = 6
"""The IP protocol number, as a mapping names it."""
UDP = 17

_LONGEST_CALL = rpc.LONGEST_CALL_HEADER + 16


@dataclass(frozen=True, slots=True)
class Mapping:
    """A program, and where it listens."""

    program: int
    version: int
    protocol: int
    port: int


class PortMapper:
    """Answers calls; no I/O.

    Args:
        mappings: What it tells, itself included if it is to name itself.
    """

    longest_call = _LONGEST_CALL

    def __init__(self, mappings: Iterable[Mapping]) -> None:
        self._mappings = tuple(mappings)

    def answer(self, record: bytes, *, broadcast: bool = False) -> bytes | None:
        """Return the reply to a call.

        Args:
            record: What came in.
            broadcast: Whether it may have been sent to everybody; then only success is answered (RFC 5531, 8.4.2).

        Returns:
            The reply; None where none is due.
        """
        try:
            asked = rpc.read_call(record)
        except XdrError:
            return None
        result = self._result(asked)
        if result is not None:
            return rpc.success(asked.xid, result)
        return None if broadcast else _refusal(asked)

    def _result(self, asked: rpc.Call) -> bytes | None:
        if (asked.program, asked.version) != (PROGRAM, VERSION):
            return None
        match asked.procedure:
            case rpc.NULL_PROCEDURE:
                return b""
            case _ if asked.procedure == GET_PORT:
                return self._port(asked)
            case _ if asked.procedure == DUMP:
                return self._dump()
            case _:
                return None

    def _port(self, asked: rpc.Call) -> bytes | None:
        try:
            wanted = tuple(asked.arguments.unsigned() for _ in ("program", "version", "protocol"))
        except XdrError:
            return None
        ports = (each.port for each in self._mappings if (each.program, each.version, each.protocol) == wanted)
        return unsigned(next(ports, 0))

    def _dump(self) -> bytes:
        entries = (unsigned(1, each.program, each.version, each.protocol, each.port) for each in self._mappings)
        return b"".join(entries) + unsigned(0)


def _refusal(asked: rpc.Call) -> bytes:
    if asked.rpc_version != rpc.RPC_VERSION:
        return rpc.rpc_mismatch(asked.xid)
    if asked.program != PROGRAM:
        return rpc.program_unavailable(asked.xid)
    if asked.version != VERSION:
        return rpc.program_mismatch(asked.xid, VERSION)
    if asked.procedure == GET_PORT:
        return rpc.garbage_arguments(asked.xid)
    return rpc.procedure_unavailable(asked.xid)
