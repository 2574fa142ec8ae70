"""Serve an instrument over HiSLIP 1.0, one thread for all clients, with faults on demand.

A client opens two TCP connections: the first message of each says which it is (IVI-6.1, 6.1). A client that offers
version 2.0 is answered 1.0, and so asks for neither TLS nor SASL.
"""

import socket
import time
from dataclasses import dataclass
from itertools import cycle
from selectors import EVENT_READ, EVENT_WRITE
from typing import Self

from impairlab.sim_hardware.faults import ArmedFaults, Fault, Mute, Reboot, Refuse
from impairlab.sim_hardware.scpi.instrument import Instrument
from impairlab.sim_hardware.transports.hislip.channel import Channel, Fatal, Gone
from impairlab.sim_hardware.transports.hislip.codec import FatalCode, Message, MessageType, Oversized
from impairlab.sim_hardware.transports.hislip.session import DEFAULT_MESSAGE_SIZE, OVERLAPPED, HislipSession
from impairlab.sim_hardware.transports.listeners import Listener
from impairlab.sim_hardware.transports.reactor import Reactor, bound_socket

HISLIP_PORT = 4880
"""Registered with IANA as hislip."""

VERSION = 0x0100
VENDOR = 0x494C
"""What AsyncInitializeResponse names as the vendor: "IL"."""

_SUB_ADDRESSES = {b"", b"hislip0"}
_INITIALISE_WITHIN_NS = 10_000_000_000


