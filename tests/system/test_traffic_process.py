"""The generator process against the simulated service: started, stopped, killed, and never silent about it."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from impairlab.controller.traffic.log import TrafficLog, read_log
from impairlab.controller.traffic.process import TrafficDied, TrafficProcess, TrafficStartError, TrafficTimeout
from impairlab.controller.traffic.protocol import TrafficPlan
from impairlab.controller.traffic.records import Progress
from impairlab.controller.traffic.schedule import schedule
from impairlab.controller.traffic.spec import SECOND_NS, InferenceTraffic
from impairlab.sim_hardware.inference import Profile, serve_inference

MS = 1_000_000
QUICK = Profile("quick", 1 * MS, 2 * MS, 1_000, 20_000, max_num_seqs=64)
ENDLESS = Profile("quick", 1 * MS, 2 * MS, 0, 0, max_num_seqs=64, max_model_len=10**6)


def plan(url: str, *, drain_ns: int = 2 * SECOND_NS, **fields: Any) -> TrafficPlan:
    traffic = InferenceTraffic(url=url, **({"rate": 40, "prompt_tokens": 8, "output_tokens": 10} | fields))
    return TrafficPlan(traffic=traffic, drain_ns=drain_ns)


def run(url: str, log: Path, **fields: Any) -> TrafficLog:
    """Traffic with an end of its own, from start to log."""
    with TrafficProcess(plan(url, **fields), log) as traffic:
        traffic.start(time.monotonic_ns() + 20 * MS)
        return traffic.wait(20)


def p99(values: list[int]) -> int:
    return sorted(values)[int(0.99 * len(values))]


def test_a_run_is_what_was_planned_and_what_the_service_saw(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with serve_inference(QUICK) as service:
        spec = plan(service.address, duration_ns=SECOND_NS, seed=5)
        start_ns = time.monotonic_ns() + 200 * MS
        with TrafficProcess(spec, tmp_path / "requests.jsonl", on_progress=seen.append) as traffic:
            assert traffic.ready.model == "quick"
            start_ns = time.monotonic_ns() + 20 * MS
            traffic.start(start_ns)
            log = traffic.wait(20)
            assert not traffic.running
    due = schedule(spec.traffic, SECOND_NS)
    assert log.header.schedule_ns == due
    assert sorted(record.t_sched_ns for record in log.records) == [start_ns + offset for offset in due]
    assert {record.status for record in log.records} == {"ok"}
    assert {served.request_id for served in service.served} == {record.request_id for record in log.records}
    assert sorted(one.id for one in seen) == list(range(len(due)))
    assert all(one.ttft_ms is not None and one.max_gap_ms is not None for one in seen)
    assert log.health is not None
    assert (log.health.planned, log.health.dispatched, log.health.finished) == (len(due), len(due), len(due))
    assert log.health.achieved_rate == pytest.approx(log.health.offered_rate, rel=0.02)
    assert log.health.dispatch_p99_ns < 50 * MS  # sanity on a shared machine; the gate has the real limit


def test_open_loop_traffic_shows_a_freeze_that_a_closed_loop_would_hide(tmp_path: Path) -> None:
    with (
        serve_inference(QUICK) as service,
        TrafficProcess(plan(service.address, duration_ns=1_500 * MS, rate=60), tmp_path / "r.jsonl") as traffic,
    ):
        start_ns = time.monotonic_ns() + 20 * MS
        traffic.start(start_ns)
        while time.monotonic_ns() < start_ns + 500 * MS:
            time.sleep(0.01)
        service.freeze(500 * MS)
        log = traffic.wait(20)
    ttft = [record.first_ns for record in log.records if record.first_ns is not None]
    slow = sum(value > 100 * MS for value in ttft)
    assert len(ttft) == len(log.records)
    assert p99(ttft) > 400 * MS
    assert 0.15 < slow / len(ttft) < 0.45  # arrivals went on through the freeze: about 0.4 s of 1.5 s worth of them
    # Four workers that wait for each answer would have been hit four times, whatever the length of the freeze.
    assert slow > 2 * 4


def test_traffic_without_an_end_goes_on_until_it_is_stopped(tmp_path: Path) -> None:
    three = threading.Event()
    count = iter(range(10**6))
    with serve_inference(QUICK) as service:
        spec = plan(service.address)
        with TrafficProcess(
            spec, tmp_path / "r.jsonl", on_progress=lambda _: three.set() if next(count) == 2 else None
        ) as traffic:
            traffic.start(time.monotonic_ns())
            assert three.wait(10)
            with pytest.raises(TrafficTimeout):
                traffic.wait(0)
            traffic.stop()
            log = traffic.wait()
            traffic.stop()
    assert len(log.records) >= 3
    assert {record.status for record in log.records} == {"ok"}
    assert log.health is not None
    # What is due in the instant of the stop is planned, and not begun any more where the loop was busy: see Dispatcher.
    assert log.health.planned >= log.health.dispatched == len(log.records)


def test_what_is_unfinished_after_the_drain_counts_as_failed(tmp_path: Path) -> None:
    with serve_inference(ENDLESS) as service:
        log = run(service.address, tmp_path / "r.jsonl", drain_ns=100 * MS, duration_ns=200 * MS, output_tokens=100_000)
    assert log.records
    assert {record.status for record in log.records} == {"cancelled"}
    assert log.health is not None
    assert log.health.incomplete == len(log.records)


def test_leaving_early_aborts_and_the_log_is_whole(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with serve_inference(ENDLESS) as service:
        spec = plan(service.address, drain_ns=60 * SECOND_NS, output_tokens=100_000, timeout_ns=100 * SECOND_NS)
        with TrafficProcess(spec, tmp_path / "r.jsonl") as traffic:
            start_ns = time.monotonic_ns()
            traffic.start(start_ns)
            pid = traffic.ready.pid
            third_ns = start_ns + schedule(spec.traffic, SECOND_NS)[2]
            while time.monotonic_ns() < third_ns + 100 * MS:
                time.sleep(0.01)
            left_ns = time.monotonic_ns()
        assert time.monotonic_ns() - left_ns < 5 * SECOND_NS
    log = read_log(tmp_path / "r.jsonl")
    assert log.records
    assert {record.status for record in log.records} == {"cancelled"}
    assert log.health is not None
    assert set(threading.enumerate()) == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_generator_that_is_killed_is_a_named_error_and_its_log_has_no_health(tmp_path: Path) -> None:
    with serve_inference(QUICK) as service, TrafficProcess(plan(service.address), tmp_path / "r.jsonl") as traffic:
        traffic.start(time.monotonic_ns())
        os.kill(traffic.ready.pid, signal.SIGKILL)
        with pytest.raises(TrafficDied, match="exit code -9"):
            traffic.wait(10)
        with pytest.raises(TrafficDied):
            traffic.stop()


def test_a_service_that_is_not_there_is_an_error_before_the_start(tmp_path: Path) -> None:
    with serve_inference(QUICK) as service:
        address = service.address
    with pytest.raises(TrafficStartError, match=address), TrafficProcess(plan(address), tmp_path / "r.jsonl"):
        pass


@pytest.mark.parametrize("prefix", [["/no/such/nsenter"], ["false"], ["sh", "-c", "echo hello"]])
def test_a_prefix_that_does_not_lead_to_the_generator_is_an_error(tmp_path: Path, prefix: list[str]) -> None:
    spec = plan("http://127.0.0.1:9", model="m")
    with pytest.raises(TrafficStartError), TrafficProcess(spec, tmp_path / "r.jsonl", prefix=prefix):
        pass


def test_the_generator_runs_through_a_prefix(tmp_path: Path) -> None:
    with serve_inference(QUICK) as service:
        spec = plan(service.address, duration_ns=200 * MS)
        with TrafficProcess(spec, tmp_path / "r.jsonl", prefix=["env", "IMPAIRLAB_PREFIXED=1"]) as traffic:
            environment = Path(f"/proc/{traffic.ready.pid}/environ").read_bytes()
            traffic.start(time.monotonic_ns())
            log = traffic.wait(20)
    assert b"IMPAIRLAB_PREFIXED=1" in environment
    assert log.records


def test_a_generator_never_started_ends_without_a_log_of_requests(tmp_path: Path) -> None:
    with serve_inference(QUICK) as service, TrafficProcess(plan(service.address), tmp_path / "r.jsonl"):
        pass
    assert (tmp_path / "r.jsonl").read_text() == ""


@pytest.mark.parametrize("text", ["", "{}", '{"traffic": {"url": "http://h", "rate": -1}}'])
def test_a_plan_that_is_none_ends_with_exit_code_2(tmp_path: Path, text: str) -> None:
    import sys

    (tmp_path / "plan.json").write_text(text)
    command = [sys.executable, "-m", "impairlab.controller.traffic", "--plan", "plan.json", "--out", "r.jsonl"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 2
    assert "plan.json" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_controller_that_says_nonsense_is_told_so(tmp_path: Path) -> None:
    import sys

    (tmp_path / "plan.json").write_text(plan("http://127.0.0.1:9", model="m").to_line())
    command = [sys.executable, "-m", "impairlab.controller.traffic", "--plan", "plan.json", "--out", "r.jsonl"]
    result = subprocess.run(
        command, cwd=tmp_path, input="begin!\n", capture_output=True, text=True, timeout=30, check=False
    )
    assert '"failed"' in result.stdout
    assert "begin!" in result.stdout
