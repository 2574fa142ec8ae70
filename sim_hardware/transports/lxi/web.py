"""A small web server for an instrument's pages: GET and HEAD."""

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Self

from impairlab.sim_hardware.scpi.device import Identity
from impairlab.sim_hardware.transports.conversations import ConversationServer
from impairlab.sim_hardware.transports.http import (
    HttpConversation,
    HttpRequest,
    HttpResponse,
    RequestParser,
    plain_response,
)
from impairlab.sim_hardware.transports.lxi.pages import IDENTIFICATION_PATH, Page, identification, welcome

HTTP_PORT = 80
"""Where LXI wants the pages."""

_LONGEST_HEAD = 8192
_PATIENCE_NS = 10_000_000_000
_HOST = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::\d{1,5})?|([A-Za-z0-9.-]{1,253})(?::\d{1,5})?")


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
        self._server = ConversationServer(self._converse, host, port, name="lxi-web")
        self.address = self._server.address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and end the thread. A second call does nothing."""
        self._server.close()

    def _converse(self, _: str) -> HttpConversation:
        return HttpConversation(self._answer, RequestParser(_LONGEST_HEAD, longest_body=0), _PATIENCE_NS)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return plain_response(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        page = self._find(request.target.partition("?")[0], self._host_of(request))
        if page is None:
            return plain_response(HTTPStatus.NOT_FOUND)
        return HttpResponse(HTTPStatus.OK, page.content, page.content_type)

    def _host_of(self, request: HttpRequest) -> str:
        """Return under which name or address the client knows this host."""
        asked = _HOST.fullmatch(request.headers.get("host", ""))
        return self.address[0] if asked is None else asked[1] or asked[2]

    def _find(self, path: str, host: str) -> Page | None:
        resources = self._resources(host)
        if path == IDENTIFICATION_PATH:
            port = self.address[1]
            where = f"[{host}]" if ":" in host else host
            url = f"http://{where}{'' if port == HTTP_PORT else f':{port}'}{path}"
            return identification(self._identity, host, url, resources)
        return welcome(self._identity, resources) if path == "/" else None
