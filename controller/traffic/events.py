"""What a streamed answer says: server-sent events, and which of them carry content (WHATWG HTML 9.2, OpenAI API)."""

import json
from dataclasses import dataclass


class NotTheApi(ValueError):  # noqa: N818 - says what was seen
    """The answer does not follow the OpenAI streaming format."""


class ServiceGaveUp(Exception):  # noqa: N818 - says what was seen
    """The service reported an error in the middle of the answer."""


class EventSplitter:
    """Cuts a byte stream into the data of its events. Lines end in LF or CRLF."""

    def __init__(self) -> None:
        self._pending = b""
        self._data: list[bytes] = []

    def feed(self, body: bytes) -> list[bytes]:
        """The data of each event that `body` completes."""
        *lines, self._pending = (self._pending + body).split(b"\n")
        events = []
        for line in lines:
            field, _, value = line.rstrip(b"\r").partition(b":")
            if field == b"data":
                self._data.append(value.removeprefix(b" "))
            elif not field and not value and self._data:
                events.append(b"\n".join(self._data))
                self._data = []
        return events


@dataclass(frozen=True)
class Frame:
    """One event: whether it carries content, whether it ends the answer, and the token counts where it states them."""

    content: bool = False
    finish: bool = False
    done: bool = False
    prompt_tokens: int | None = None
    output_tokens: int | None = None


def read_frame(data: bytes) -> Frame:
    """Read one event of a chat or completion stream.

    Content is text, reasoning or a tool call. A frame that names the role, or the finish reason, carries none.

    Raises:
        NotTheApi: It is no such event.
        ServiceGaveUp: It reports an error.
    """
    if data.strip() == b"[DONE]":
        return Frame(done=True)
    try:
        event = json.loads(data)
    except ValueError as error:
        raise NotTheApi(f"not JSON: {data[:80]!r}") from error
    if not isinstance(event, dict):
        raise NotTheApi(f"not an object: {data[:80]!r}")
    if event.get("error"):
        raise ServiceGaveUp(str(event["error"])[:200])
    choices = event.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise NotTheApi(f"no list of choices: {data[:80]!r}")
    usage = event.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Frame(
        content=any(_has_content(choice) for choice in choices),
        finish=any(choice.get("finish_reason") for choice in choices),
        prompt_tokens=_count(counts.get("prompt_tokens")),
        output_tokens=_count(counts.get("completion_tokens")),
    )


def _has_content(choice: dict[str, object]) -> bool:
    delta = choice.get("delta")
    part = delta if isinstance(delta, dict) else choice
    return any(part.get(key) for key in ("content", "reasoning_content", "reasoning", "tool_calls", "text"))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
