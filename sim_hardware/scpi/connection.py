"""One TCP connection of a server: its session, what is still to be sent and when, and the faults that strike it."""

import socket
import struct
from collections import deque
from dataclasses import dataclass

from impairlab.sim_hardware.faults import ArmedFaults, CloseMidReply, DropHurried, Mute
from impairlab.sim_hardware.replies import REPLY_FAULTS, as_struck
from impairlab.sim_hardware.scpi.session import Session

READ_SIZE = 16_384
"""Bytes read at once of a message that is long anyway."""

SHORT_READ_SIZE = 1024
"""Bytes read at once otherwise, and with `TURN_UNITS` what keeps one busy client from delaying the others."""

TURN_UNITS = 128
MOST_UNSENT = 262_144
"""Bytes waiting for a client that does not read before nothing more is read from it."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_MOST_READS_OF_A_CLEAR = 64


class Gone(Exception):  # noqa: N818 - an event, not an error
    """The connection has ended, from either side."""


@dataclass(frozen=True, slots=True)
class _Outgoing:
    due_ns: int
    content: bytes
    then_close: bool = False


class Connection:
    """Moves bytes between a non-blocking socket and a session, a short turn at a time.

    Args:
        sock: Non-blocking; owned from here on.
        session: Owned from here on.
        faults: What strikes its replies.
        now_ns: When it was accepted.

    Attributes:
        last_heard_ns: When bytes last came in.
        watched_events: What the server's selector waits for on it.
    """

    def __init__(self, sock: socket.socket, session: Session, faults: ArmedFaults, now_ns: int) -> None:
        self.sock = sock
        self.session = session
        self.last_heard_ns = now_ns
        self.watched_events = 0
        self._faults = faults
        self.session.turn_units = TURN_UNITS
        self._block_pause_ns = session.instrument.personality.block_pause_ns
        self._muted = False
        self._replied_ns: int | None = None
        self._unsent = bytearray()
        self._scheduled: deque[_Outgoing] = deque()

    @property
    def wants_to_read(self) -> bool:
        """Whether more input can be taken in."""
        return len(self._unsent) < MOST_UNSENT and self.session.accepts_input

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes wait for room in the socket."""
        return bool(self._unsent)

    @property
    def waits(self) -> bool:
        """Whether an operation that ends, or time that passes, may let it go on."""
        return bool(self._scheduled or self.session.output) or self.session.is_executing

    @property
    def next_due_ns(self) -> int | None:
        """When there is something to do without anything arriving; None when never."""
        if self._can_go_on:
            return 0
        due = self._scheduled[0].due_ns if self._scheduled else None
        if self._block_pause_ns is None or not self.session.is_in_block:
            return due
        given_up_ns = self.last_heard_ns + self._block_pause_ns
        return given_up_ns if due is None else min(due, given_up_ns)

    @property
    def _can_go_on(self) -> bool:
        return self.session.is_ready and len(self._unsent) < MOST_UNSENT and not self._muted

    def receive(self, now_ns: int) -> None:
        """Read what has arrived, execute it and send what is ready. Raises `Gone` at the end of the stream."""
        is_long = self.session.is_dropping or self.session.is_in_block
        try:
            data = self.sock.recv(READ_SIZE if is_long else SHORT_READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self.last_heard_ns = now_ns
        if self._faults and self._is_lost(now_ns):
            return
        if not self._muted:
            self._reply(data, now_ns)

    def receive_in_vain(self, now_ns: int) -> None:
        """Read what has arrived and lose it. Raises `Gone` at the end of the stream."""
        try:
            data = self.sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self.last_heard_ns = now_ns

    def _is_lost(self, now_ns: int) -> bool:
        """Say whether what has arrived is not even executed."""
        if self._faults.strike(Mute) is not None:
            self._muted = True
        hurried = self._faults.peek(DropHurried)
        if hurried is None or self._replied_ns is None or now_ns - self._replied_ns >= hurried.gap_ns:
            return self._muted
        self._faults.strike(DropHurried)
        return True

    def poll(self, now_ns: int) -> None:
        """Execute and send what has become ready or due since. Raises `Gone` when the peer is."""
        pause_ns = self._block_pause_ns
        if pause_ns is not None and self.session.is_in_block and now_ns - self.last_heard_ns >= pause_ns:
            self.session.give_up_block()
        if not self._muted and len(self._unsent) < MOST_UNSENT:
            self._reply(b"", now_ns)

    def send_unsent(self) -> None:
        """Send what waited for room. Raises `Gone` when the peer is."""
        content, self._unsent = bytes(self._unsent), bytearray()
        self._send(content)

    def device_clear(self) -> None:
        """Forget all input and output on its way, what has arrived and is not read yet included."""
        self.session.clear()
        self._unsent.clear()
        self._scheduled.clear()
        for _ in range(_MOST_READS_OF_A_CLEAR):
            try:
                if not self.sock.recv(READ_SIZE):
                    return
            except OSError:
                return

    def close(self) -> None:
        """End the session and close the socket in the ordinary way."""
        self.session.close()
        self.sock.close()

    def reset(self) -> None:
        """End the session and reset the connection, as a host that has lost its state does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()

    def _reply(self, data: bytes, now_ns: int) -> None:
        if not self._faults and not self._scheduled:
            ready = self.session.turn(data)
            if ready:
                self._send(ready)
            return
        self.session.write(data)
        for reply in self.session.read():
            self._schedule(reply, now_ns)
        while self._scheduled and self._scheduled[0].due_ns <= now_ns:
            due = self._scheduled.popleft()
            self._send(due.content)
            self._replied_ns = now_ns
            if due.then_close:
                raise Gone

    def _schedule(self, reply: bytes, now_ns: int) -> None:
        for after_ns, content in as_struck(reply, fault := self._faults.strike(*REPLY_FAULTS)):
            self._scheduled.append(_Outgoing(now_ns + after_ns, content, isinstance(fault, CloseMidReply)))

    def _send(self, content: bytes) -> None:
        if self._unsent:
            self._unsent += content
            return
        try:
            sent = self.sock.send(content) if content else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise Gone from error
        self._unsent += content[sent:]
