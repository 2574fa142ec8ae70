"""The link contract: one exchange at a time with an appliance, each with a deadline and an honest error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol, Self, TypedDict

from impairlab.drivers.links.mark import Marker
from impairlab.drivers.links.wire_log import WireLog

Ask = Callable[[str], str]
"""Send a question on a connection that was just made and return its answer."""

Greeting = Callable[[Ask], None]
"""Run after every (re)connection, before anything else is sent: compares who answers with who answered before.

Raises IdentityMismatch (the link then drops the connection) or RebootDetected (the link keeps it).
"""


class Exchange(NamedTuple):
    """One message and its answer.

    The reply comes without its terminator. sent_ns is time.monotonic_ns() just before the first byte left,
    acknowledged_ns just after the last byte of the answer arrived.
    """

    reply: str
    sent_ns: int
    acknowledged_ns: int


class LinkOptions(TypedDict, total=False):
    """The keyword options that every link takes; `LineLink` says what they are."""

    name: str | None
    greeting: Greeting | None
    marker: Marker | None
    wire_log: WireLog | None
    secrets: Iterable[str]
    timeout_ns: int
    connect_timeout_ns: int
    gap_ns: int
    longest_line: int


class Link(Protocol):
    """A way to one appliance. Safe to use from several threads: whole exchanges take turns.

    A deadline that passes leaves an answer outstanding, so the link drops the connection and the next use makes a new
    one. No exchange is ever repeated on its own: the error says whether the caller may (`retryable`).

    All methods that talk raise:
        ConnectError, ConnectionLost, SessionLimit: The way is gone; known at once, not after the deadline.
        NoResponse, PartialResponse: The deadline passed; `seen` holds what had arrived.
        UnexpectedOutput: Something arrived that nobody asked for.
        MalformedResponse: The answer is no text line, or longer than the link's bound.
        IdentityMismatch, RebootDetected: From the greeting, when the link had to reconnect.
    """

    @property
    def address(self) -> str:
        """Where it leads, e.g. "tcp://192.0.2.1:5025"; never holds a secret."""

    def query(self, command: str, timeout_ns: int | None = None) -> str:
        """Ask something that changes nothing; errors say that it may be asked again."""

    def exchange(self, message: str, timeout_ns: int | None = None) -> Exchange:
        """Send a message that may change something and ends in a question; a failure leaves the state unknown."""

    def write(self, command: str, timeout_ns: int | None = None) -> int:
        """Send something that is not answered; return when the first byte left (monotonic ns)."""

    def desynchronise(self, reason: str) -> None:
        """Tell the link that an answer did not fit its question: the next use starts on a new connection."""

    def resynchronise(self, within_ns: int) -> None:
        """Make a new connection now; keep trying for `within_ns` while the appliance refuses or stays mute."""

    def close(self) -> None:
        """Close for good. A second call does nothing."""

    def __enter__(self) -> Self:
        """Return the link."""

    def __exit__(self, *_: object) -> None:
        """Close it."""
