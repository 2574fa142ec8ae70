"""What one HTTP connection says: requests in, responses out, the connection kept open as RFC 9112 has it."""

from collections.abc import Callable, Iterator

from impairlab.sim_hardware.transports.http.messages import HttpRequest, HttpResponse
from impairlab.sim_hardware.transports.http.parser import BadHttp, RequestParser

Handler = Callable[[HttpRequest], HttpResponse]
"""Answers a request; never raises."""

DEFAULT_IDLE_CLOSE_NS = 120_000_000_000
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_MOST_AT_ONCE = 8
"""Requests that one piece of input may hold, so that little input never asks for any amount of output."""


class HttpConversation:
    """One connection; see `Conversation`.

    Args:
        handler: Answers requests.
        parser: Cuts the stream into requests; an ordinary one by default.
        idle_close_ns: How long the connection may be silent; None for ever.

    Attributes:
        is_over: Whether the connection is closed once everything is sent.
        idle_close_ns: As given.
    """

    def __init__(
        self,
        handler: Handler,
        parser: RequestParser | None = None,
        idle_close_ns: int | None = DEFAULT_IDLE_CLOSE_NS,
    ) -> None:
        self._handler = handler
        self._parser = parser or RequestParser()
        self.idle_close_ns = idle_close_ns
        self.is_over = False

    def greet(self) -> bytes:
        """Say nothing first."""
        return b""

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Take in what has arrived and yield the responses to the requests that it completes."""
        if self.is_over:
            return
        self._parser.feed(data)
        try:
            yield from self._responses()
        except BadHttp as error:
            self.is_over = True
            yield HttpResponse(error.status, f"{error}\n".encode()).encoded(keep_alive=False)

    def _responses(self) -> Iterator[bytes]:
        answered = 0
        while not self.is_over and (request := self._parser.next_request()) is not None:
            answered += 1
            self.is_over = not request.keep_alive or answered == _MOST_AT_ONCE
            response = self._handler(request)
            yield response.encoded(keep_alive=not self.is_over, with_body=request.method != "HEAD")
        if not self.is_over and self._parser.wants_continue():
            yield _CONTINUE

    def close(self) -> None:
        """Nothing is left to do."""
