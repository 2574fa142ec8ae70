"""From a byte stream to program messages: where one ends, and what is too long to keep.

A message ends at a new line (IEEE 488.2 7.5.2), but not at one inside a definite length block. A stream has no END, so
whether a new line ends an open string is a choice: by default it does, because otherwise one missing quote swallows
every message that follows.
"""

import re
from collections.abc import Iterator
from enum import Enum

_NOTABLE = re.compile(rb"[\n#'\"]")
_SPACE, _COMMA, _ZERO = b" ,0"


class NewLineInString(Enum):
    """What a new line between quotes is on a byte stream."""

    ENDS_MESSAGE = "ends the message"
    IS_DATA = "is data"


class Overrun:
    """Stands in the stream for a message that was longer than the input buffer."""


class Framer:
    """Cuts the bytes of one connection into messages.

    Args:
        longest: Bytes of the longest message kept; of a longer one nothing is.
        new_line_in_string: What a new line between quotes is.

    Attributes:
        end_is_known: Whether the transport tells of END by `end`. Then an indefinite block, `#0`, runs up to END.
    """

    def __init__(self, longest: int, new_line_in_string: NewLineInString = NewLineInString.ENDS_MESSAGE) -> None:
        self.end_is_known = False
        self._longest = longest
        self._strings_hide = new_line_in_string is NewLineInString.IS_DATA
        self.clear()

    def clear(self) -> None:
        """Forget the message under way."""
        self._buffer = bytearray()
        self._scanned = 0
        self._block_left = 0
        self._quote = b""
        self._overrun = False
        self._runs_to_end = False

    @property
    def is_in_block(self) -> bool:
        """Whether bytes of a definite length block are still to come."""
        return self._block_left > 0

    @property
    def is_dropping(self) -> bool:
        """Whether the message under way has been refused as too long."""
        return self._overrun

    @property
    def is_between_messages(self) -> bool:
        """Whether no message is under way."""
        return not self._buffer and not self._overrun

    def end(self) -> str | None:
        """Take END in and return the message that it completes, its new line included; None when there is none."""
        content, overrun = bytes(self._buffer), self._overrun
        self.clear()
        if overrun or not content:
            return None
        return content.decode("latin-1") if content.endswith(b"\n") else content.decode("latin-1") + "\n"

    def push(self, data: bytes) -> Iterator[str | Overrun]:
        """Take bytes in and yield every message they complete, its new line included."""
        if self._is_one_plain_message(data):
            yield data.decode("latin-1")
            return
        self._buffer += data
        while end := self._find_end():
            if self._overrun:
                self._overrun = False
            elif end > self._longest:
                yield Overrun()
            else:
                yield self._buffer[:end].decode("latin-1")
            del self._buffer[:end]
            self._scanned = 0
        if len(self._buffer) + self._block_left > self._longest and not self._overrun:
            self._overrun = True
            yield Overrun()
        if self._overrun:
            self._drop_scanned()

    def _is_one_plain_message(self, data: bytes) -> bool:
        return (
            data.find(b"\n") == len(data) - 1 < self._longest
            and len(data) > 0
            and not self._buffer
            and not self._overrun
            and b"#" not in data
            and not (self._strings_hide and (b"'" in data or b'"' in data))
        )

    def _drop_scanned(self) -> None:
        """Forget what was looked at but for the last byte, which tells whether a `#` begins a block."""
        surplus = max(0, self._scanned - 1)
        del self._buffer[:surplus]
        self._scanned -= surplus

    def _find_end(self) -> int:
        """Return the length of the first complete message in the buffer, 0 when there is none yet."""
        buffer, at = self._buffer, self._scanned
        while not self._runs_to_end:
            passed = min(self._block_left, len(buffer) - at)
            self._block_left -= passed
            at += passed
            found = _NOTABLE.search(buffer, at) if not self._block_left else None
            if found is None:
                self._scanned = len(buffer)
                return 0
            char = found.group()
            if char == b"\n" and not (self._quote and self._strings_hide):
                self._quote = b""
                return found.end()
            at = found.end()
            if char == self._quote:
                self._quote = b""
            elif self._quote or char == b"\n":
                continue
            elif char != b"#":
                self._quote = char
            else:
                length = _block_length(buffer, found.start())
                if length is None:
                    self._scanned = found.start()
                    return 0
                self._block_left = length
                self._runs_to_end = self.end_is_known and length == 0 and _is_indefinite(buffer, found.start())
        self._scanned = len(buffer)
        return 0


def _is_indefinite(buffer: bytearray, at: int) -> bool:
    return buffer[at : at + 2] == b"#0" and (not at or buffer[at - 1] <= _SPACE or buffer[at - 1] == _COMMA)


def _block_length(buffer: bytearray, at: int) -> int | None:
    """Return how many bytes from after `#` belong to a definite block; 0 when it is none, None when it is too soon."""
    if at and buffer[at - 1] > _SPACE and buffer[at - 1] != _COMMA:
        return 0
    if at + 1 == len(buffer):
        return None
    count = buffer[at + 1] - _ZERO
    if not 1 <= count <= 9:
        return 0
    digits = buffer[at + 2 : at + 2 + count]
    if digits and not digits.isdigit():
        return 0
    return None if len(digits) < count else 1 + count + int(digits)
