"""docs/reference/run-folder.md names every file of a run and every field of every document, and no other."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args

import pytest

from impairlab.controller.analysis import health
from impairlab.controller.analysis.verdict import failure_rate_at_most
from impairlab.controller.plan import documents as d
from impairlab.controller.plan.timeline import Change, Span, Step, Timeline
from impairlab.controller.report.verdict_file import verdict_content
from impairlab.controller.report.verdicts import Verdicts
from impairlab.controller.report.view import Judged
from impairlab.controller.run.folder import RunFolder
from impairlab.controller.sequencer.sequencer import LATE_NS
from impairlab.controller.traffic.log import LogHeader
from impairlab.controller.traffic.records import GeneratorHealth, RequestRecord
from impairlab.drivers.links.wire_log import WireRecord
from impairlab.drivers.model import Applied, FlowEntry, Identity, Snapshot, Statistics, Target

MODELS = {
    "start": d.StartDocument, "snapshot": d.SnapshotDocument, "event": d.EventDocument, "sample": d.SampleDocument,
    "stop": d.StopDocument, "traffic": LogHeader, "request": RequestRecord, "health": GeneratorHealth,
    "wire/APPLIANCE.jsonl": WireRecord,
} | {
    model.__name__: model
    for model in (
        d.ClockPair, d.ApplianceRecord, Identity, d.CapabilitiesRecord, Timeline, Step, Span, Change, Target, Applied,
        Snapshot, FlowEntry, Statistics, d.Restoration, d.ErrorRecord,
    )
}  # fmt: skip


@pytest.fixture
def folder_page(page):
    return page("reference/run-folder.md")


def field_names(model):
    return [field.name for field in fields(model)] if is_dataclass(model) else list(model.model_fields)


@pytest.mark.parametrize("heading", MODELS)
def test_every_field_of_every_document_is_there(folder_page, heading):
    assert folder_page.column(heading) == field_names(MODELS[heading])


def test_every_kind_of_document_has_a_section():
    assert set(get_args(d.Document)) <= set(MODELS.values())


def test_the_verdict_file_is_as_said(folder_page):
    row = Judged("calm", failure_rate_at_most(0, 100, limit=0.05), "chat")
    content = verdict_content(Verdicts(None, (row,), "", ()), run="r", title="t")
    assert folder_page.column("verdict.json") == list(content)
    assert folder_page.column("A verdict") == list(content["verdicts"][0])


def test_every_file_of_a_run_is_named(folder_page):
    folder = RunFolder(Path("run"))
    properties = [name for name, value in vars(RunFolder).items() if isinstance(value, property) and name != "name"]
    paths = [*(getattr(folder, name) for name in properties), folder.requests("NAME"), folder.wire("APPLIANCE")]
    paths.append(folder.requests("NAME").with_suffix(".plan.json"))
    assert sorted(folder_page.column("The run folder")) == sorted(str(path.relative_to("run")) for path in paths)


def test_the_figures_are_those_of_the_code(folder_page):
    assert f"later than {LATE_NS // 1_000_000} ms" in folder_page.sections["event"]
    said = folder_page.sections["health"]
    assert f"above {health.LAG_LIMIT_NS // 1_000_000} ms or above a tenth" in said
    assert f"more than {health.RATE_TOLERANCE:.0%}".replace("%", " %") in said
    assert health.EFFECT_SHARE == 0.1


def test_the_kinds_of_events_and_restorations_are_those_that_there_are(folder_page):
    events = next(row["what"] for row in folder_page.tables("event")[0] if row["field"] == "`event`")
    assert all(f"`{kind}`" in events for kind in get_args(d.EventKind))
    how = next(row["what"] for row in folder_page.tables("Restoration")[0] if row["field"] == "`how`")
    assert all(f"`{word}`" in how for word in get_args(d.Restoration.model_fields["how"].annotation))
