"""What can go wrong with a simulated appliance, as values, and the faults armed on a running server.

Each is something real boxes do: answers that come late shift every later reply by one, a closed connection in the
middle of a reply, a box that accepts and never answers, a reboot that loses all state.
"""

from dataclasses import dataclass
from decimal import Decimal
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
class Fragments:
    """A reply comes in pieces of `size` bytes, `pause_ns` apart: legal on any byte stream, and often not expected."""

    size: int = 1
    pause_ns: int = 1_000_000

    def __post_init__(self) -> None:
        if self.size < 1 or self.pause_ns < 0:
            raise ValueError(f"fragments need size >= 1 and pause_ns >= 0: {self}")


@dataclass(frozen=True, slots=True)
class Repeat:
    """A reply is sent `times` times in a row."""

    times: int = 2


@dataclass(frozen=True, slots=True)
class Chatter:
    """`content` is sent before a reply, which follows `pause_ns` later: "OK", a prompt or a blank line."""

    content: bytes = b"OK\n"
    pause_ns: int = 0


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A reply is sent with every match of the regular expression `pattern` replaced, as `re.sub` does."""

    pattern: bytes
    replacement: bytes


PLUS_ZERO = Rewrite(rb'(?<![^;,\n])0,"No error"', rb'+0,"No error"')
"""No error is `+0`, as many instruments have it."""

ZERO_WITHOUT_TEXT = Rewrite(rb'0,"No error"', rb'0,""')
DECIMAL_COMMAS = Rewrite(rb"(\d)\.(\d)", rb"\1,\2")
"""Numbers as the front panel's language writes them (R&S EB200 manual)."""

UNITS_IN_REPLIES = Rewrite(rb"(?<=[ ;])(\d[0-9.]*)(?=[;\"\n])", rb"\1 S")
CARRIAGE_RETURNS = Rewrite(rb"\n", rb"\r\n")


@dataclass(frozen=True, slots=True)
class DropHurried:
    """A message that comes less than `gap_ns` after the last reply is neither executed nor answered."""

    gap_ns: int = 5_000_000


@dataclass(frozen=True, slots=True)
class Mute:
    """Half-open: the connection that next sends something is never answered again, and nothing it sends is executed."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """New connections are refused for `for_ns`, or until the faults are cleared when that is None."""

    for_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Reboot:
    """Every connection is reset, state is lost, and connections are refused for `boot_ns`.

    For `mute_ns` more they are accepted, and what arrives is lost: a slow boot that looks like a fast one.
    """

    boot_ns: int = 0
    mute_ns: int = 0


@dataclass(frozen=True, slots=True)
class EarlyComplete:
    """*OPC? answers and *WAI goes on at once, whatever is still under way."""


@dataclass(frozen=True, slots=True)
class EndlessErrors:
    """The error queue answers this and is never empty."""

    code: int = -350
    text: str = "Queue overflow"


@dataclass(frozen=True, slots=True)
class SilentClamp:
    """A setting beyond `most` is taken without an error as `most`; `header` is relative to its flow, `:DELay:MEAN`."""

    header: str
    most: Decimal


@dataclass(frozen=True, slots=True)
class SilentlyIgnored:
    """What is staged for a flow is taken without an error and forgotten."""


@dataclass(frozen=True, slots=True)
class ReservedByOther:
    """Another session reserves the appliance, or takes it away in the middle; `holder` is its name."""

    holder: str = "somebody"


@dataclass(frozen=True, slots=True)
class SessionExpired:
    """The session, or the token that stands for it, is not known any more: whoever goes on must log on again."""


@dataclass(frozen=True, slots=True)
class IdleClose:
    """From now on a connection that is silent for `after_ns` is closed, whatever limit the dialect sets itself."""

    after_ns: int

    def __post_init__(self) -> None:
        if self.after_ns < 0:
            raise ValueError(f"a connection cannot be silent for less than no time: {self}")


@dataclass(frozen=True, slots=True)
class Pending:
    """A request is answered "not yet" and is not carried out."""


@dataclass(frozen=True, slots=True)
class StatisticsNotReady:
    """Counters are not to be had for `for_ns` after they were cleared."""

    for_ns: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class IdleDatapath:
    """A start, or a setting, is answered with success, and packets go on as before."""


@dataclass(frozen=True, slots=True)
class ModeReset:
    """Somebody else has changed the appliance's mode, which sets delays back."""


@dataclass(frozen=True, slots=True)
class LinksDown:
    """The links are down, as they may be at start, until somebody takes them up."""


@dataclass(frozen=True, slots=True)
class StaleInUse:
    """What was just given back is said to be in use for `for_ns` more."""

    for_ns: int = 2_000_000_000


ReplyFault = LateReply | Garbage | PartialReply | CloseMidReply | Fragments | Repeat | Chatter | Rewrite
"""Faults that strike one reply."""

Fault = ReplyFault | DropHurried | Mute | Refuse | Reboot
"""Faults of a server and its connections."""

DialectFault = (
    ReservedByOther
    | SessionExpired
    | IdleClose
    | Pending
    | StatisticsNotReady
    | IdleDatapath
    | ModeReset
    | LinksDown
    | StaleInUse
    | SilentClamp
    | SilentlyIgnored
)
"""Faults of simulated vendors' appliances, as far as their dialect has words for them."""

InstrumentFault = EarlyComplete | EndlessErrors | SilentClamp | SilentlyIgnored
"""Faults of the instrument itself, whichever way it is asked."""

ArmedFault = ReplyFault | DropHurried | Mute | InstrumentFault | DialectFault
"""Faults that wait for their occasion."""

F = TypeVar("F")


class ArmedFaults:
    """The faults that wait for their occasion, each with how often it strikes; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: list[_Armed] = []

    def __bool__(self) -> bool:
        return bool(self._armed)

    def arm(self, fault: ArmedFault, count: int | None) -> None:
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

    def peek(self, kind: type[F]) -> F | None:
        """Return the first armed fault of a kind, for the one who decides whether this is an occasion for it."""
        if not self._armed:
            return None
        with self._lock:
            return next((armed.fault for armed in self._armed if isinstance(armed.fault, kind)), None)

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
    fault: ArmedFault
    left: int | None
    occasions: int = 0
