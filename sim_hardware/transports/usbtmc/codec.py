"""What goes over the bulk endpoints: headers, and transfers cut into packets. No I/O.

Source: USBTMC 1.0, 3.2 (Bulk-OUT) and 3.3 (Bulk-IN); USB488 1.0, 3.2.1.1 (TRIGGER).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag

HEADER_SIZE = 12
ALIGNMENT = 4
LAST_TAG = 255
MOST_TRANSFER = 0xFFFF_FFFF
"""What the 32 bits of TransferSize hold."""

_COMMON = struct.Struct("<BBBx")
_REST = struct.Struct("<IBBxx")


class MessageId(IntEnum):
    """MsgID (USBTMC 1.0, table 2; USB488 1.0, table 1)."""

    DATA = 1
    """DEV_DEP_MSG_OUT on Bulk-OUT."""
    REQUEST = 2
    """REQUEST_DEV_DEP_MSG_IN on Bulk-OUT; DEV_DEP_MSG_IN on Bulk-IN."""
    TRIGGER = 128


class Attribute(IntFlag):
    """bmTransferAttributes."""

    END = 1
    """EOM: the last byte of the transfer is the last of the message."""
    TERMINATION_CHARACTER = 2
    """In a request: end at TermChar. In a response: it did."""


NO_ATTRIBUTE = Attribute(0)


class BadTransferError(Exception):
    """The host has broken the rules of Bulk-OUT: the device halts the endpoint (USBTMC 1.0, 3.2.2)."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a Bulk-OUT transfer.

    Attributes:
        kind: MsgID.
        tag: 1 to 255.
        size: TransferSize; of a request the most bytes that the host takes.
        attributes: bmTransferAttributes.
        termination_character: Of a request, where its attributes say so.
    """

    kind: MessageId
    tag: int
    size: int = 0
    attributes: Attribute = NO_ATTRIBUTE
    termination_character: int = 0

    def pack(self) -> bytes:
        """Return it as it is on the wire."""
        common = _COMMON.pack(self.kind, self.tag, ~self.tag & 0xFF)
        return common + _REST.pack(self.size, self.attributes, self.termination_character)

    @classmethod
    def unpack(cls, content: bytes) -> "Header":
        """Return the header that a transfer begins with. Raises `BadTransferError`."""
        if len(content) < HEADER_SIZE:
            raise BadTransferError(f"a header has {HEADER_SIZE} bytes, not {len(content)}")
        kind, tag, inverse = _COMMON.unpack_from(content)
        if not tag or tag ^ inverse != LAST_TAG:
            raise BadTransferError(f"bTag {tag} and its inverse {inverse} do not fit")
        try:
            known = MessageId(kind)
        except ValueError as error:
            raise BadTransferError(f"no MsgID {kind} is known") from error
        if known is MessageId.TRIGGER:
            return cls(known, tag)
        size, attributes, character = _REST.unpack_from(content, _COMMON.size)
        return cls(known, tag, size, Attribute(attributes & 3), character)


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a program message; `end` where END comes with the last of them."""

    content: bytes
    end: bool


@dataclass(frozen=True, slots=True)
class Request:
    """REQUEST_DEV_DEP_MSG_IN: the host wants to read.

    Attributes:
        tag: Comes back in the response.
        most: How many bytes it takes, at least 1.
        stop_at: TermChar where it is to end the transfer; empty without.
    """

    tag: int
    most: int
    stop_at: bytes


@dataclass(frozen=True, slots=True)
class Trigger:
    """USB488's TRIGGER, which is group execute trigger."""

    tag: int


Part = Data | Request | Trigger


class BulkOut:
    """Reads the packets of the Bulk-OUT endpoint; keeps none of their content, whatever size a transfer announces.

    A transfer begins with a packet of its own and is over when all that its header announces has come; a packet that is
    not full ends one, too (USBTMC 1.0, 3.2).

    Args:
        packet_size: wMaxPacketSize of the endpoint.

    Attributes:
        tag: bTag of the transfer under way; None between two.
        received: Bytes of program message that have come of it.
    """

    def __init__(self, packet_size: int) -> None:
        self.packet_size = packet_size
        self.received = 0
        self.forget()

    def forget(self) -> None:
        """Drop the transfer under way: the next packet begins one."""
        self.tag: int | None = None
        self._left = 0
        self._ends = False

    def feed(self, packet: bytes) -> Iterator[Part]:
        """Take a packet in and yield what it says.

        Raises:
            BadTransferError: It breaks the rules; the transfer is forgotten.
        """
        content = packet
        if self.tag is None:
            if not packet:
                return  # ends a transfer that filled its last packet
            header = Header.unpack(packet)
            if header.kind is not MessageId.DATA:
                yield _command(header)
                return
            self.tag, self._left, self.received = header.tag, header.size, 0
            self._ends = Attribute.END in header.attributes
            content = packet[HEADER_SIZE:]
        content = content[: self._left]
        self._left -= len(content)
        self.received += len(content)
        missing, ends = self._left, self._ends
        cut = bool(missing) and len(packet) < self.packet_size
        if cut or not missing:
            self.forget()
        if content or not missing:
            yield Data(content, end=ends and not missing)
        if cut:
            raise BadTransferError(f"the transfer ended {missing} bytes early")


def _command(header: Header) -> Part:
    if header.kind is MessageId.TRIGGER:
        return Trigger(header.tag)
    if not header.size:
        raise BadTransferError("a request for no bytes")
    by_character = Attribute.TERMINATION_CHARACTER in header.attributes
    return Request(header.tag, header.size, bytes([header.termination_character]) if by_character else b"")


def response_transfer(request: Request, content: bytes, *, end: bool) -> bytes:
    """Return a Bulk-IN transfer, padded to whole words (USBTMC 1.0, 3.3.1.1)."""
    attributes = Attribute.END * end
    if request.stop_at and content.endswith(request.stop_at):
        attributes |= Attribute.TERMINATION_CHARACTER
    header = Header(MessageId.REQUEST, request.tag, len(content), Attribute(attributes))
    return header.pack() + content + bytes(-len(content) % ALIGNMENT)
