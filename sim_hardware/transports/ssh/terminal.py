"""LineEditor: keys that are typed into a terminal, to echo and lines."""

from collections.abc import Iterator
from dataclasses import dataclass

_ENTER, _ERASE, _KILL, _INTERRUPT, _END = b"\r\n", b"\x08\x7f", 0x15, 0x03, 0x04
_SPACE, _TILDE = 0x20, 0x7E
DEFAULT_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Typed:
    """What comes of some keys.

    Attributes:
        echo: What the terminal shows.
        line: The line that is whole now; None while it is not.
        ended: Whether the end of input was typed on an empty line.
    """

    echo: bytes
    line: str | None = None
    ended: bool = False


class LineEditor:
    """Collects keys until Enter. Erase, kill (Ctrl-U) and interrupt (Ctrl-C) work; Ctrl-D ends an empty line.

    Carriage return, line feed, or both end a line. Characters beyond ASCII are kept as Latin-1 and echoed as they are;
    other control characters are dropped, and so is what goes beyond the limit.

    Args:
        longest: Most characters of a line.
    """

    def __init__(self, longest: int = DEFAULT_LONGEST) -> None:
        self._longest = longest
        self._line = bytearray()
        self._after_return = False

    def feed(self, keys: bytes) -> Iterator[Typed]:
        """Take in keys; yield what each line comes to, and the echo of what is left unfinished."""
        echo = bytearray()
        for key in keys:
            typed = self._press(key)
            echo += typed.echo
            if typed.line is not None or typed.ended:
                yield Typed(bytes(echo), typed.line, typed.ended)
                echo.clear()
        if echo:
            yield Typed(bytes(echo))

    def _press(self, key: int) -> Typed:
        after_return, self._after_return = self._after_return, key == _ENTER[0]
        if key == _ENTER[1] and after_return:
            return Typed(b"")
        if key in _ENTER:
            return Typed(b"\r\n", self._taken())
        if key in _ERASE:
            erased, self._line = self._line[-1:], self._line[:-1]
            return Typed(b"\b \b" * len(erased))
        if key == _KILL:
            return Typed(b"\b \b" * len(self._taken()))
        if key == _INTERRUPT:
            self._line.clear()
            return Typed(b"^C\r\n", "")
        if key == _END and not self._line:
            return Typed(b"", None, ended=True)
        if (_SPACE <= key <= _TILDE or key > _TILDE + 1) and len(self._line) < self._longest:
            self._line.append(key)
            return Typed(bytes([key]))
        return Typed(b"")

    def _taken(self) -> str:
        line = self._line.decode("latin-1")
        self._line.clear()
        return line
