"""One streaming request, timed stage by stage; whatever becomes of it is a `RequestRecord`."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urlsplit

from .connection import Connection, ConnectionPool
from .events import EventSplitter, NotTheApi, ServiceGaveUp, read_frame
from .http import NotHttp, Response
from .records import MICROSECOND_NS, RequestRecord, Status
from .spec import SECOND_NS, InferenceTraffic

_WORDS = ("the", "of", "and", "to", "in", "is", "that", "it", "for", "was", "on", "are", "as", "with", "they", "be")
_ERROR_LIMIT = 200


class Unusable(Exception):  # noqa: N818 - says what was seen
    """The service cannot be used: it is not there, or does not speak the API."""


@dataclass
class _Draft:
    """A request under way. Instants are monotonic nanoseconds."""

    id: int
    request_id: str
    t_sched_ns: int
    send_ns: int
    conn_ns: int | None = None
    req_sent_ns: int | None = None
    hdr_ns: int | None = None
    chunks_ns: list[int] = field(default_factory=list)
    http_status: int | None = None
    prompt_tokens: int | None = None
    usage_tokens: int | None = None
    answered: bool = False
    reused: bool = False
    local_port: int | None = None
    remote_address: str | None = None
    remote_port: int | None = None

    def took_connection(self, connection: Connection) -> None:
        self.conn_ns = time.monotonic_ns()
        self.reused = connection.uses > 0
        _, self.local_port = connection.address("sockname")
        self.remote_address, self.remote_port = connection.address("peername")

    def record(self, status: Status, error: str | None) -> RequestRecord:
        # Rounding each instant, not each gap, keeps the sum of the gaps right.
        instants_us = [(at_ns - self.t_sched_ns) // MICROSECOND_NS for at_ns in self.chunks_ns]
        counted = self.usage_tokens if self.usage_tokens is not None else len(self.chunks_ns) or None
        return RequestRecord(
            id=self.id,
            request_id=self.request_id,
            t_sched_ns=self.t_sched_ns,
            send_ns=self.send_ns - self.t_sched_ns,
            conn_ns=self._offset(self.conn_ns),
            req_sent_ns=self._offset(self.req_sent_ns),
            hdr_ns=self._offset(self.hdr_ns),
            first_ns=self._offset(self.chunks_ns[0] if self.chunks_ns else None),
            end_ns=self._offset(self.chunks_ns[-1] if self.chunks_ns else None),
            closed_ns=time.monotonic_ns() - self.t_sched_ns,
            gaps_us=tuple(after - before for before, after in pairwise(instants_us)),
            prompt_tokens=self.prompt_tokens,
            output_tokens=counted,
            token_source=None if counted is None else "chunks" if self.usage_tokens is None else "usage",
            status=status,
            http_status=self.http_status,
            error=error,
            connection_reused=self.reused,
            local_port=self.local_port,
            remote_address=self.remote_address,
            remote_port=self.remote_port,
        )

    def _offset(self, at_ns: int | None) -> int | None:
        return None if at_ns is None else at_ns - self.t_sched_ns


class _Refused(Exception):  # noqa: N818 - the name of the status
    pass


class _Truncated(Exception):  # noqa: N818
    pass


class _HttpStatus(Exception):  # noqa: N818
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body[:_ERROR_LIMIT].decode('utf-8', 'replace')}")
        self.status = status


class InferenceClient:
    """Sends the requests of one traffic. `run` makes their ids unique across runs. Use within one running loop."""

    def __init__(self, traffic: InferenceTraffic, model: str, run: str) -> None:
        parts = urlsplit(traffic.api_root)
        path = parts.path + ("/chat/completions" if traffic.endpoint == "chat" else "/completions")
        persistence = "keep-alive" if traffic.connections == "pooled" else "close"
        self._traffic = traffic
        self._run = run
        self._pool = ConnectionPool(traffic.url, traffic.connections)
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
            f"Accept: text/event-stream\r\nConnection: {persistence}\r\n"
        )
        self._body_start, self._body_end = _body(traffic, model)

    async def close(self) -> None:
        """Drop every connection."""
        await self._pool.close()

    async def request(self, number: int, t_sched_ns: int) -> RequestRecord:
        """Send request `number`, planned for `t_sched_ns`, now. Never raises for what the path or the service does.

        Cancelling the task ends the request; its record then says `cancelled`.
        """
        draft = _Draft(number, f"{self._run}-{number}", t_sched_ns, time.monotonic_ns())
        status, error = await self._outcome(draft)
        if draft.answered:  # what happens to the connection after the last word is no failure of the answer
            status, error = "ok", None
        return draft.record(status, error)

    async def _outcome(self, draft: _Draft) -> tuple[Status, str | None]:
        try:
            async with asyncio.timeout_at((draft.t_sched_ns + self._traffic.timeout_ns) / SECOND_NS):
                await self._exchange(draft)
        except TimeoutError as error:
            return "timeout", str(error) or f"no whole answer within {self._traffic.timeout_ns / SECOND_NS:g} s"
        except asyncio.CancelledError:
            return "cancelled", "unfinished when the run ended"
        except _HttpStatus as error:
            return ("http_5xx" if error.status >= 500 else "http_4xx"), str(error)
        except _Refused as error:
            return "refused", str(error)
        except (_Truncated, ServiceGaveUp) as error:
            return "truncated", str(error)
        except (NotHttp, NotTheApi) as error:
            return "protocol_error", str(error)
        except OSError as error:
            return "reset", str(error)
        return "ok", None

    async def _exchange(self, draft: _Draft) -> None:
        try:
            connection = await self._pool.acquire()
        except TimeoutError:
            raise
        except OSError as error:
            raise _Refused(str(error)) from error
        response = Response()
        try:
            draft.took_connection(connection)
            body = self._body_start + str(draft.id).encode() + self._body_end
            head = f"{self._head}X-Request-Id: {draft.request_id}\r\nContent-Length: {len(body)}\r\n\r\n"
            draft.req_sent_ns = await connection.send(head.encode("latin-1") + body)
            await self._receive(draft, connection, response)
        finally:
            self._pool.release(connection, reusable=response.reusable)

    async def _receive(self, draft: _Draft, connection: Connection, response: Response) -> None:
        splitter = EventSplitter()
        refusal = b""
        while not response.complete:
            at_ns, data = await connection.receive()
            body = response.feed(data)
            if response.status and draft.hdr_ns is None:
                # The answer can overtake our own note that the request was sent.
                draft.hdr_ns = max(at_ns, draft.req_sent_ns or at_ns)
                draft.http_status = response.status
            if not data:
                response.close()
                if not response.complete:
                    raise _Truncated("the peer closed before the answer was complete")
            if response.status >= 400:
                refusal += body[:_ERROR_LIMIT]
            elif response.status:
                _take_events(draft, response, splitter.feed(body), max(at_ns, draft.hdr_ns or at_ns))
        if response.status >= 400:
            raise _HttpStatus(response.status, refusal)
        if not draft.answered:
            raise _Truncated("the answer ended without a finish reason")


def _take_events(draft: _Draft, response: Response, events: list[bytes], at_ns: int) -> None:
    if response.status != 200 or not response.headers.get("content-type", "").startswith("text/event-stream"):
        kind = response.headers.get("content-type", "no content type")
        raise NotTheApi(f"the answer is not an event stream: status {response.status}, {kind}")
    for data in events:
        frame = read_frame(data)
        if frame.content:
            draft.chunks_ns.append(at_ns)
        if frame.prompt_tokens is not None:
            draft.prompt_tokens = frame.prompt_tokens
        if frame.output_tokens is not None:
            draft.usage_tokens = frame.output_tokens
        if frame.finish or frame.done:
            if not draft.chunks_ns:
                raise NotTheApi("the answer carried no content")
            draft.answered = True


def _body(traffic: InferenceTraffic, model: str) -> tuple[bytes, bytes]:
    """The request body before and after the request's number.

    The number stands first in the prompt: a prefix cache that the service may have then finds no two prompts alike.
    """
    mark = "#"
    words = [mark, *(_WORDS[index % len(_WORDS)] for index in range(traffic.prompt_tokens - 1))]
    prompt = " ".join(words)
    content: dict[str, object] = (
        {"messages": [{"role": "user", "content": prompt}]} if traffic.endpoint == "chat" else {"prompt": prompt}
    )
    text = json.dumps(
        content
        | {
            "model": model,
            "max_tokens": traffic.output_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )
    start, end = text.split(mark, 1)
    return start.encode(), end.encode()


async def first_model(traffic: InferenceTraffic) -> str:
    """Ask the service which models it has; the first.

    Raises:
        Unusable: It is not there, does not answer within the traffic's timeout, or has none.
    """
    parts = urlsplit(traffic.api_root)
    pool = ConnectionPool(traffic.url, "never")
    response, body = Response(), b""
    try:
        async with asyncio.timeout(traffic.timeout_ns / SECOND_NS):
            connection = await pool.acquire()
            await connection.send(
                f"GET {parts.path}/models HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
            )
            while not response.complete:
                _, data = await connection.receive()
                body += response.feed(data)
                if not data:
                    response.close()
                    break
    except (OSError, NotHttp) as error:
        raise Unusable(f"{traffic.url}: {error or 'no answer'}") from error
    finally:
        await pool.close()
    try:
        model = json.loads(body)["data"][0]["id"]
    except (ValueError, LookupError, TypeError) as error:
        raise Unusable(f"{traffic.api_root}/models names no model (status {response.status})") from error
    return str(model)
