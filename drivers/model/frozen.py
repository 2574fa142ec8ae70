"""Frozen: what every value of the vocabulary is."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")
