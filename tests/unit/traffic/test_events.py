"""Events of a stream: cut right, and content told from everything else."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.controller.traffic.events import EventSplitter, Frame, NotTheApi, ServiceGaveUp, read_frame


def chat(delta: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": delta} | more]}).encode()


@given(st.lists(st.integers(0, 60), max_size=6), st.sampled_from([b"\n", b"\r\n"]))
def test_events_are_the_same_however_the_bytes_are_cut(cuts: list[int], end: bytes) -> None:
    wire = end.join(
        [b": comment", b"data: one", b"", b"event: x", b"data:two", b"data: more", b"", b"data: cut", b"", b""]
    )
    splitter = EventSplitter()
    edges = [0, *sorted(cuts), len(wire)]
    events = [event for a, b in pairwise(edges) for event in splitter.feed(wire[a:b])]
    assert events == [b"one", b"two\nmore", b"cut"]


@pytest.mark.parametrize(
    "frame",
    [
        chat({"content": "hi"}),
        chat({"reasoning_content": "hm"}),
        chat({"reasoning": "hm"}),
        chat({"tool_calls": [{"index": 0}]}),
        b'{"choices": [{"index": 0, "text": " hi"}]}',
    ],
)
def test_text_reasoning_and_tool_calls_are_content(frame: bytes) -> None:
    assert read_frame(frame) == Frame(content=True)


@pytest.mark.parametrize(
    "frame",
    [chat({"role": "assistant"}), chat({"role": "assistant", "content": ""}), chat({}), b'{"choices": []}'],
)
def test_a_role_or_an_empty_delta_is_no_content(frame: bytes) -> None:
    assert read_frame(frame) == Frame()


def test_the_end_is_told_from_the_content() -> None:
    assert read_frame(chat({}, finish_reason="stop")) == Frame(finish=True)
    assert read_frame(chat({"content": "x"}, finish_reason=None)) == Frame(content=True)
    assert read_frame(b"[DONE]") == Frame(done=True)


def test_usage_gives_the_counts() -> None:
    frame = b'{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}}'
    assert read_frame(frame) == Frame(prompt_tokens=9, output_tokens=5)
    assert read_frame(b'{"choices": [], "usage": null}') == Frame()


@pytest.mark.parametrize("frame", [b"hello", b"[]", b"{}", b'{"choices": "x"}', b'{"choices": [1]}'])
def test_what_is_not_the_api_is_refused(frame: bytes) -> None:
    with pytest.raises(NotTheApi):
        read_frame(frame)


def test_an_error_in_the_stream_is_the_service_giving_up() -> None:
    with pytest.raises(ServiceGaveUp, match="out of memory"):
        read_frame(b'{"error": {"message": "out of memory"}}')
