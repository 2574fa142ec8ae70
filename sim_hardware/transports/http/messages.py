"""One HTTP request and one response, as values (RFC 9110)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What a JSON document is made of."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request.

    Attributes:
        method: In capitals, as it came.
        target: Path and query as they came, percent signs and all.
        headers: By name in lower case; of a repeated header the last.
        body: Without its framing.
        version: "HTTP/1.1" or "HTTP/1.0".
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    version: str = "HTTP/1.1"

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants the connection left open (RFC 9112 section 9.3)."""
        options = self.headers.get("connection", "").lower()
        return "close" not in options if self.version == "HTTP/1.1" else "keep-alive" in options


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One response.

    Attributes:
        status: 200 to 599.
        body: What is sent behind the head.
        content_type: Of the body.
        reason: Words behind the status; None for those of RFC 9110.
        headers: More headers than those of the body and the connection.
    """

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self, *, keep_alive: bool, with_body: bool = True) -> bytes:
        """Return the bytes; without the body for HEAD."""
        reason = responses.get(self.status, "") if self.reason is None else self.reason
        lines = [
            f"HTTP/1.1 {self.status} {reason}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
        ]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (self.body if with_body else b"")


def json_response(status: int, value: Json, reason: str | None = None) -> HttpResponse:
    """Return a response with a JSON body."""
    return HttpResponse(status, json.dumps(value).encode(), "application/json", reason)


def plain_response(status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a response that says its status in words and nothing else."""
    return HttpResponse(status, f"{status} {responses.get(status, '')}\n".encode(), headers=headers or {})
