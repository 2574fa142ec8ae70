"""What becomes of a reply that a fault strikes, whatever dialect it is in."""

import re

from impairlab.sim_hardware.faults import (
    Chatter,
    CloseMidReply,
    Fragments,
    Garbage,
    LateReply,
    PartialReply,
    Repeat,
    ReplyFault,
    Rewrite,
)

REPLY_FAULTS: tuple[type[ReplyFault], ...] = (
    LateReply,
    Garbage,
    PartialReply,
    CloseMidReply,
    Fragments,
    Repeat,
    Chatter,
    Rewrite,
)


def as_struck(reply: bytes, fault: ReplyFault | None) -> list[tuple[int, bytes]]:
    """Return what becomes of a reply: pieces, and how many nanoseconds later each is sent."""
    match fault:
        case LateReply(after_ns=after):
            return [(after, reply)]
        case Garbage(content=content):
            return [(0, content)]
        case PartialReply(keep=keep) | CloseMidReply(keep=keep):
            return [(0, reply[:keep])]
        case Fragments(size=size, pause_ns=pause):
            return [(at // size * pause, reply[at : at + size]) for at in range(0, len(reply), size)]
        case Repeat(times=times):
            return [(0, reply * times)]
        case Chatter(content=content, pause_ns=pause):
            return [(0, content), (pause, reply)]
        case Rewrite(pattern=pattern, replacement=replacement):
            return [(0, re.sub(pattern, replacement, reply))]
        case None:
            return [(0, reply)]
