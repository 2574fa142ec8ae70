"""Serve any dialect on a raw TCP socket: one thread for all connections, a conversation for each, faults on demand.

The dialect is in the conversation: it takes bytes in and gives replies out. What can go wrong on the way is here, once
for all dialects that are lines of text or messages of their own.
"""

import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from selectors import EVENT_READ, EVENT_WRITE
from typing import Protocol, Self

from impairlab.sim_hardware.faults import ArmedFaults, CloseMidReply, DropHurried, Fault, Mute, Reboot, Refuse
from impairlab.sim_hardware.replies import REPLY_FAULTS, as_struck
from impairlab.sim_hardware.transports.listeners import Listener
from impairlab.sim_hardware.transports.reactor import Reactor, bound_socket

READ_SIZE = 16_384
MOST_UNSENT = 262_144
"""Bytes waiting for a client that does not read before nothing more is read from it."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Conversation(Protocol):
    """What one connection says. Only the thread of its server calls it."""

    @property
    def is_over(self) -> bool:
        """Whether the appliance closes the connection as soon as everything is sent."""
        ...

    @property
    def idle_close_ns(self) -> int | None:
        """How long the connection may be silent before the appliance closes it; None for ever."""
        ...

    def greet(self) -> bytes:
        """Return what the appliance says first; empty for nothing."""
        ...

    def receive(self, data: bytes) -> Iterable[bytes]:
        """Take in what has arrived, any part of a message or several, and return the replies, one each."""
        ...

    def close(self) -> None:
        """The connection has ended, from either side."""
        ...


class Gate(Protocol):
    """What stands before the conversations, where the bytes of a connection are not theirs: an encrypted transport.

    It has threads of its own, and is called in the server's.
    """

    def admit(self, sock: socket.socket, peer: str, hand_over: Callable[[socket.socket, str], None]) -> None:
        """Take a connection in; hand over a plain socket for each conversation in it, and its peer, from any thread."""
        ...

    def cut_all(self, *, reset: bool) -> None:
        """Cut every connection that was admitted, without a word; as a reset where it is one."""
        ...

    def wait(self) -> None:
        """Wait for the threads of those that were cut; their conversations have ended."""
        ...


class _Gone(Exception):  # noqa: N818 - an event, not an error
    """The connection has ended."""


@dataclass(slots=True, eq=False)
class _Peer:
    sock: socket.socket
    conversation: Conversation
    heard_ns: int
    muted: bool = False
    replied_ns: int | None = None
    unsent: bytearray = field(default_factory=bytearray)
    scheduled: deque[tuple[int, bytes, bool]] = field(default_factory=deque)

    def flush(self) -> None:
        """Send what the socket has room for."""
        if not self.unsent:
            return
        try:
            sent = self.sock.send(self.unsent)
        except BlockingIOError:
            return
        except OSError as error:
            raise _Gone from error
        del self.unsent[:sent]

    def read(self) -> bytes:
        """Return what has arrived, empty for nothing."""
        try:
            data = self.sock.recv(READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise _Gone from error
        if not data:
            raise _Gone
        return data


class ConversationServer:
    """A listening socket and its thread; serves from construction until `close`.

    Args:
        converse: Begins the conversation of a connection from a peer, "127.0.0.1:40312". Called in the server's thread.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        name: Of the thread.
        max_connections: A connection beyond these is closed as soon as it is accepted; None sets no cap.
        power_cycle: What a reboot does to the appliance, once the connections are reset.
        clock: Measures silence, in nanoseconds that never go back. A test that moves its own clock calls `wake`.
        gate: Through which connections come; None where their bytes are the conversation's.

    Raises:
        OSError: When the address cannot be had.
    """

    def __init__(
        self,
        converse: Callable[[str], Conversation],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        name: str = "conversations",
        max_connections: int | None = None,
        power_cycle: Callable[[], None] = lambda: None,
        clock: Callable[[], int] = time.monotonic_ns,
        gate: Gate | None = None,
    ) -> None:
        self._converse = converse
        self._gate = gate
        self._handed_over: deque[tuple[socket.socket, str]] = deque()
        self._max_connections = max_connections
        self._power_cycle = power_cycle
        self._clock = clock
        self._faults = ArmedFaults()
        self._peers: list[_Peer] = []
        self._told: deque[tuple[Conversation, bytes]] = deque()
        self._reopen_at_ns: int | None = None
        self._deaf_until_ns = 0
        self._silence_ns: int | None = None
        sock = bound_socket(host, port)
        self._reactor = Reactor(name, on_turn=self._turn, next_due_ns=self._next_due_ns, on_end=self._end)
        self._listener = Listener(sock, self._reactor.watch, self._connected)
        self.address: tuple[str, int] = sock.getsockname()[:2]
        self._reactor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and end the thread. A second call does nothing."""
        self._reactor.close()

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return len(self._peers)

    def wake(self) -> None:
        """Look at the clock again; from any thread."""
        self._reactor.wake()

    def tell(self, conversation: Conversation, content: bytes) -> None:
        """Send something that nobody has asked for; from any thread. It is lost when the connection has ended."""
        self._told.append((conversation, content))
        self._reactor.wake()

    def inject(self, fault: Fault, count: int | None = 1) -> None:
        """Let something go wrong, from the next occasion on.

        Args:
            fault: What. `Refuse` and `Reboot` happen at once, before this returns, and ignore `count`.
            count: How many replies (or, for `Mute`, connections) it strikes; None until `clear_faults`.

        Raises:
            ValueError: When `count` is not positive.
            TimeoutError: When the server's thread is gone.
        """
        match fault:
            case Refuse(for_ns=for_ns):
                self._reactor.request(lambda: self._stop_accepting(for_ns))
            case Reboot(boot_ns=boot_ns, mute_ns=mute_ns):
                self._reactor.request(lambda: self._reboot(boot_ns, mute_ns))
            case _:
                self._faults.arm(fault, count)

    def clear_faults(self) -> None:
        """Disarm every fault and accept connections again; what was muted or scheduled stays so."""
        self._faults.clear()
        self._reactor.request(self._accept_again)

    def limit_silence(self, limit_ns: int | None) -> None:
        """Close connections that are silent for so long, whatever their conversations say; None leaves it to them."""
        self._silence_ns = limit_ns
        self._reactor.wake()

    def disconnect_all(self) -> None:
        """Close every connection in the ordinary way, as an appliance does that has lost its patience."""
        self._reactor.request(self._drop_all)

    def _connected(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        where = f"{peer[0]}:{peer[1]}"
        if self._gate is None:
            self._begin(sock, where)
        else:
            self._gate.admit(sock, where, self._take_over)

    def _take_over(self, sock: socket.socket, peer: str) -> None:
        self._handed_over.append((sock, peer))
        self._reactor.wake()

    def _begin(self, sock: socket.socket, peer: str) -> None:
        if self._max_connections is not None and len(self._peers) >= self._max_connections:
            sock.close()
            return
        one = _Peer(sock, self._converse(peer), self._clock())
        self._peers.append(one)
        self._guarded(one, lambda: self._reply(one, filter(None, [one.conversation.greet()])))

    def _on_events(self, peer: _Peer, events: int) -> None:
        if events & EVENT_WRITE:
            self._guarded(peer, peer.flush)
        if events & EVENT_READ and peer in self._peers:
            self._guarded(peer, lambda: self._receive(peer))

    def _guarded(self, peer: _Peer, action: Callable[[], None]) -> None:
        """Do something with a peer, and see to what follows from it."""
        try:
            action()
            self._send_due(peer, time.monotonic_ns())
        except _Gone:
            self._drop(peer)

    def _receive(self, peer: _Peer) -> None:
        data = peer.read()
        now_ns = time.monotonic_ns()
        peer.heard_ns = self._clock()
        if data and now_ns >= self._deaf_until_ns and not self._is_lost(peer, now_ns):
            self._reply(peer, peer.conversation.receive(data))

    def _is_lost(self, peer: _Peer, now_ns: int) -> bool:
        """Say whether what has arrived is not even executed."""
        if self._faults.strike(Mute) is not None:
            peer.muted = True
        hurried = self._faults.peek(DropHurried)
        if hurried is None or peer.replied_ns is None or now_ns - peer.replied_ns >= hurried.gap_ns:
            return peer.muted
        self._faults.strike(DropHurried)
        return True

    def _reply(self, peer: _Peer, replies: Iterable[bytes]) -> None:
        for reply in replies:
            fault = self._faults.strike(*REPLY_FAULTS)
            now_ns = time.monotonic_ns()
            closes = isinstance(fault, CloseMidReply)
            peer.scheduled.extend((now_ns + after, content, closes) for after, content in as_struck(reply, fault))

    def _send_due(self, peer: _Peer, now_ns: int) -> None:
        closes = False
        while peer.scheduled and peer.scheduled[0][0] <= now_ns and not closes:
            _, content, closes = peer.scheduled.popleft()
            peer.unsent += content
            peer.replied_ns = now_ns
        peer.flush()
        if closes or (peer.conversation.is_over and not peer.scheduled and not peer.unsent):
            raise _Gone
        reads = EVENT_READ * (len(peer.unsent) < MOST_UNSENT and not peer.conversation.is_over)
        self._reactor.watch(
            peer.sock, reads | EVENT_WRITE * bool(peer.unsent), lambda events: self._on_events(peer, events)
        )

    def _drop(self, peer: _Peer, *, reset: bool = False) -> None:
        if peer not in self._peers:
            return
        self._peers.remove(peer)
        self._reactor.watch(peer.sock, 0, lambda _: None)
        if reset:
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        peer.sock.close()
        peer.conversation.close()

    def _drop_all(self, *, reset: bool = False) -> None:
        if self._gate is not None:
            self._gate.cut_all(reset=reset)
        while self._handed_over:
            self._handed_over.popleft()[0].close()
        for peer in tuple(self._peers):
            self._drop(peer, reset=reset)
        if self._gate is not None:
            self._gate.wait()

    def _turn(self, now_ns: int) -> None:
        if self._reopen_at_ns is not None and now_ns >= self._reopen_at_ns:
            self._accept_again()
        self._listener.go_on(now_ns)
        while self._handed_over:
            self._begin(*self._handed_over.popleft())
        while self._told:
            conversation, content = self._told.popleft()
            for peer in [each for each in self._peers if each.conversation is conversation and not each.muted]:
                peer.scheduled.append((now_ns, content, False))
        for peer in tuple(self._peers):
            limit_ns = self._limit_of(peer)
            if limit_ns is not None and self._clock() - peer.heard_ns >= limit_ns:
                self._drop(peer)
            elif peer.scheduled and peer.scheduled[0][0] <= now_ns:
                self._guarded(peer, lambda: None)

    def _next_due_ns(self) -> int | None:
        due = [self._reopen_at_ns, self._listener.due_ns]
        due += [peer.scheduled[0][0] for peer in self._peers if peer.scheduled]
        now_ns, clock_ns = time.monotonic_ns(), self._clock()
        for peer in self._peers:
            limit_ns = self._limit_of(peer)
            if limit_ns is not None:
                due.append(now_ns + peer.heard_ns + limit_ns - clock_ns)
        return min((each for each in due if each is not None), default=None)

    def _limit_of(self, peer: _Peer) -> int | None:
        return peer.conversation.idle_close_ns if self._silence_ns is None else self._silence_ns

    def _reboot(self, boot_ns: int, mute_ns: int) -> None:
        self._stop_accepting(boot_ns)
        self._deaf_until_ns = time.monotonic_ns() + boot_ns + mute_ns
        self._drop_all(reset=True)
        self._power_cycle()

    def _stop_accepting(self, for_ns: int | None) -> None:
        self._listener.pause()
        self._reopen_at_ns = None if for_ns is None else time.monotonic_ns() + for_ns

    def _accept_again(self) -> None:
        self._reopen_at_ns = None
        self._listener.resume()

    def _end(self) -> None:
        self._drop_all()
        self._listener.close()
