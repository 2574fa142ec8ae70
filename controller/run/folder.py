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
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class RunFolder:
    """A run's folder."""

    path: Path

    @classmethod
    def create(cls, parent: Path, scenario: str) -> Self:
        """Make a new folder named after the time and the scenario; a second run in the same second gets a number."""
        stamp = datetime.now(tz=UTC).strftime("%Y%m%d-%H%M%S")
        parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = parent / (f"{stamp}-{scenario}" + (f"-{number}" if number > 1 else ""))
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            (path / "requests").mkdir()
            (path / "wire").mkdir()
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
