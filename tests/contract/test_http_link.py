"""The HTTP link against servers on real sockets that misbehave in every known way."""

import datetime as dt
import hashlib
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from impairlab.drivers.links.http import HttpLink
from impairlab.drivers.links.http_channel import Endpoint
from impairlab.drivers.links.http_message import BearerLogin, Message
from impairlab.drivers.links.wire_log import WireLog, read_wire_log
from impairlab.drivers.model.errors import (
    AuthError,
    CertificateChanged,
    ConnectError,
    ConnectionLost,
    IdentityMismatch,
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
from impairlab.drivers.testing.http_peers import (
    HttpRequest,
    HttpScript,
    answering_http,
    http_peer,
    json_response,
    read_request,
    response,
)
from impairlab.drivers.testing.peers import SocketWire

MS = 1_000_000
LONG_NS = 20_000 * MS
SHORT_NS = 80 * MS
AT_ONCE_NS = 5_000 * MS


@contextmanager
def link_to(script: HttpScript, **options) -> Iterator[HttpLink]:
    options.setdefault("timeout_ns", LONG_NS)
    with http_peer(script) as (host, port), HttpLink(Endpoint("http", host, port), **options) as link:
        yield link


def echo(request: HttpRequest) -> bytes:
    return response(200, f"{request.method} {request.target} ".encode() + request.body)


def sending(*contents: bytes) -> HttpScript:
    """Answer the first request of the nth connection with the nth bytes and close; later ones echo."""

    def serve(number: int, wire: SocketWire) -> None:
        if number <= len(contents):
            if read_request(wire) is not None:
                wire.send(contents[number - 1])
            return
        answering_http(echo)(number, wire)

    return serve


def test_get_and_write_bring_status_body_and_the_bracket_in_which_the_server_acted() -> None:
    acted: list[int] = []

    def act(request: HttpRequest) -> bytes:
        acted.append(time.monotonic_ns())
        return echo(request)

    with link_to(answering_http(act)) as link:
        assert link.get("/api/maps?userToken=lab1").text == "GET /api/maps?userToken=lab1 "
        answer = link.call(Message("PUT", "/api/x", {"Delay": 100000, "on": True}))
    assert answer.text == 'PUT /api/x {"Delay": 100000, "on": true}'
    assert (answer.status, answer.is_success) == (200, True)
    assert answer.sent_ns <= acted[1] <= answer.acknowledged_ns


def test_statuses_that_are_no_redirect_are_the_callers_business() -> None:
    with link_to(answering_http(lambda request: response(int(request.target[1:]), b"so it is"))) as link:
        for status in (200, 204, 400, 404, 409, 500, 503):
            answer = link.get(f"/{status}")
            assert (answer.status, answer.is_success) == (status, status < 300)


def test_redirect_is_refused_and_says_where_to() -> None:
    moved = response(301, b"", "Location: https://elsewhere/")
    with link_to(answering_http(lambda _: moved)) as link:
        with pytest.raises(UnexpectedOutput, match="https://elsewhere/") as raised:
            link.call(Message("PUT", "/x", {}))
        assert raised.value.state_known


def test_nobody_there_a_name_that_does_not_resolve_and_a_host_that_is_mute_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectError, match="refused") as raised:
        HttpLink(Endpoint("http", "127.0.0.1", port))
    assert raised.value.retryable
    assert raised.value.appliance == f"http://127.0.0.1:{port}"
    with pytest.raises(ConnectError, match="does not resolve"):
        HttpLink(Endpoint("http", "no-such-host.invalid", 80))
    with socket.socket() as full:  # a full backlog drops connection requests, as a firewall does
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        with pytest.raises(ConnectError, match="no connection within"):
            HttpLink(Endpoint("http", *full.getsockname()), connect_timeout_ns=100 * MS)
        for sock in waiting:
            sock.close()


