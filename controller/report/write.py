"""Writing the report: from a run folder, and from nothing else, its verdicts, its JUnit file and its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from impairlab.controller.analysis.verdict import Outcome
from impairlab.controller.run.folder import RunFolder

from .assemble import assemble, length_ns
from .junit import junit_xml
from .page import page
from .reading import read_folder
from .verdict_file import verdict_json
from .verdicts import verdicts_of
from .view import Judged


@dataclass(frozen=True)
class WrittenReport:
    """A report, written.

    Attributes:
        overall: The judgement of the whole run; None when its scenario asked for no verdict and it went through.
        verdicts: Each verdict, in the scenario's order.
        path: The page.
        line: All of it in a line for a terminal.
    """

    overall: Outcome | None
    verdicts: tuple[Judged, ...]
    path: Path
    line: str


def write_report(folder: RunFolder) -> WrittenReport:
    """Judge a run and write verdict.json, junit.xml and report.html into its folder.

    Written twice they are the same, byte for byte. A run that was aborted, that failed or that was killed has a report
    too: it is INVALID, and its notices say how it ended and what became of the appliances.

    Raises:
        FileError: The folder is not a run's, or a document in it is damaged.
        OSError: The folder cannot be written to.
    """
    content = read_folder(folder)
    verdicts = verdicts_of(content)
    start = content.record.start
    folder.verdicts.write_text(verdict_json(verdicts, run=start.run, title=start.title), encoding="utf-8")
    cut_short = "" if content.finished else verdicts.reason
    cases = junit_xml(verdicts.judged, title=start.scenario, seconds=length_ns(content) / 1e9, cut_short=cut_short)
    folder.junit.write_text(cases, encoding="utf-8")
    folder.report.write_text(page(assemble(content, verdicts)), encoding="utf-8")
    word = "NO VERDICT" if verdicts.overall is None else verdicts.overall.value
    line = f"{word}: {verdicts.reason} - report: {folder.report}"
    return WrittenReport(verdicts.overall, verdicts.judged, folder.report, line)
