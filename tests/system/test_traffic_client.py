"""The streaming client against the simulated service: each stage timed, each failure under its own name."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from impairlab.controller.traffic.client import InferenceClient, Unusable, first_model
from impairlab.controller.traffic.clock import measuring_loop
from impairlab.controller.traffic.records import RequestRecord
from impairlab.controller.traffic.spec import SECOND_NS, InferenceTraffic
from impairlab.sim_hardware.inference import (
    Fault,
    HttpError,
    Profile,
    StreamFreeze,
    StreamReset,
    TruncatedStream,
    serve_inference,
)

MS = 1_000_000
QUICK = Profile("quick", 1 * MS, 2 * MS, 1_000, 100_000, max_num_seqs=8)


def ask(url: str, count: int = 1, model: str = "quick", **fields: Any) -> list[RequestRecord]:
    """`count` requests one after the other."""

    async def main() -> list[RequestRecord]:
        traffic = InferenceTraffic(url=url, **({"rate": 1, "prompt_tokens": 12, "output_tokens": 20} | fields))
        client = InferenceClient(traffic, model, "t")
        try:
            return [await client.request(number, time.monotonic_ns()) for number in range(count)]
        finally:
            await client.close()

    with asyncio.Runner(loop_factory=measuring_loop) as runner:
        return runner.run(main())


def ask_faulty(fault: Fault, **fields: Any) -> RequestRecord:
    with serve_inference(QUICK, faults=[fault]) as service:
        return ask(service.address, **fields)[0]


@contextmanager
def answering(*pieces: bytes) -> Iterator[str]:
    """A server that answers anything with `pieces` and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join(10)


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
def test_an_answer_agrees_with_what_the_service_really_sent(endpoint: str) -> None:
    with serve_inference(QUICK) as service:
        (record,) = ask(service.address, endpoint=endpoint)
    (served,) = service.served
    assert record.status == "ok"
    assert served.request_id == record.request_id
    assert (record.prompt_tokens, record.output_tokens, record.token_source) == (12, 20, "usage")
    assert served.prompt_tokens == 12
    assert len(record.gaps_us) == 19
    assert record.first_ns is not None
    assert record.end_ns is not None
    first_ns, end_ns = record.t_sched_ns + record.first_ns, record.t_sched_ns + record.end_ns
    assert served.sent_ns[0] <= first_ns
    assert served.sent_ns[-1] <= end_ns
    assert sum(record.gaps_us) == pytest.approx((end_ns - first_ns) / 1000, abs=2)
    assert record.remote_address == "127.0.0.1"
    assert record.local_port


def test_the_first_token_is_the_first_content_not_the_role_frame() -> None:
    slow = Profile("quick", 1 * MS, 200 * MS, 0, 0, max_num_seqs=1)
    with serve_inference(slow) as service:
        (record,) = ask(service.address, output_tokens=1)
    assert record.hdr_ns is not None
    assert record.first_ns is not None
    assert record.hdr_ns < 150 * MS < 200 * MS < record.first_ns


def test_pooled_connections_are_reused_and_never_means_never() -> None:
    with serve_inference(QUICK) as service:
        pooled = ask(service.address, 3, connections="pooled")
        never = ask(service.address, 3, connections="never")
    assert [record.connection_reused for record in pooled] == [False, True, True]
    assert len({record.local_port for record in pooled}) == 1
    assert [record.connection_reused for record in never] == [False, False, False]
    assert len({record.local_port for record in never}) == 3


