"""An HTTP/1.1 response parser without I/O: bytes in, body bytes out (RFC 9112). The caller keeps the clock."""

from enum import Enum, auto

HEAD_LIMIT = 64 * 1024
_LINE_LIMIT = 4 * 1024


class NotHttp(ValueError):  # noqa: N818 - says what was seen
    """What arrived is not an HTTP/1.1 response."""


class _Body(Enum):
    HEAD = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILER = auto()
    UNTIL_CLOSE = auto()
    COMPLETE = auto()


class Response:
    """One response as it arrives. Until the head is in `status` is 0. Header names are lower case."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._state = _Body.HEAD
        self._pending = bytearray()
        self._left = 0

    @property
    def complete(self) -> bool:
        """Whether the whole response is in."""
        return self._state is _Body.COMPLETE

    @property
    def reusable(self) -> bool:
        """Whether the connection can carry another request: all is in, nothing follows, nobody asked to close."""
        return self.complete and not self._pending and "close" not in self.headers.get("connection", "").lower()

    def feed(self, data: bytes) -> bytes:
        """Take in what arrived; the body bytes that became known by it.

        Raises:
            NotHttp: It cannot be a response.
        """
        self._pending += data
        body = bytearray()
        while self._step(body):
            pass
        return bytes(body)

    def close(self) -> None:
        """The peer closed the connection: that ends a body of no stated length, and no other."""
        if self._state is _Body.UNTIL_CLOSE:
            self._state = _Body.COMPLETE
            self.headers["connection"] = "close"

    def _step(self, body: bytearray) -> bool:
        """Do one thing with what is pending. False when more must arrive first."""
        match self._state:
            case _Body.HEAD:
                return self._head()
            case _Body.LENGTH | _Body.CHUNK:
                return self._counted(body)
            case _Body.CHUNK_SIZE:
                return self._chunk_size()
            case _Body.CHUNK_END:
                return self._chunk_end()
            case _Body.TRAILER:
                return self._trailer()
            case _Body.UNTIL_CLOSE:
                body += self._pending
                self._pending.clear()
                return False
            case _Body.COMPLETE:
                return False

    def _line(self, limit: int) -> bytes | None:
        end = self._pending.find(b"\r\n")
        if end < 0 and len(self._pending) > limit:
            raise NotHttp(f"no end of line in {limit} bytes")
        if end < 0:
            return None
        line = bytes(self._pending[:end])
        del self._pending[: end + 2]
        return line

    def _head(self) -> bool:
        end = self._pending.find(b"\r\n\r\n")
        if not self._pending.startswith(b"HTTP/1."[: len(self._pending)]):
            raise NotHttp(f"not a status line: {bytes(self._pending[:40])!r}")
        if end < 0:
            if len(self._pending) > HEAD_LIMIT:
                raise NotHttp(f"no end of the head in {HEAD_LIMIT} bytes")
            return False
        status_line, *lines = self._pending[:end].decode("latin-1").split("\r\n")
        del self._pending[: end + 4]
        words = status_line.split(" ", 2)
        if len(words) < 2 or not (words[1].isascii() and words[1].isdigit() and len(words[1]) == 3):
            raise NotHttp(f"not a status line: {status_line[:80]!r}")
        if words[1].startswith("1"):
            return True  # an interim response; the real one follows (RFC 9110 section 15.2)
        self.status = int(words[1])
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise NotHttp(f"not a header line: {line[:80]!r}")
            self.headers[name.lower()] = value.strip()
        self._frame()
        return True

    def _frame(self) -> None:
        """How the body's end is told (RFC 9112 section 6.3)."""
        length = self.headers.get("content-length")
        if self.status in {204, 304}:
            self._state = _Body.COMPLETE
        elif "transfer-encoding" in self.headers:
            if self.headers["transfer-encoding"].lower() != "chunked":
                raise NotHttp(f"unknown transfer encoding {self.headers['transfer-encoding']!r}")
            self._state = _Body.CHUNK_SIZE
        elif length is None:
            self._state = _Body.UNTIL_CLOSE
        elif length.isascii() and length.isdigit():
            self._left = int(length)
            self._state = _Body.LENGTH if self._left else _Body.COMPLETE
        else:
            raise NotHttp(f"not a content length: {length!r}")

    def _counted(self, body: bytearray) -> bool:
        if not self._pending:
            return False
        part = self._pending[: self._left]
        body += part
        del self._pending[: len(part)]
        self._left -= len(part)
        if self._left == 0:
            self._state = _Body.CHUNK_END if self._state is _Body.CHUNK else _Body.COMPLETE
        return True

    def _chunk_size(self) -> bool:
        line = self._line(_LINE_LIMIT)
        if line is None:
            return False
        try:
            self._left = int(line.partition(b";")[0].strip(), 16)
        except ValueError as error:
            raise NotHttp(f"not a chunk size: {line[:40]!r}") from error
        self._state = _Body.CHUNK if self._left else _Body.TRAILER
        return True

    def _chunk_end(self) -> bool:
        line = self._line(_LINE_LIMIT)
        if line is None:
            return False
        if line:
            raise NotHttp(f"a chunk is longer than its size: {line[:40]!r}")
        self._state = _Body.CHUNK_SIZE
        return True

    def _trailer(self) -> bool:
        line = self._line(_LINE_LIMIT)
        if line is None:
            return False
        if not line:
            self._state = _Body.COMPLETE
        return True
