"""What can go wrong with a simulated appliance, as values, and the faults armed on a running server.

Each is something real boxes do: answers that come late shift every later reply by one, a closed connection in the
middle of a reply, a box that accepts and never answers, a reboot that loses all state.
"""

from dataclasses import dataclass
from threading import Lock
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class LateReply:
    """A reply is sent `after_ns` later than it was ready; those behind it wait, as on any byte stream.

    With `every` = 3 the third, sixth, ... reply is late.
    """

    after_ns: int
    every: int = 1

    def __post_init__(self) -> None:
        if self.after_ns < 0 or self.every < 1:
            raise ValueError(f"a late reply needs after_ns >= 0 and every >= 1: {self}")


@dataclass(frozen=True, slots=True)
class Garbage:
    """`content` is sent in place of a reply."""

    content: bytes = b"\x00\xff\xfe#!garbage\n"


@dataclass(frozen=True, slots=True)
class PartialReply:
    """Only the first `keep` bytes of a reply are sent and the rest never; 0 is no reply at all."""

    keep: int = 0


@dataclass(frozen=True, slots=True)
class CloseMidReply:
    """The connection is closed after the first `keep` bytes of a reply."""

    keep: int = 0


@dataclass(frozen=True, slots=True)
class Mute:
    """Half-open: the connection that next sends something is never answered again, and nothing it sends is executed."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """New connections are refused for `for_ns`, or until the faults are cleared when that is None."""

    for_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Reboot:
    """Every connection is reset, state is lost, and connections are refused for `boot_ns`."""

    boot_ns: int = 0


ReplyFault = LateReply | Garbage | PartialReply | CloseMidReply
"""Faults that strike one reply."""

Fault = ReplyFault | Mute | Refuse | Reboot

F = TypeVar("F")


class ArmedFaults:
    """The faults that wait for their occasion, each with how often it strikes; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: list[_Armed] = []

    def __bool__(self) -> bool:
        return bool(self._armed)

    def arm(self, fault: ReplyFault | Mute, count: int | None) -> None:
        """Let `fault` strike `count` times, or until it is cleared when `count` is None.

        Raises:
            ValueError: When `count` is not positive.
        """
        if count is not None and count < 1:
            raise ValueError(f"a fault strikes at least once, not {count} times")
        with self._lock:
            self._armed.append(_Armed(fault, count))

    def clear(self) -> None:
        """Disarm everything."""
        with self._lock:
            self._armed.clear()

    def strike(self, *kinds: type[F]) -> F | None:
        """Return the first armed fault of `kinds` and use it up once; None when none strikes this time."""
        if not self._armed:
            return None
        with self._lock:
            for armed in self._armed:
                if isinstance(armed.fault, kinds):
                    return armed.fault if self._use(armed) else None
        return None

    def _use(self, armed: "_Armed") -> bool:
        armed.occasions += 1
        if isinstance(armed.fault, LateReply) and armed.occasions % armed.fault.every:
            return False
        if armed.left is not None:
            armed.left -= 1
            if not armed.left:
                self._armed.remove(armed)
        return True


@dataclass(slots=True)
class _Armed:
    fault: ReplyFault | Mute
    left: int | None
    occasions: int = 0