@dataclass(slots=True, eq=False)
class _Client:
    """A TCP connection, and the session it belongs to once that is known."""

    channel: Channel
    name: str
    initialise_by_ns: int
    session: HislipSession | None = None
    other: "_Client | None" = None
    muted: bool = False
    ending: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether both channels of its session are there."""
        return self.other is not None


class HislipServer:
    """A listening socket and its thread; serves from construction until `close`.

    Args:
        instrument: What is served; its clock must be `time.monotonic_ns` for timed operations to end on their own.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, told by `address`.
        max_sessions: A client beyond these is answered FatalError 4; None sets no cap.
        prefers_overlap: Whether sessions begin in overlapped mode; a device clear lets the client choose.

    Raises:
        OSError: When the address cannot be had.
    """

    def __init__(
        self,
        instrument: Instrument,
        host: str = "127.0.0.1",
        port: int = HISLIP_PORT,
        *,
        max_sessions: int | None = None,
        prefers_overlap: bool = False,
    ) -> None:
        self.instrument = instrument
        self._max_sessions = max_sessions
        self._prefers_overlap = prefers_overlap
        self._faults = ArmedFaults()
        self._clients: list[_Client] = []
        self._reopen_at_ns: int | None = None
        self._deaf_until_ns = 0
        self._numbers = cycle(range(1, 0x10000))
        sock = bound_socket(host, port)
        self._reactor = Reactor(
            f"hislip-{sock.getsockname()[1]}", on_turn=self._turn, next_due_ns=self._next_due_ns, on_end=self._end
        )
        self._listener = Listener(sock, self._reactor.watch, self._connected)
        self.address: tuple[str, int] = sock.getsockname()[:2]
        self._stop_listening = instrument.listen(self._reactor.wake)
        self._reactor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and end the thread. A second call does nothing."""
        if not self._reactor.closed:
            self._reactor.close()
            self._stop_listening()

    @property
    def sessions(self) -> tuple[HislipSession, ...]:
        """The sessions with both channels, the oldest first."""
        return tuple(each.session for each in tuple(self._clients) if each.session and each is _sync_of(each))

    def inject(self, fault: Fault, count: int | None = 1) -> None:
        """Let something go wrong, from the next occasion on.

        `PartialReply` is Data without DataEnd, `Fragments` are Data of that size, `Repeat` and `Chatter` messages of
        their own. `DropHurried` never strikes here.

        Args:
            fault: What. `Refuse` and `Reboot` happen at once, before this returns, and ignore `count`.
            count: How many responses (or, for `Mute`, sessions) it strikes; None until `clear_faults`.

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

    def _connected(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        due = time.monotonic_ns() + _INITIALISE_WITHIN_NS
        client = _Client(Channel(sock, DEFAULT_MESSAGE_SIZE), f"LAN{peer[0]}:{peer[1]}", due)
        self._clients.append(client)
        self._watch(client)

    def _on_events(self, client: _Client, events: int) -> None:
        try:
            if events & EVENT_WRITE:
                client.channel.flush()
            if events & EVENT_READ:
                self._receive(client)
            self._advance(client, time.monotonic_ns())
        except Fatal as fatal:
            self._refuse(client, fatal)
        except Gone:
            self._drop(client)

    def _receive(self, client: _Client) -> None:
        sync = _sync_of(client)
        if client.session is not None and client is not sync and sync.session and sync.session.wants_input:
            self._receive(sync)  # what was sent before on the other channel counts as before
        for found in client.channel.receive():
            if time.monotonic_ns() < self._deaf_until_ns:
                continue
            if client.session is None:
                self._initialise(client, found)
            elif not client.is_whole:
                raise Fatal(FatalCode.CHANNELS_NOT_ESTABLISHED, "the asynchronous channel is missing")
            elif not self._is_muted(sync):
                if client is sync:
                    client.session.receive_sync(found)
                else:
                    client.session.advance(time.monotonic_ns())
                    client.session.receive_async(found, time.monotonic_ns())

    def _is_muted(self, sync: _Client) -> bool:
        if self._faults.strike(Mute) is not None:
            sync.muted = True
        return sync.muted

    def _initialise(self, client: _Client, found: Message | Oversized) -> None:
        if isinstance(found, Oversized):
            raise Fatal(FatalCode.INVALID_INITIALIZATION, "not an initialization")
        match found.kind:
            case MessageType.INITIALIZE:
                self._open_session(client, found)
            case MessageType.ASYNC_INITIALIZE:
                self._join_session(client, found)
            case _:
                raise Fatal(FatalCode.INVALID_INITIALIZATION, "not an initialization")

    def _open_session(self, client: _Client, found: Message) -> None:
        if found.payload not in _SUB_ADDRESSES:
            raise Fatal(FatalCode.UNIDENTIFIED, "no such sub-address")
        sessions = {each.session.number for each in self._clients if each.session}
        if self._max_sessions is not None and len(sessions) >= self._max_sessions:
            raise Fatal(FatalCode.TOO_MANY_CLIENTS, "no session is left")
        number = next(each for each in self._numbers if each not in sessions)
        session = self.instrument.open_session(client.name)
        client.session = HislipSession(
            number, session, client.channel, prefers_overlap=self._prefers_overlap, faults=self._faults
        )
        mode = OVERLAPPED if self._prefers_overlap else 0
        client.channel.send(Message(MessageType.INITIALIZE_RESPONSE, mode, VERSION << 16 | number))

    def _join_session(self, client: _Client, found: Message) -> None:
        number = found.parameter & 0xFFFF
        opened = (each for each in self._clients if each.session and each.session.number == number)
        sync = next(opened, None)
        if sync is None or sync.session is None or sync.is_whole:
            raise Fatal(FatalCode.INVALID_INITIALIZATION, "no such session waits for its second channel")
        client.other, sync.other = sync, client
        client.session = sync.session
        sync.session.asynchronous = client.channel
        client.channel.send(Message(MessageType.ASYNC_INITIALIZE_RESPONSE, 0, VENDOR))

    def _advance(self, client: _Client, now_ns: int) -> None:
        sync = _sync_of(client)
        if client.session is not None and client.is_whole and not sync.muted and not sync.ending:
            client.session.advance(now_ns)
        for each in filter(None, (client, client.other)):
            if each.ending and not each.channel.wants_to_write:
                raise Gone
            self._watch(each)

    def _watch(self, client: _Client) -> None:
        """Have the reactor wait for what the client's channel can do."""
        reads = not client.ending and client.channel.has_room
        if client.session is not None and client.is_whole and not _sync_of(client).muted:
            session = client.session
            reads = reads and (session.wants_input if client is _sync_of(client) else session.wants_async_input)
        wanted = EVENT_READ * reads | EVENT_WRITE * client.channel.wants_to_write
        self._reactor.watch(client.channel.sock, wanted, lambda events: self._on_events(client, events))

    def _refuse(self, client: _Client, fatal: Fatal) -> None:
        """Send FatalError, and end the session as soon as that is out."""
        client.ending = True
        try:
            client.channel.send(fatal.message())
        except Gone:
            self._drop(client)
            return
        if client.channel.wants_to_write:
            self._watch(client)
        else:
            self._drop(client)

    def _drop(self, client: _Client, *, reset: bool = False) -> None:
        if client not in self._clients:
            return
        for each in filter(None, (client, client.other)):
            self._reactor.watch(each.channel.sock, 0, lambda _: None)
            self._clients.remove(each)
            if reset:
                each.channel.reset()
            else:
                each.channel.close()
        if client.session is not None:
            client.session.close()

    def _turn(self, now_ns: int) -> None:
        if self._reopen_at_ns is not None and now_ns >= self._reopen_at_ns:
            self._accept_again()
        self._listener.go_on(now_ns)
        self.instrument.operations.advance()
        for client in tuple(self._clients):
            if not client.is_whole and now_ns >= client.initialise_by_ns:
                self._drop(client)
            elif client is _sync_of(client):
                self._on_events(client, 0)

    def _next_due_ns(self) -> int | None:
        due = [self.instrument.operations.next_due_ns, self._reopen_at_ns, self._listener.due_ns]
        for client in self._clients:
            if not client.is_whole:
                due.append(client.initialise_by_ns)
            elif client.session is not None and not client.muted:
                due.append(client.session.next_due_ns)
        return min((each for each in due if each is not None), default=None)

    def _reboot(self, boot_ns: int, mute_ns: int) -> None:
        self._stop_accepting(boot_ns)
        self._deaf_until_ns = time.monotonic_ns() + boot_ns + mute_ns
        for client in tuple(self._clients):
            self._drop(client, reset=True)
        self.instrument.power_cycle()

    def _stop_accepting(self, for_ns: int | None) -> None:
        self._listener.pause()
        self._reopen_at_ns = None if for_ns is None else time.monotonic_ns() + for_ns

    def _accept_again(self) -> None:
        self._reopen_at_ns = None
        self._listener.resume()

    def _end(self) -> None:
        for client in tuple(self._clients):
            self._drop(client)
        self._listener.close()


def _sync_of(client: _Client) -> _Client:
    """Return the client's synchronous connection; one that belongs to no whole session is its own."""
    session, other = client.session, client.other
    if session is not None and other is not None and session.asynchronous is client.channel:
        return other
    return client
