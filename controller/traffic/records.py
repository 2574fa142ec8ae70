"""What became of one request: planned instant, stages, gaps and outcome. A failure is a record like any other."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Status = Literal[
    "ok", "timeout", "reset", "http_5xx", "http_4xx", "truncated", "refused", "cancelled", "protocol_error"
]
TokenSource = Literal["usage", "chunks"]

MICROSECOND_NS = 1_000


class RequestRecord(BaseModel):
    """One request. Stage times are nanoseconds after `t_sched_ns`, the instant it was planned for.

    A stage that was never reached is None. `first_ns` and `end_ns` are the first and last chunk that carried content,
    reasoning or a tool call; the frame that only names the role is no content. `gaps_us` are the times between those
    chunks, so it has one entry fewer than there were chunks.

    Status: `refused` no connection; `timeout` given up at the deadline; `reset` torn down by the peer or the path;
    `truncated` the peer ended the answer in order but early; `http_4xx`/`http_5xx` the service said no;
    `protocol_error` the answer was not HTTP or not the API; `cancelled` unfinished when the run ended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["request"] = "request"
    id: int = Field(ge=0)
    request_id: str
    t_sched_ns: int
    send_ns: int
    conn_ns: int | None = None
    req_sent_ns: int | None = None
    hdr_ns: int | None = None
    first_ns: int | None = None
    end_ns: int | None = None
    closed_ns: int
    gaps_us: tuple[int, ...] = ()
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    token_source: TokenSource | None = None
    status: Status
    http_status: int | None = None
    error: str | None = None
    connection_reused: bool = False
    local_port: int | None = None
    remote_address: str | None = None
    remote_port: int | None = None

    @model_validator(mode="after")
    def _stages_in_order(self) -> Self:
        stages = [self.send_ns, self.conn_ns, self.req_sent_ns, self.hdr_ns, self.first_ns, self.end_ns]
        reached = [stage for stage in stages if stage is not None]
        if reached != sorted(reached):
            raise ValueError(f"request {self.id}: its stages are out of order: {reached}")
        if self.status == "ok" and (self.first_ns is None or self.end_ns is None):
            raise ValueError(f"request {self.id}: an ok request has a first and a last content chunk")
        return self

    @property
    def ok(self) -> bool:
        """Whether the whole answer arrived."""
        return self.status == "ok"

    def to_json(self) -> str:
        """One line of JSON, without the stages that were not reached."""
        return self.model_dump_json(exclude_none=True)

    @classmethod
    def from_json(cls, line: str | bytes) -> Self:
        """Read `to_json`'s line.

        Raises:
            pydantic.ValidationError: It is not such a line.
        """
        return cls.model_validate_json(line)


class Progress(BaseModel):
    """A finished request in brief, for a live view. `at_ns` is its planned instant after the start of the traffic."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    at_ns: int
    status: Status
    ttft_ms: float | None = None
    max_gap_ms: float | None = None


class GeneratorHealth(BaseModel):
    """How well the generator kept its own plan; what a verdict may rest on. Times in nanoseconds.

    `lag` is how late the event loop ran a timer, sampled every 10 ms; `dispatch` is how late a request was begun after
    its planned instant. `planned` counts the arrivals due before the stop, `dispatched` those begun. The rates are per
    second, over the planned and the real span of the begun requests; None with fewer than two. `wall_offset_ns` added
    to a monotonic time gives Unix time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["health"] = "health"
    lag_p99_ns: int
    lag_max_ns: int
    dispatch_p99_ns: int
    dispatch_max_ns: int
    planned: int
    dispatched: int
    finished: int
    incomplete: int
    offered_rate: float | None
    achieved_rate: float | None
    started_ns: int
    ended_ns: int
    wall_offset_ns: int
