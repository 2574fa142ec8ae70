"""One stream connection of an RPC client: records in, one call at a time under way, replies out."""

import selectors
import socket
import struct
from collections import deque
from collections.abc import Callable, Generator

from impairlab.sim_hardware.faults import ArmedFaults, Mute
from impairlab.sim_hardware.transports.reactor import Watch
from impairlab.sim_hardware.transports.vxi11 import rpc

_READ_SIZE = 65_536
_MOST_QUEUED = 65_536
_MOST_UNSENT = 262_144
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Answer = Generator[int, None, bytes | None]
"""The steps of a call that may have to wait; returns the reply, or None where none is due."""

Execute = Callable[[bytes], Answer | bytes | None]
"""Answers a record, at once or in steps."""


class CutOff(Exception):  # noqa: N818 - a fault that was asked for
    """Raised by the steps of a call: the first `keep` bytes of its reply are sent, and the connection is closed."""

    def __init__(self, reply: bytes, keep: int) -> None:
        super().__init__(keep)
        self.reply = reply
        self.keep = keep


class _Gone(Exception):  # noqa: N818 - an event, not an error  # noqa: N818 - an event, not an error
    """The connection has ended, from either side."""


class RpcConnection:
    """Moves records between a non-blocking socket and whoever answers them.

    Args:
        sock: Owned from here on.
        longest_call: Of a longer record only the front is looked at.
        execute: Answers a record.
        faults: What strikes this connection.
        watch: Has the server's thread wait for the socket.
        on_gone: Called when the connection has ended, from either side; closes it.
        is_deaf: Tells whether what arrives now is lost.

    Attributes:
        due_ns: When `advance` is due, whatever happens; None while nothing waits.
    """

    def __init__(  # noqa: PLR0917 - one for each end it has
        self,
        sock: socket.socket,
        longest_call: int,
        execute: Execute,
        faults: ArmedFaults,
        watch: Watch,
        on_gone: Callable[["RpcConnection"], None],
        is_deaf: Callable[[], bool],
    ) -> None:
        self.due_ns: int | None = None
        self._socket = sock
        self._execute = execute
        self._faults = faults
        self._watch = watch
        self._on_gone = on_gone
        self._is_deaf = is_deaf
        self._reader = rpc.Records(longest_call)
        self._records: deque[bytes] = deque()
        self._queued = 0
        self._answer: Answer | None = None
        self._unsent = bytearray()
        self._muted = False

    def advance(self) -> None:
        """Go on with what waits."""
        self._serve(0)

    def _serve(self, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                content, self._unsent = bytes(self._unsent), bytearray()
                self._send(content)
            if events & selectors.EVENT_READ:
                self._receive()
            self._go_on()
        except _Gone:
            self._on_gone(self)
        else:
            reads = self._queued < _MOST_QUEUED
            self._watch(
                self._socket,
                selectors.EVENT_READ * reads | selectors.EVENT_WRITE * bool(self._unsent),
                self._serve,
            )

    def _go_on(self) -> None:
        while (self._answer or self._records) and len(self._unsent) < _MOST_UNSENT:
            if self._answer is None:
                record = self._records.popleft()
                self._queued -= len(record) + 1
                answer = self._execute(record)
                if not isinstance(answer, Generator):
                    self._reply(answer)
                    continue
                self._answer = answer
            try:
                self.due_ns = next(self._answer)
            except StopIteration as end:
                self._answer = self.due_ns = None
                self._reply(end.value)
            except CutOff as cut:
                self._send(rpc.marked(cut.reply)[: cut.keep])
                raise _Gone from cut
            else:
                return

    def close(self) -> None:
        """Close the socket in the ordinary way."""
        self._watch(self._socket, 0, self._serve)
        self._socket.close()

    def reset(self) -> None:
        """Reset the connection, as a host that has lost its state does."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            raise _Gone from error
        if not data:
            raise _Gone
        if self._faults.strike(Mute) is not None:
            self._muted = True
        if self._muted or self._is_deaf():
            return
        for record in self._reader.push(data):
            self._records.append(record)
            self._queued += len(record) + 1

    def _reply(self, reply: bytes | None) -> None:
        if reply is not None:
            self._send(rpc.marked(reply))

    def _send(self, content: bytes) -> None:
        if self._unsent:
            self._unsent += content
            return
        try:
            sent = self._socket.send(content) if content else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise _Gone from error
        self._unsent += content[sent:]
