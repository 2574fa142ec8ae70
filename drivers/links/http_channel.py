"""One HTTP/1.1 connection: a request and its answer have one deadline, from the first byte to the last.

Messages are httpx's; the connection is ours, on h11, which httpx itself speaks HTTP with. The one of httpx counts its
time-outs anew with every read, so that a server which drips is never given up, does not show what had come before a
failure, and takes what comes behind an answer for the next one.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic_ns
from typing import NamedTuple

import h11
import httpx

SECOND_NS = 1_000_000_000
KEPT_OF_AN_ANSWER = 4096
"""Bytes of an answer that an error can show."""

_READ_SIZE = 65_536


class BadMessageError(ValueError):
    """What came is no HTTP, is longer than the bound, or is encoded in a way that nobody asked for."""


class WrongCertificateError(OSError):
    """The peer's certificate is not the pinned one, or is not trusted and not pinned.

    Attributes:
        fingerprint: SHA-256 of the certificate that the peer showed, in hex.
    """

    def __init__(self, fingerprint: str, problem: str) -> None:
        self.fingerprint = fingerprint
        super().__init__(problem)


class RawAnswer(NamedTuple):
    """An answer as it came; see `impairlab.drivers.links.http.Answer`."""

    status: int
    reason: str
    location: str
    body: bytes
    sent_ns: int
    acknowledged_ns: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an HTTP server is.

    Attributes:
        scheme: http or https.
        host: Name or address.
        port: TCP port.
        fingerprint: SHA-256 of the only certificate to accept, in hex; "" for any that the system trusts.
    """

    scheme: str
    host: str
    port: int
    fingerprint: str = ""

    def __str__(self) -> str:
        """Return e.g. "https://192.0.2.1:443"."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def read_fingerprint(text: str) -> str:
    """Return a SHA-256 fingerprint in lower-case hex without colons. Raises ValueError."""
    digits = text.replace(":", "").lower()
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise ValueError(f"{text!r} is no SHA-256 fingerprint: 64 hex digits, with or without colons")
    return digits


def connected(place: Endpoint, timeout_ns: int) -> socket.socket:
    """Return a connected socket, encrypted where the scheme says so.

    Raises:
        WrongCertificateError: See there.
        ssl.SSLError: The peer speaks no TLS, or none that we speak.
        OSError: As a socket raises it.
    """
    until_ns = monotonic_ns() + timeout_ns
    sock = socket.create_connection((place.host, place.port), timeout_ns / SECOND_NS)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if place.scheme != "https":
            return sock
        sock.settimeout(max(until_ns - monotonic_ns(), 1) / SECOND_NS)
        return _encrypted(sock, place)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        shown = _fingerprint_shown_at(place, timeout_ns)
        raise WrongCertificateError(shown, error.verify_message) from error
    except BaseException:
        sock.close()
        raise


def _encrypted(sock: socket.socket, place: Endpoint) -> ssl.SSLSocket:
    if not place.fingerprint:
        return ssl.create_default_context().wrap_socket(sock, server_hostname=place.host)
    encrypted = _trusting_nobody().wrap_socket(sock, server_hostname=place.host)
    shown = _fingerprint(encrypted)
    if shown != read_fingerprint(place.fingerprint):
        encrypted.close()
        raise WrongCertificateError(shown, "not the pinned certificate")
    return encrypted


def _fingerprint_shown_at(place: Endpoint, timeout_ns: int) -> str:
    """Ask for the certificate once more; nothing is sent on that connection."""
    with (
        socket.create_connection((place.host, place.port), timeout_ns / SECOND_NS) as sock,
        _trusting_nobody().wrap_socket(sock, server_hostname=place.host) as encrypted,
    ):
        return _fingerprint(encrypted)


def _trusting_nobody() -> ssl.SSLContext:
    """A context whose connections are compared with a fingerprint afterwards, or only looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _fingerprint(sock: ssl.SSLSocket) -> str:
    certificate = sock.getpeercert(binary_form=True) or b""
    return hashlib.sha256(certificate).hexdigest()


class HttpChannel:
    """A connection that is kept alive while the peer keeps it; owns the socket.

    Attributes:
        seen: The first bytes of the latest answer, for errors.
        exchanges: How many have ended.
        is_reusable: False once the peer has said, or shown, that it ends here.
    """

    def __init__(self, sock: socket.socket, longest_body: int) -> None:
        self._socket = sock
        self._longest_body = longest_body
        self._protocol = h11.Connection(h11.CLIENT)
        self._has_ended = False
        self.seen = b""
        self.exchanges = 0
        self.is_reusable = True

    def is_sound(self) -> bool:
        """Whether the idle connection is still there and nobody has sent anything on it unasked."""
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def exchange(self, request: httpx.Request, timeout_ns: int) -> RawAnswer:
        """Send a request and return its answer.

        Raises:
            TimeoutError: The deadline passed.
            BadMessageError: See there.
            OSError: The connection is gone.
        """
        self.seen = b""
        sent_ns = monotonic_ns()
        until_ns = sent_ns + timeout_ns
        with suppress(BrokenPipeError):  # a server may answer before it has read everything, and close
            self._send(request, until_ns)
        head, body = self._receive(until_ns)
        acknowledged_ns = monotonic_ns()
        self.exchanges += 1
        self._see_whether_it_goes_on()
        headers = httpx.Headers(head.headers.raw_items())
        if headers.get("content-encoding", "identity") != "identity":
            raise BadMessageError(f"answered in encoding {headers['content-encoding']!r}, which nobody asked for")
        return RawAnswer(
            head.status_code, head.reason.decode("ascii", "replace"), headers.get("location", ""), body, sent_ns,
            acknowledged_ns,
        )  # fmt: skip

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, request: httpx.Request, until_ns: int) -> None:
        body = request.read()
        event = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        content = self._protocol.send(event) or b""
        if body:
            content += self._protocol.send(h11.Data(body)) or b""
        content += self._protocol.send(h11.EndOfMessage()) or b""
        while content:
            self._socket.settimeout(_left(until_ns))
            content = content[self._socket.send(content) :]

    def _receive(self, until_ns: int) -> tuple[h11.Response, bytes]:
        head: h11.Response | None = None
        body = bytearray()
        while True:
            event = self._next_event(until_ns)
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._longest_body:
                    raise BadMessageError(f"answered more than {self._longest_body} bytes")
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return head, bytes(body)
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("the peer closed the connection")

    def _next_event(self, until_ns: int) -> type[h11.NEED_DATA | h11.PAUSED] | h11.Event:
        while True:
            try:
                event = self._protocol.next_event()
            except h11.RemoteProtocolError as error:
                if self._has_ended:
                    raise ConnectionResetError("the peer closed the connection") from error
                raise BadMessageError(f"answered what is no HTTP: {error}") from error
            if event is not h11.NEED_DATA:
                return event
            self._socket.settimeout(_left(until_ns))
            content = self._socket.recv(_READ_SIZE)
            self._has_ended = not content
            self.seen += content[: KEPT_OF_AN_ANSWER - len(self.seen)]
            self._protocol.receive_data(content)

    def _see_whether_it_goes_on(self) -> None:
        has_more, _ = self._protocol.trailing_data
        done = h11.DONE
        self.is_reusable = self._protocol.our_state is done is self._protocol.their_state and not has_more
        if self.is_reusable:
            self._protocol.start_next_cycle()


def _left(until_ns: int) -> float:
    left_ns = until_ns - monotonic_ns()
    if left_ns <= 0:
        raise TimeoutError
    return left_ns / SECOND_NS
