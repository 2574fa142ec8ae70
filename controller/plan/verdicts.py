"""Claims about a run as a scenario file states them: which metric, where, and within what limit."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_serializer,
    field_validator,
    model_validator,
)

from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.model.units import UnitError, format_probability, format_time, parse_probability, parse_time

MetricName = Literal[
    "ttft", "ttft_sched", "e2e", "e2e_sched", "tpot", "max_gap", "stall_count", "stall_time", "failure_rate"
]

_PERCENTILE = re.compile(r"\s*p(\d{1,2}(?:\.\d+)?)\s*")


def _quantile(value: object) -> Decimal:
    match = _PERCENTILE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not Decimal(match.group(1)):
        raise UnitError(f"{value!r} is not a percentile; write it like 'p99' or 'p99.9'")
    return Decimal(match.group(1)) / 100


def _percentile(quantile: Decimal) -> str:
    return f"p{(quantile * 100).normalize():f}"


Quantile = Annotated[
    Decimal,
    BeforeValidator(_quantile),
    PlainSerializer(_percentile, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _PERCENTILE.pattern, "examples": ["p99"]}),
]
Limit = Annotated[Decimal, Field(ge=0), WithJsonSchema({"type": ["string", "number"], "examples": ["800 ms"]})]


class VerdictSpec(Frozen):
    """One claim, to be judged when the run is over.

    Attributes:
        metric: What is looked at. `failure_rate` takes no quantile.
        quantile: As a fraction; written p99.
        at_most: The claim is that the metric is at most this.
        worse_than: The claim is that it is worse than in this phase ...
        by_at_most: ... by at most this.
        phase: Written `in`: the phase whose requests are judged (those planned within it).
        traffic: Written `of`: whose requests; needed only where a scenario has more than one traffic.

    Limits are in nanoseconds for times, a fraction of one for the failure rate, a plain number for counts.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    metric: MetricName
    quantile: Quantile | None = None
    at_most: Limit | None = None
    worse_than: str | None = None
    by_at_most: Limit | None = None
    phase: str = Field(alias="in")
    traffic: str | None = Field(default=None, alias="of")

    @field_validator("at_most", "by_at_most", mode="before")
    @classmethod
    def _in_the_unit_of_the_metric(cls, value: object, info: ValidationInfo) -> Decimal | None:
        if value is None:
            return None
        metric = info.data.get("metric")
        if metric == "stall_count":
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                raise UnitError(f"{value!r} is not a count; a plain number")
            return Decimal(str(value))
        if not isinstance(value, str):
            example = "'1 %'" if metric == "failure_rate" else "'800 ms'"
            raise UnitError(f"{value!r} has no unit; write it like {example}")
        return parse_probability(value) if metric == "failure_rate" else Decimal(parse_time(value))

    @field_serializer("at_most", "by_at_most", when_used="json-unless-none")
    def _as_in_a_file(self, limit: Decimal) -> str | float:
        return float(limit) if self.metric == "stall_count" else self._show(limit)

    @model_validator(mode="after")
    def _one_whole_claim(self) -> Self:
        if (self.worse_than is None) != (self.by_at_most is None):
            raise ValueError("half a comparison; worse_than and by_at_most go together")
        if (self.at_most is None) == (self.by_at_most is None):
            raise ValueError("a verdict makes one claim; either at_most, or worse_than with by_at_most")
        if (self.quantile is None) != (self.metric == "failure_rate"):
            raise ValueError("failure_rate takes no quantile, every other metric needs one; quantile: p99")
        if self.metric == "failure_rate" and self.worse_than is not None:
            raise ValueError("a failure rate cannot be compared with another phase yet; at_most")
        return self

    def __str__(self) -> str:
        """Return e.g. "ttft p99 at most 800 ms in impaired"."""
        quantile = "" if self.quantile is None else f" {_percentile(self.quantile)}"
        if self.at_most is not None:
            return f"{self.metric}{quantile} at most {self._show(self.at_most)} in {self.phase}"
        margin = self._show(self.by_at_most or Decimal(0))
        return f"{self.metric}{quantile} worse than {self.worse_than} by at most {margin} in {self.phase}"

    def _show(self, limit: Decimal) -> str:
        if self.metric == "failure_rate":
            return format_probability(limit)
        return f"{limit:f}" if self.metric == "stall_count" else format_time(int(limit))
