"""Cut a byte stream into lines of text, without ever holding more of an unfinished line than a limit."""

from collections.abc import Iterator

DEFAULT_LONGEST = 65_536


class LineCutter:
    """Collects bytes until a line is whole.

    Line feed ends a line; one carriage return before it is left out. Bytes are read as Latin-1, which never fails: what
    is legal in a dialect is for its grammar to say.

    Args:
        longest: Most bytes of a line, its end not counted.
    """

    def __init__(self, longest: int = DEFAULT_LONGEST) -> None:
        self._longest = longest
        self._held = bytearray()
        self._dropping = False

    def feed(self, data: bytes) -> Iterator[str | None]:
        """Take in bytes; yield each line that they complete, None in place of one that is too long."""
        *ended, rest = data.split(b"\n")
        for part in ended:
            line = self._completed(part)
            yield None if line is None else line.removesuffix(b"\r").decode("latin-1")
        if not self._dropping:
            self._held += rest
            if len(self._held) > self._longest + 1:  # one for a carriage return
                self._held.clear()
                self._dropping = True

    def _completed(self, part: bytes) -> bytes | None:
        line, too_long = bytes(self._held) + part, self._dropping
        self._held.clear()
        self._dropping = False
        return None if too_long or len(line.removesuffix(b"\r")) > self._longest else line
