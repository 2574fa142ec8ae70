"""The page of a whole run: every part is there, its numbers are the analysis's, and names are text in it."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

from impairlab.controller.analysis.metrics import METRICS, planned_between
from impairlab.controller.analysis.quantiles import quantile, quantile_interval
from impairlab.controller.plan.documents import ErrorRecord, EventDocument, RunLog, SampleDocument, read_run
from impairlab.controller.report.programmed import counters
from impairlab.controller.report.scales import duration
from impairlab.controller.report.view import Counters
from impairlab.controller.report.write import write_report
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.traffic.log import read_log
from impairlab.drivers.model import Statistics, Target

MakeRun = Callable[..., RunFolder]
MS, SECOND = 1_000_000, 1_000_000_000
HOSTILE = "<script>alert(1)</script>&\"'"
PHRASING_ONLY = {"p", "h1", "h2", "h3", "span", "dt", "th"}
BLOCK = {"div", "p", "table", "section", "ul", "dl", "figure"}


class Strict(HTMLParser):
    """Fails on unbalanced tags, an attribute given twice, blocks where text belongs; keeps the text of each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        assert not (tag in BLOCK and set(self.open) & PHRASING_ONLY), (tag, self.open)
        self.seen.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row and row[0] == first)


def parsed(folder: RunFolder) -> Strict:
    write_report(folder)
    parser = Strict()
    parser.feed(folder.report.read_text())
    parser.close()
    assert parser.open == []
    return parser


def test_the_tables_show_what_the_analysis_says(make_run: MakeRun) -> None:
    folder = make_run()
    page = parsed(folder)
    records = read_log(folder.requests("chat")).records
    ttft, gap = METRICS["ttft_sched"], METRICS["max_gap"]
    for name, span in read_run(folder.documents).phases.items():
        members = planned_between(records, *span)
        outlasted = sum(record.t_sched_ns + record.closed_ns > span[1] for record in members)
        stalled = sum(record.ok and max(record.gaps_us) > 100_000 for record in members)
        shown = [
            str(len(members)),
            str(sum(not record.ok for record in members)),
            duration(quantile(ttft.values(members), 0.5)),
            duration(quantile(ttft.values(members), 0.99)),
            duration(quantile(gap.values(members), 0.95)),
            str(stalled),
            str(outlasted),
        ]
        assert page.row(name)[3:] == shown
    impaired = ttft.values(planned_between(records, *read_run(folder.documents).phases["impaired"]))
    interval = quantile_interval(impaired, 0.95)
    first = page.row("FAIL")
    assert first[3] == duration(quantile(impaired, 0.95))
    assert first[4] == f"{duration(interval.low)} … {duration(interval.high)}"
    assert first[6:] == [str(len(impaired)), "0"]
    assert "judged by exact binomial" in first[1]


def test_every_part_is_there(make_run: MakeRun) -> None:
    folder = make_run()
    parsed(folder)
    html = folder.report.read_text()
    for text in (
        "Objectives", "Timeline", "Phases", "Percentiles, phase against phase", "What was applied", "Packet counters",
        "Generator health", "Definitions", "Environment and record", "There is no guard band",
        "impairlab IL-8 SIM0001 1.0", "driver scpi, tcp://127.0.0.1:5025", "Restored wan-1", "yes: snapshot",
        "Version of impairlab", "seed 1", "step 2: delay 40 ms", "acknowledged 1.7 ms later", "p95 ≤ 300 ms",
    ):  # fmt: skip
        assert text in html, text
    assert not re.search(r"https?://(?!10\.0\.0\.2)|@import|url\(|<script|\ssrc=|\shref=", html)
    assert len(html.encode()) < 150_000


def test_the_applied_table_has_asked_sent_read_back_and_times(make_run: MakeRun) -> None:
    rows = parsed(make_run()).rows
    delay = next(row for row in rows if "delay.mean" in row)
    assert delay == ["wan-1 path 1 b-a", "delay.mean", "40 ms", "40 ms", "40 ms", "1.7 ms", "1.6 ms"]
    heads = [row[0] for row in rows if len(row) == 1]
    assert heads[1] == "2 impaired planned at 20 s, began 100 µs after it"


