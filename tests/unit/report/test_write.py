"""A report from a run folder: judged as the analysis judges, the same every time, and honest about a run cut short."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from impairlab.controller.analysis.metrics import METRICS, planned_between
from impairlab.controller.analysis.quantiles import quantile, quantile_interval
from impairlab.controller.analysis.verdict import Outcome, quantile_at_most, quantile_worse_by_at_most, wilson
from impairlab.controller.plan.documents import ErrorRecord, read_run
from impairlab.controller.report.write import write_report
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.traffic.log import read_log
from impairlab.drivers.model.errors import FileError

MakeRun = Callable[..., RunFolder]
MS, SECOND = 1_000_000, 1_000_000_000
LOST = ErrorRecord(name="ConnectionLost", message="the peer closed the connection", appliance="wan-1", command="*OPC?")


def outcomes(folder: RunFolder) -> list[str]:
    return [verdict["outcome"] for verdict in json.loads(folder.verdicts.read_text())["verdicts"]]


def test_every_verdict_is_what_the_analysis_says_of_the_phase(make_run: MakeRun) -> None:
    folder = make_run()
    written = write_report(folder)
    records = read_log(folder.requests("chat")).records
    phases = read_run(folder.documents).phases
    within = {name: planned_between(records, *span) for name, span in phases.items()}
    assert sum(len(members) for members in within.values()) == len(records) > 900
    ttft, gap = METRICS["ttft_sched"], METRICS["max_gap"]
    slow, worse, failing, out = (row.verdict for row in written.verdicts)
    values = ttft.values(within["impaired"])
    assert slow.outcome is quantile_at_most(values, metric=ttft, q=0.95, limit=300.0 * MS).outcome is Outcome.FAIL
    assert (slow.estimate, slow.interval) == (quantile(values, 0.95), quantile_interval(values, 0.95))
    recovered = quantile_worse_by_at_most(
        gap.values(within["recovery"]), gap.values(within["baseline"]), metric=gap, q=0.95, by_at_most=150.0 * MS
    )
    assert (worse.outcome, worse.interval) == (recovered.outcome, recovered.interval)
    failures = sum(not record.ok for record in within["recovery"])
    assert failing.interval == wilson(failures, len(within["recovery"]))
    assert (out.outcome, out.n) == (Outcome.INCONCLUSIVE, len(within["outage"]))
    assert written.overall is Outcome.FAIL


def test_the_line_for_the_terminal_names_the_outcome_why_and_where(make_run: MakeRun) -> None:
    folder = make_run()
    line = write_report(folder).line
    assert line.startswith("FAIL: 1 of 4 verdicts failed (ttft p95 at most 300 ms in impaired: it is ")
    assert line.endswith(f" - report: {folder.path}/report.html")
    assert "\n" not in line


def test_written_twice_it_is_the_same_to_the_byte(make_run: MakeRun) -> None:
    folder = make_run()
    files = (folder.verdicts, folder.junit, folder.report)
    write_report(folder)
    first = [file.read_bytes() for file in files]
    write_report(folder)
    assert [file.read_bytes() for file in files] == first


def test_a_late_generator_makes_the_run_invalid(make_run: MakeRun) -> None:
    folder = make_run(lag_p99_ns=20 * MS)
    assert write_report(folder).overall is Outcome.INVALID
    assert set(outcomes(folder)) == {"INVALID"}


def test_an_aborted_run_is_judged_as_far_as_its_phases_went_and_is_invalid_as_a_whole(make_run: MakeRun) -> None:
    text = """\
scenario: cut
needs: {wan: [delay.constant]}
traffic: {chat: {kind: inference, url: "http://10.0.0.2:8000", rate: 40 req/s}}
phases: [{one: {for: 10 s}}, {two: {for: 10 s, wan: {both: {delay: 5 ms}}}}, {three: {for: 10 s}}]
verdicts:
  - {metric: ttft, quantile: p90, at_most: 900 ms, in: one}
  - {metric: ttft, quantile: p90, at_most: 900 ms, in: two}
  - {metric: ttft, quantile: p90, at_most: 900 ms, in: three}
