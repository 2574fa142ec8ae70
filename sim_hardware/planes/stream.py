"""One direction of one relayed connection: bytes taken in here, held until their time, let out there, with its end."""

import socket
from collections import deque

from impairlab.sim_hardware.planes.stream_law import StreamLaw

_WINDOW = 4_194_304
"""Bytes that one stream holds before it stops taking in."""

_END = b""
_RESET = None


class Stream:
    """Source to sink; both are non-blocking and belong to the connection, which closes them.

    The end of the source and its reset are held like bytes and come out behind them.

    Attributes:
        took_in_ns: When it last took something in.
        done: Nothing more will be let out.
        was_reset: It is done because the source's reset came out.
        sink_gone: It is done because the sink's peer has reset the connection.
    """

    def __init__(self, source: socket.socket, sink: socket.socket, law: StreamLaw) -> None:
        self.source = source
        self.sink = sink
        self._law = law
        self._inside: deque[tuple[int, bytes | None]] = deque()
        self._inside_bytes = 0
        self._last_release_ns = 0
        self._unsent = memoryview(b"")
        self._source_ended = False
        self.took_in_ns = 0
        self.done = self.was_reset = self.sink_gone = False

    def takes_in_at(self, now_ns: int) -> int | None:
        """Return when to look at the source; None when there is nothing to look for until something else changes."""
        if self._source_ended or self.done or self._inside_bytes >= _WINDOW:
            return None
        return self._law.takes_in_at(now_ns)

    def take_in(self, now_ns: int) -> None:
        """Read once."""
        try:
            data = self.source.recv(self._law.bite())
        except BlockingIOError:
            return
        except OSError:
            self.take_reset(now_ns)
            return
        self._source_ended = data == _END
        self._hold(now_ns, data)

    def take_reset(self, now_ns: int) -> None:
        """Take in that the source's peer has reset the connection; nothing if it had ended before."""
        if not self._source_ended:
            self._source_ended = True
            self._hold(now_ns, _RESET)

    def _hold(self, now_ns: int, data: bytes | None) -> None:
        length = len(data or b"")
        self.took_in_ns = now_ns
        self._last_release_ns = max(self._last_release_ns, self._law.release(now_ns, length))
        self._inside.append((self._last_release_ns, data))
        self._inside_bytes += length

    @property
    def blocked(self) -> bool:
        """Whether the sink has to become writable first."""
        return bool(self._unsent)

    def next_release(self) -> int | None:
        """Return when something is due next."""
        return self._inside[0][0] if self._inside and not self.blocked and not self.done else None

    def let_out(self, now_ns: int) -> None:
        """Write what is due, as far as the sink takes it."""
        try:
            while not self.done and (self._unsent or self._next_is_due(now_ns)):
                self._write()
        except BlockingIOError:
            return
        except OSError:
            self._unsent = memoryview(b"")
            self.done = self.sink_gone = True

    def _next_is_due(self, now_ns: int) -> bool:
        return bool(self._inside) and self._inside[0][0] <= now_ns

    def _write(self) -> None:
        if self._unsent:
            sent = self.sink.send(self._unsent)
            self._unsent = self._unsent[sent:]
            self._inside_bytes -= sent
            self._law.forwarded_bytes += sent
            return
        data = self._inside.popleft()[1]
        if data is _RESET:
            self.done = self.was_reset = True
        elif data == _END:
            self.sink.shutdown(socket.SHUT_WR)
            self.done = True
        else:
            self._unsent = memoryview(data)
