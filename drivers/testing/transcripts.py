"""TranscriptContract: a transcript, of hardware say, as a test of its driver. Inherit it in a test module.

class TestTheChimeraOfLab7(TranscriptContract):
    transcript = Path(__file__).parent / "chimera-lab7.jsonl"
"""

# ruff: noqa: D102, S101 - these are tests: the name says what holds, and assert is how they say it

from __future__ import annotations

from pathlib import Path

from impairlab.drivers.testing.replay import replay
from impairlab.drivers.testing.transcript import read_transcript


class TranscriptContract:
    """The test. A subclass says which transcript."""

    transcript: Path

    def test_the_same_bytes_and_the_same_results(self) -> None:
        assert read_transcript(self.transcript).results, "nothing came of the exercise that was recorded"
        replay(read_transcript(self.transcript))