def test_the_counters_are_what_they_grew_by_in_the_run(make_run: MakeRun) -> None:
    page = parsed(make_run())
    assert page.row("Counter") == ["Counter", "wan-1 path 1 a-b", "wan-1 path 1 b-a"]
    assert page.row("received packets") == ["received packets", "60\u202f600", "60\u202f600"]
    assert page.row("dropped loss")[1:] == ["0", "0"]
    assert page.row("counted over")[1:] == ["60.6 s", "60.6 s"]


def test_counters_that_were_cleared_in_the_run_are_as_last_read() -> None:
    target = Target(path="1", direction="a-b")
    readings = [Statistics(at_ns=1, received_packets=900), Statistics(at_ns=2, received_packets=40)]
    samples = [SampleDocument(appliance="wan-1", target=target, statistics=reading) for reading in readings]
    assert counters(samples) == (Counters("wan-1 path 1 a-b", {"received packets": 40}, None),)


def test_a_percentile_that_the_data_cannot_carry_is_grey(make_run: MakeRun) -> None:
    folder = make_run()
    parsed(folder)
    records = read_log(folder.requests("chat")).records
    for name, p99_grey in (("baseline", True), ("impaired", False)):
        members = planned_between(records, *read_run(folder.documents).phases[name])
        assert (len(members) < 368) is p99_grey
        p99 = duration(quantile(METRICS["ttft_sched"].values(members), 0.99))
        grey = f'<td class="number soft">{p99}</td>' in folder.report.read_text()
        assert grey is p99_grey


def test_hostile_names_are_text(make_run: MakeRun) -> None:
    text = """\
scenario: hostile
needs: {wan: [delay.constant]}
traffic: {chat: {kind: inference, url: "http://10.0.0.2:8000", rate: 10 req/s}}
phases: [{"<b>one&amp;": {for: 10 s, wan: {a-b: {delay: 5 ms}}}}]
verdicts: [{metric: ttft, quantile: p90, at_most: 900 ms, in: "<b>one&amp;"}]
"""
    error = ErrorRecord(name="Bad", message=HOSTILE, appliance=HOSTILE, command=HOSTILE)
    folder = make_run(text, title=HOSTILE, outcome="failed", cut_ns=5 * SECOND, error=error)
    assert "script" not in parsed(folder).seen
    html = folder.report.read_text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;one&amp;amp;" in html


def test_a_late_step_and_a_failed_step_stand_out(make_run: MakeRun) -> None:
    folder = make_run(outcome="killed")
    record = read_run(folder.documents)
    last = [event for event in record.events if event.changes][-1]
    folder.documents.rename(folder.path / "before.jsonl")
    late = last.model_copy(update={"late": True, "lateness_ns": 30 * MS, "planned_ns": last.planned_ns - SECOND})
    failed = EventDocument(
        event="step", phase="recovery", label="end", planned_ns=last.planned_ns, sent_ns=last.sent_ns,
        acknowledged_ns=None, changes=last.changes, error=ErrorRecord(name="NoResponse", message="nothing came"),
    )  # fmt: skip
    with RunLog(folder.documents) as log:
        for document in (record.start, *record.events[:-3], late, failed):
            log.write(document)
    heads = [row[0] for row in parsed(folder).rows if len(row) == 1]
    assert heads[-2].endswith("began 30 ms after it late")
    assert heads[-1].endswith("failed NoResponse: nothing came")
    assert "steps began late, by up to 30 ms" in folder.report.read_text()


def test_thousands_of_steps_stay_below_two_megabytes(make_run: MakeRun) -> None:
    text = """\
scenario: flapping
needs: {wan: [delay.constant]}
traffic: {chat: {kind: inference, url: "http://10.0.0.2:8000", rate: 2 req/s}}
phases: [{one: {for: 300 s, every 200 ms: [{wan: {both: {delay: 5 ms}}, for: 100 ms}]}}]
"""
    folder = make_run(text)
    page = parsed(folder)
    html = folder.report.read_text()
    assert len(html.encode()) < 2_000_000
    assert "steps without incident are left out" in html
    assert sum(len(row) == 7 for row in page.rows) > 500
    assert re.search(r"10 states, steps \d+ to \d+", html)
