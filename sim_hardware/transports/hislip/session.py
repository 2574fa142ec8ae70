"""One HiSLIP client: what its messages on both channels do, and what they are answered. No sockets.

Source: IVI-6.1, 2.6 (locks), 3 (modes) and 6 (transactions).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag

from impairlab.sim_hardware.faults import ArmedFaults
from impairlab.sim_hardware.scpi.lock import LockAnswer
from impairlab.sim_hardware.scpi.message_session import MessageSession
from impairlab.sim_hardware.scpi.session import Session
from impairlab.sim_hardware.scpi.status import StatusByte
from impairlab.sim_hardware.transports.hislip.channel import Channel, Fatal, Gone
from impairlab.sim_hardware.transports.hislip.codec import (
    FIRST_VENDOR_TYPE,
    HEADER_SIZE,
    ErrorCode,
    FatalCode,
    Message,
    MessageType,
    Oversized,
)
from impairlab.sim_hardware.transports.hislip.delivery import Delivery
from impairlab.sim_hardware.transports.hislip.replies import Replies

DEFAULT_MESSAGE_SIZE = 1 << 20
LONGEST_LOCK_STRING = 256
OVERLAPPED = 1
"""Bit 0 of the feature bitmap of a device clear, and of InitializeResponse."""

_MS = 1_000_000
_LONGEST_WAIT_NS = 500 * _MS
"""How long a message waits for one that its MessageID names; a client may name one that it never sends."""
_RMT_DELIVERED = 1
_INPUT = {MessageType.DATA, MessageType.DATA_END, MessageType.TRIGGER}


class Control(IntFlag):
    """Where the instrument may be operated from (IEEE 488.1 remote/local function)."""

    LOCAL = 0
    ENABLED = 1
    REMOTE = 2
    LOCKOUT = 4


_CONTROLS: dict[int, Callable[[Control], Control]] = {
    0: lambda _: Control.LOCAL,
    1: lambda now: now | Control.ENABLED,
    2: lambda _: Control.LOCAL,
    3: lambda now: now | Control.ENABLED | Control.REMOTE,
    4: lambda now: now | Control.ENABLED | Control.LOCKOUT,
    5: lambda now: now | Control.ENABLED | Control.REMOTE | Control.LOCKOUT,
    6: lambda now: now & ~Control.REMOTE,
}
"""What each control code of AsyncRemoteLocalControl does (IVI-6.1, Table 20)."""


@dataclass(frozen=True, slots=True)
class _LockRequest:
    key: str
    until_ns: int


class HislipSession:
    """The protocol of one client, from its InitializeResponse on.

    Args:
        number: The SessionID.
        session: Its session with the instrument; owned from here on.
        sync: The synchronous channel.
        prefers_overlap: The mode it begins in.
        faults: What strikes its responses.

    Attributes:
        number: As given.
        asynchronous: The asynchronous channel; None until the client has opened it.
        control: Remote or local, as the client has set it.
        delivery: What was sent and read.
    """

    def __init__(
        self, number: int, session: Session, sync: Channel, *, prefers_overlap: bool, faults: ArmedFaults
    ) -> None:
        self.number = number
        self.asynchronous: Channel | None = None
        self.control = Control.LOCAL
        self.delivery = Delivery(overlapped=prefers_overlap)
        self._session = session
        self._sync = sync
        self._prefers_overlap = prefers_overlap
        self._exchange = MessageSession(session, overlapped=prefers_overlap)
        self._replies = Replies(self._exchange, faults)
        self._inbox: deque[Message | Oversized] = deque()
        self._async_inbox: deque[Message] = deque()
        self._wait_until_ns = 0
        self._most_payload = DEFAULT_MESSAGE_SIZE - HEADER_SIZE
        self._clearing = False
        self._service_told = False
        self._lock_request: _LockRequest | None = None

    @property
    def wants_input(self) -> bool:
        """Whether more of the synchronous channel should be read."""
        return not self._inbox and self._sync.has_room

    @property
    def wants_async_input(self) -> bool:
        """Whether more of the asynchronous channel should be read."""
        return not self._async_inbox

    @property
    def next_due_ns(self) -> int | None:
        """When `advance` is due whatever happens; None leaves it to events."""
        due = [
            self._replies.next_due_ns,
            self._lock_request.until_ns if self._lock_request else None,
            self._wait_until_ns if self._async_inbox else None,
        ]
        return min((each for each in due if each is not None), default=None)

    def close(self) -> None:
        """End it: locks are given back."""
        self._session.close()

    def receive_sync(self, found: Message | Oversized) -> None:
        """Take in what came on the synchronous channel; `advance` acts on it."""
        self._inbox.append(found)

    def receive_async(self, found: Message | Oversized, now_ns: int) -> None:
        """Take in what came on the asynchronous channel, and act on it unless it comes after what is still to come."""
        if isinstance(found, Oversized):
            self._tell(Message(MessageType.ERROR, ErrorCode.TOO_LARGE, 0, b"message too large"))
            return
        self._async_inbox.append(found)
        self._wait_until_ns = now_ns + _LONGEST_WAIT_NS
        self._act_on_async(now_ns)

    def _act_on_async(self, now_ns: int) -> None:
        while self._async_inbox and not self._must_wait(self._async_inbox[0], now_ns):
            self._handle_async(self._async_inbox.popleft(), now_ns)

    def _must_wait(self, found: Message, now_ns: int) -> bool:
        """Say whether a message follows one that is on its way on the other channel (IVI-6.1 6.5 and 6.8)."""
        follows = found.kind == MessageType.ASYNC_REMOTE_LOCAL_CONTROL or (
            found.kind == MessageType.ASYNC_LOCK and found.control == 0
        )
        return follows and now_ns < self._wait_until_ns and self.delivery.is_ahead(found.parameter)

    def _handle_async(self, found: Message, now_ns: int) -> None:
        match found.kind:
            case MessageType.ASYNC_STATUS_QUERY:
                self._tell(Message(MessageType.ASYNC_STATUS_RESPONSE, self._status(found)))
            case MessageType.ASYNC_MAX_MESSAGE_SIZE:
                self._set_message_size(found)
            case MessageType.ASYNC_DEVICE_CLEAR:
                self._begin_clear()
            case MessageType.ASYNC_LOCK:
                self._lock(found, now_ns)
            case MessageType.ASYNC_LOCK_INFO:
                lock = self._session.instrument.lock
                exclusive = lock.exclusive_holder is not None
                self._tell(Message(MessageType.ASYNC_LOCK_INFO_RESPONSE, exclusive, lock.holder_count))
            case MessageType.ASYNC_REMOTE_LOCAL_CONTROL:
                self._remote_local(found)
            case _:
                self._tell(_unexpected(found))

    def advance(self, now_ns: int) -> None:
        """Execute input, send responses and tell of service, as far as that goes now.

        Raises:
            Gone: The client is.
            Fatal: The client has broken the protocol.
        """
        self._try_lock(now_ns)
        while self._act(now_ns):
            self._note_service()
        self._note_service()
        self._act_on_async(now_ns)

    def _act(self, now_ns: int) -> bool:
        """Do the next thing; False when there is none. Input comes first: that is how an interruption is found."""
        if self._inbox and self._takes_input():
            self._handle(self._inbox.popleft())
            return True
        return not self._clearing and self._send_reply(now_ns)

    def _takes_input(self) -> bool:
        first = self._inbox[0]
        kind = first.header.kind if isinstance(first, Oversized) else first.kind
        if self._clearing or kind not in _INPUT:
            return True
        if self._session.instrument.lock.bars(self._session):
            return False
        if not self._session.is_executing:
            return True
        return not self.delivery.overlapped and bool(self._session.output)

    def _handle(self, found: Message | Oversized) -> None:
        kind = found.header.kind if isinstance(found, Oversized) else found.kind
        if self._clearing and kind != MessageType.DEVICE_CLEAR_COMPLETE:
            return
        if isinstance(found, Oversized):
            self._sync.send(Message(MessageType.ERROR, ErrorCode.TOO_LARGE, 0, b"message too large"))
            if kind in {MessageType.DATA, MessageType.DATA_END}:
                self._overrun(end=kind == MessageType.DATA_END)
            return
        match kind:
            case MessageType.DATA | MessageType.DATA_END:
                self._begin(found)
                self._exchange.write(found.payload, end=kind == MessageType.DATA_END)
            case MessageType.TRIGGER:
                self._begin(found)
                self._exchange.trigger()
            case MessageType.DEVICE_CLEAR_COMPLETE if self._clearing:
                self._end_clear(found)
            case _:
                self._sync.send(_unexpected(found))

    def _overrun(self, *, end: bool) -> None:
        """Lose the whole program message that an oversized part belongs to, rather than execute what is left of it."""
        filler = bytes([0x20]) * (self._session.instrument.personality.input_buffer + 1)
        self._exchange.write(filler, end=end)

    def _begin(self, found: Message) -> None:
        """Find out whether a message interrupts a response (IVI-6.1 3.1.1)."""
        unread = self.delivery.received(found.parameter, delivered=bool(found.control & _RMT_DELIVERED))
        if self.delivery.overlapped:
            return
        if self._replies.unsent and not self._session.is_executing:
            self._replies.forget()
            self._exchange.interrupt()
            self._tell(Message(MessageType.ASYNC_INTERRUPTED, 0, found.parameter))
            self._sync.send(Message(MessageType.INTERRUPTED, 0, found.parameter))
        elif unread:
            self._exchange.interrupt()

    def _send_reply(self, now_ns: int) -> bool:
        if not self._sync.has_room:
            return False
        reply = self._replies.next_piece(self._most_payload, now_ns)
        if reply is None:
            return False
        kind = MessageType.DATA_END if reply.end else MessageType.DATA
        message_id = self.delivery.sending(end=reply.end)
        content = Message(kind, 0, message_id, reply.data).pack()
        if reply.cut_at is not None:
            self._sync.send_raw(content[: HEADER_SIZE + reply.cut_at])
            raise Gone
        self._sync.send_raw(content)
        return True

    def _status(self, found: Message) -> int:
        delivered = bool(found.control & _RMT_DELIVERED)
        available = self.delivery.message_available(
            found.parameter, delivered=delivered, waiting=self._replies.unsent and self._exchange.message_available
        )
        status = self._exchange.serial_poll() & ~StatusByte.MESSAGE_AVAILABLE
        if available:
            status |= StatusByte.MESSAGE_AVAILABLE
        if self._service_told:
            status |= StatusByte.MASTER_SUMMARY
            self._service_told = False
        return status

    def _note_service(self) -> None:
        """Send AsyncServiceRequest once for a reason; the status query after it makes way for the next (6.13)."""
        if self._service_told or self.asynchronous is None or not self._exchange.service_requested:
            return
        self._service_told = True
        status = self._session.status_byte() | StatusByte.MASTER_SUMMARY
        self._tell(Message(MessageType.ASYNC_SERVICE_REQUEST, status))

    def _set_message_size(self, found: Message) -> None:
        if len(found.payload) != 8:
            self._tell(Message(MessageType.ERROR, ErrorCode.UNIDENTIFIED, 0, b"a size has 8 bytes"))
            return
        size = int.from_bytes(found.payload, "big")
        self._most_payload = max(1, min(size, DEFAULT_MESSAGE_SIZE) - HEADER_SIZE)
        ours = DEFAULT_MESSAGE_SIZE.to_bytes(8, "big")
        self._tell(Message(MessageType.ASYNC_MAX_MESSAGE_SIZE_RESPONSE, payload=ours))

    def _begin_clear(self) -> None:
        self._clearing = True
        self._inbox.clear()
        self._sync.forget_unsent()
        self._replies.forget()
        self._exchange.clear()
        features = OVERLAPPED if self._prefers_overlap else 0
        self._tell(Message(MessageType.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE, features))

    def _end_clear(self, found: Message) -> None:
        self._clearing = False
        features = found.control & OVERLAPPED
        self.delivery.restart(overlapped=bool(features))
        self._exchange.overlapped = self.delivery.overlapped
        self._exchange.clear()
        self._sync.send(Message(MessageType.DEVICE_CLEAR_ACKNOWLEDGE, features))

    def _lock(self, found: Message, now_ns: int) -> None:
        if found.control == 0:
            self._answer_lock(self._session.instrument.lock.unlock(self._session))
        elif found.control != 1:
            self._tell(Message(MessageType.ERROR, ErrorCode.UNRECOGNIZED_CONTROL, 0, b"lock or release"))
        elif self._lock_request is not None or len(found.payload) > LONGEST_LOCK_STRING:
            self._answer_lock(LockAnswer.ERROR)
        else:
            self._lock_request = _LockRequest(found.payload.decode("latin-1"), now_ns + found.parameter * _MS)
            self._try_lock(now_ns)

    def _try_lock(self, now_ns: int) -> None:
        request = self._lock_request
        if request is None:
            return
        lock = self._session.instrument.lock
        answer = lock.lock_shared(self._session, request.key) if request.key else lock.lock_exclusive(self._session)
        if answer is not LockAnswer.FAILURE or now_ns >= request.until_ns:
            self._lock_request = None
            self._answer_lock(answer)

    def _answer_lock(self, answer: LockAnswer) -> None:
        self._tell(Message(MessageType.ASYNC_LOCK_RESPONSE, answer))

    def _remote_local(self, found: Message) -> None:
        change = _CONTROLS.get(found.control)
        if change is None:
            self._tell(Message(MessageType.ERROR, ErrorCode.UNRECOGNIZED_CONTROL, 0, b"no such remote/local request"))
            return
        self.control = change(self.control)
        self._tell(Message(MessageType.ASYNC_REMOTE_LOCAL_RESPONSE))

    def _tell(self, message: Message) -> None:
        if self.asynchronous is not None:
            self.asynchronous.send(message)


def _unexpected(found: Message) -> Message:
    """Return the Error for a message that has no place on its channel. Raises `Fatal` or `Gone` where that ends it."""
    match found.kind:
        case MessageType.INITIALIZE | MessageType.ASYNC_INITIALIZE:
            raise Fatal(FatalCode.INVALID_INITIALIZATION, "initialized already")
        case MessageType.FATAL_ERROR:
            raise Gone
        case kind if kind >= FIRST_VENDOR_TYPE:
            return Message(MessageType.ERROR, ErrorCode.UNRECOGNIZED_VENDOR_TYPE, 0, b"no vendor message is known")
        case _:
            return Message(MessageType.ERROR, ErrorCode.UNRECOGNIZED_TYPE, 0, b"not a message for this channel")
