"""HiSLIP messages cut out of a byte stream, with bounded memory: a header of 16 bytes and its payload. Pure.

Source: IVI-6.1, section 2.3 (format of messages) and Table 4 (message types).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

PROLOGUE = b"HS"
HEADER_SIZE = 16

_LAYOUT = struct.Struct("!2sBBIQ")


class MessageType(IntEnum):
    """The message types of HiSLIP 1.0 (IVI-6.1 Table 4)."""

    INITIALIZE = 0
    INITIALIZE_RESPONSE = 1
    FATAL_ERROR = 2
    ERROR = 3
    ASYNC_LOCK = 4
    ASYNC_LOCK_RESPONSE = 5
    DATA = 6
    DATA_END = 7
    DEVICE_CLEAR_COMPLETE = 8
    DEVICE_CLEAR_ACKNOWLEDGE = 9
    ASYNC_REMOTE_LOCAL_CONTROL = 10
    ASYNC_REMOTE_LOCAL_RESPONSE = 11
    TRIGGER = 12
    INTERRUPTED = 13
    ASYNC_INTERRUPTED = 14
    ASYNC_MAX_MESSAGE_SIZE = 15
    ASYNC_MAX_MESSAGE_SIZE_RESPONSE = 16
    ASYNC_INITIALIZE = 17
    ASYNC_INITIALIZE_RESPONSE = 18
    ASYNC_DEVICE_CLEAR = 19
    ASYNC_SERVICE_REQUEST = 20
    ASYNC_STATUS_QUERY = 21
    ASYNC_STATUS_RESPONSE = 22
    ASYNC_DEVICE_CLEAR_ACKNOWLEDGE = 23
    ASYNC_LOCK_INFO = 24
    ASYNC_LOCK_INFO_RESPONSE = 25


FIRST_VENDOR_TYPE = 128
"""From here on a message type is a vendor's own."""


class FatalCode(IntEnum):
    """Control code of FatalError: the connection ends (IVI-6.1 Table 9)."""

    UNIDENTIFIED = 0
    POORLY_FORMED_HEADER = 1
    CHANNELS_NOT_ESTABLISHED = 2
    INVALID_INITIALIZATION = 3
    TOO_MANY_CLIENTS = 4


class ErrorCode(IntEnum):
    """Control code of Error: the message is ignored and the connection lives (IVI-6.1 Table 11)."""

    UNIDENTIFIED = 0
    UNRECOGNIZED_TYPE = 1
    UNRECOGNIZED_CONTROL = 2
    UNRECOGNIZED_VENDOR_TYPE = 3
    TOO_LARGE = 4


class PoorlyFormedHeader(ValueError):  # noqa: N818 - the standard's own name for it
    """What stands where a header should be is none: the stream has no message boundaries any more."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first 16 bytes of a message.

    Attributes:
        kind: Message type, 0 to 255; those that have a name are in `MessageType`.
        control: Control code, 0 to 255.
        parameter: Message parameter, 32 bits.
        length: Bytes of payload that follow, 64 bits.
    """

    kind: int
    control: int = 0
    parameter: int = 0
    length: int = 0

    def pack(self) -> bytes:
        """Return the 16 bytes."""
        return _LAYOUT.pack(PROLOGUE, self.kind, self.control, self.parameter, self.length)

    @classmethod
    def unpack(cls, content: bytes) -> "Header":
        """Read 16 bytes.

        Raises:
            PoorlyFormedHeader: Not 16 bytes, or they do not begin with "HS".
        """
        if len(content) != HEADER_SIZE:
            raise PoorlyFormedHeader(f"a header has {HEADER_SIZE} bytes, not {len(content)}")
        prologue, kind, control, parameter, length = _LAYOUT.unpack(content)
        if prologue != PROLOGUE:
            raise PoorlyFormedHeader(f"a header begins with {PROLOGUE!r}, not {prologue!r}")
        return cls(kind, control, parameter, length)


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message; see `Header`."""

    kind: int
    control: int = 0
    parameter: int = 0
    payload: bytes = b""

    def pack(self) -> bytes:
        """Return its bytes."""
        return Header(self.kind, self.control, self.parameter, len(self.payload)).pack() + self.payload


@dataclass(frozen=True, slots=True)
class Oversized:
    """Stands in the stream for a message whose payload is longer than is kept; it is skipped as it arrives."""

    header: Header


class Decoder:
    """Cuts the bytes of one connection into messages.

    Args:
        longest: Bytes of the longest payload kept; nothing of a longer one is.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = bytearray()
        self._skipping = 0
        self._header: Header | None = None

    @property
    def buffered(self) -> int:
        """Bytes kept for a message that is not whole."""
        return len(self._buffer)

    def push(self, data: bytes) -> Iterator[Message | Oversized]:
        """Take bytes in and yield every message they complete. An `Oversized` comes with its header, not its end.

        Raises:
            PoorlyFormedHeader: After the messages before it; nothing can be read from then on.
        """
        self._buffer += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Message | Oversized | None:
        if self._skipping:
            passed = min(self._skipping, len(self._buffer))
            self._skipping -= passed
            del self._buffer[:passed]
        if self._header is None:
            if len(self._buffer) < HEADER_SIZE:
                return None
            header = Header.unpack(bytes(self._buffer[:HEADER_SIZE]))
            del self._buffer[:HEADER_SIZE]
            if header.length > self._longest:
                self._skipping = header.length
                return Oversized(header)
            self._header = header
        header = self._header
        if len(self._buffer) < header.length:
            return None
        payload = bytes(self._buffer[: header.length])
        del self._buffer[: header.length]
        self._header = None
        return Message(header.kind, header.control, header.parameter, payload)
