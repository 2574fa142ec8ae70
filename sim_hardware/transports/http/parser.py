"""Requests out of a byte stream, however it is cut up (RFC 9112). No I/O; what it keeps is bounded."""

from dataclasses import dataclass

from impairlab.sim_hardware.transports.http.messages import HttpRequest

LONGEST_HEAD = 64 * 1024
LONGEST_BODY = 8 * 1024 * 1024
_LONGEST_CHUNK_LINE = 1024
_MOST_HEADERS = 200
_END_OF_HEAD = b"\r\n\r\n"
_END_OF_LINE = b"\r\n"


class BadHttp(Exception):  # noqa: N818 - the name of the HTTP status
    """What arrived is no request that can be answered, and nobody knows where the next one begins.

    Attributes:
        status: What to answer before the connection is closed.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    target: str
    version: str
    headers: dict[str, str]

    @property
    def is_chunked(self) -> bool:
        return "transfer-encoding" in self.headers

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))


class RequestParser:
    """Takes bytes in and hands out whole requests, one after the other.

    Args:
        longest_head: A longer request line with its headers is answered 431.
        longest_body: A longer body is answered 413.
    """

    def __init__(self, longest_head: int = LONGEST_HEAD, longest_body: int = LONGEST_BODY) -> None:
        self._longest_head = longest_head
        self._longest_body = longest_body
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._searched = 0
        self._chunks = bytearray()
        self._in_trailer = False
        self._told_to_continue = False

    @property
    def is_idle(self) -> bool:
        """Whether no part of a request has arrived."""
        return self._head is None and not self._buffer

    def feed(self, content: bytes) -> None:
        """Take in what has arrived."""
        self._buffer += content

    def wants_continue(self) -> bool:
        """Whether the client waits for "100 Continue" before it sends the body; true once a request."""
        head = self._head
        waits = head is not None and head.headers.get("expect", "").lower() == "100-continue"
        if not waits or self._told_to_continue:
            return False
        self._told_to_continue = True
        return True

    def next_request(self) -> HttpRequest | None:
        """Return the next request that is complete; None when more must arrive first.

        Raises:
            BadHttp: It is malformed or too large.
        """
        if self._head is None:
            self._head = self._take_head()
        head = self._head
        if head is None:
            return None
        body = self._take_chunks() if head.is_chunked else self._take(head.length)
        if body is None:
            return None
        self._head, self._told_to_continue = None, False
        return HttpRequest(head.method, head.target, head.headers, body, head.version)

    def _take(self, size: int) -> bytes | None:
        if len(self._buffer) < size:
            return None
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._searched = 0
        return content

    def _take_head(self) -> _Head | None:
        while self._buffer.startswith(_END_OF_LINE):  # left over from a client that ends a body with one
            del self._buffer[:2]
            self._searched = 0
        end = self._buffer.find(_END_OF_HEAD, max(0, self._searched - len(_END_OF_HEAD)))
        if (len(self._buffer) if end < 0 else end) > self._longest_head:
            raise BadHttp(431, f"the request head is longer than {self._longest_head} bytes")
        if end < 0:
            self._searched = len(self._buffer)
            return None
        text = bytes(self._buffer[:end]).decode("latin-1")
        del self._buffer[: end + len(_END_OF_HEAD)]
        self._searched = 0
        head = _read_head(text.split("\r\n"))
        if not head.is_chunked and head.length > self._longest_body:
            raise BadHttp(413, f"the body is longer than {self._longest_body} bytes")
        return head

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(_END_OF_LINE)
        if end > _LONGEST_CHUNK_LINE or (end < 0 and len(self._buffer) > _LONGEST_CHUNK_LINE):
            raise BadHttp(400, "a chunk header or trailer is too long")
        if end < 0:
            return None
        return self._take(end + 2)

    def _take_chunks(self) -> bytes | None:
        while not self._in_trailer:
            end = self._buffer.find(_END_OF_LINE)
            size = _chunk_size(bytes(self._buffer[:end])) if 0 <= end <= _LONGEST_CHUNK_LINE else None
            if size is None:
                if max(end, len(self._buffer) if end < 0 else 0) > _LONGEST_CHUNK_LINE:
                    raise BadHttp(400, "a chunk header is too long")
                return None
            if len(self._chunks) + size > self._longest_body:
                raise BadHttp(413, f"the body is longer than {self._longest_body} bytes")
            whole = end + 2 + (size + 2 if size else 0)
            if len(self._buffer) < whole:
                return None
            if size and self._buffer[whole - 2 : whole] != _END_OF_LINE:
                raise BadHttp(400, "a chunk does not end where it says")
            self._chunks += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[:whole]
            self._in_trailer = size == 0
        while (line := self._take_line()) is not None:
            if line == _END_OF_LINE:
                body, self._chunks, self._in_trailer = bytes(self._chunks), bytearray(), False
                return body
        return None


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";")[0].strip()
    if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadHttp(400, f"not a chunk size: {line[:40]!r}")
    return int(digits, 16)


def _read_head(lines: list[str]) -> _Head:
    words = lines[0].split(" ")
    if len(words) != 3 or not words[0].isalpha() or not words[1]:
        raise BadHttp(400, f"not a request line: {lines[0][:80]!r}")
    if words[2] not in {"HTTP/1.1", "HTTP/1.0"}:
        raise BadHttp(505, f"not HTTP/1.1: {words[2][:20]!r}")
    if len(lines) > _MOST_HEADERS:
        raise BadHttp(431, f"more than {_MOST_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadHttp(400, f"not a header line: {line[:80]!r}")
        if name.lower() == "content-length" and headers.get("content-length", value.strip()) != value.strip():
            raise BadHttp(400, "two content lengths")
        headers[name.lower()] = value.strip()
    _refuse_unclear_framing(headers)
    if words[2] == "HTTP/1.1" and "host" not in headers:
        raise BadHttp(400, "no Host header")
    return _Head(words[0], words[1], words[2], headers)


def _refuse_unclear_framing(headers: dict[str, str]) -> None:
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) <= 18):
        raise BadHttp(400, f"not a content length: {length[:40]!r}")
    if "transfer-encoding" in headers:
        if "content-length" in headers:
            raise BadHttp(400, "the body's framing is not clear")
        if headers["transfer-encoding"].lower() != "chunked":
            raise BadHttp(501, f"no transfer coding {headers['transfer-encoding'][:40]!r}")
