"""What inference traffic to offer: one frozen value that fixes every request before the first is sent."""

from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Arrivals = Literal["constant", "poisson", "gamma"]
Connections = Literal["pooled", "never"]
Endpoint = Literal["chat", "completions"]

SECOND_NS = 1_000_000_000


def _service_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is not a service address: write http://host:port or https://host:port")
    if parts.username or parts.query or parts.fragment:
        raise ValueError(f"{text!r}: a service address has no user name, query or fragment")
    _ = parts.port  # raises ValueError on a port outside 0..65535
    return text.rstrip("/")


class InferenceTraffic(BaseModel):
    """Streaming requests to one OpenAI-compatible service, offered as planned whatever the service does.

    Args:
        url: Base address of the service, with or without the trailing `/v1`.
        rate: Mean arrivals per second, above 0 and at most 100 000.
        arrivals: `constant` spacing, `poisson` (exponential gaps) or `gamma` gaps with shape `burstiness`.
        burstiness: Shape of the gamma gaps: below 1 bursty, 1 is Poisson, larger is smoother. With `gamma` only.
        prompt_tokens: Length of each prompt. The client has no tokenizer: it writes as many short words.
        output_tokens: `max_tokens` of each request.
        duration_ns: How long arrivals go on, or None to go on until told to stop.
        seed: Fixes the arrival instants.
        timeout_ns: After this long from its scheduled instant a request is given up and counts as failed.
        connections: `pooled` reuses idle connections; `never` opens one per request (1 to 3 round trips more).
        model: The model to ask for, or None to take the first that the service lists.
        endpoint: `chat` posts to /v1/chat/completions, `completions` to /v1/completions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, AfterValidator(_service_url)]
    rate: Decimal = Field(gt=0, le=100_000, allow_inf_nan=False)
    arrivals: Arrivals = "poisson"
    burstiness: Decimal | None = Field(default=None, gt=0, le=1_000_000, allow_inf_nan=False)
    prompt_tokens: int = Field(default=128, ge=1, le=1_000_000)
    output_tokens: int = Field(default=128, ge=1, le=1_000_000)
    duration_ns: int | None = Field(default=None, gt=0)
    seed: int = Field(default=1, ge=0)
    timeout_ns: int = Field(default=30 * SECOND_NS, gt=0)
    connections: Connections = "pooled"
    model: str | None = Field(default=None, min_length=1)
    endpoint: Endpoint = "chat"

    @model_validator(mode="after")
    def _burstiness_belongs_to_gamma(self) -> Self:
        if (self.arrivals == "gamma") != (self.burstiness is not None):
            raise ValueError("burstiness goes with arrivals: gamma, and only with it")
        return self

    @property
    def api_root(self) -> str:
        """The address that ends in `/v1`."""
        return self.url if self.url.endswith("/v1") else f"{self.url}/v1"