def test_a_connection_that_the_service_has_closed_meanwhile_is_not_reused() -> None:
    with serve_inference(QUICK, faults=[TruncatedStream(after_tokens=2)]) as service:
        records = ask(service.address, 2)
    assert [record.status for record in records] == ["truncated", "ok"]
    assert not records[1].connection_reused


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (HttpError(status=503), "http_5xx"),
        (HttpError(status=429), "http_4xx"),
        (TruncatedStream(after_tokens=0), "truncated"),
        (TruncatedStream(after_tokens=3), "truncated"),
        (StreamReset(after_tokens=0), "reset"),
        (StreamReset(after_tokens=3), "reset"),
        (StreamFreeze(after_tokens=3, duration_ns=10 * SECOND_NS), "timeout"),
    ],
)
def test_each_fault_has_its_status(fault: Fault, status: str) -> None:
    record = ask_faulty(fault, timeout_ns=500 * MS)
    assert record.status == status
    assert record.error
    assert RequestRecord.from_json(record.to_json()) == record


def test_a_failure_keeps_what_arrived_before_it() -> None:
    record = ask_faulty(StreamReset(after_tokens=3))
    assert record.hdr_ns is not None
    assert record.first_ns is not None
    assert (len(record.gaps_us), record.output_tokens, record.token_source) == (2, 3, "chunks")


def test_a_timeout_counts_from_the_planned_instant() -> None:
    record = ask_faulty(StreamFreeze(after_tokens=3, duration_ns=10 * SECOND_NS), timeout_ns=300 * MS)
    assert 300 * MS <= record.closed_ns < 600 * MS


def test_a_refusal_by_the_service_says_why() -> None:
    with serve_inference(QUICK) as service:
        (record,) = ask(service.address, model="other")
    assert (record.status, record.http_status) == ("http_4xx", 404)
    assert "does not exist" in (record.error or "")


def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (record,) = ask(f"http://127.0.0.1:{port}")
    assert record.status == "refused"
    assert record.conn_ns is None


SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ((b"220 mail.example ESMTP\r\n",), "protocol_error"),
        ((b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",), "protocol_error"),
        ((SSE + b"\r\ndata: nonsense\n\n",), "protocol_error"),
        ((SSE + b"\r\ndata: [DONE]\n\n",), "protocol_error"),
        ((SSE + b'\r\ndata: {"error": {"message": "no memory"}}\n\n',), "truncated"),
        ((b"",), "truncated"),
        ((SSE + b"Content-Length: 0\r\n\r\n",), "truncated"),
        ((SSE + b'\r\ndata: {"choices": [{"delta": {"content": "x"}}]}\n\n',), "truncated"),
        ((SSE + b'\r\ndata: {"choices": [{"delta": {"content": "x"}}]}\n\n', b"data: [DONE]\n\n"), "ok"),
    ],
)
def test_an_answer_is_judged_by_what_it_says(pieces: tuple[bytes, ...], status: str) -> None:
    with answering(*pieces) as url:
        (record,) = ask(url)
    assert record.status == status


def test_a_connection_lost_after_the_last_word_is_no_failure() -> None:
    done = b'data: {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    with answering(SSE + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n" % (len(done), done)) as url:
        (record,) = ask(url)
    assert (record.status, record.error) == ("ok", None)


def test_a_cancelled_request_is_a_record_too() -> None:
    async def main(url: str) -> RequestRecord:
        traffic = InferenceTraffic(url=url, rate=1, output_tokens=10_000)
        client = InferenceClient(traffic, "quick", "t")
        task = asyncio.create_task(client.request(0, time.monotonic_ns()))
        await asyncio.sleep(0.2)
        task.cancel()
        record = await task
        await client.close()
        return record

    with serve_inference(QUICK) as service, asyncio.Runner(loop_factory=measuring_loop) as runner:
        record = runner.run(main(service.address))
    assert record.status == "cancelled"
    assert record.first_ns is not None


def test_the_first_model_is_the_services() -> None:
    with serve_inference(QUICK) as service, asyncio.Runner() as runner:
        assert runner.run(first_model(InferenceTraffic(url=service.address, rate=1))) == "quick"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"garbage\r\n", b""])
def test_a_service_without_models_is_unusable(answer: bytes) -> None:
    with answering(answer) as url, asyncio.Runner() as runner, pytest.raises(Unusable, match=r"127\.0\.0\.1"):
        runner.run(first_model(InferenceTraffic(url=url, rate=1)))
