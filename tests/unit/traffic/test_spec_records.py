"""The traffic value, the request record and the log: what they refuse and what they keep."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from impairlab.controller.traffic.log import LogHeader, TrafficLogError, read_log
from impairlab.controller.traffic.records import GeneratorHealth, RequestRecord
from impairlab.controller.traffic.spec import InferenceTraffic


def record(**changes: Any) -> RequestRecord:
    values = {
        "id": 7,
        "request_id": "run-7",
        "t_sched_ns": 1_000,
        "send_ns": 10,
        "conn_ns": 20,
        "req_sent_ns": 30,
        "hdr_ns": 40,
        "first_ns": 50_000,
        "end_ns": 90_000,
        "closed_ns": 91_000,
        "gaps_us": (20, 20),
        "output_tokens": 3,
        "token_source": "usage",
        "status": "ok",
    }
    return RequestRecord(**(values | changes))


HEALTH = GeneratorHealth(
    lag_p99_ns=1,
    lag_max_ns=2,
    dispatch_p99_ns=3,
    dispatch_max_ns=4,
    planned=1,
    dispatched=1,
    finished=1,
    incomplete=0,
    offered_rate=None,
    achieved_rate=None,
    started_ns=5,
    ended_ns=6,
    wall_offset_ns=7,
)


@pytest.mark.parametrize(
    "url", ["10.0.0.2:8000", "ftp://host", "http://", "http://u:p@host", "http://h/?q=1", "http://h:99999"]
)
def test_an_address_that_is_no_service_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        InferenceTraffic(url=url, rate=1)


@pytest.mark.parametrize(
    ("url", "root"),
    [("http://h:1", "http://h:1/v1"), ("http://h:1/", "http://h:1/v1"), ("https://h/api/v1", "https://h/api/v1")],
)
def test_the_api_root_ends_in_v1_once(url: str, root: str) -> None:
    assert InferenceTraffic(url=url, rate=1).api_root == root


@pytest.mark.parametrize("rate", [0, -1, "NaN", "Infinity", 100_001])
def test_an_impossible_rate_is_refused(rate: Any) -> None:
    with pytest.raises(ValidationError):
        InferenceTraffic(url="http://h", rate=rate)


def test_a_rate_written_as_a_decimal_stays_exact() -> None:
    assert InferenceTraffic(url="http://h", rate="0.1").rate == Decimal("0.1")


@pytest.mark.parametrize("fields", [{"arrivals": "gamma"}, {"arrivals": "poisson", "burstiness": 2}])
def test_burstiness_belongs_to_gamma_alone(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="burstiness"):
        InferenceTraffic(url="http://h", rate=1, **fields)


def test_traffic_is_frozen() -> None:
    with pytest.raises(ValidationError):
        InferenceTraffic(url="http://h", rate=1).rate = Decimal(2)


def test_a_record_survives_its_json_line() -> None:
    for one in (
        record(),
        record(status="refused", conn_ns=None, req_sent_ns=None, hdr_ns=None, first_ns=None, end_ns=None, gaps_us=()),
    ):
        assert RequestRecord.from_json(one.to_json()) == one
        assert "\n" not in one.to_json()


def test_a_record_with_stages_out_of_order_is_refused() -> None:
    with pytest.raises(ValidationError, match="out of order"):
        record(hdr_ns=60_000)


def test_an_ok_record_without_a_first_chunk_is_refused() -> None:
    with pytest.raises(ValidationError, match="first and a last"):
        record(first_ns=None)


def header() -> LogHeader:
    traffic = InferenceTraffic(url="http://h", rate=2)
    return LogHeader(traffic=traffic, model="m", start_ns=0, wall_offset_ns=0, schedule_ns=(1, 2))


def test_a_log_reads_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text(
        "".join(f"{line}\n" for line in [header().model_dump_json(), record().to_json(), HEALTH.model_dump_json()])
    )
    log = read_log(path)
    assert (log.header, log.records, log.health) == (header(), (record(),), HEALTH)


def test_a_log_cut_short_by_a_crash_keeps_its_whole_lines_and_has_no_health(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text(f"{header().model_dump_json()}\n{record().to_json()}\n{record().to_json()[:40]}")
    log = read_log(path)
    assert log.records == (record(),)
    assert log.health is None


@pytest.mark.parametrize("middle", ["{", "[]", '{"kind": "surprise"}', '{"kind": "request"}'])
def test_a_damaged_line_is_named_by_its_number(tmp_path: Path, middle: str) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text(f"{header().model_dump_json()}\n{middle}\n")
    with pytest.raises(TrafficLogError, match=r"requests\.jsonl:2"):
        read_log(path)


def test_a_file_without_a_header_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text(f"{record().to_json()}\n")
    with pytest.raises(TrafficLogError, match="header"):
        read_log(path)
