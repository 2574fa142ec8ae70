"""The OpenAI-compatible API as values: what a request may say, and the JSON that answers it."""

import json
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Endpoint = Literal["chat", "completions"]
FinishReason = Literal["stop", "length"]

_WORDS = ("the", "path", "holds", "its", "rate", "and", "every", "packet", "keeps", "the", "order", "it", "came", "in")


class ApiError(Exception):
    """A request that is refused, with the HTTP status and the JSON body that say so."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        kind = "invalid_request_error" if status < 500 else "server_error"
        self.body: dict[str, object] = {"error": {"message": message, "type": kind, "param": param, "code": code}}


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _Part(BaseModel):
    type: str
    text: str = ""


class _Message(BaseModel):
    role: str
    content: str | list[_Part] | None = None

    def words(self) -> int:
        parts = self.content if isinstance(self.content, list) else [_Part(type="text", text=self.content or "")]
        return sum(len(part.text.split()) for part in parts)


class _Body(BaseModel):
    """What both endpoints share. Parameters that steer the choice of words change nothing here and are ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str
    stream: bool = False
    stream_options: _StreamOptions | None = None
    n: int = 1


class _ChatBody(_Body):
    messages: list[_Message] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)


class _CompletionBody(_Body):
    prompt: str | list[int]
    max_tokens: int | None = Field(default=None, ge=1)


@dataclass(frozen=True)
class Generation:
    """A request that was understood. `max_tokens` is None when the client left the length to the service."""

    endpoint: Endpoint
    model: str
    prompt_tokens: int
    max_tokens: int | None
    stream: bool
    include_usage: bool


def read_generation(endpoint: Endpoint, body: bytes) -> Generation:
    """Understand a request body. A token is a word between spaces, or a number in a prompt of token ids.

    Raises:
        ApiError: 400, naming the parameter.
    """
    try:
        request = (_ChatBody if endpoint == "chat" else _CompletionBody).model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(key) for key in first["loc"]) or None
        raise ApiError(400, f"{where or 'body'}: {first['msg']}", param=where) from error
    if request.n != 1:
        raise ApiError(400, "n: only 1 choice per request is simulated", param="n")
    if request.stream_options is not None and not request.stream:
        raise ApiError(400, "stream_options: only with stream: true", param="stream_options")
    if isinstance(request, _ChatBody):
        prompt_tokens = sum(message.words() for message in request.messages)
        max_tokens = request.max_completion_tokens or request.max_tokens
    else:
        prompt = request.prompt
        prompt_tokens = len(prompt.split()) if isinstance(prompt, str) else len(prompt)
        max_tokens = request.max_tokens
    include_usage = request.stream_options is not None and request.stream_options.include_usage
    return Generation(endpoint, request.model, max(prompt_tokens, 1), max_tokens, request.stream, include_usage)


def word(index: int) -> str:
    """The text of token `index`: one word, with the space that parts it from the one before."""
    text = _WORDS[index % len(_WORDS)]
    return text if index == 0 else f" {text}"


@dataclass(frozen=True)
class Answer:
    """The JSON of one answer, whole or in frames. `number` tells answers of one service apart."""

    generation: Generation
    number: int
    created: int

    def _frame(self, choices: list[dict[str, object]], **more: object) -> bytes:
        chat = self.generation.endpoint == "chat"
        frame = self._head("chat.completion.chunk" if chat else "text_completion") | {"choices": choices} | more
        return b"data: " + json.dumps(frame, separators=(",", ":")).encode() + b"\n\n"

    def _head(self, kind: str) -> dict[str, object]:
        prefix = "chatcmpl" if self.generation.endpoint == "chat" else "cmpl"
        return {
            "id": f"{prefix}-{self.number}",
            "object": kind,
            "created": self.created,
            "model": self.generation.model,
        }

    def _usage(self, output_tokens: int) -> dict[str, int]:
        prompt_tokens = self.generation.prompt_tokens
        return {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": prompt_tokens + output_tokens,
        }

    def role_frame(self) -> bytes:
        """The frame that names the role and carries no content. Chat only; empty for completions."""
        if self.generation.endpoint != "chat":
            return b""
        return self._frame([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])

    def token_frame(self, index: int) -> bytes:
        """The frame of one token."""
        content: dict[str, object] = (
            {"delta": {"content": word(index)}} if self.generation.endpoint == "chat" else {"text": word(index)}
        )
        return self._frame([{"index": 0, **content, "finish_reason": None}])

    def end_frames(self, output_tokens: int, reason: FinishReason) -> bytes:
        """The finish reason, the usage if it was asked for, and `[DONE]`."""
        empty: dict[str, object] = {"delta": {}} if self.generation.endpoint == "chat" else {"text": ""}
        frames = self._frame([{"index": 0, **empty, "finish_reason": reason}])
        if self.generation.include_usage:
            frames += self._frame([], usage=self._usage(output_tokens))
        return frames + b"data: [DONE]\n\n"

    def whole(self, output_tokens: int, reason: FinishReason) -> dict[str, object]:
        """The answer to a request that does not stream."""
        text = "".join(word(index) for index in range(output_tokens))
        if self.generation.endpoint == "chat":
            choice: dict[str, object] = {"message": {"role": "assistant", "content": text}}
            head = self._head("chat.completion")
        else:
            choice, head = {"text": text}, self._head("text_completion")
        return head | {
            "choices": [{"index": 0, **choice, "finish_reason": reason}],
            "usage": self._usage(output_tokens),
        }
