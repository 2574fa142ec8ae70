"""As much of HTTP/1.1 as a service needs: read one request from a stream, write one response head (RFC 9112)."""

import asyncio
import json
from dataclasses import dataclass
from http.client import responses

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 32 * 1024 * 1024


class BadRequest(Exception):  # noqa: N818 - the name of the HTTP status
    """What arrived is not a request that we can answer; the connection cannot be used further."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    """One request. Header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants the connection left open (RFC 9112 section 9.3, HTTP/1.1 only)."""
        return "close" not in self.headers.get("connection", "").lower()


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """Read the next request, or None when the client has closed the connection between requests.

    Raises:
        BadRequest: It is malformed or too large.
        asyncio.IncompleteReadError: The client closed in the middle of it.
        OSError: The connection failed.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest(431, f"the request head is longer than {HEAD_LIMIT} bytes") from error
    lines = head.decode("latin-1").strip("\r\n").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise BadRequest(400, f"not an HTTP/1.1 request line: {lines[0][:80]!r}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400, f"not a header line: {line[:80]!r}")
        headers[name.lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(words[0], words[1].partition("?")[0], headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
            raise BadRequest(400, "the body's framing is not clear")
        return await _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(400, f"not a content length: {length!r}")
    if int(length) > BODY_LIMIT:
        raise BadRequest(413, f"the body is longer than {BODY_LIMIT} bytes")
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        try:
            size = int(line.split(b";")[0].strip(), 16)
        except ValueError as error:
            raise BadRequest(400, f"not a chunk size: {line[:40]!r}") from error
        if size < 0 or len(body) + size > BODY_LIMIT:
            raise BadRequest(413, f"the body is longer than {BODY_LIMIT} bytes")
        if size == 0:
            while (await reader.readuntil(b"\r\n")) != b"\r\n":
                pass
            return bytes(body)
        body += await reader.readexactly(size)
        await reader.readexactly(2)


def response_head(status: int, headers: dict[str, str]) -> bytes:
    """Status line and headers, up to and with the empty line."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, '')}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def json_response(status: int, body: dict[str, object], *, keep_alive: bool) -> bytes:
    """A whole response with a JSON body."""
    payload = json.dumps(body).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(payload)),
        "Connection": "keep-alive" if keep_alive else "close",
    }
    return response_head(status, headers) + payload


def chunk(payload: bytes) -> bytes:
    """One chunk of a chunked body; an empty payload is the end of the body."""
    return f"{len(payload):x}\r\n".encode() + payload + b"\r\n"
