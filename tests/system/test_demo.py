"""`impairlab demo` on both planes, with its scenarios made short."""

import re

import pytest

from impairlab.controller.cli import demo as verb
from impairlab.controller.cli.app import run_command
from impairlab.controller.cli.demo_lab import DemoLabError, relay_lab
from impairlab.controller.plan.documents import read_run
from impairlab.controller.plan.scenario_file import read_scenario
from impairlab.sim_hardware.planes.netns import NetnsPlane


@pytest.fixture
def short(tmp_path, monkeypatch):
    for file in verb.SCENARIOS.iterdir():
        (tmp_path / file.name).write_text(re.sub(r"for: \d+ s", "for: 1 s", file.read_text()))
    monkeypatch.setattr(verb, "SCENARIOS", tmp_path)
    return tmp_path / "runs"


def applied_in(runs):
    [folder] = runs.iterdir()
    assert (folder / "report.html").exists()
    record = read_run(folder / "documents.jsonl")
    assert (record.stop.outcome, record.stop.restored) == ("success", True)
    return [
        (event.phase, str(change.conditions)) for event in record.events for change in event.changes if change.where
    ]


@pytest.mark.netns
@pytest.mark.parametrize("plane", ["auto", "netns"])
def test_packets_cross_the_namespaces(short, capsys, plane):
    if reason := NetnsPlane.available():
        pytest.skip(reason)
    assert run_command(["demo", "--plane", plane, "--runs", str(short)]) == 0
    applied = applied_in(short)
    assert ("impaired", "delay 40 ms ± 8 ms normal, loss 1 % in bursts of 4") in applied
    assert ("outage", "outage") in applied
    way, verdict = capsys.readouterr().out.splitlines()
    assert way.startswith("Packets cross the simulated appliance between two network namespaces, made ")
    assert re.fullmatch(r"(PASS|FAIL|INCONCLUSIVE|INVALID): .* - report: .*/report\.html", verdict)


def test_without_namespaces_it_says_so_and_relays(short, capsys, monkeypatch):
    monkeypatch.setattr(NetnsPlane, "available", lambda: "they are forbidden")
    assert run_command(["demo", "--runs", str(short)]) == 0
    applied = applied_in(short)
    assert ("impaired", "delay 40 ms ± 8 ms normal") in applied
    assert ("outage", "link down") in applied
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first == "No network namespaces here: they are forbidden."
    assert "packet loss is left out" in second


def test_the_two_scenarios_differ_only_in_what_a_stream_cannot_suffer():
    environment = {"SERVICE": "http://127.0.0.1:1"}
    whole, relayed = (
        read_scenario(verb.SCENARIOS / name, environment) for name in ("brownout.yaml", "brownout-relay.yaml")
    )
    assert whole.verdicts == relayed.verdicts
    assert whole.traffic["chat"].model_copy(update={"station": None}) == relayed.traffic["chat"]
    assert [(p.name, p.duration_ns) for p in whole.phases] == [(p.name, p.duration_ns) for p in relayed.phases]
    assert whole.duration_ns < 70_000_000_000


def test_a_lab_that_cannot_start_is_a_named_error(monkeypatch):
    monkeypatch.setattr("impairlab.controller.cli.demo_lab._SERVICE", ("false",))
    with pytest.raises(DemoLabError, match="did not start: exit code 1"), relay_lab():
        pass
