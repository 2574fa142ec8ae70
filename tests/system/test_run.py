"""`impairlab run` on real packets: a simulated appliance between a client and an inference service."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from impairlab.controller.plan.documents import RunRecord, read_run
from impairlab.controller.traffic.log import read_log
from impairlab.drivers.model import Conditions, Target
from impairlab.drivers.registry import connect
from impairlab.sim_hardware.planes.netns import NetnsPlane

pytestmark = pytest.mark.netns

IMPAIRLAB = [sys.executable, "-c", "from impairlab.controller.cli import main; main()"]

SCENARIO = """\
scenario: brownout
title: A path that slows down and goes away
needs: {wan: [delay.constant, loss.outage]}
traffic:
  chat: {kind: inference, url: "${SERVICE}", rate: 20 req/s, prompt: 16 tok, output: 4 tok, from: client}
phases:
  - calm: {for: 3 s}
  - slow: {for: 3 s, wan: {b-a: {delay: 200 ms}}}
  - gone: {for: 300 ms, wan: {both: {loss: outage}}}
  - after: {for: 2 s}
verdicts:
  - {metric: ttft, quantile: p50, at_most: 150 ms, in: calm}
  - {metric: ttft, quantile: p50, at_most: 150 ms, in: slow}
"""


@contextmanager
def running(command):
    """A process that says where it is in one JSON line, and ends with its standard input."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(10) in {0, -signal.SIGKILL}  # killed by the test itself


@pytest.fixture
def lab(tmp_path, monkeypatch):
    if reason := NetnsPlane.available():
        pytest.skip(reason)
    with running([*IMPAIRLAB, "sim", "serve", "--port", "0", "--json"]) as appliance:
        service = [*appliance["stations"]["server"], sys.executable, "-m", "impairlab.sim_hardware.inference",
                   "--host", appliance["addresses"]["server"], "--profile", "dc-8b-h100"]  # fmt: skip
        with running(service) as ready:
            rack = {
                "appliances": {"wan-1": {"driver": "scpi", "address": appliance["address"]}},
                "stations": {"client": {"prefix": appliance["stations"]["client"]}},
            }
            (tmp_path / "rack.yaml").write_text(json.dumps(rack))
            (tmp_path / "brownout.yaml").write_text(SCENARIO)
            (tmp_path / "appliance.json").write_text(json.dumps(appliance))
            monkeypatch.setenv("SERVICE", ready["address"])
            yield tmp_path


def run(lab: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*IMPAIRLAB, "run", "brownout.yaml", "--on", "wan=wan-1", *options]
    return subprocess.run(command, cwd=lab, capture_output=True, text=True, timeout=60)


def run_in_time(lab: Path) -> subprocess.CompletedProcess[str]:
    """A run whose generator kept its times: on a busy machine the first may not be one, and INVALID is right then."""
    for _ in range(5):
        done = run(lab)
        if "the generator's" not in done.stdout:
            break
        shutil.rmtree(lab / "runs")
    return done


@contextmanager
def begun(lab: Path, until: str):
    """A run that has come as far as a line with a text."""
    command = [*IMPAIRLAB, "run", "brownout.yaml", "--on", "wan=wan-1"]
    with subprocess.Popen(command, cwd=lab, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while until not in (line := process.stderr.readline()):
            assert line, "it ended before that"
        yield process


def recorded(lab: Path) -> RunRecord:
    [folder] = (lab / "runs").iterdir()
    assert (folder / "report.html").exists()
    return read_run(folder / "documents.jsonl")


def programmed(lab: Path) -> Conditions:
    with connect(json.loads((lab / "appliance.json").read_text())["address"]) as box:
        return box.read(Target(path="1", direction="b-a")).conditions


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_delay_is_seen_by_the_traffic_and_judged(lab):
    done = run_in_time(lab)
    assert (done.returncode, done.stderr.count("phase ")) == (1, 4), done.stderr
    [folder] = (lab / "runs").iterdir()
    assert done.stdout.startswith("FAIL: ")
    assert str(folder.relative_to(lab) / "report.html") in done.stdout
    record = read_run(folder / "documents.jsonl")
    assert record.stop.outcome == "success"
    assert record.stop.restored
    assert record.samples[-1].statistics.received_packets > 100
    log = read_log(folder / "requests" / "chat.jsonl")
    assert log.health is not None
    verdicts = json.loads((folder / "verdict.json").read_text())
    assert [one["outcome"] for one in verdicts["verdicts"]] == ["PASS", "FAIL"]
    slow, calm = (verdicts["verdicts"][index]["estimate"] for index in (1, 0))
    assert 180 < (slow - calm) / 1e6 < 240
    assert (folder / "report.html").stat().st_size < 2_000_000
    assert (folder / "junit.xml").exists()


def test_a_scenario_that_cannot_be_leaves_nothing_behind(lab):
    (lab / "brownout.yaml").write_text(SCENARIO.replace("delay: 200 ms", "dealy: 200 ms"))
    done = run(lab)
    assert (done.returncode, done.stdout) == (2, "")
    assert "brownout.yaml:8:34 phases[1].slow.wan.b-a.dealy: " in done.stderr
    assert not (lab / "runs").exists()


def test_a_station_that_the_rack_does_not_have_is_a_fault_of_the_file(lab):
    (lab / "brownout.yaml").write_text(SCENARIO.replace("from: client", "from: cleint"))
    done = run(lab)
    assert (done.returncode, done.stdout) == (2, "")
    assert "traffic.chat.from: unknown station 'cleint', did you mean 'client'?; legal: client" in done.stderr
    assert not (lab / "runs").exists()


def test_what_the_appliance_cannot_do_leaves_nothing_behind(lab):
    (lab / "brownout.yaml").write_text(SCENARIO.replace("200 ms", "200.000001 ms"))
    done = run(lab)
    assert (done.returncode, done.stdout) == (2, "")
    assert "brownout.yaml:8:41 phases[1].slow.wan.b-a.delay: wan-1: " in done.stderr
    assert not list((lab / "runs").iterdir())


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_with_everything_put_right_and_on_record(lab, number):
    with begun(lab, until="200 ms") as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert out.startswith("INVALID: ")
    record = recorded(lab)
    assert record.stop.outcome == "aborted"
    assert [(r.how, r.restored) for r in record.stop.restorations] == [("neutral", True)]
    assert programmed(lab).is_neutral


def test_an_appliance_that_dies_in_the_middle_is_a_named_error_and_the_record_is_whole(lab):
    with begun(lab, until="200 ms") as process:
        os.kill(json.loads((lab / "appliance.json").read_text())["pid"], signal.SIGKILL)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 6, err
    assert "wan-1: could not be put back in 3 attempts: " in err
    record = recorded(lab)
    assert record.stop.outcome == "failed"
    assert record.stop.error.name in {"ConnectionLost", "ConnectError"}  # noticed while idle, or by a write
    assert [(r.how, r.restored) for r in record.stop.restorations] == [("failed", False)]
    assert out.startswith("INVALID: the run failed after 2 of 5 steps: Connect")


def test_traffic_that_is_killed_ends_the_run_with_everything_put_right(lab):
    with begun(lab, until="200 ms") as process:
        [generator] = children(process.pid)
        os.kill(generator, signal.SIGKILL)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 5, err
    assert "the traffic generator ended before it was done" in err
    assert recorded(lab).stop.restored
    assert programmed(lab).is_neutral
