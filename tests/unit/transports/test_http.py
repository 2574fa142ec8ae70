"""Requests out of any pieces of a stream, responses as RFC 9112 has them, forms, and all of it inside of TLS."""

import http.client
import socket
import ssl
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from impairlab.sim_hardware.transports.conversations import ConversationServer
from impairlab.sim_hardware.transports.http import (
    HttpConversation,
    HttpRequest,
    HttpResponse,
    TlsConversation,
    read_form,
)
from impairlab.sim_hardware.transports.http.parser import BadHttp, RequestParser
from impairlab.sim_hardware.transports.http.self_signed import SelfSigned

PUT = b"PUT /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nT: r\r\n\r\n"
)
GET = b"GET /c HTTP/1.0\r\n\r\n"


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, f"{request.method} {request.target} ".encode() + request.body)


def parsed(pieces: list[bytes]) -> list[HttpRequest]:
    parser, requests = RequestParser(), []
    for piece in pieces:
        parser.feed(piece)
        while (request := parser.next_request()) is not None:
            requests.append(request)
    assert parser.is_idle
    return requests


@given(st.lists(st.integers(0, len(PUT + CHUNKED + GET)), max_size=20))
@example(list(range(len(PUT + CHUNKED + GET))))
def test_however_the_stream_is_cut_up(cuts: list[int]) -> None:
    stream = PUT + CHUNKED + GET
    edges = sorted({0, len(stream), *cuts})
    requests = parsed([stream[a:b] for a, b in pairwise(edges)])
    assert [(each.method, each.target, each.body) for each in requests] == [
        ("PUT", "/a?b=c", b"hello"),
        ("POST", "/b", b"hello"),
        ("GET", "/c", b""),
    ]
    assert [each.keep_alive for each in requests] == [True, True, False]


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 2000, 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 300 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_answered_once_and_ends_the_connection(stream: bytes, status: int) -> None:
    conversation = HttpConversation(echo)
    (reply,) = conversation.receive(stream)
    assert reply.startswith(f"HTTP/1.1 {status} ".encode())
    assert conversation.is_over
    assert list(conversation.receive(PUT)) == []


def test_little_input_never_asks_for_much_output() -> None:
    conversation = HttpConversation(echo)
    assert len(list(conversation.receive(PUT * 100))) == 8
    assert conversation.is_over


def test_a_body_is_bounded_however_it_comes() -> None:
    parser = RequestParser(longest_body=10)
    parser.feed(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\n")
    with pytest.raises(BadHttp, match="longer than 10 bytes"):
        parser.next_request()


def test_a_client_that_waits_to_continue_is_told_to_once() -> None:
    conversation = HttpConversation(echo)
    head = b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert list(conversation.receive(head)) == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    assert list(conversation.receive(b"h")) == []
    (reply,) = conversation.receive(b"i")
    assert reply.endswith(b"PUT / hi")


def test_head_has_the_length_and_not_the_body() -> None:
    (reply,) = HttpConversation(echo).receive(b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Content-Length: 8\r\n" in reply
    assert reply.endswith(b"\r\n\r\n")


FORM = b'--b1\r\nContent-Disposition: form-data; name="f"; filename="a \\"b\\".bin"\r\n\r\n\0\r\n--b\r\n--b1--\r\n'


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=b1", 'multipart/form-data; boundary="b1"',
                                          "application/json", ""])  # fmt: skip
def test_a_form_is_read_whatever_its_content_type_says(content_type: str) -> None:
    (part,) = read_form({"content-type": content_type}, FORM) or ()
    assert (part.name, part.filename, part.content) == ("f", 'a "b".bin', b"\0\r\n--b")


@pytest.mark.parametrize("body", [b"", b"{}", b"--b1", b"--b1\r\n\r\n", b"--b1\r\nx\r\n--b1"])
def test_what_is_no_form_is_none(body: bytes) -> None:
    assert not read_form({"content-type": "application/json"}, body)


@given(st.binary(max_size=200), st.text(max_size=60))
def test_any_body_is_some_form_or_none(body: bytes, content_type: str) -> None:
    read_form({"content-type": content_type}, body)


def test_inside_of_tls_with_a_certificate_that_nobody_else_trusts() -> None:
    signed = SelfSigned.made_for("127.0.0.1")
    with ConversationServer(lambda _: TlsConversation(HttpConversation(echo), signed.context)) as server:
        trusting = ssl.create_default_context(cadata=signed.certificate)
        connection = http.client.HTTPSConnection(*server.address, timeout=10, context=trusting)
        for size in (10, 100_000):
            connection.request("PUT", "/x", b"y" * size)
            assert connection.getresponse().read() == b"PUT /x " + b"y" * size
        connection.close()
        doubting = http.client.HTTPSConnection(*server.address, timeout=10)
        with pytest.raises(ssl.SSLCertVerificationError):
            doubting.request("GET", "/")
        doubting.close()
        with socket.create_connection(server.address, 10) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"HTTP" not in plain.makefile("rb").read()
