"""ONC RPC, version 2: calls, replies, and their records on a stream (RFC 5531)."""

from collections.abc import Iterator
from dataclasses import dataclass

from impairlab.sim_hardware.transports.vxi11.xdr import Reader, XdrError, opaque, unsigned

RPC_VERSION = 2
NULL_PROCEDURE = 0
"""Every program has it: it takes nothing and answers nothing."""

LONGEST_CALL_HEADER = 1024
"""Bytes enough for a call's header: six integers and two authenticators of at most 408."""

_CALL, _REPLY = 0, 1
_ACCEPTED, _DENIED = 0, 1
_SUCCESS, _PROGRAM_UNAVAILABLE, _PROGRAM_MISMATCH, _PROCEDURE_UNAVAILABLE, _GARBAGE_ARGUMENTS = range(5)
_RPC_MISMATCH = 0
_NO_AUTHENTICATOR = unsigned(0) + opaque(b"")
_LONGEST_AUTHENTICATOR = 400
_LAST_FRAGMENT = 0x8000_0000
_MARK_SIZE = 4


@dataclass(frozen=True, slots=True)
class Call:
    """What a client wants: a procedure of a program, its arguments still to be read."""

    xid: int
    rpc_version: int
    program: int
    version: int
    procedure: int
    arguments: Reader


def read_call(record: bytes) -> Call:
    """Return the call that a record or datagram holds.

    A call of another RPC version has no program that could be named: all but its `xid` is zero.

    Raises:
        XdrError: When it is no call, so that nothing can be answered.
    """
    reader = Reader(record)
    xid = reader.unsigned()
    if reader.unsigned() != _CALL:
        raise XdrError("not a call")
    rpc_version = reader.unsigned()
    if rpc_version != RPC_VERSION:
        return Call(xid, rpc_version, 0, 0, 0, reader)
    program, version, procedure = reader.unsigned(), reader.unsigned(), reader.unsigned()
    for _ in ("credentials", "verifier"):
        reader.unsigned()
        reader.opaque(_LONGEST_AUTHENTICATOR)
    return Call(xid, rpc_version, program, version, procedure, reader)


def call(xid: int, program: int, version: int, procedure: int, arguments: bytes) -> bytes:
    """Return a call without authentication."""
    header = unsigned(xid, _CALL, RPC_VERSION, program, version, procedure)
    return header + _NO_AUTHENTICATOR + _NO_AUTHENTICATOR + arguments


def success(xid: int, result: bytes) -> bytes:
    """Return the reply to a call that was executed."""
    return _accepted(xid, _SUCCESS, result)


def program_unavailable(xid: int) -> bytes:
    """Return the reply to a call of a program that is not here."""
    return _accepted(xid, _PROGRAM_UNAVAILABLE)


def program_mismatch(xid: int, version: int) -> bytes:
    """Return the reply to a call of a program that is here in `version` only."""
    return _accepted(xid, _PROGRAM_MISMATCH, unsigned(version, version))


def procedure_unavailable(xid: int) -> bytes:
    """Return the reply to a call of a procedure that the program does not have."""
    return _accepted(xid, _PROCEDURE_UNAVAILABLE)


def garbage_arguments(xid: int) -> bytes:
    """Return the reply to a call with arguments that are not those of the procedure."""
    return _accepted(xid, _GARBAGE_ARGUMENTS)


def rpc_mismatch(xid: int) -> bytes:
    """Return the reply to a call of another version of RPC."""
    return unsigned(xid, _REPLY, _DENIED, _RPC_MISMATCH, RPC_VERSION, RPC_VERSION)


def _accepted(xid: int, status: int, result: bytes = b"") -> bytes:
    return unsigned(xid, _REPLY, _ACCEPTED) + _NO_AUTHENTICATOR + unsigned(status) + result


def marked(record: bytes) -> bytes:
    """Return a record as it goes on a stream, in one fragment (RFC 5531, 11)."""
    return unsigned(_LAST_FRAGMENT | len(record)) + record


class Records:
    """Cuts a stream into records; memory is bounded.

    Args:
        longest: Of a longer record only so many bytes are kept, and the rest is dropped as it comes in. Its arguments
            then end too early for any procedure, and it can still be answered.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._mark = bytearray()
        self._record = bytearray()
        self._fragment_left = 0
        self._last = False

    def push(self, data: bytes) -> Iterator[bytes]:
        """Take bytes in and yield every record they complete."""
        at = 0
        while at < len(data):
            if not self._fragment_left:
                taken = _MARK_SIZE - len(self._mark)
                self._mark += data[at : at + taken]
                at += taken
                if len(self._mark) < _MARK_SIZE:
                    return
                mark = int.from_bytes(self._mark, "big")
                self._mark.clear()
                self._last = bool(mark & _LAST_FRAGMENT)
                self._fragment_left = mark & ~_LAST_FRAGMENT
            part = data[at : at + self._fragment_left]
            at += len(part)
            self._fragment_left -= len(part)
            self._record += part[: self._longest - len(self._record)]
            if self._last and not self._fragment_left:
                record = bytes(self._record)
                self._record.clear()
                yield record
