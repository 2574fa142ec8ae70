"""The record of a run: written line by line, read back as it was, readable after a crash."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from impairlab.controller.plan.documents import (
    ApplianceRecord,
    CapabilitiesRecord,
    ClockPair,
    ErrorRecord,
    EventDocument,
    Restoration,
    RunLog,
    SampleDocument,
    SnapshotDocument,
    StartDocument,
    StopDocument,
    read_run,
)
from impairlab.controller.plan.rack import PathRef
from impairlab.controller.plan.scenario_file import read_scenario
from impairlab.controller.plan.timeline import build_timeline
from impairlab.drivers.model import (
    Applied,
    Capabilities,
    Feature,
    FlowEntry,
    Identity,
    Provenance,
    Range,
    Snapshot,
    Statistics,
    Target,
)
from impairlab.drivers.model.errors import FileError, NoResponse

A_B = Target(path="1", direction="a-b")
IDENTITY = Identity(manufacturer="impairlab", model="IL-8", serial="SIM1", firmware="1.0")
TIME = Range(dimension="time", low=Decimal(0), high=Decimal(10**10), step=Decimal(100))


def start() -> StartDocument:
    scenario = read_scenario(Path(__file__).parent / "brownout.yaml", {"SERVICE": "http://10.0.0.2:8000"})
    feature = Feature(name="delay.constant", ranges={"mean": TIME}, provenance=Provenance(basis="documented"))
    capabilities = Capabilities(paths=("1",), features={feature.name: feature}, exclusive=(frozenset({"a", "b"}),))
    return StartDocument(
        run="20261123-231500-brownout",
        scenario=scenario.name,
        title=scenario.title,
        scenario_file=scenario.source.name,
        scenario_text=scenario.source.text,
        binding={"wan": "wan-1:1"},
        appliances={
            "wan-1": ApplianceRecord(
                driver="scpi",
                address="tcp://127.0.0.1:5025",
                identity=IDENTITY,
                capabilities=CapabilitiesRecord.of(capabilities),
            )
        },
        timeline=build_timeline(scenario, {"wan": PathRef("wan-1", "1")}),
        traffic=scenario.traffic,
        verdicts=scenario.verdicts,
    )


def event(planned_ns: int) -> EventDocument:
    applied = Applied(target=A_B, field="delay.mean", asked="40 ms", sent="40 ms", read_back="40 ms",
                      sent_ns=planned_ns + 10, acknowledged_ns=planned_ns + 20)  # fmt: skip
    return EventDocument(event="step", phase="impaired", label="phase", planned_ns=planned_ns, sent_ns=planned_ns + 10,
                         acknowledged_ns=planned_ns + 20, lateness_ns=10, applied={"wan-1": (applied,)})  # fmt: skip


DOCUMENTS = (
    start(),
    SnapshotDocument(
        appliance="wan-1", snapshot=Snapshot(identity=IDENTITY, entries=(FlowEntry(target=A_B),), taken_ns=5)
    ),
    event(1_000),
    SampleDocument(appliance="wan-1", target=A_B, statistics=Statistics(at_ns=7, received_packets=3)),
    EventDocument(event="step", planned_ns=2_000, sent_ns=2_001, acknowledged_ns=None,
                  error=ErrorRecord.of(NoResponse("no answer", appliance="wan-1", state_known=False))),
    StopDocument(outcome="failed", steps_planned=2, steps_done=1, steps_late=0, worst_lateness_ns=10,
                 restorations=(Restoration(appliance="wan-1", restored=True, how="neutral", attempts=1),)),
)  # fmt: skip


def written(path: Path) -> Path:
    with RunLog(path / "run.jsonl") as log:
        for document in DOCUMENTS:
            log.write(document)
    return path / "run.jsonl"


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    record = read_run(written(tmp_path))
    assert (record.start, record.snapshots, record.events, record.samples, record.stop) == (
        DOCUMENTS[0], (DOCUMENTS[1],), (DOCUMENTS[2], DOCUMENTS[4]), (DOCUMENTS[3],), DOCUMENTS[5]
    )  # fmt: skip
    assert not record.truncated
    assert record.phases == {"impaired": (1_000, 1_000 + 25_000_000_000)}


def test_every_line_is_one_json_object_with_its_kind(tmp_path: Path) -> None:
    lines = written(tmp_path).read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["start", "snapshot", "event", "sample", "event", "stop"]
    first = json.loads(lines[0])
    assert first["verdicts"][0] == {
        "metric": "ttft", "quantile": "p95", "at_most": "800 ms", "worse_than": None, "by_at_most": None,
        "in": "impaired", "of": None,
    }  # fmt: skip
    assert first["traffic"]["chat"]["prompt"] == "256 tok"


def test_a_log_cut_at_any_byte_of_its_last_line_is_readable(tmp_path: Path) -> None:
    whole = written(tmp_path).read_bytes()
    last_line = whole.rindex(b"\n", 0, -1) + 1
    for cut in (last_line + 1, (last_line + len(whole)) // 2, len(whole) - 1):
        (tmp_path / "cut.jsonl").write_bytes(whole[:cut])
        record = read_run(tmp_path / "cut.jsonl")
        assert (record.truncated, record.stop, len(record.events)) == (True, None, 2)


def test_a_log_without_a_stop_is_of_a_run_that_was_killed(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert read_run(path).stop is None
    assert not read_run(path).truncated


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: it does not begin with a start document"),
        ('{"kind": "sample"}\n', "1:1: not a document of a run: sample.appliance Field required"),
        ("nonsense\n", "1:1: not a document of a run"),
    ],
)
def test_what_is_no_log_of_a_run_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(FileError, match=problem):
        read_run(tmp_path / "x.jsonl")


def test_a_record_is_never_overwritten(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(FileExistsError):
        RunLog(path)


def test_the_pair_of_clocks_turns_monotonic_into_unix_time() -> None:
    pair = ClockPair(monotonic_ns=100, wall_ns=1_000_000)
    assert 250 + pair.offset_ns == 1_000_150


def test_every_metric_of_a_verdict_can_be_measured() -> None:
    from typing import get_args

    from impairlab.controller.analysis.metrics import METRICS
    from impairlab.controller.plan.verdicts import MetricName

    assert set(get_args(MetricName)) == {*METRICS, "failure_rate"}
