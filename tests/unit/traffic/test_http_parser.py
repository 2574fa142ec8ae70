"""The response parser: the same body however the bytes are cut, and no guess at what is not HTTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.controller.traffic.http import NotHttp, Response


def fed(*pieces: bytes) -> tuple[Response, bytes]:
    response = Response()
    return response, b"".join(response.feed(piece) for piece in pieces)


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailer + b"\r\n"


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.data())
def test_a_chunked_body_is_the_same_however_it_is_cut(chunks: list[bytes], data: st.DataObject) -> None:
    wire = chunked(*chunks, trailer=b"X-After: 1\r\n")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=10)))
    pieces = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    response, body = fed(*pieces)
    assert body == b"".join(chunks)
    assert response.complete
    assert response.reusable
    assert response.headers["content-type"] == "text/event-stream"


def test_a_counted_body_ends_with_its_count() -> None:
    response, body = fed(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nba", b"")
    assert (response.status, body, response.complete) == (503, b"ba", False)
    assert response.feed(b"ck") == b"ck"
    assert response.complete


def test_a_body_of_no_stated_length_ends_when_the_peer_closes() -> None:
    response, body = fed(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert (body, response.complete) == (b"abc", False)
    response.close()
    assert response.complete
    assert not response.reusable


def test_a_close_does_not_complete_a_chunked_body() -> None:
    response, _ = fed(chunked(b"abc")[:-5])
    response.close()
    assert not response.complete


def test_an_interim_response_is_passed_over() -> None:
    response, _ = fed(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
    assert (response.status, response.complete) == (204, True)


@pytest.mark.parametrize(
    "more", [b"Connection: close\r\n\r\n", b"\r\nHTTP/1.1 200 surprise"], ids=["asked to close", "something follows"]
)
def test_such_a_connection_is_not_reused(more: bytes) -> None:
    response, _ = fed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + more)
    assert response.complete
    assert not response.reusable


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 fine\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000,
    ],
)
def test_what_is_not_http_is_refused(wire: bytes) -> None:
    with pytest.raises(NotHttp):
        fed(wire)
