"""The traffic log: a JSONL file with a header, one line per request, and the generator's health as its last line."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from .records import GeneratorHealth, RequestRecord
from .spec import InferenceTraffic


class LogHeader(BaseModel):
    """First line: what was asked for, and the planned arrivals as nanoseconds after the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["traffic"] = "traffic"
    schema_version: Literal[1] = 1
    traffic: InferenceTraffic
    model: str
    start_ns: int
    wall_offset_ns: int
    schedule_ns: tuple[int, ...]


@dataclass(frozen=True)
class TrafficLog:
    """A traffic log as read. `health` is None when the generator died before it could say how it did."""

    header: LogHeader
    records: tuple[RequestRecord, ...]
    health: GeneratorHealth | None


class TrafficLogError(ValueError):
    """The file is not a traffic log, or a line inside it is damaged."""


def read_log(path: Path) -> TrafficLog:
    """Read a traffic log. A last line cut short by a crash is dropped; the missing health then tells of the crash.

    Raises:
        OSError: The file cannot be read.
        TrafficLogError: A line that is not the last is damaged, or the header is missing.
    """
    header: LogHeader | None = None
    records: list[RequestRecord] = []
    health: GeneratorHealth | None = None
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise TrafficLogError(f"{path}: {error}") from error
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is empty or cut short
        try:
            kind = json.loads(line).get("kind")
            if kind == "request":
                records.append(RequestRecord.from_json(line))
            elif kind == "traffic":
                header = LogHeader.model_validate_json(line)
            elif kind == "health":
                health = GeneratorHealth.model_validate_json(line)
            else:
                raise TrafficLogError(f"{path}:{number}: unknown kind of line: {kind!r}")
        except (ValueError, AttributeError) as error:
            raise TrafficLogError(f"{path}:{number}: {error}") from error
    if header is None:
        raise TrafficLogError(f"{path}: no header line: this is not a traffic log")
    return TrafficLog(header, tuple(records), health)
