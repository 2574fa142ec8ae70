"""What can be made to go wrong, as frozen values: which requests it hits, and what happens to them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Fault(BaseModel):
    """Hits `count` requests from number `first` on (from 0, in order of arrival); all the later ones if None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int = Field(default=0, ge=0)
    count: int | None = Field(default=1, ge=1)

    def hits(self, number: int) -> bool:
        """Whether request `number` is one of those."""
        return number >= self.first and (self.count is None or number < self.first + self.count)


class HttpError(_Fault):
    """The service answers with this status and a JSON error, and no model work is done."""

    kind: Literal["http_error"] = "http_error"
    status: int = Field(ge=400, le=599)


class TruncatedStream(_Fault):
    """After so many tokens the connection is closed in order (FIN) and the answer stays without its end."""

    kind: Literal["truncated_stream"] = "truncated_stream"
    after_tokens: int = Field(ge=0)


class StreamReset(_Fault):
    """After so many tokens the connection is torn down (RST)."""

    kind: Literal["stream_reset"] = "stream_reset"
    after_tokens: int = Field(ge=0)


class StreamFreeze(_Fault):
    """After so many tokens this one stream pauses; the tokens made meanwhile follow in a bunch."""

    kind: Literal["stream_freeze"] = "stream_freeze"
    after_tokens: int = Field(ge=0)
    duration_ns: int = Field(gt=0)


class EngineFreeze(_Fault):
    """When the request arrives the whole engine stops, for every request that it is serving."""

    kind: Literal["engine_freeze"] = "engine_freeze"
    duration_ns: int = Field(gt=0)


Fault = Annotated[HttpError | TruncatedStream | StreamReset | StreamFreeze | EngineFreeze, Field(discriminator="kind")]

_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)


def read_fault(text: str) -> Fault:
    """A fault from JSON such as `{"kind": "http_error", "status": 503, "first": 3}`.

    Raises:
        pydantic.ValidationError: It is not a fault.
    """
    return _FAULT.validate_json(text)
