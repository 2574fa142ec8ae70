"""The simulated inference service over real sockets, with httpx as the witness that shares no code with it."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from impairlab.sim_hardware.inference import (
    EngineFreeze,
    Fault,
    HttpError,
    Profile,
    RunningService,
    StreamFreeze,
    StreamReset,
    TruncatedStream,
    serve_inference,
)

MS = 1_000_000
QUICK = Profile("quick", 1 * MS, 2 * MS, 1_000, 100_000, max_num_seqs=8)


@pytest.fixture
def service() -> Iterator[RunningService]:
    with serve_inference(QUICK) as running:
        yield running


def body(**changes: Any) -> dict[str, Any]:
    message = {"role": "user", "content": "how far is it"}
    return {"model": "quick", "messages": [message], "max_tokens": 5, "stream": True} | changes


def stream(client: httpx.Client, **changes: Any) -> list[tuple[int, Any]]:
    """Post a chat request; each event with the instant of its arrival."""
    events = []
    with client.stream("POST", "/v1/chat/completions", json=body(**changes)) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line:
                text = line.removeprefix("data: ")
                events.append((time.monotonic_ns(), text if text == "[DONE]" else json.loads(text)))
    return events


def test_health_and_models(service: RunningService) -> None:
    with httpx.Client(base_url=service.address) as client:
        assert client.get("/health").status_code == 200
        assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["quick"]


def test_a_stream_is_complete_and_reports_its_usage(service: RunningService) -> None:
    with httpx.Client(base_url=service.address) as client:
        events = [event for _, event in stream(client, stream_options={"include_usage": True})]
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert all(event["choices"][0]["delta"]["content"] for event in events[1:6])
    assert events[6]["choices"][0]["finish_reason"] == "length"
    assert events[7]["usage"] == {"prompt_tokens": 4, "completion_tokens": 5, "total_tokens": 9}
    assert events[8:] == ["[DONE]"]


def test_the_role_frame_comes_before_the_model_has_done_anything() -> None:
    slow = Profile("quick", 1 * MS, 200 * MS, 0, 0, max_num_seqs=1)
    with serve_inference(slow) as service, httpx.Client(base_url=service.address) as client:
        (role_ns, role), (content_ns, content), *_ = stream(client, max_tokens=1)
    assert "role" in role["choices"][0]["delta"]
    assert content["choices"][0]["delta"]["content"]
    assert content_ns - role_ns > 150 * MS


def test_an_answer_that_does_not_stream_says_the_same(service: RunningService) -> None:
    with httpx.Client(base_url=service.address) as client:
        streamed = stream(client)
        whole = client.post("/v1/chat/completions", json=body(stream=False)).json()
        completion = client.post("/v1/completions", json={"model": "quick", "prompt": "a b", "max_tokens": 2}).json()
    text = "".join(event["choices"][0]["delta"].get("content", "") for _, event in streamed if event != "[DONE]")
    assert whole["choices"][0]["message"]["content"] == text
    assert whole["usage"]["completion_tokens"] == 5
    assert completion["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}


def test_the_connection_is_kept_and_reused(service: RunningService) -> None:
    with httpx.Client(base_url=service.address) as client:
        ports = []
        for _ in range(3):
            with client.stream("POST", "/v1/chat/completions", json=body()) as response:
                ports.append(response.extensions["network_stream"].get_extra_info("client_addr")[1])
                response.read()
    assert len(set(ports)) == 1


def test_what_was_sent_is_on_record_and_agrees_with_the_witness(service: RunningService) -> None:
    with httpx.Client(base_url=service.address, headers={"X-Request-Id": "witness-1"}) as client:
        events = stream(client, max_tokens=20)
        client.get("/health")  # answered on the same connection, so after the record was written
    (served,) = service.served
    assert (served.request_id, served.prompt_tokens, served.outcome) == ("witness-1", 4, "complete")
    assert len(served.sent_ns) == len(served.made_ns) == 20
    arrivals = [at for at, event in events if event != "[DONE]" and event["choices"][0]["delta"].get("content")]
    assert all(
        made <= sent <= arrived for made, sent, arrived in zip(served.made_ns, served.sent_ns, arrivals, strict=True)
    )


def test_tokens_leave_when_the_model_has_made_them(service: RunningService) -> None:
    with httpx.Client(base_url=service.address) as client:
        stream(client, max_tokens=200)
        client.get("/health")
    (served,) = service.served
    late = sorted(sent - made for made, sent in zip(served.made_ns, served.sent_ns, strict=True))
    assert late[len(late) // 2] < 2 * MS  # a shared machine; an idle one needs about 0.1 ms


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", json.dumps(body(max_tokens=-1)).encode(), 400),
        ("POST", "/v1/chat/completions", json.dumps(body(max_tokens=10**6)).encode(), 400),
        ("POST", "/v1/chat/completions", json.dumps(body(model="other")).encode(), 404),
        ("GET", "/v1/chat/completions", b"", 405),
        ("POST", "/v1/models", b"", 405),
        ("GET", "/v2", b"", 404),
    ],
)
def test_a_bad_request_is_refused_in_json_and_the_connection_lives_on(
    service: RunningService, method: str, path: str, content: bytes, status: int
) -> None:
    with httpx.Client(base_url=service.address) as client:
        response = client.request(method, path, content=content)
        assert response.status_code == status
        assert response.json()["error"]["message"]
        assert client.get("/health").status_code == 200


def test_what_is_not_http_is_refused(service: RunningService) -> None:
    host, port = service.address.removeprefix("http://").split(":")
    for garbage in (b"SYST:ERR?\r\n\r\n", b"GET / HTTP/1.1\r\nbroken header\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(garbage)
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_chunked_request_body_is_understood(service: RunningService) -> None:
    pieces = iter([json.dumps(body()).encode()[:30], json.dumps(body()).encode()[30:]])
    with httpx.Client(base_url=service.address) as client:
        assert client.post("/v1/chat/completions", content=pieces).status_code == 200


def faulty(fault: Fault, **changes: Any) -> list[tuple[int, Any]]:
    with serve_inference(QUICK, faults=[fault]) as service, httpx.Client(base_url=service.address) as client:
        return stream(client, **changes)


def test_an_http_error_hits_its_requests_only() -> None:
    fault = HttpError(status=503, first=1, count=1)
    with serve_inference(QUICK, faults=[fault]) as service, httpx.Client(base_url=service.address) as client:
        statuses = [client.post("/v1/chat/completions", json=body()).status_code for _ in range(3)]
    assert [served.outcome for served in service.served] == ["complete", "refused", "complete"]
    assert statuses == [200, 503, 200]


def test_a_truncated_stream_ends_without_its_end() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        faulty(TruncatedStream(after_tokens=2))


def test_a_reset_stream_is_torn_down() -> None:
    with pytest.raises(httpx.ReadError):
        faulty(StreamReset(after_tokens=2))


def test_a_frozen_stream_pauses_once_and_then_catches_up() -> None:
    events = faulty(StreamFreeze(after_tokens=10, duration_ns=300 * MS), max_tokens=200)
    gaps = [b - a for (a, _), (b, _) in pairwise(events)]
    assert max(gaps) > 250 * MS
    assert sum(gap > 250 * MS for gap in gaps) == 1


def test_a_frozen_engine_holds_all_streams() -> None:
    fault = EngineFreeze(duration_ns=300 * MS, first=1)
    with (
        serve_inference(QUICK, faults=[fault]) as service,
        httpx.Client(base_url=service.address) as client,
        client.stream("POST", "/v1/chat/completions", json=body(max_tokens=100)) as first,
    ):
        lines = first.iter_lines()
        _role, _, _first_token, _ = islice(lines, 4)
        asked_ns = time.monotonic_ns()
        request = client.build_request("POST", "/v1/chat/completions", json=body(max_tokens=1))
        client.send(request, stream=True).read()
        second_took_ns = time.monotonic_ns() - asked_ns
        list(lines)
    (served,) = (one for one in service.served if one.number == 0)
    assert second_took_ns > 290 * MS
    assert max(b - a for a, b in pairwise(served.sent_ns)) > 290 * MS


def test_a_client_that_leaves_frees_its_place() -> None:
    narrow = Profile("quick", 1 * MS, 2 * MS, 0, 0, max_num_seqs=1)
    with serve_inference(narrow) as service, httpx.Client(base_url=service.address, timeout=10) as client:
        with client.stream("POST", "/v1/chat/completions", json=body(max_tokens=30_000)) as response:
            next(response.iter_lines())
        assert len(stream(client, max_tokens=1)) == 4
    assert service.served[0].outcome == "disconnected"


def test_closing_the_service_leaves_no_thread_and_drops_its_streams() -> None:
    before = set(threading.enumerate())
    with pytest.raises(httpx.TransportError), httpx.Client() as client:  # noqa: PT012 - the stream must outlive the service
        with serve_inference(QUICK) as service:
            request = client.build_request(
                "POST", f"{service.address}/v1/chat/completions", json=body(max_tokens=30_000)
            )
            response = client.send(request, stream=True)
        response.read()
    assert set(threading.enumerate()) == before
    assert service.served[0].outcome == "disconnected"


def test_closing_the_service_does_not_wait_for_a_client_that_has_stopped_reading() -> None:
    flood = Profile("quick", 0, 20_000, 0, 0, max_num_seqs=1, max_model_len=10**6)
    text = json.dumps(body(max_tokens=900_000))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with serve_inference(flood) as service:
            host, port = service.address.removeprefix("http://").split(":")
            connection.connect((host, int(port)))
            head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(text)}\r\n\r\n"
            connection.sendall((head + text).encode())
            connection.recv(1)
            time.sleep(1.5)  # the buffers take about 0.3 s to fill; checked below
            closing = time.monotonic()
        assert time.monotonic() - closing < 5
    (served,) = service.served
    assert served.outcome == "disconnected"
    assert len(served.sent_ns) < 900_000
    assert served.sent_ns[-1] < closing * 1e9 - 300 * MS  # it was really stuck


def test_a_port_in_use_is_an_error_at_once(service: RunningService) -> None:
    port = int(service.address.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"), serve_inference(QUICK, port=port):
        pass


def launch(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "impairlab.sim_hardware.inference", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", ["eof", "sigterm"])
def test_as_a_process_it_says_where_it_listens_logs_what_it_sent_and_ends_cleanly(tmp_path: Path, how: str) -> None:
    log = tmp_path / "served.jsonl"
    with launch("--profile", "edge-3b-l40s", "--max-tokens-default", "2", "--log", str(log)) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with httpx.Client(base_url=ready["address"]) as client:
            answer = client.post("/v1/completions", json={"model": ready["model"], "prompt": "a"}).json()
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert answer["usage"]["completion_tokens"] == 2
        if how == "sigterm":
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert [len(json.loads(line)["made_ns"]) for line in log.read_text().splitlines()] == [2]


@pytest.mark.parametrize(
    "arguments",
    [["--profile", "cray"], ["--fault", '{"kind": "fire"}'], ["--host", "192.0.2.1"], ["--log", "/nowhere/x"]],
)
def test_as_a_process_it_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    with launch(*arguments) as process:
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert errors.strip()
