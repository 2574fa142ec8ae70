"""A link over any byte stream on which messages and answers are lines: the whole contract except how bytes move."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from threading import Lock
from time import monotonic_ns, sleep
from typing import Protocol, Self

from impairlab.drivers.links.link import Exchange, Greeting
from impairlab.drivers.links.mark import Marker
from impairlab.drivers.links.patience import patiently
from impairlab.drivers.links.wire_log import Redaction, WireDirection, WireLog, WireRecord
from impairlab.drivers.model.errors import (
    ConnectionLost,
    ExchangeTimeout,
    ImpairlabError,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    SessionLimit,
    TransportError,
    UnexpectedOutput,
)

SECOND_NS = 1_000_000_000
DEFAULT_TIMEOUT_NS = 2 * SECOND_NS
DEFAULT_CONNECT_TIMEOUT_NS = 5 * SECOND_NS
LONGEST_LINE = 1 << 20


class Channel(Protocol):
    """A connected byte stream. Failures are OSErrors."""

    def send(self, content: bytes, until_ns: int) -> bool:
        """Send everything; False when the moment `until_ns` came first."""

    def receive(self, until_ns: int) -> bytes | None:
        """Return what arrives next; b"" at the end of the stream, None when the moment `until_ns` came first."""

    def waiting(self) -> bytes | None:
        """Return what has arrived, without waiting; b"" at the end of the stream, None when there is nothing."""

    def close(self) -> None:
        """Close it; never raises."""


class LineLink(ABC):
    """A `Link` whose messages and answers each are one line of ASCII ended by LF (a CR before it is dropped).

    Connects on construction.

    Args:
        address: Where it leads.
        name: What errors call the appliance; the address when None.
        greeting: Run on every new connection before anything else.
        marker: Finds where the answers of a new connection begin, on links that keep old ones; the others ignore it.
        wire_log: Where every line is recorded; not closed by the link.
        secrets: Texts that are hidden in the log and in errors.
        timeout_ns: Deadline of an exchange from its first byte, unless the call gives its own.
        connect_timeout_ns: How long making a connection may take.
        gap_ns: Least time from the end of one exchange to the start of the next, for appliances that drop hurried
            commands.
        longest_line: Bytes after which an answer without an end is given up.

    Raises:
        ConnectError: No connection.
        SessionLimit: The peer accepts and closes before it has answered the greeting.
        ExchangeTimeout: The peer does not answer the greeting.
    """

    def __init__(
        self,
        address: str,
        *,
        name: str | None = None,
        greeting: Greeting | None = None,
        marker: Marker | None = None,
        wire_log: WireLog | None = None,
        secrets: Iterable[str] = (),
        timeout_ns: int = DEFAULT_TIMEOUT_NS,
        connect_timeout_ns: int = DEFAULT_CONNECT_TIMEOUT_NS,
        gap_ns: int = 0,
        longest_line: int = LONGEST_LINE,
    ) -> None:
        self.address = address
        self.name = name or address
        self._greeting = greeting
        self._marker = marker
        self._wire_log = wire_log
        self._redaction = Redaction(secrets)
        self._timeout_ns = timeout_ns
        self._connect_timeout_ns = connect_timeout_ns
        self._gap_ns = gap_ns
        self._longest_line = longest_line
        self._lock = Lock()
        self._channel: Channel | None = None
        self._unanswered = ""
        self._idle_since_ns = 0
        self._closed = False
        with self._lock:
            self._connect()

    @abstractmethod
    def _open(self, timeout_ns: int) -> Channel:
        """Return a new connected channel, with no old answers on it. Raises ConnectError."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def query(self, command: str, timeout_ns: int | None = None) -> str:
        """Ask something that changes nothing; see `Link`."""
        with self._lock:
            self._make_ready()
            return self._exchange(command, timeout_ns, harmless=True).reply

    def exchange(self, message: str, timeout_ns: int | None = None) -> Exchange:
        """Send a message that may change something and ends in a question; see `Link`."""
        with self._lock:
            self._make_ready()
            return self._exchange(message, timeout_ns, harmless=False)

    def write(self, command: str, timeout_ns: int | None = None) -> int:
        """Send something that is not answered; see `Link`."""
        line = encoded(command)
        with self._lock:
            channel = self._make_ready()
            try:
                sent_ns, _ = self._send(channel, line, command, timeout_ns, harmless=False)
            except BaseException:
                self._drop("a write did not end")
                raise
            self._unanswered = command
            self._idle_since_ns = monotonic_ns()
            return sent_ns

    def desynchronise(self, reason: str) -> None:
        """Start on a new connection next time; see `Link`."""
        with self._lock:
            self._drop(reason)

    def resynchronise(self, within_ns: int) -> None:
        """Make a new connection now, with patience; see `Link`."""
        with self._lock:
            self._drop("asked to resynchronise")
            patiently(self._connect, within_ns)

    def close(self) -> None:
        """Close for good. A second call does nothing."""
        with self._lock:
            self._closed = True
            self._drop("closed")

    def _make_ready(self) -> Channel:
        """Return a channel that is in step: nothing is outstanding and nothing lies unread."""
        channel = self._channel
        if channel is None:
            return self._connect()
        try:
            stray = channel.waiting()
        except OSError:
            stray = b""
        if stray is None:
            return channel
        self._drop("bytes that nobody asked for" if stray else "the peer closed the connection")
        if stray:
            self._record("received", stray)
            raise UnexpectedOutput(
                f"sent {self._redaction.hide_bytes(stray[:80])!r} unasked",
                appliance=self.name, command=self._redaction.hide(self._unanswered),
                seen=self._redaction.hide_bytes(stray), state_known=not self._unanswered, retryable=True,
            )  # fmt: skip
        if self._unanswered:
            command, self._unanswered = self._unanswered, ""
            raise self._lost("the peer closed the connection", command, b"", harmless=False)
        return self._connect()

    def _connect(self) -> Channel:
        """Make a new connection and greet the peer."""
        if self._closed:
            raise TransportError("the link is closed", appliance=self.name)
        self._channel = channel = self._open(self._connect_timeout_ns)
        self._unanswered = ""
        self._record("event", b"connected")
        if self._greeting is not None:
            self._greet(self._greeting)
        return channel

    def _greet(self, greeting: Greeting) -> None:
        try:
            greeting(self._ask)
        except RebootDetected:
            raise  # the connection is as good as any
        except ConnectionLost as error:
            if error.seen:
                raise
            raise SessionLimit(
                "accepted the connection and closed it unanswered: all its sessions may be taken",
                appliance=self.name, command=error.command, retryable=True,
            ) from error  # fmt: skip
        except ImpairlabError:
            self._drop("the greeting failed")
            raise

    def _ask(self, command: str) -> str:
        return self._exchange(command, None, harmless=True).reply

    def _exchange(self, message: str, timeout_ns: int | None, *, harmless: bool) -> Exchange:
        line = encoded(message)
        channel = self._channel
        if channel is None:
            raise ConnectionLost("the connection was dropped", appliance=self.name)
        try:
            sent_ns, until_ns = self._send(channel, line, message, timeout_ns, harmless=harmless)
            reply = self._receive_line(channel, until_ns, message, harmless=harmless)
            acknowledged_ns = monotonic_ns()
        except BaseException:
            # Also after Ctrl-C: an answer may still come, and would be taken for the next one's.
            self._drop("an exchange did not end")
            raise
        self._unanswered = ""
        self._idle_since_ns = acknowledged_ns
        return Exchange(reply, sent_ns, acknowledged_ns)

    def _send(
        self, channel: Channel, line: bytes, command: str, timeout_ns: int | None, *, harmless: bool
    ) -> tuple[int, int]:
        """Send a line; return when its first byte left and the deadline that counts from then."""
        if self._gap_ns:
            self._keep_gap()
        sent_ns = monotonic_ns()
        until_ns = sent_ns + (self._timeout_ns if timeout_ns is None else timeout_ns)
        try:
            sent = channel.send(line, until_ns)
        except OSError as error:
            raise self._lost(str(error), command, b"", harmless=harmless) from error
        if not sent:
            raise NoResponse(
                "took in no more bytes before the deadline", appliance=self.name,
                command=self._redaction.hide(command), state_known=harmless, retryable=harmless,
            )  # fmt: skip
        if self._wire_log is not None:
            for each in line.splitlines():
                self._record("sent", each, sent_ns)
        return sent_ns, until_ns

    def _receive_line(self, channel: Channel, until_ns: int, command: str, *, harmless: bool) -> str:
        """Return the answer, which is exactly one line."""
        seen = b""
        while True:
            try:
                content = channel.receive(until_ns)
            except OSError as error:
                raise self._lost(str(error), command, seen, harmless=harmless) from error
            if content is None:
                raise self._late(seen, command, harmless=harmless)
            if not content:
                raise self._lost("the peer closed the connection", command, seen, harmless=harmless)
            seen += content
            if b"\n" in content or len(seen) > self._longest_line:
                return self._whole_line(seen, command, harmless=harmless)

    def _whole_line(self, seen: bytes, command: str, *, harmless: bool) -> str:
        if self._wire_log is not None:
            self._record("received", seen.removesuffix(b"\n"))
        end = seen.find(b"\n")
        if end == len(seen) - 1 <= self._longest_line and seen.isascii():
            return seen[:end].removesuffix(b"\r").decode("ascii")
        if 0 <= end < len(seen) - 1:
            raise UnexpectedOutput(
                f"answered more than one line: {self._redaction.hide_bytes(seen[:80])!r}", appliance=self.name,
                command=self._redaction.hide(command), seen=self._redaction.hide_bytes(seen), state_known=harmless,
                retryable=harmless,
            )  # fmt: skip
        if seen.isascii():
            problem = f"answered more than {self._longest_line} bytes without an end of line"
        else:
            problem = f"answered what is not ASCII: {self._redaction.hide_bytes(seen[:80])!r}"
        raise MalformedResponse(
            problem, appliance=self.name, command=self._redaction.hide(command),
            seen=self._redaction.hide_bytes(seen[:4096]), state_known=harmless, retryable=harmless,
        )  # fmt: skip

    def _late(self, seen: bytes, command: str, *, harmless: bool) -> ExchangeTimeout:
        if seen:
            self._record("received", seen)
        kind, problem = (
            (PartialResponse, "the answer did not end before the deadline")
            if seen
            else (NoResponse, "no answer before the deadline")
        )
        return kind(
            problem, appliance=self.name, command=self._redaction.hide(command),
            seen=self._redaction.hide_bytes(seen), state_known=harmless, retryable=harmless,
        )  # fmt: skip

    def _lost(self, problem: str, command: str, seen: bytes, *, harmless: bool) -> ConnectionLost:
        return ConnectionLost(
            problem, appliance=self.name, command=self._redaction.hide(command),
            seen=self._redaction.hide_bytes(seen), state_known=harmless, retryable=harmless,
        )  # fmt: skip

    def _keep_gap(self) -> None:
        while (left_ns := self._idle_since_ns + self._gap_ns - monotonic_ns()) > 0:
            sleep(left_ns / SECOND_NS)

    def _drop(self, reason: str) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
            self._record("event", f"dropped: {reason}".encode())

    def _record(self, direction: WireDirection, content: bytes, ns: int | None = None) -> None:
        if self._wire_log is not None:
            text = self._redaction.hide(content.decode("ascii", "backslashreplace"))
            self._wire_log.record(WireRecord(monotonic_ns() if ns is None else ns, direction, text))


def encoded(message: str) -> bytes:
    """Return the line to send. Raises ValueError for what would not be exactly one line of ASCII."""
    if "\n" in message or "\r" in message or not message.isascii():
        raise ValueError(f"a message is one line of ASCII, not {message!r}")
    return message.encode("ascii") + b"\n"
