"""Scripted peers that speak HiSLIP and VXI-11: the far end of a VISA link, doing exactly what a test says."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from impairlab.drivers.testing.peers import Script, SocketWire, Wire, tcp_peer

_HISLIP = struct.Struct("!2sBBIQ")
_INITIALIZE, _INITIALIZE_RESPONSE, _DATA, _DATA_END = 0, 1, 6, 7
_MAX_SIZE, _MAX_SIZE_RESPONSE, _ASYNC_INITIALIZE, _ASYNC_INITIALIZE_RESPONSE = 15, 16, 17, 18
_VERSION = 0x0100

_CREATE_LINK, _WRITE, _READ, _READ_STATUS, _DESTROY_LINK = 10, 11, 12, 13, 23
_END = 8
_READ_ENDED = 4
_IO_TIMEOUT = 15
_MESSAGE_AVAILABLE = 16
_LAST_FRAGMENT = 0x8000_0000


@contextmanager
def hislip_peer(script: Script) -> Iterator[tuple[str, int]]:
    """Serve HiSLIP sessions on a free local port by a script; yields (host, port).

    What the script sends goes out as Data, and as DataEnd where it ends in a new line.
    """
    numbers = count(1)

    def serve(_: int, raw: SocketWire) -> None:
        first = _hislip_message(raw)
        if first is None:
            return
        if first[0] == _INITIALIZE:
            number = next(numbers)
            raw.send(_HISLIP.pack(b"HS", _INITIALIZE_RESPONSE, 0, _VERSION << 16 | number, 0))
            script(number, _HislipWire(raw))
        elif first[0] == _ASYNC_INITIALIZE:
            raw.send(_HISLIP.pack(b"HS", _ASYNC_INITIALIZE_RESPONSE, 0, 0, 0))
            while (message := _hislip_message(raw)) is not None:
                if message[0] == _MAX_SIZE:
                    raw.send(_HISLIP.pack(b"HS", _MAX_SIZE_RESPONSE, 0, 0, 8) + message[2])

    with tcp_peer(serve) as address:
        yield address


def _hislip_message(raw: SocketWire) -> tuple[int, int, bytes] | None:
    """Return type, parameter and payload; None when the other side has gone."""
    header = raw.read(_HISLIP.size)
    if header is None:
        return None
    _, kind, _, parameter, length = _HISLIP.unpack(header)
    payload = raw.read(length)
    return None if payload is None else (kind, parameter, payload)


class _HislipWire:
    """The synchronous channel as a `Wire`."""

    def __init__(self, raw: SocketWire) -> None:
        self._raw = raw
        self._message_id = 0
        self.close = raw.close

    def read_line(self) -> str | None:
        line = b""
        while (message := _hislip_message(self._raw)) is not None:
            kind, self._message_id, payload = message
            line += payload
            if kind == _DATA_END:
                return line.decode().removesuffix("\n")
        return None

    def send(self, content: bytes) -> None:
        kind = _DATA_END if content.endswith(b"\n") else _DATA
        self._raw.send(_HISLIP.pack(b"HS", kind, 0, self._message_id, len(content)) + content)


@contextmanager
def vxi11_peer(script: Script) -> Iterator[tuple[str, int]]:
    """Serve VXI-11 links on a free local port by a script, without a port mapper; yields (host, port).

    What the script sends can be read; where it ends in a new line, END comes with it.
    """

    def serve(number: int, raw: SocketWire) -> None:
        wire = _Vxi11Wire(raw)
        if wire.serve_until_linked():
            wired: Wire = wire
            script(number, wired)
            wire.close()

    with tcp_peer(serve) as address:
        yield address


class _Vxi11Wire:
    """The core channel as a `Wire`: calls are answered while the script waits for a line, and before it closes."""

    def __init__(self, raw: SocketWire) -> None:
        self._raw = raw
        self._output: deque[bytes] = deque()
        self._line = b""

    def serve_until_linked(self) -> bool:
        return self._serve(until=_CREATE_LINK)

    def read_line(self) -> str | None:
        self._line = b""
        return self._line.decode().removesuffix("\n") if self._serve(until=_WRITE) else None

    def send(self, content: bytes) -> None:
        self._output.append(content)

    def close(self) -> None:
        """Close the connection as soon as all output was read."""
        while self._output and self._serve(until=_READ):
            continue
        self._raw.close()

    def _serve(self, until: int) -> bool:
        """Answer calls up to one of procedure `until` that did what it is for; False when the other side has gone."""
        while (call := self._call()) is not None:
            xid, procedure, arguments = call
            result, done = self._result(procedure, arguments)
            reply = struct.pack("!6I", xid, 1, 0, 0, 0, 0) + result
            self._raw.send(struct.pack("!I", _LAST_FRAGMENT | len(reply)) + reply)
            if done and procedure == until:
                return True
        return False

    def _call(self) -> tuple[int, int, bytes] | None:
        """Return transaction, procedure and arguments of the next call, which has null authentication."""
        mark = self._raw.read(4)
        record = None if mark is None else self._raw.read(struct.unpack("!I", mark)[0] & ~_LAST_FRAGMENT)
        if record is None:
            return None
        xid, _, _, _, _, procedure, *_ = struct.unpack_from("!10I", record)
        return xid, procedure, record[40:]

    def _result(self, procedure: int, arguments: bytes) -> tuple[bytes, bool]:
        match procedure:
            case _ if procedure == _CREATE_LINK:
                return struct.pack("!4I", 0, 1, 0, 1 << 20), True
            case _ if procedure == _WRITE:
                flags, size = struct.unpack_from("!2I", arguments, 12)
                self._line += arguments[20 : 20 + size]
                return struct.pack("!2I", 0, size), bool(flags & _END)
            case _ if procedure == _READ:
                most, timeout_ms = struct.unpack_from("!2I", arguments, 4)
                return self._read(most, timeout_ms)
            case _ if procedure == _READ_STATUS:
                return struct.pack("!2I", 0, _MESSAGE_AVAILABLE if self._output else 0), True
            case _:
                return struct.pack("!I", 0), True

    def _read(self, most: int, timeout_ms: int) -> tuple[bytes, bool]:
        if not self._output:
            time.sleep(timeout_ms / 1000)  # as an instrument waits for what does not come
            return struct.pack("!3I", _IO_TIMEOUT, 0, 0), False
        content = self._output.popleft()
        if len(content) > most:
            self._output.appendleft(content[most:])
            content = content[:most]
        reason = _READ_ENDED if content.endswith(b"\n") else 0
        padding = bytes(-len(content) % 4)
        return struct.pack("!3I", 0, reason, len(content)) + content + padding, True