"""
    folder = make_run(text, outcome="aborted", cut_ns=15 * SECOND)
    written = write_report(folder)
    assert written.overall is Outcome.INVALID
    assert [row.verdict.outcome.value for row in written.verdicts] == ["PASS", "INVALID", "INVALID"]
    reasons = [row.verdict.reason for row in written.verdicts]
    assert "the phase two was cut short" in reasons[1]
    assert "the phase three never came" in reasons[2]
    html = folder.report.read_text()
    assert "the run was aborted by its user after 2 of 4 steps" in html
    assert "wan-1 was left with nothing impaired, read back." in html


def test_a_phase_whose_requests_the_cut_cancelled_is_not_judged(make_run: MakeRun) -> None:
    folder = make_run(outcome="aborted", cut_ns=45_300 * MS)
    written = write_report(folder)
    assert (
        "requests of the phase impaired were cancelled when the run was cut short" in written.verdicts[0].verdict.reason
    )


def test_a_failed_run_names_the_error_the_appliance_and_that_it_was_not_restored(make_run: MakeRun) -> None:
    folder = make_run(outcome="failed", cut_ns=30 * SECOND, error=LOST, restored=False)
    written = write_report(folder)
    assert written.line.startswith(
        "INVALID: the run failed after 2 of 5 steps: ConnectionLost on wan-1: the peer closed"
    )
    html = folder.report.read_text()
    assert "wan-1 was NOT restored" in html
    assert "last command *OPC?" in html
    errors = ET.fromstring(folder.junit.read_text()).findall("testsuite/testcase/error")  # noqa: S314 - ours
    assert len(errors) == 5


def test_a_killed_run_has_a_report(make_run: MakeRun) -> None:
    folder = make_run(outcome="killed", cut_ns=30 * SECOND)
    with folder.documents.open("a") as file:
        file.write('{"kind":"ev')
    assert write_report(folder).overall is Outcome.INVALID
    said = json.loads(folder.verdicts.read_text())
    assert said["reason"].startswith("its record has no end")
    assert "The last document is cut short" in said["notices"][0]


def test_a_run_that_failed_without_any_verdict_is_not_green_for_ci(make_run: MakeRun) -> None:
    text = "scenario: bare\nneeds: {wan: [delay.constant]}\nphases: [{one: {for: 10 s, wan: {a-b: {delay: 5 ms}}}}]\n"
    folder = make_run(text, outcome="failed", cut_ns=5 * SECOND, error=LOST)
    assert write_report(folder).overall is Outcome.INVALID
    assert ET.fromstring(folder.junit.read_text()).find("testsuite").get("errors") == "1"  # noqa: S314 - ours


def test_a_run_without_traffic_or_verdicts_has_a_report_and_no_outcome(make_run: MakeRun) -> None:
    text = "scenario: bare\nneeds: {wan: [delay.constant]}\nphases: [{one: {for: 10 s, wan: {a-b: {delay: 5 ms}}}}]\n"
    folder = make_run(text)
    written = write_report(folder)
    assert written.overall is None
    assert written.line.startswith("NO VERDICT: the scenario asked for no verdict")
    assert "delay 5 ms" in folder.report.read_text()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "There is no log of the traffic chat"),
        (lambda path: path.write_text("{}\n"), "The log of the traffic chat cannot be read"),
        (lambda path: path.write_bytes(b"\xff\xfe\n"), "The log of the traffic chat cannot be read"),
    ],
)
def test_a_missing_or_damaged_traffic_log_is_a_notice_and_makes_verdicts_invalid(
    make_run: MakeRun, damage: Callable[[Path], object], told: str
) -> None:
    folder = make_run()
    damage(folder.requests("chat"))
    assert write_report(folder).overall is Outcome.INVALID
    assert json.loads(folder.verdicts.read_text())["notices"][0].startswith(told)


def test_a_generator_that_died_leaves_its_requests_and_an_invalid_run(make_run: MakeRun) -> None:
    folder = make_run()
    log = folder.requests("chat")
    log.write_text("".join(line for line in log.read_text().splitlines(keepends=True)[:-1]))
    written = write_report(folder)
    assert written.overall is Outcome.INVALID
    assert "the traffic generator died" in written.verdicts[0].verdict.reason


def test_two_traffics_are_shown_and_judged_apart(make_run: MakeRun) -> None:
    text = """\
scenario: two
needs: {wan: [delay.constant]}
traffic:
  chat: {kind: inference, url: "http://10.0.0.2:8000", rate: 10 req/s}
  code: {kind: inference, url: "http://10.0.0.2:8000", rate: 20 req/s, seed: 2}
phases: [{one: {for: 10 s, wan: {both: {delay: 5 ms}}}}]
verdicts:
  - {metric: ttft, quantile: p90, at_most: 900 ms, in: one, of: chat}
  - {metric: ttft, quantile: p90, at_most: 900 ms, in: one, of: code}
"""
    folder = make_run(text)
    written = write_report(folder)
    for row, name in zip(written.verdicts, ("chat", "code"), strict=True):
        assert row.traffic == name
        assert row.verdict.n == len(read_log(folder.requests(name)).records)
    html = folder.report.read_text()
    assert "Timeline of chat" in html
    assert "Timeline of code" in html


def test_a_folder_that_is_no_run_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        write_report(RunFolder(tmp_path))
