"""The HTTP link: one appliance, one exchange at a time, each with one deadline and an honest error.

Not a `LineLink`, since an answer is a status and a body; what it promises is the same as `Link` promises.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from threading import Lock
from time import monotonic_ns, sleep
from typing import Self

import httpx

from impairlab.drivers.links.http_channel import (
    BadMessageError,
    Endpoint,
    HttpChannel,
    RawAnswer,
    WrongCertificateError,
    connected,
)
from impairlab.drivers.links.http_message import Answer, Credentials, Message
from impairlab.drivers.links.json_text import Json, read_json, write_json
from impairlab.drivers.links.line_link import DEFAULT_CONNECT_TIMEOUT_NS, DEFAULT_TIMEOUT_NS, LONGEST_LINE, SECOND_NS
from impairlab.drivers.links.link import Greeting
from impairlab.drivers.links.patience import patiently
from impairlab.drivers.links.wire_log import Redaction, WireDirection, WireLog, WireRecord
from impairlab.drivers.model.errors import (
    AuthError,
    CertificateChanged,
    ConnectError,
    ConnectionLost,
    ImpairlabError,
    IncompatiblePeer,
    InstrumentError,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    RebootDetected,
    SessionLimit,
    TransportError,
    UnexpectedOutput,
    UntrustedCertificate,
)

_LOGGED_BODY = 65_536
_UNAUTHORISED = 401


class HttpLink:
    """A way to an appliance that is programmed over HTTP or HTTPS. Safe to use from several threads.

    Connects on construction, and greets. The connection is kept alive while the server likes; a server that says that
    it closes is connected to anew in silence, any other end makes the link greet the appliance again.

    Nothing that may change something is ever sent twice, but for what a server has refused with 401: then the token is
    asked for anew, once. What changes nothing is asked again, once, when the server closed a connection that was idle
    without a word of an answer.

    Args:
        place: Where the server is.
        name: What errors call the appliance; the place when None.
        greeting: Run on a new connection before anything else; asks with a path, is answered with a body.
        wire_log: Where every request and answer is recorded; not closed by the link.
        secrets: Texts that are hidden in the log and in errors; tokens are hidden as well.
        credentials: How to log in, where the appliance asks for it.
        timeout_ns: Deadline of an exchange from its first byte, unless the call gives its own.
        connect_timeout_ns: How long making a connection may take, TLS included.
        gap_ns: Least time from the end of one exchange to the start of the next.
        longest_body: Bytes after which an answer is given up.

    All methods that talk raise:
        ConnectError, CertificateChanged, UntrustedCertificate, IncompatiblePeer: No connection.
        SessionLimit: The peer accepts and closes before it has answered the greeting.
        ConnectionLost: The connection ended before the answer did; known at once.
        NoResponse, PartialResponse: The deadline passed; `seen` holds what had arrived.
        MalformedResponse: The answer is no HTTP, or longer than the bound.
        UnexpectedOutput: The server sends us elsewhere.
        AuthError: The credentials are refused.
        IdentityMismatch, RebootDetected: From the greeting.
    """

    def __init__(
        self,
        place: Endpoint,
        *,
        name: str | None = None,
        greeting: Greeting | None = None,
        wire_log: WireLog | None = None,
        secrets: Iterable[str] = (),
        credentials: Credentials | None = None,
        timeout_ns: int = DEFAULT_TIMEOUT_NS,
        connect_timeout_ns: int = DEFAULT_CONNECT_TIMEOUT_NS,
        gap_ns: int = 0,
        longest_body: int = LONGEST_LINE,
    ) -> None:
        self.address = str(place)
        self.name = name or self.address
        self._place = place
        self._greeting = greeting
        self._wire_log = wire_log
        self._secrets = tuple(secrets)
        self._redaction = Redaction(self._secrets)
        self._credentials = credentials
        self._token: str | None = None
        self._timeout_ns = timeout_ns
        self._connect_timeout_ns = connect_timeout_ns
        self._gap_ns = gap_ns
        self._longest_body = longest_body
        self._lock = Lock()
        self._channel: HttpChannel | None = None
        self._is_greeted = False
        self._idle_since_ns = 0
        self._is_closed = False
        with self._lock:
            self._make_ready()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, target: str, timeout_ns: int | None = None) -> Answer:
        """Ask something that changes nothing; errors say that it may be asked again."""
        return self.call(Message("GET", target), timeout_ns)

    def call(self, message: Message, timeout_ns: int | None = None) -> Answer:
        """Exchange one message. A GET changes nothing; after any other that failed the state is unknown."""
        with self._lock:
            self._make_ready()
            return self._authorised(message, timeout_ns)

    def log_in_with(self, credentials: Credentials) -> None:
        """Log in from now on, for an appliance that says only once it is asked that it wants that."""
        with self._lock:
            self._credentials = credentials
            self._token = None

    def json(self, answer: Answer) -> Json:
        """Return what the body of an answer says.

        Raises:
            MalformedResponse: It is no JSON.
        """
        try:
            return read_json(answer.body)
        except (ValueError, RecursionError) as error:
            raise self.malformed(answer, f"answered what is no JSON: {error}") from error

    def malformed(self, answer: Answer, problem: str) -> MalformedResponse:
        """Return the error for an answer that cannot be read as what was asked for."""
        harmless = answer.command.startswith("GET ")
        return MalformedResponse(
            problem, appliance=self.name, command=self._redaction.hide(answer.command),
            seen=self._redaction.hide_bytes(answer.body[:4096]), state_known=harmless, retryable=harmless,
        )  # fmt: skip

    def desynchronise(self, reason: str) -> None:
        """Start on a new connection next time, and greet."""
        with self._lock:
            self._drop(reason)

    def resynchronise(self, within_ns: int) -> None:
        """Make a new connection now and greet; keep trying for `within_ns` while the appliance refuses or is mute."""
        with self._lock:
            self._drop("asked to resynchronise")
            patiently(self._make_ready, within_ns)

    def close(self) -> None:
        """Close for good. A second call does nothing."""
        with self._lock:
            self._is_closed = True
            self._drop("closed")

    def _make_ready(self) -> HttpChannel:
        """Return a connection to an appliance that has been greeted."""
        channel = self._connection()
        if self._is_greeted:
            return channel
        self._is_greeted = True
        if self._greeting is not None:
            self._greet(self._greeting)
        return self._connection()

    def _connection(self) -> HttpChannel:
        if self._channel is not None and not self._channel.is_sound():
            self._drop("the peer closed the connection")
        if self._channel is None:
            self._channel = HttpChannel(self._connect(), self._longest_body)
            self._record("event", "connected")
        return self._channel

    def _greet(self, greeting: Greeting) -> None:
        try:
            greeting(self._ask)
        except RebootDetected:
            raise  # the connection is as good as any
        except ConnectionLost as error:
            if error.seen:
                raise
            raise SessionLimit(
                "accepted the connection and closed it unanswered: all its sessions may be taken",
                appliance=self.name, command=error.command, retryable=True,
            ) from error  # fmt: skip
        except ImpairlabError:
            self._drop("the greeting failed")
            raise

    def _ask(self, target: str) -> str:
        answer = self._authorised(Message("GET", target), None)
        if not answer.is_success:
            raise InstrumentError([(answer.status, answer.text)], appliance=self.name, command=answer.command)
        return answer.text

    def _authorised(self, message: Message, timeout_ns: int | None) -> Answer:
        credentials = self._credentials
        if credentials is None:
            answer = self._exchange(message, timeout_ns)
        else:
            token = self._log_in(credentials) if self._token is None else self._token
            answer = self._exchange(credentials.dress(message, token), timeout_ns)
            if answer.status == _UNAUTHORISED:
                answer = self._exchange(credentials.dress(message, self._log_in(credentials)), timeout_ns)
        if answer.status == _UNAUTHORISED:
            raise AuthError(f"refuses us: {self._words(answer)}", appliance=self.name, command=answer.command)
        return answer

    def _log_in(self, credentials: Credentials) -> str:
        """Return a new token; the answer that brings it is recorded only once the token is known, and hidden."""
        message = credentials.login()
        self._token = None
        raw = self._attempt(self._connection(), message, None)
        answer = self._answer(message, raw)
        if not answer.is_success:
            self._record("received", f"{answer.status} {answer.text}")
            raise AuthError(f"refuses to log us in: {self._words(answer)}", appliance=self.name, command=answer.command)
        try:
            self._token = token = credentials.read_token(read_json(answer.body))
        except (ValueError, RecursionError) as error:
            raise MalformedResponse(
                f"logged us in without a token: {error}", appliance=self.name, command=answer.command
            ) from error
        self._redaction = Redaction([*self._secrets, token])
        self._record("received", f"{answer.status} {answer.text}")
        return token

    def _exchange(self, message: Message, timeout_ns: int | None) -> Answer:
        channel = self._connection()
        was_used = channel.exchanges > 0
        try:
            raw = self._attempt(channel, message, timeout_ns)
        except ConnectionLost as error:
            if not (was_used and error.retryable and not error.seen):
                raise
            raw = self._attempt(self._make_ready(), message, timeout_ns)
        answer = self._answer(message, raw)
        self._record("received", f"{answer.status} {answer.text[:_LOGGED_BODY]}")
        if 300 <= answer.status < 400:
            raise UnexpectedOutput(
                f"sends us elsewhere, with status {answer.status} to {raw.location!r}: use that address",
                appliance=self.name, command=answer.command, seen=answer.body[:4096],
            )  # fmt: skip
        return answer

    def _attempt(self, channel: HttpChannel, message: Message, timeout_ns: int | None) -> RawAnswer:
        request = self._request(message)
        if self._gap_ns:
            self._keep_gap()
        content = request.read()
        sent = content.decode() if message.file is None else f"<{message.file.name}, {len(message.file.content)} bytes>"
        self._record("sent", f"{message} {sent}".rstrip())
        try:
            raw = channel.exchange(request, self._timeout_ns if timeout_ns is None else timeout_ns)
        except BaseException as error:
            # Also after Ctrl-C: an answer may still come, and would be taken for the next one's.
            seen = self._shown(message, channel.seen)
            if seen:
                self._record("received", seen.decode("ascii", "backslashreplace"))
            self._drop("an exchange did not end")
            self._raise_failure(error, message, seen)
            raise
        self._idle_since_ns = raw.acknowledged_ns
        if not channel.is_reusable:
            channel.close()
            self._channel = None
        return raw

    def _shown(self, message: Message, seen: bytes) -> bytes:
        """Return what came without secrets; what begins to answer a login may hold a token that nobody knows yet."""
        if seen and self._credentials is not None and message == self._credentials.login():
            return b"***"
        return self._redaction.hide_bytes(seen)

    def _request(self, message: Message) -> httpx.Request:
        headers = {"accept": "application/json", "accept-encoding": "identity", **message.headers}
        content = None
        if message.body is not None:
            content = write_json(message.body)
            headers["content-type"] = "application/json"
        url = self.address + message.target
        if message.file is not None:
            form = {message.file.field: (message.file.name, message.file.content, message.file.media_type)}
            return httpx.Request(message.method, url, headers=headers, files=form)
        return httpx.Request(message.method, url, headers=headers, content=content)

    def _raise_failure(self, error: BaseException, message: Message, seen: bytes) -> None:
        """Raise what an exchange died of in the words of every link; return when it is nothing of the link's."""
        kind: type[ImpairlabError]
        match error:
            case TimeoutError() if seen:
                kind, problem = PartialResponse, "the answer did not end before the deadline"
            case TimeoutError():
                kind, problem = NoResponse, "no answer before the deadline"
            case BadMessageError():
                kind, problem = MalformedResponse, str(error)
            case OSError():
                kind, problem = ConnectionLost, error.strerror or str(error)
            case _:
                return
        harmless = message.method == "GET"
        command = self._redaction.hide(str(message))
        raise kind(
            problem, appliance=self.name, command=command, seen=seen, state_known=harmless, retryable=harmless
        ) from error

    def _connect(self) -> socket.socket:
        if self._is_closed:
            raise TransportError("the link is closed", appliance=self.name)
        place = f"{self._place.host} port {self._place.port}"
        try:
            return connected(self._place, self._connect_timeout_ns)
        except WrongCertificateError as error:
            raise self._distrust(error) from error
        except ssl.SSLError as error:
            raise IncompatiblePeer(
                f"{place} speaks no TLS that we speak: {error.reason}", appliance=self.name
            ) from error
        except socket.gaierror as error:
            problem = f"{self._place.host!r} does not resolve: {error.strerror}"
            raise ConnectError(problem, appliance=self.name) from error
        except ConnectionRefusedError as error:
            raise ConnectError(f"{place} refused the connection", appliance=self.name, retryable=True) from error
        except TimeoutError as error:
            problem = f"no connection within {self._connect_timeout_ns / SECOND_NS:g} s to {place}"
            raise ConnectError(problem, appliance=self.name, retryable=True) from error
        except OSError as error:
            problem = f"{place} is unreachable: {error.strerror or error}"
            raise ConnectError(problem, appliance=self.name, retryable=True) from error

    def _distrust(self, error: WrongCertificateError) -> TransportError:
        if self._place.fingerprint:
            return CertificateChanged(
                f"shows a certificate with the SHA-256 fingerprint {error.fingerprint}, pinned is "
                f"{self._place.fingerprint}: somebody else answers, or it was made anew",
                appliance=self.name,
            )
        return UntrustedCertificate(
            f"shows a certificate that is not trusted ({error}); if it is the appliance's own, pin it: add "
            f"fingerprint={error.fingerprint} to the settings of the address",
            appliance=self.name,
        )

    def _answer(self, message: Message, raw: RawAnswer) -> Answer:
        command = self._redaction.hide(str(message))
        return Answer(raw.status, raw.reason, raw.body, command, raw.sent_ns, raw.acknowledged_ns)

    def _words(self, answer: Answer) -> str:
        return self._redaction.hide(f"status {answer.status} {answer.text[:200] or answer.reason}")

    def _keep_gap(self) -> None:
        while (left_ns := self._idle_since_ns + self._gap_ns - monotonic_ns()) > 0:
            sleep(left_ns / SECOND_NS)

    def _drop(self, reason: str) -> None:
        channel, self._channel = self._channel, None
        self._is_greeted = False
        if channel is not None:
            channel.close()
            self._record("event", f"dropped: {reason}")

    def _record(self, direction: WireDirection, text: str) -> None:
        if self._wire_log is not None:
            self._wire_log.record(WireRecord(monotonic_ns(), direction, self._redaction.hide(text)))
