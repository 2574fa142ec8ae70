"""A small web server for an instrument's pages: GET and HEAD, one answer a connection, on one thread."""

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Self

from impairlab.sim_hardware.scpi.device import Identity
from impairlab.sim_hardware.transports.listeners import Listener
from impairlab.sim_hardware.transports.lxi.pages import IDENTIFICATION_PATH, Page, identification, welcome
from impairlab.sim_hardware.transports.reactor import Reactor, bound_socket

HTTP_PORT = 80
"""Where LXI wants the pages."""

_READ_SIZE = 4096
_LONGEST_REQUEST = 8192
_PATIENCE_NS = 10_000_000_000
_NEED_TO_END = b"\r\n\r\n"


class LxiWeb:
    """Serves from construction until `close`; a context manager.

    Args:
        identity: Whose pages.
        resources: Tells the VISA resource names for a host.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.

    Attributes:
        address: Host and port.

    Raises:
        OSError: When the address cannot be had.
    """

    def __init__(
        self,
        identity: Identity,
        resources: Callable[[str], Sequence[str]],
        host: str = "127.0.0.1",
        port: int = HTTP_PORT,
    ) -> None:
        self._identity = identity
        self._resources = resources
        bound = bound_socket(host, port)
        self.address: tuple[str, int] = bound.getsockname()[:2]
        self._visits: dict[socket.socket, _Visit] = {}
        self._reactor = Reactor("lxi-web", on_turn=self._act_on_time, next_due_ns=self._next_due_ns, on_end=self._end)
        self._listener = Listener(bound, self._reactor.watch, self._accept)
        self._reactor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and end the thread. A second call does nothing."""
        self._reactor.close()

    def _accept(self, sock: socket.socket, _: tuple[str, int]) -> None:
        self._visits[sock] = _Visit(sock, self._find, time.monotonic_ns() + _PATIENCE_NS)
        self._serve(sock, 0)

    def _serve(self, sock: socket.socket, events: int) -> None:
        visit = self._visits[sock]
        wanted = visit.go_on(events)
        if wanted:
            self._reactor.watch(sock, wanted, lambda events: self._serve(sock, events))
        else:
            self._close(sock)

    def _close(self, sock: socket.socket) -> None:
        del self._visits[sock]
        self._reactor.watch(sock, 0, lambda _: None)
        sock.close()

    def _find(self, path: str, host: str) -> Page | None:
        resources = self._resources(host)
        if path == IDENTIFICATION_PATH:
            port = self.address[1]
            where = f"[{host}]" if ":" in host else host
            url = f"http://{where}{'' if port == HTTP_PORT else f':{port}'}{path}"
            return identification(self._identity, host, url, resources)
        return welcome(self._identity, resources) if path == "/" else None

    def _next_due_ns(self) -> int | None:
        due = [self._listener.due_ns, *(each.until_ns for each in self._visits.values())]
        return min((each for each in due if each is not None), default=None)

    def _act_on_time(self, now_ns: int) -> None:
        self._listener.go_on(now_ns)
        for sock, visit in tuple(self._visits.items()):
            if now_ns >= visit.until_ns:
                self._close(sock)

    def _end(self) -> None:
        for sock in tuple(self._visits):
            self._close(sock)
        self._listener.close()


class _Visit:
    """One connection: a request in, an answer out."""

    def __init__(self, sock: socket.socket, find: Callable[[str, str], Page | None], until_ns: int) -> None:
        self.until_ns = until_ns
        self._socket = sock
        self._find = find
        self._host: str = sock.getsockname()[0]
        self._request = bytearray()
        self._unsent: bytes | None = None

    def go_on(self, events: int) -> int:
        """Receive or send, and return what to wait for next; 0 when it is over."""
        try:
            if events & selectors.EVENT_READ:
                received = self._socket.recv(_READ_SIZE)
                if not received:
                    return 0
                self._request += received
                self._answer_if_complete()
            if self._unsent is not None:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return selectors.EVENT_READ if self._unsent is None else selectors.EVENT_WRITE
        except OSError:
            return 0
        if self._unsent is None:
            return selectors.EVENT_READ
        return selectors.EVENT_WRITE if self._unsent else 0

    def _answer_if_complete(self) -> None:
        if _NEED_TO_END in self._request:
            self._unsent = self._answer()
        elif len(self._request) > _LONGEST_REQUEST:
            self._unsent = _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _answer(self) -> bytes:
        parts = self._request.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            return _response(HTTPStatus.BAD_REQUEST)
        method, target, _ = parts
        if method not in {"GET", "HEAD"}:
            return _response(HTTPStatus.METHOD_NOT_ALLOWED)
        page = self._find(target.partition("?")[0], self._host)
        response = _response(HTTPStatus.NOT_FOUND) if page is None else _response(HTTPStatus.OK, page)
        return response if method == "GET" else response.partition(_NEED_TO_END)[0] + _NEED_TO_END


def _response(status: HTTPStatus, page: Page | None = None) -> bytes:
    page = page or Page("text/plain", f"{status.value} {status.phrase}\n".encode())
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {page.content_type}",
        f"Content-Length: {len(page.content)}",
        *(["Allow: GET, HEAD"] if status is HTTPStatus.METHOD_NOT_ALLOWED else []),
        "Connection: close",
    )
    return "\r\n".join(head).encode("latin-1") + _NEED_TO_END + page.content
