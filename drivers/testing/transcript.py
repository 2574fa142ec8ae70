"""Transcripts: wire logs of an exercise, with a header, so that what hardware once said can be a test for ever.

A transcript is a wire log (`impairlab.drivers.links.wire_log`) that begins with an event "transcript {...}" and holds
an event "result {...}" for each result of the exercise, in its place among the lines.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic_ns
from typing import Literal

from pydantic import ValidationError

from impairlab.drivers.appliance import Appliance
from impairlab.drivers.links.wire_log import WireLog, WireRecord, read_wire_log
from impairlab.drivers.model.errors import FileError
from impairlab.drivers.model.frozen import Frozen
from impairlab.drivers.options import Options
from impairlab.drivers.registry import load_driver
from impairlab.drivers.testing.exercise import EXERCISES, Result

_HEADER = "transcript "
_RESULT = "result "


class Header(Frozen):
    """How a transcript came about.

    Attributes:
        driver: Name of the driver.
        address: Where the appliance was; addresses hold no secret.
        exercise: Which exercise.
        has_secret: Whether a secret was given; it is `***` in the lines.
        versions: Of impairlab, and of whatever else matters.
        recorded: When, in UTC, ISO 8601.
    """

    format: Literal[1] = 1
    driver: str
    address: str
    exercise: Literal["look", "look-and-write"]
    has_secret: bool
    versions: dict[str, str]
    recorded: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript as it was read.

    Attributes:
        header: How it came about.
        lines: What was sent and received, with the number of the line in the file.
        results: Of the exercise.
    """

    header: Header
    lines: tuple[tuple[int, WireRecord], ...]
    results: tuple[Result, ...]


def record_transcript(
    path: Path, driver: str, address: str, exercise: Literal["look", "look-and-write"], secret: str | None = None
) -> Generator[Result, None, None]:
    """Connect, go through an exercise and write the transcript; yields the results while they come.

    Args:
        path: A file that is not there yet.
        driver: Name of a driver.
        address: What the driver takes.
        exercise: One of `EXERCISES`. "look" changes nothing.
        secret: What authenticates.

    Raises:
        FileError: The file is there already, or cannot be written.
        ImpairlabError: As the driver raises it; the file then holds what was said until then.
    """
    make = load_driver(driver)
    header = Header(
        driver=driver, address=address, exercise=exercise, has_secret=bool(secret),
        versions={"impairlab": version("impairlab")}, recorded=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    try:
        path.open("x").close()
    except OSError as error:
        raise FileError([f"{path}: {error.strerror}"]) from error
    with WireLog(path) as log:
        _note(log, _HEADER + header.model_dump_json())
        with make(address, Options(wire_log=log, secret=secret)) as box:
            for result in gone_through(exercise, box):
                _note(log, _RESULT + json.dumps(result))
                yield result


def gone_through(exercise: str, box: Appliance) -> Iterator[Result]:
    """Yield the results of an exercise as a transcript has them."""
    for done, came in EXERCISES[exercise](box):
        yield done, json.loads(json.dumps(came))


def read_transcript(path: Path) -> Transcript:
    """Read a transcript.

    Raises:
        FileError: It cannot be read, has no header, or is of a format that is not known.
    """
    try:
        records = list(enumerate(read_wire_log(path), 1))
        first = records[0][1].text if records else ""
        if not first.startswith(_HEADER):
            raise ValueError("no transcript: it has no header")
        header = Header.model_validate_json(first.removeprefix(_HEADER))
        texts = [record.text for _, record in records if record.direction == "event"]
        results = [json.loads(text.removeprefix(_RESULT)) for text in texts if text.startswith(_RESULT)]
    except OSError as error:
        raise FileError([f"{path}: {error.strerror}"]) from error
    except (ValidationError, ValueError) as error:
        raise FileError([f"{path}: {error}"]) from error
    lines = tuple((number, record) for number, record in records if record.direction != "event")
    return Transcript(header, lines, tuple((done, came) for done, came in results))


def _note(log: WireLog, text: str) -> None:
    log.record(WireRecord(monotonic_ns(), "event", text))