def test_server_closing_instead_of_answering_is_known_at_once() -> None:
    with link_to(sending(b"", b"")) as link:
        started = time.monotonic_ns()
        with pytest.raises(ConnectionLost) as raised:
            link.get("/a")
        assert time.monotonic_ns() - started < AT_ONCE_NS
        assert (raised.value.command, raised.value.state_known, raised.value.retryable) == ("GET /a", True, True)
        with pytest.raises(ConnectionLost) as raised:
            link.call(Message("PUT", "/b", {}))
        assert (raised.value.state_known, raised.value.retryable) == (False, False)
        assert link.get("/c").text == "GET /c "


@pytest.mark.parametrize(
    "partial",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
    ],
)
def test_server_closing_in_the_middle_of_an_answer_shows_what_came(partial: bytes) -> None:
    with link_to(sending(partial)) as link:
        with pytest.raises(ConnectionLost) as raised:
            link.call(Message("PUT", "/x", {}))
        assert raised.value.seen == partial
        assert link.get("/c").text == "GET /c "


def test_reset_is_connection_lost() -> None:
    def reset(_number: int, wire: SocketWire) -> None:
        read_request(wire)
        wire.reset()

    with link_to(reset) as link, pytest.raises(ConnectionLost):
        link.get("/x")


def test_mute_server_is_no_response_at_the_deadline_and_its_late_answer_is_never_the_next_ones() -> None:
    over = Event()

    def late_at_first(number: int, wire: SocketWire) -> None:
        while (request := read_request(wire)) is not None:
            if request.target == "/slow":
                over.wait(10)
            wire.send(response(200, f"{number}{request.target}".encode()))

    with link_to(late_at_first) as link:
        started = time.monotonic_ns()
        with pytest.raises(NoResponse) as raised:
            link.get("/slow", SHORT_NS)
        assert SHORT_NS <= time.monotonic_ns() - started < AT_ONCE_NS
        assert raised.value.retryable
        over.set()
        assert [link.get(f"/{n}").text for n in range(5)] == [f"2/{n}" for n in range(5)]


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_slow_drip_meets_the_deadline_though_every_read_brings_something(head: bytes) -> None:
    over = Event()

    def drip(number: int, wire: SocketWire) -> None:
        if number > 1:
            answering_http(echo)(number, wire)
            return
        read_request(wire)
        wire.send(head)
        while not over.wait(0.005):
            wire.send(b"x")

    with link_to(drip) as link:
        started = time.monotonic_ns()
        with pytest.raises(PartialResponse) as raised:
            link.call(Message("PUT", "/x", {}), SHORT_NS)
        over.set()
        assert SHORT_NS <= time.monotonic_ns() - started < AT_ONCE_NS
        assert raised.value.seen.startswith(head)
        assert not raised.value.state_known
        assert link.get("/y").text == "GET /y "


def test_answer_in_pieces_is_put_together() -> None:
    def piecemeal(_number: int, wire: SocketWire) -> None:
        while (request := read_request(wire)) is not None:
            for byte in echo(request):
                wire.send(bytes([byte]))

    with link_to(piecemeal) as link:
        assert link.get("/abc").text == "GET /abc "


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\xfe#!\r\n\r\n",
        b"220 FTP ready\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n",
        response(200, b"x" * 5000),
        b"HTTP/1.1 200 OK\r\nX: " + b"h" * 200_000 + b"\r\n\r\n",
        response(200, b"\x1f\x8b\x08", "Content-Encoding: gzip"),
    ],
)
def test_what_is_no_http_or_has_no_bound_is_malformed(garbage: bytes) -> None:
    with link_to(sending(garbage), longest_body=1000) as link:
        with pytest.raises(MalformedResponse) as raised:
            link.call(Message("PUT", "/x", {}))
        assert garbage.startswith(raised.value.seen)
        assert raised.value.seen
        assert not raised.value.state_known
        assert link.get("/y").text == "GET /y "


