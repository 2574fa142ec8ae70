"""Messages of rtnetlink(7): requests for queueing disciplines, links and filters, and what the kernel answers."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .attributes import WireError, fields, pack, pack_text, text_of, unpack

ERROR, DONE = 2, 3
NEW_LINK, DELETE_LINK, GET_LINK = 16, 17, 18
NEW_ADDRESS, GET_ADDRESS = 20, 22
NEW_QDISC, DELETE_QDISC, GET_QDISC = 36, 37, 38
NEW_FILTER, DELETE_FILTER, GET_FILTER = 44, 45, 46

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
REPLACE, EXCLUSIVE, CREATE = 0x100, 0x200, 0x400

ROOT = 0xFFFFFFFF
INGRESS = 0xFFFFFFF1
INGRESS_HANDLE = 0xFFFF0000

KIND, OPTIONS, STATS2 = 1, 2, 7
_BASIC, _QUEUE, _APP = 1, 3, 4
_EXTENDED_TEXT = 1
_CAPPED, _HAS_EXTENDED = 0x100, 0x200

_HEADER = struct.Struct("=IHHII")
_TC = struct.Struct("=BxxxiIII")
_BASIC_COUNTS = struct.Struct("=QI")
_QUEUE_COUNTS = struct.Struct("=IIIII")


class KernelRefused(OSError):  # noqa: N818 - an OSError of its own, named by what happened
    """The kernel answered a request with an error.

    Attributes:
        errno: Its number.
        text: The kernel's own words (extended acknowledgement), or "".
    """

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code, f"{os.strerror(code)}{': ' + text if text else ''}")
        self.text = text


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        kind: NEW_QDISC and the like.
        flags: As in the header.
        sequence: The number of the request that it belongs to.
        body: What follows the header.
    """

    kind: int
    flags: int
    sequence: int
    body: bytes


@dataclass(frozen=True)
class Request:
    """A message to the kernel, less its number.

    Attributes:
        kind: NEW_QDISC and the like.
        flags: Beside REQUEST.
        body: What follows the header.
    """

    kind: int
    flags: int
    body: bytes

    def encode(self, sequence: int) -> bytes:
        """Return it with its header."""
        padding = bytes(-len(self.body) % 4)
        size = _HEADER.size + len(self.body)
        return _HEADER.pack(size, self.kind, REQUEST | self.flags, sequence, 0) + self.body + padding


@dataclass(frozen=True)
class Place:
    """Where a queueing discipline or filter is.

    Attributes:
        index: Of the device.
        handle: Of the discipline, 0xMMMMmmmm; of a filter its own.
        parent: ROOT, or the class that it hangs from.
        info: Of a filter: priority << 16 | protocol in network order.
    """

    index: int
    handle: int = 0
    parent: int = 0
    info: int = 0

    def encode(self) -> bytes:
        """Return struct tcmsg."""
        return _TC.pack(0, self.index, self.handle, self.parent, self.info)


@dataclass(frozen=True)
class Counters:
    """What a queueing discipline has counted since it was made.

    Attributes:
        octets: Bytes that it has let out.
        packets: That it has let out; a super-packet counts as its segments.
        queued: Packets inside, those in disciplines below it as well.
        backlog: Their bytes.
        drops: Buffers dropped here or below, and with ECN those marked.
        extended: What the discipline counts besides, as the kernel gives it.
    """

    octets: int = 0
    packets: int = 0
    queued: int = 0
    backlog: int = 0
    drops: int = 0
    extended: bytes = b""


@dataclass(frozen=True)
class Qdisc:
    """A queueing discipline that the kernel told of."""

    place: Place
    kind: str
    options: bytes = b""
    counters: Counters = Counters()


def messages(data: bytes) -> Iterator[Message]:
    """Yield the messages of one datagram.

    Raises:
        WireError: A length that cannot be.
    """
    at = 0
    while at + _HEADER.size <= len(data):
        size, kind, flags, sequence, _ = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= size <= len(data) - at:
            raise WireError(f"a message of {size} bytes in {len(data) - at}")
        yield Message(kind, flags, sequence, data[at + _HEADER.size : at + size])
        at += size + -size % 4


def refusal(message: Message) -> KernelRefused | None:
    """Return what an ERROR message says; None when it is an acknowledgement."""
    (code,) = fields(struct.Struct("=i"), message.body, "an acknowledgement")
    if not code:
        return None
    if not message.flags & _HAS_EXTENDED:
        return KernelRefused(-code)
    echoed = _HEADER.size
    if not message.flags & _CAPPED:
        (echoed,) = fields(struct.Struct("=I"), message.body[4:], "an acknowledgement")
    told = unpack(message.body[4 + echoed + -echoed % 4 :])
    return KernelRefused(-code, text_of(told.get(_EXTENDED_TEXT, b"")))


def add_qdisc(place: Place, kind: str, options: bytes) -> Request:
    """Make a discipline where there is none of ours."""
    return _qdisc(ACK | CREATE | EXCLUSIVE, place, kind, options)


def graft_qdisc(place: Place, kind: str, options: bytes) -> Request:
    """Make a discipline in place of the one that is there; what that held is lost."""
    return _qdisc(ACK | CREATE | REPLACE, place, kind, options)


def change_qdisc(place: Place, kind: str, options: bytes) -> Request:
    """Change a discipline that is there; what it holds stays. ENOENT where there is none of that handle."""
    return _qdisc(ACK, place, kind, options)


def delete_qdisc(place: Place) -> Request:
    """Remove a discipline with all that hangs from it; what they hold is lost."""
    return Request(DELETE_QDISC, ACK, place.encode())


def list_qdiscs(index: int) -> Request:
    """Ask for the disciplines of a device. The kernel answers with those of all; `read_qdisc` tells the device."""
    return Request(GET_QDISC, DUMP, Place(index).encode())


def read_qdisc(message: Message) -> Qdisc:
    """Read an answer to `list_qdiscs`.

    Raises:
        WireError: It is none.
    """
    _family, index, handle, parent, info = _tc(message.body)
    told = unpack(message.body[_TC.size :])
    place = Place(index, handle, parent, info)
    return Qdisc(place, text_of(told.get(KIND, b"")), told.get(OPTIONS, b""), _counters(told.get(STATS2, b"")))


def _qdisc(flags: int, place: Place, kind: str, options: bytes) -> Request:
    return Request(NEW_QDISC, flags, place.encode() + pack_text(KIND, kind) + pack(OPTIONS, options))


def _tc(body: bytes) -> tuple[int, ...]:
    return fields(_TC, body, "a message about traffic control")


def _counters(data: bytes) -> Counters:
    told = unpack(data)
    octets, packets = fields(_BASIC_COUNTS, told.get(_BASIC, bytes(12)), "counters")
    queued, backlog, drops, _, _ = fields(_QUEUE_COUNTS, told.get(_QUEUE, bytes(20)), "counters of a queue")
    return Counters(octets, packets, queued, backlog, drops, told.get(_APP, b""))
