"""What is said over HTTP: requests, answers, and credentials that end in a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from impairlab.drivers.links.json_text import Json


@dataclass(frozen=True, slots=True)
class File:
    """A file that is uploaded as multipart/form-data (RFC 7578).

    Attributes:
        field: Name of the form's field.
        name: Name of the file.
        content: What is in it.
        media_type: E.g. "text/xml".
    """

    field: str
    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Message:
    """A request.

    Attributes:
        method: GET, PUT, POST or DELETE.
        target: Path and query, e.g. "/api/maps?userToken=lab1".
        body: What is sent as JSON; None sends no body.
        headers: Beside those that every request has.
        file: What is uploaded, in place of a body.
    """

    method: str
    target: str
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    file: File | None = None

    def __str__(self) -> str:
        """Return what logs and errors show, e.g. "PUT /api/maps/1/start"."""
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Attributes:
        status: HTTP status.
        reason: The words behind it.
        body: As it came, less transfer encoding.
        command: The request, for messages.
        sent_ns: time.monotonic_ns() just before the first byte of the request left.
        acknowledged_ns: Just after the last byte of the answer arrived.
    """

    status: int
    reason: str
    body: bytes
    command: str
    sent_ns: int
    acknowledged_ns: int

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is shown as backslash escapes."""
        return self.body.decode("utf-8", "backslashreplace")


class Credentials(Protocol):
    """How a server is told who we are, by a token that it gives out and takes back when it likes."""

    def login(self) -> Message:
        """Return the request that a token is asked for with."""

    def read_token(self, content: Json) -> str:
        """Return the token in the answer to it. Raises ValueError."""

    def dress(self, message: Message, token: str) -> Message:
        """Return a message that carries the token."""


@dataclass(frozen=True, slots=True)
class BearerLogin:
    """Credentials of a server that gives out a bearer token (RFC 6750) for a user name and a password.

    Attributes:
        target: Where the token is asked for.
        user: User name.
        password: May be empty.
    """

    target: str
    user: str
    password: str

    def login(self) -> Message:
        """Return the request that a token is asked for with."""
        return Message("POST", self.target, {"username": self.user, "password": self.password})

    def read_token(self, content: Json) -> str:
        """Return the token. Raises ValueError."""
        token = content.get("token") if isinstance(content, Mapping) else None
        if not isinstance(token, str) or not token:
            raise ValueError("no token in the answer")
        return token

    def dress(self, message: Message, token: str) -> Message:
        """Return the message with the header that carries the token."""
        return replace(message, headers={**message.headers, "authorization": f"Bearer {token}"})