def test_longest_body_is_taken() -> None:
    with link_to(answering_http(lambda _: response(200, b"x" * 1000)), longest_body=1000) as link:
        assert len(link.get("/x").body) == 1000


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": NaN}', b'{"a":', b"[" * 100_000, b"\xff\xfe"])
def test_body_that_is_no_json_is_malformed_and_shown(body: bytes) -> None:
    with link_to(answering_http(lambda _: response(200, body))) as link:
        answer = link.call(Message("PUT", "/x", {}))
        with pytest.raises(MalformedResponse, match="no JSON") as raised:
            link.json(answer)
        assert raised.value.seen == body[:4096]
        assert raised.value.command == "PUT /x"
        assert not raised.value.state_known


def test_bytes_behind_an_answer_are_never_the_next_answer() -> None:
    def too_much(number: int, wire: SocketWire) -> None:
        while (request := read_request(wire)) is not None:
            wire.send(echo(request) + (response(200, b"stray") if number == 1 else b""))

    with link_to(too_much) as link:
        assert link.get("/a").text == "GET /a "
        assert link.get("/b").text == "GET /b "


def test_idle_connection_that_the_server_closed_is_made_anew_in_silence_for_a_write_too() -> None:
    closed = Event()

    def one_each(_number: int, wire: SocketWire) -> None:
        request = read_request(wire)
        if request is not None:
            wire.send(echo(request))
            wire.close()
            closed.set()

    with link_to(one_each) as link:
        for _ in range(3):
            closed.clear()
            assert link.call(Message("PUT", "/a", {})).is_success
            assert closed.wait(10)


def test_stale_connection_is_asked_again_only_for_what_changes_nothing() -> None:
    seen: list[str] = []
    lock = Lock()

    def forgetful(_number: int, wire: SocketWire) -> None:
        """Answer one request of a connection, take in another, and close without a word."""
        first = read_request(wire)
        if first is None:
            return
        wire.send(echo(first))
        second = read_request(wire)
        if second is not None:
            with lock:
                seen.append(f"{second.method} {second.target}")

    with link_to(forgetful) as link:
        link.get("/a")
        assert link.get("/b").text == "GET /b "
        with pytest.raises(ConnectionLost) as raised:
            link.call(Message("PUT", "/c", {}))
        assert not raised.value.state_known
    assert seen == ["GET /b", "PUT /c"]


def test_server_that_says_that_it_closes_is_not_greeted_again() -> None:
    greetings: list[str] = []

    def one_each(number: int, wire: SocketWire) -> None:
        request = read_request(wire)
        if request is not None:
            wire.send(response(200, str(number).encode(), "Connection: close"))

    with link_to(one_each, greeting=lambda ask: greetings.append(ask("/who"))) as link:
        assert [link.get("/x").text for _ in range(3)] == ["2", "3", "4"]
        link.desynchronise("a test says so")
        assert link.get("/x").text == "6"
    assert greetings == ["1", "5"]


def test_greeting_that_finds_another_appliance_or_a_reboot_is_told_before_anything_is_sent() -> None:
    writes: list[str] = []

    def serve(request: HttpRequest) -> bytes:
        if request.method == "PUT":
            writes.append(request.target)
        return echo(request)

    raised = iter([None, IdentityMismatch("another"), RebootDetected("restarted", state_known=False), None])

    def greeting(ask) -> None:
        ask("/who")
        error = next(raised)
        if error is not None:
            raise error

    with link_to(answering_http(serve), greeting=greeting) as link:
        for error in (IdentityMismatch, RebootDetected):
            link.desynchronise("a test says so")
            with pytest.raises(error):
                link.call(Message("PUT", "/x", {}))
        assert writes == []
        assert link.call(Message("PUT", "/y", {})).is_success
    assert writes == ["/y"]


def test_greeting_that_is_refused_says_with_what() -> None:
    with (
        pytest.raises(InstrumentError, match="500 boot"),
        link_to(answering_http(lambda _: response(500, b"booting")), greeting=lambda ask: ask("/who")),
    ):
        pass


def test_server_that_hangs_up_on_the_greeting_has_no_session_left() -> None:
    with (
        pytest.raises((SessionLimit, ConnectError)),
        link_to(lambda _number, wire: wire.close(), greeting=lambda ask: ask("/who")),
    ):
        pass


def test_resynchronise_waits_for_a_server_that_boots() -> None:
    def slow_boot(number: int, wire: SocketWire) -> None:
        while (request := read_request(wire)) is not None:
            if number in {2, 3}:
                return
            wire.send(echo(request))

    with link_to(slow_boot, greeting=lambda ask: ask("/who")) as link:
        link.resynchronise(LONG_NS)
        assert link.get("/x").text == "GET /x "


def test_four_threads_get_their_own_answers() -> None:
    def ask(thread: int) -> list[str]:
        return [link.get(f"/{thread}/{n}").text for n in range(50)]

    with link_to(answering_http(echo)) as link, ThreadPoolExecutor(4) as pool:
        for thread, replies in enumerate(pool.map(ask, range(4))):
            assert replies == [f"GET /{thread}/{n} " for n in range(50)]


def test_gap_keeps_exchanges_apart() -> None:
    with link_to(answering_http(echo), gap_ns=20 * MS) as link:
        first, second = link.get("/a"), link.get("/b")
    assert second.sent_ns - first.acknowledged_ns >= 20 * MS


def test_closed_link_says_so() -> None:
    with link_to(answering_http(echo)) as link:
        link.close()
        link.close()
        with pytest.raises(TransportError, match="closed"):
            link.get("/a")


class Bearer:
    """A server that gives out tokens and takes back those that a test says."""

    def __init__(self) -> None:
        self.given = 0
        self.valid: set[str] = set()
        self.writes = 0
        self.refuses_all = False

    def __call__(self, request: HttpRequest) -> bytes:
        if request.target == "/users/authenticate":
            if request.json != {"username": "lab1", "password": "hunter2"}:
                return response(403, b"wrong password")
            self.given += 1
            token = f"t0ken-{self.given}"
            self.valid = {f"Bearer {token}"}
            return json_response(200, {"token": token})
        if self.refuses_all or request.headers.get("authorization") not in self.valid:
            return response(401, b"who are you?")
        self.writes += request.method == "PUT"
        return response(200, request.headers["authorization"].encode())


LOGIN = BearerLogin("/users/authenticate", "lab1", "hunter2")


def test_token_is_asked_for_once_used_and_asked_for_anew_at_401() -> None:
    server = Bearer()
    with link_to(answering_http(server), credentials=LOGIN) as link:
        assert link.get("/x").text == link.get("/y").text == "Bearer t0ken-1"
        server.valid.clear()
        assert link.call(Message("PUT", "/x", {})).text == "Bearer t0ken-2"
    assert (server.given, server.writes) == (2, 1)


def test_token_that_is_refused_when_new_is_an_authentication_error() -> None:
    server = Bearer()
    server.refuses_all = True
    with link_to(answering_http(server), credentials=LOGIN) as link:
        with pytest.raises(AuthError, match="who are you"):
            link.get("/x")
        assert server.given == 2
        server.refuses_all = False
        assert link.get("/x").is_success


def test_wrong_password_and_401_without_credentials_are_authentication_errors() -> None:
    with link_to(answering_http(Bearer()), credentials=BearerLogin("/users/authenticate", "lab1", "wr0ng")) as link:
        with pytest.raises(AuthError, match="wrong password") as raised:
            link.get("/x")
        assert "wr0ng" not in str(raised.value)
    with link_to(answering_http(Bearer())) as link, pytest.raises(AuthError):
        link.get("/x")


@pytest.mark.parametrize("answer", [b"{}", b'{"token": 7}', b'{"token": ""}', b"[]", b"<html>"])
def test_login_without_a_token_is_malformed(answer: bytes) -> None:
    with (
        link_to(answering_http(lambda _: response(200, answer)), credentials=LOGIN) as link,
        pytest.raises(MalformedResponse, match="without a token"),
    ):
        link.get("/x")


def test_wire_log_holds_every_request_and_answer_and_neither_password_nor_token(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    with (
        WireLog(path) as log,
        link_to(answering_http(Bearer()), credentials=LOGIN, secrets=["hunter2"], wire_log=log) as link,
    ):
        link.call(Message("PUT", "/api/x", {"Delay": 5}))
    records = [(each.direction, each.text) for each in read_wire_log(path) if each.direction != "event"]
    assert records == [
        ("sent", 'POST /users/authenticate {"username": "lab1", "password": "***"}'),
        ("received", '200 {"token": "***"}'),
        ("sent", 'PUT /api/x {"Delay": 5}'),
        ("received", "200 Bearer ***"),
    ]
    assert "t0ken" not in path.read_text()
    assert "hunter2" not in path.read_text()


def test_login_that_is_cut_short_shows_nothing_of_its_token(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    cut = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"token": "t0ken'
    with WireLog(path) as log, link_to(sending(cut), credentials=LOGIN, wire_log=log) as link:
        with pytest.raises(ConnectionLost) as raised:
            link.get("/x")
        assert raised.value.seen == b"***"
    assert "t0ken" not in path.read_text()


def test_errors_hold_no_secret() -> None:
    with link_to(sending(b"HTTP/1.1 hunter2"), secrets=["hunter2"]) as link:
        with pytest.raises(ConnectionLost) as raised:
            link.get("/hunter2")
        assert raised.value.command == "GET /***"
        assert raised.value.seen == b"HTTP/1.1 ***"


class Certificate:
    """A self-signed certificate for 127.0.0.1, made in the test."""

    def __init__(self, folder: Path, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        path = folder / f"{name}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        self.fingerprint = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"), "box")


@pytest.mark.parametrize("written", [str, str.upper, lambda f: ":".join(f[n : n + 2] for n in range(0, 64, 2))])
def test_pinned_certificate_is_accepted_however_its_fingerprint_is_written(certificate: Certificate, written) -> None:
    with (
        http_peer(answering_http(echo), certificate.context) as (host, port),
        HttpLink(Endpoint("https", host, port, written(certificate.fingerprint)), timeout_ns=LONG_NS) as link,
    ):
        assert [link.get(f"/{n}").text for n in range(3)] == [f"GET /{n} " for n in range(3)]


def test_self_signed_certificate_that_is_not_pinned_is_refused_with_what_to_pin(certificate: Certificate) -> None:
    asked: list[HttpRequest] = []
    with (
        http_peer(answering_http(lambda request: asked.append(request) or echo(request)), certificate.context) as (
            host,
            port,
        ),
        pytest.raises(UntrustedCertificate, match=f"fingerprint={certificate.fingerprint}"),
    ):
        HttpLink(Endpoint("https", host, port))
    assert asked == []


def test_certificate_that_is_not_the_pinned_one_is_an_error_of_its_own(certificate: Certificate) -> None:
    with (
        http_peer(answering_http(echo), certificate.context) as (host, port),
        pytest.raises(CertificateChanged, match=certificate.fingerprint) as raised,
    ):
        HttpLink(Endpoint("https", host, port, "ab" * 32))
    assert "ab" * 32 in str(raised.value)


def test_server_that_speaks_no_tls_is_incompatible(certificate: Certificate) -> None:
    def plain(_number: int, wire: SocketWire) -> None:
        wire.send(b"HTTP/1.1 400 speak plainly\r\n\r\n")
        wire.read(1)

    with http_peer(plain) as (host, port), pytest.raises(IncompatiblePeer, match="TLS"):
        HttpLink(Endpoint("https", host, port, certificate.fingerprint))


def test_encrypted_connection_that_ends_is_known_at_once_and_made_anew(certificate: Certificate) -> None:
    with (
        http_peer(sending(b""), certificate.context) as (host, port),
        HttpLink(Endpoint("https", host, port, certificate.fingerprint), timeout_ns=LONG_NS) as link,
    ):
        with pytest.raises(ConnectionLost):
            link.get("/x")
        assert link.get("/y").text == "GET /y "


@pytest.mark.parametrize("error", [ConnectError, UntrustedCertificate, CertificateChanged, IncompatiblePeer])
def test_all_that_keeps_us_from_connecting_is_a_transport_error(error: type[ImpairlabError]) -> None:
    assert issubclass(error, TransportError)
