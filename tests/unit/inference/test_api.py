"""The API as values: what is understood, what is refused, and the frames of an answer."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from impairlab.sim_hardware.inference.api import Answer, ApiError, Generation, read_generation
from impairlab.sim_hardware.inference.faults import HttpError, StreamFreeze, read_fault


def chat(**changes: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "one two three"}]} | changes).encode()


def frames(payload: bytes) -> list[Any]:
    texts = [frame.removeprefix("data: ") for frame in payload.decode().split("\n\n") if frame]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def test_a_prompt_counts_its_words() -> None:
    parts = [{"type": "text", "text": "one two"}, {"type": "text", "text": "three"}]
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}]
    assert read_generation("chat", chat(messages=messages)).prompt_tokens == 5


def test_a_prompt_of_token_ids_counts_them() -> None:
    body = json.dumps({"model": "m", "prompt": [5, 6, 7, 8], "max_tokens": 9}).encode()
    generation = read_generation("completions", body)
    assert (generation.prompt_tokens, generation.max_tokens) == (4, 9)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (chat(messages=[]), "messages"),
        (chat(messages="hello"), "messages"),
        (chat(model=7), "model"),
        (chat(max_tokens=0), "max_tokens"),
        (chat(max_tokens="many"), "max_tokens"),
        (chat(n=2), "n"),
        (chat(stream_options={"include_usage": True}), "stream_options"),
    ],
)
def test_a_bad_body_is_refused_and_the_parameter_named(body: bytes, param: str | None) -> None:
    with pytest.raises(ApiError) as refused:
        read_generation("chat", body)
    assert refused.value.status == 400
    error = refused.value.body["error"]
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert error["message"]


def test_unknown_parameters_are_let_pass() -> None:
    assert read_generation("chat", chat(temperature=0.1, user="u")).model == "m"


@pytest.mark.parametrize("include_usage", [True, False])
def test_a_chat_answer_is_role_then_content_then_reason_then_usage_then_done(*, include_usage: bool) -> None:
    answer = Answer(Generation("chat", "m", 4, 2, stream=True, include_usage=include_usage), 7, 0)
    role, first, second, end, *rest = frames(
        answer.role_frame() + answer.token_frame(0) + answer.token_frame(1) + answer.end_frames(2, "length")
    )
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert first["choices"][0]["delta"]["content"]
    assert second["choices"][0]["finish_reason"] is None
    assert end["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "length"}
    if include_usage:
        usage = rest.pop(0)
        assert usage["choices"] == []
        assert usage["usage"] == {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    assert rest == ["[DONE]"]
    assert {frame["id"] for frame in (role, first, second, end)} == {"chatcmpl-7"}


def test_a_streamed_answer_says_the_same_as_a_whole_one() -> None:
    answer = Answer(Generation("completions", "m", 1, 20, stream=True, include_usage=False), 0, 0)
    streamed = "".join(
        frame["choices"][0]["text"] for index in range(20) for frame in frames(answer.token_frame(index))
    )
    whole: Any = answer.whole(20, "stop")
    assert whole["choices"][0]["text"] == streamed
    assert len(streamed.split()) == 20


def test_a_fault_hits_its_window_of_requests() -> None:
    fault = HttpError(status=503, first=2, count=3)
    assert [number for number in range(10) if fault.hits(number)] == [2, 3, 4]
    assert HttpError(status=503, first=8, count=None).hits(10**9)


def test_a_fault_is_read_from_json() -> None:
    text = '{"kind": "stream_freeze", "after_tokens": 3, "duration_ns": 5}'
    assert read_fault(text) == StreamFreeze(after_tokens=3, duration_ns=5)


@pytest.mark.parametrize("text", ["{}", '{"kind": "fire"}', '{"kind": "http_error", "status": 200}', "503"])
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read_fault(text)
