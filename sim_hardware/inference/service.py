"""The service under test: HTTP connections in front of the engine, faults applied, every send timed."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Literal

from .api import Answer, ApiError, Endpoint, FinishReason, Generation, read_generation
from .driver import EngineDriver
from .engine import StepEngine, Token
from .faults import EngineFreeze, Fault, HttpError, StreamFreeze, StreamReset, TruncatedStream
from .http import HEAD_LIMIT, BadRequest, Request, chunk, json_response, read_request, response_head
from .profiles import Profile

Outcome = Literal["complete", "refused", "truncated", "reset", "disconnected"]

_ENDPOINTS: dict[str, Endpoint] = {"/v1/chat/completions": "chat", "/v1/completions": "completions"}
_SSE_HEAD = response_head(
    200, {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "Transfer-Encoding": "chunked"}
)


@dataclass(frozen=True)
class ServedRequest:
    """Ground truth about one generation request. Times are `time.monotonic_ns()` of the server's machine.

    `made_ns` are the instants at which the model made the tokens, `sent_ns` those at which each was written to the
    connection: into the kernel, unless the client has stopped reading. `request_id` is the client's `X-Request-Id`, or
    empty.
    """

    number: int
    request_id: str
    received_ns: int
    prompt_tokens: int
    outcome: Outcome
    status: int
    made_ns: tuple[int, ...]
    sent_ns: tuple[int, ...]

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass
class _Sending:
    """One answer on its way."""

    number: int
    request: Request
    received_ns: int
    faults: tuple[Fault, ...]
    generation: Generation | None = None
    made_ns: list[int] = field(default_factory=list)
    sent_ns: list[int] = field(default_factory=list)

    def served(self, outcome: Outcome, status: int = 200) -> ServedRequest:
        return ServedRequest(
            number=self.number,
            request_id=self.request.headers.get("x-request-id", ""),
            received_ns=self.received_ns,
            prompt_tokens=self.generation.prompt_tokens if self.generation else 0,
            outcome=outcome,
            status=status,
            made_ns=tuple(self.made_ns),
            sent_ns=tuple(self.sent_ns),
        )


class _StreamCut(Exception):  # noqa: N818 - a planned fault, no error of ours
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class InferenceService:
    """Serves /v1/models, /health, /v1/chat/completions and /v1/completions with one model, inside a running loop.

    Args:
        profile: What the model costs.
        seed: Fixes the noise of the steps.
        default_tokens: Length of an answer whose request names no maximum.
        faults: What goes wrong, and for which requests.
        sink: Called with each finished generation request.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        seed: int,
        default_tokens: int,
        faults: Sequence[Fault],
        sink: Callable[[ServedRequest], None],
    ) -> None:
        self._profile = profile
        self._default_tokens = default_tokens
        self._faults = tuple(faults)
        self._sink = sink
        self._driver = EngineDriver(StepEngine(profile, seed))
        self._numbers = count()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; the address and port in use (port 0 asks for a free one).

        Raises:
            OSError: The address cannot be had.
        """
        self._server = await asyncio.start_server(self._accept, host, port, limit=HEAD_LIMIT, backlog=1024)
        bound: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return bound

    def freeze(self, duration_ns: int) -> None:
        """Stop the engine for a while, for every request in it."""
        self._driver.freeze(duration_ns)

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        self._driver.close()
        if self._server is not None:
            self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away; what it was sent is on record
        except asyncio.CancelledError:
            writer.transport.abort()  # a client that has stopped reading must not hold up close()
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer. Whether the connection can carry another."""
        try:
            request = await read_request(reader, writer)
        except BadRequest as error:
            writer.write(json_response(error.status, ApiError(error.status, str(error)).body, keep_alive=False))
            await writer.drain()
            return False
        if request is None:
            return False
        endpoint = _ENDPOINTS.get(request.path)
        if endpoint is not None and request.method == "POST":
            return await self._generate(endpoint, request, reader, writer)
        status, body = self._fixed_answer(request)
        writer.write(json_response(status, body, keep_alive=request.keep_alive))
        await writer.drain()
        return request.keep_alive

    def _fixed_answer(self, request: Request) -> tuple[int, dict[str, object]]:
        pages: dict[str, dict[str, object]] = {
            "/health": {"status": "ok"},
            "/v1/models": {
                "object": "list",
                "data": [{"id": self._profile.name, "object": "model", "created": 0, "owned_by": "impairlab"}],
            },
        }
        page = pages.get(request.path)
        if page is not None and request.method == "GET":
            return 200, page
        known = page is not None or request.path in _ENDPOINTS
        status, message = (405, f"{request.method} is not allowed here") if known else (404, f"no {request.path} here")
        return status, ApiError(status, message).body

    async def _generate(
        self, endpoint: Endpoint, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        number = next(self._numbers)
        faults = tuple(fault for fault in self._faults if fault.hits(number))
        sending = _Sending(number, request, time.monotonic_ns(), faults)
        outcome: Outcome = "disconnected"
        status = 200
        try:
            generation = sending.generation = self._understand(endpoint, sending)
            for fault in faults:
                if isinstance(fault, EngineFreeze):
                    self._driver.freeze(fault.duration_ns)
            answer = Answer(generation, number, int(time.time()))
            if generation.stream:
                await self._stream(answer, sending, reader, writer)
            else:
                await self._whole(answer, sending, writer)
            outcome = "complete"
        except ApiError as error:
            outcome, status = "refused", error.status
            writer.write(json_response(error.status, error.body, keep_alive=request.keep_alive))
        except _StreamCut as cut:
            outcome = cut.outcome
            return False
        finally:
            self._driver.cancel(number)
            self._sink(sending.served(outcome, status))
        await writer.drain()
        return request.keep_alive

    def _understand(self, endpoint: Endpoint, sending: _Sending) -> Generation:
        for fault in sending.faults:
            if isinstance(fault, HttpError):
                raise ApiError(fault.status, f"simulated fault on request {sending.number}", code="simulated")
        generation = read_generation(endpoint, sending.request.body)
        if generation.model != self._profile.name:
            message = f"the model {generation.model!r} does not exist; this service has {self._profile.name!r}"
            raise ApiError(404, message, param="model", code="model_not_found")
        asked = generation.prompt_tokens + self._length(generation)
        if asked > self._profile.max_model_len:
            message = f"{asked} tokens are more than the model's {self._profile.max_model_len}"
            raise ApiError(400, message, param="max_tokens", code="context_length_exceeded")
        return generation

    def _length(self, generation: Generation) -> int:
        return generation.max_tokens or self._default_tokens

    def _submit(self, answer: Answer) -> asyncio.Queue[Token]:
        generation = answer.generation
        return self._driver.submit(answer.number, generation.prompt_tokens, self._length(generation))

    async def _stream(
        self, answer: Answer, sending: _Sending, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        tokens = self._submit(answer)
        # The role frame goes out at once, long before the first token: who takes it for the first token measures
        # the network alone.
        role = answer.role_frame()
        writer.write(_SSE_HEAD + (chunk(role) if role else b""))
        for index in range(self._length(answer.generation)):
            await self._cut_or_pause(index, sending, writer)
            token = await tokens.get()
            if reader.at_eof():
                raise ConnectionResetError("the client closed its side")
            sending.made_ns.append(token.at_ns)
            sending.sent_ns.append(time.monotonic_ns())
            writer.write(chunk(answer.token_frame(index)))
            await writer.drain()
        await self._cut_or_pause(self._length(answer.generation), sending, writer)
        writer.write(chunk(answer.end_frames(len(sending.made_ns), self._reason(answer.generation))) + chunk(b""))

    async def _whole(self, answer: Answer, sending: _Sending, writer: asyncio.StreamWriter) -> None:
        tokens = self._submit(answer)
        for _ in range(self._length(answer.generation)):
            sending.made_ns.append((await tokens.get()).at_ns)
        body = answer.whole(len(sending.made_ns), self._reason(answer.generation))
        sending.sent_ns.append(time.monotonic_ns())
        writer.write(json_response(200, body, keep_alive=sending.request.keep_alive))

    @staticmethod
    def _reason(generation: Generation) -> FinishReason:
        return "stop" if generation.max_tokens is None else "length"

    @staticmethod
    async def _cut_or_pause(sent: int, sending: _Sending, writer: asyncio.StreamWriter) -> None:
        for fault in sending.faults:
            if isinstance(fault, StreamFreeze) and fault.after_tokens == sent:
                await asyncio.sleep(fault.duration_ns / 1e9)
            elif isinstance(fault, TruncatedStream) and fault.after_tokens == sent:
                await writer.drain()
                raise _StreamCut("truncated")
            elif isinstance(fault, StreamReset) and fault.after_tokens == sent:
                _reset(writer)
                raise _StreamCut("reset")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN: linger on, for no time (socket(7), SO_LINGER)."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
