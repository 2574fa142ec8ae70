"""Traffic as a scenario file states it, with a unit on every quantity."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.units import Frequency, Time, UnitError

_TOKENS = re.compile(r"\s*(\d+)\s*(tok|token|tokens)\s*")


def _tokens(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        raise UnitError(f"{value!r} has no unit; write it like '512 tok'")
    match = _TOKENS.fullmatch(str(value))
    if match is None:
        raise UnitError(f"{value!r} is not a number of tokens; write it like '512 tok'")
    return int(match.group(1))


def _service_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is not a service address; http://host:port or https://host:port")
    if parts.username or parts.query or parts.fragment:
        raise ValueError(f"{text!r} says too much; scheme, host, port and path, no user name, query or fragment")
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} has no such port; a port is 0..65535") from error
    return text.rstrip("/")


Tokens = Annotated[
    int,
    BeforeValidator(_tokens),
    PlainSerializer(lambda count: f"{count} tok", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _TOKENS.pattern, "examples": ["512 tok"]}),
]
ServiceUrl = Annotated[str, AfterValidator(_service_url), Field(examples=["http://127.0.0.1:8000"])]


class TrafficSpec(Frozen):
    """Streaming requests to one OpenAI-compatible inference service, offered as planned whatever the service does.

    Attributes:
        kind: inference.
        url: Base address of the service, with or without the trailing /v1.
        rate: Mean arrivals a second, above 0 and at most 100 000.
        arrivals: constant spacing, poisson, or gamma gaps with shape `burstiness` (below 1 bursty, 1 is Poisson).
        burstiness: Only with gamma.
        prompt: Length of each prompt.
        output: Tokens asked for.
        seed: Fixes the arrival instants.
        timeout: After this long from its planned instant a request counts as failed.
        connections: pooled, or never reused.
        model: Asked for by name; the service's first where left out.
        endpoint: chat or completions.
        station: Written `from`: the station of the rack that the traffic starts from; this machine where left out.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    kind: Literal["inference"] = "inference"
    url: ServiceUrl
    rate: Annotated[Frequency, Field(gt=0, le=100_000)]
    arrivals: Literal["constant", "poisson", "gamma"] = "poisson"
    burstiness: Annotated[Decimal, Field(gt=0, le=1_000_000)] | None = None
    prompt: Annotated[Tokens, Field(ge=1, le=1_000_000)] = 128
    output: Annotated[Tokens, Field(ge=1, le=1_000_000)] = 128
    seed: int = Field(default=1, ge=0)
    timeout: Time = Field(default=30_000_000_000, gt=0)
    connections: Literal["pooled", "never"] = "pooled"
    model: str | None = Field(default=None, min_length=1)
    endpoint: Literal["chat", "completions"] = "chat"
    station: str | None = Field(default=None, alias="from")

    @model_validator(mode="after")
    def _burstiness_belongs_to_gamma(self) -> Self:
        if (self.arrivals == "gamma") != (self.burstiness is not None):
            raise ValueError("burstiness goes with arrivals: gamma, and only with it")
        return self
