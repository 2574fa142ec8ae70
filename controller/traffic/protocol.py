"""What the generator process and its controller say to each other: one JSON object a line, on stdin and stdout."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from .records import GeneratorHealth, Progress
from .spec import SECOND_NS, InferenceTraffic


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_line(self) -> str:
        """The line, with its end."""
        return self.model_dump_json(exclude_none=True) + "\n"


class TrafficPlan(_Line):
    """The plan file. `drain_ns` is how long unfinished requests may go on after the last was admitted."""

    traffic: InferenceTraffic
    drain_ns: int = Field(default=10 * SECOND_NS, ge=0)


class Ready(_Line):
    """The generator stands by. `monotonic_ns` is its clock, `wall_offset_ns` what makes Unix time of it."""

    pid: int
    model: str
    monotonic_ns: int
    wall_offset_ns: int


class ReadyLine(_Line):
    """Generator to controller, first."""

    ready: Ready


class FailedLine(_Line):
    """Generator to controller: it cannot go on."""

    failed: str


class ProgressLine(_Line):
    """Generator to controller, after each request."""

    progress: Progress


class Done(_Line):
    """The end: how many records are in the log, and how well the generator kept its plan."""

    requests: int
    health: GeneratorHealth


class DoneLine(_Line):
    """Generator to controller, last."""

    done: Done


class StartCommand(_Line):
    """Controller to generator: the instant, on the monotonic clock, from which the schedule counts."""

    start_at_ns: int


class StopCommand(_Line):
    """Controller to generator: admit no more requests, let the others finish. The end of stdin means the same."""

    stop: Literal[True]


class AbortCommand(_Line):
    """Controller to generator: end at once; unfinished requests are on record as cancelled."""

    abort: Literal[True]


Report = ReadyLine | FailedLine | ProgressLine | DoneLine
Command = StartCommand | StopCommand | AbortCommand

_REPORT: TypeAdapter[Report] = TypeAdapter(Report)
_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


class NotInProtocol(ValueError):  # noqa: N818 - says what was seen
    """A line that the other side should not have sent."""


def read_report(line: str) -> Report:
    """A line of the generator's.

    Raises:
        NotInProtocol: It is none.
    """
    try:
        return _REPORT.validate_json(line)
    except ValueError as error:
        raise NotInProtocol(f"not a line of the generator's: {line[:200]!r}") from error


def read_command(line: str) -> Command:
    """A line of the controller's.

    Raises:
        NotInProtocol: It is none.
    """
    try:
        return _COMMAND.validate_json(line)
    except ValueError as error:
        raise NotInProtocol(f"not a command: {line[:200]!r}") from error
