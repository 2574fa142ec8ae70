"""Scripted HTTP peers on real sockets: they read requests and send whatever bytes a test wants, well or badly."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from impairlab.drivers.links.json_text import Json, read_json, write_json
from impairlab.drivers.testing.peers import SocketWire, tcp_peer


class HttpRequest(NamedTuple):
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """What the body says; None when there is none."""
        return read_json(self.body) if self.body else None


HttpScript = Callable[[int, SocketWire], None]
"""Serve one connection, given its number from 1; the connection is closed when it returns."""


def read_request(wire: SocketWire) -> HttpRequest | None:
    """Return the next request; None when the other side has gone."""
    line = wire.read_line()
    if line is None:
        return None
    method, target, _ = line.split(" ")
    headers = {}
    while header := (wire.read_line() or "").rstrip("\r"):
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = wire.read(int(headers.get("content-length", 0)))
    return None if body is None else HttpRequest(method, target, headers, body)


def response(status: int, body: bytes = b"", *headers: str, reason: str = "Said") -> bytes:
    """Return a whole response with its length; `headers` are whole lines, e.g. "Connection: close"."""
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def json_response(status: int, content: Json, *headers: str) -> bytes:
    """Return a whole response that says something in JSON."""
    return response(status, write_json(content), "Content-Type: application/json", *headers)


def answering_http(answer: Callable[[HttpRequest], bytes]) -> HttpScript:
    """Return the script of a peer that answers every request with the bytes that `answer` returns."""

    def serve(_number: int, wire: SocketWire) -> None:
        while (request := read_request(wire)) is not None:
            wire.send(answer(request))

    return serve


@contextmanager
def http_peer(script: HttpScript, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, int]]:
    """Serve connections on a free local port, encrypted where a server context is given; yields (host, port)."""

    def encrypted(number: int, wire: SocketWire) -> None:
        if context is None:
            script(number, wire)
            return
        inner = wire.encrypted(context)
        if inner is not None:
            script(number, inner)
            inner.close()

    with tcp_peer(encrypted) as address:
        yield address
