"""What a serial line makes of lines: other ends than LF, and the echo of what was sent."""

from __future__ import annotations

from impairlab.drivers.links.serial_settings import End, SerialSettings

_CR, _LF = b"\r\n"
_ENDS: dict[End, bytes] = {"lf": b"\n", "cr": b"\r", "crlf": b"\r\n"}


class SerialText:
    """Translates between lines that end in LF, as a `Channel` has them, and what the line carries.

    Args:
        settings: Of the line.
    """

    def __init__(self, settings: SerialSettings) -> None:
        self._end = _ENDS[settings.end]
        self._ended = False
        self._echo = _Echo() if settings.echo == "on" else None

    def outgoing(self, content: bytes) -> bytes:
        """Return what is to be sent."""
        content = content.replace(b"\n", self._end)
        if self._echo is not None:
            self._echo.expect(content)
        return content

    def incoming(self, content: bytes) -> bytes:
        """Return what was answered; b"" where all of it was an echo, or half the end of a line."""
        if self._echo is not None:
            content = self._echo.taken_off(content)
        if self._end != b"\r":
            return content
        if self._ended and content.startswith(b"\n"):
            content, self._ended = content[1:], False
        if content:
            self._ended = content.endswith(b"\r")
        return content.replace(b"\r\n", b"\r").replace(b"\r", b"\n")


class _Echo:
    """Recognises what was sent in what arrives. Its ends of line may be of another kind than those that were sent."""

    def __init__(self) -> None:
        self._due = bytearray()
        self._ends: set[int] = set()

    def expect(self, content: bytes) -> None:
        """Take note of what is sent."""
        self._due += content.rstrip(b"\r\n") + b"\n"

    def taken_off(self, content: bytes) -> bytes:
        """Return what is no echo. From the first character that differs nothing is one: the appliance has its say."""
        at = 0
        while at < len(content):
            character = content[at]
            if character in self._ends:  # CR and LF of an end, each once
                self._ends.discard(character)
            elif not self._due:
                break
            elif character in {_CR, _LF} and self._due[0] == _LF:
                del self._due[0]
                self._ends = {_CR, _LF} - {character}
            elif character == self._due[0]:
                del self._due[0]
                self._ends = set()
            elif self._due[0] == _LF:  # an end that was not echoed
                del self._due[0]
                continue
            else:
                self._due.clear()
                break
            at += 1
        if at < len(content):
            self._ends = set()
        return content[at:]
