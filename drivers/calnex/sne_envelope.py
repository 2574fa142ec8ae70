"""What an SNE puts around its answers, and the answers that are no settings: the build, the counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from impairlab.drivers.calnex.rest import whole
from impairlab.drivers.links.json_text import Json

SUCCESS = 1201
"""The only code that is published."""


def code_of(content: Json) -> int | None:
    """Return the code of an envelope, which stands in the answer itself or in its status; None without one."""
    envelope = _envelope(content)
    try:
        return None if envelope is None else whole(envelope["code"])
    except ValueError:
        return None


def words_of(content: Json) -> str:
    """Return the message of an envelope, or of whatever has a message or is one."""
    if isinstance(content, str):
        return content
    envelope = _envelope(content) or (content if isinstance(content, Mapping) else {})
    return str(envelope.get("message", "")) if isinstance(envelope, Mapping) else ""


def read_build(content: Json) -> str:
    """Return the version that /instrument/software/buildversion answers: a string, or one in an object.

    Raises:
        ValueError: There is none.
    """
    if isinstance(content, str) and content:
        return content
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key.lower().endswith("version") and isinstance(value, str):
                return value
    raise ValueError(f"{content!r} is no version")


def counters_of(content: Json, identifier: str) -> Mapping[str, int]:
    """Return the counters of one node of /maps/{id}/stats by their names, as build 11.0.0.18 answers them.

    Empty where the answer has another shape: none is published.
    """
    nodes = content.get("nodes") if isinstance(content, Mapping) else None
    for node in nodes if isinstance(nodes, Sequence) and not isinstance(nodes, str) else ():
        if (
            isinstance(node, Mapping)
            and str(node.get("uuid", "")).strip("{}").lower() == identifier.strip("{}").lower()
        ):
            return dict(_pairs(node.get("kvp")))
    return {}


def _pairs(listed: Json) -> Sequence[tuple[str, int]]:
    pairs = []
    for each in listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ():
        value = each.get("value") if isinstance(each, Mapping) else None
        number = value.get("u64") if isinstance(value, Mapping) else None
        if isinstance(each, Mapping) and isinstance(number, int):
            pairs.append((str(each.get("key")), number))
    return pairs


def _envelope(content: Json) -> Mapping[str, Json] | None:
    if not isinstance(content, Mapping):
        return None
    status = content.get("status")
    if isinstance(status, Mapping) and "code" in status:
        return status
    return content if "code" in content else None
