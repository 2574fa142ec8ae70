"""The run folder: where everything that a run leaves behind has its place.

scenario.yaml                 as it was read
documents.jsonl               start, snapshots, events, samples, stop
requests/NAME.jsonl           every request of a traffic, and its generator's health
wire/APPLIANCE.jsonl          every line to and from an appliance
verdict.json  junit.xml  report.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Self

from impairlab.drivers.model.errors import FileError


@dataclass(frozen=True)
class RunFolder:
    """A run's folder."""

    path: Path

    @classmethod
    def create(cls, parent: Path, scenario: str) -> Self:
        """Make a new folder named after the time and the scenario; a second run in the same second gets a number.

        Raises:
            FileError: There can be no folder in that place.
        """
        stamp = datetime.now(tz=UTC).strftime("%Y%m%d-%H%M%S")
        numbered = ("" if number == 1 else f"-{number}" for number in count(1))
        try:
            parent.mkdir(parents=True, exist_ok=True)
            path = next(path for suffix in numbered if _made(path := parent / f"{stamp}-{scenario}{suffix}"))
            (path / "requests").mkdir()
            (path / "wire").mkdir()
        except OSError as error:
            problem = f"{parent}: no folder can be made in it: {error.strerror}"
            raise FileError([f"{problem}; legal: a place that can be written to"]) from error
        return cls(path)

    @property
    def name(self) -> str:
        """The run's own name."""
        return self.path.name

    @property
    def documents(self) -> Path:
        """The log of documents."""
        return self.path / "documents.jsonl"

    def requests(self, traffic: str) -> Path:
        """The log of one traffic."""
        return self.path / "requests" / f"{traffic}.jsonl"

    def wire(self, appliance: str) -> Path:
        """The wire log of one appliance."""
        return self.path / "wire" / f"{appliance}.jsonl"

    @property
    def scenario(self) -> Path:
        """The scenario file as it was read."""
        return self.path / "scenario.yaml"

    @property
    def verdicts(self) -> Path:
        """The verdicts for programs."""
        return self.path / "verdict.json"

    @property
    def junit(self) -> Path:
        """The verdicts for a CI server."""
        return self.path / "junit.xml"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"


def _made(path: Path) -> bool:
    try:
        path.mkdir()
    except FileExistsError:
        return False
    return True
