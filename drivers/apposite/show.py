"""What `engine 1 path 1 show` answers: sections for the four access links and the two directions of a path.

Source: com/apposite/api/PathConfigToJson.java in github.com/Neotys-Partner-Solutions/Netropy, which says how the text
is divided, what the keys are, and that Gilbert-Elliott takes three lines. What stands behind the keys is not public.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["in", "out"]

_BETWEEN_SECTIONS = re.compile(r"\n{3,}")
_ACCESS = re.compile(r"WAN Access: Port (?P<port>[^\s,]+),\s*(?P<side>in|out)")
_CONDITIONS = re.compile(r"WAN Conditions: Port (?P<source>\S+) to Port (?P<destination>[^\s:]+):?")
_NOT_ENABLED = "not enabled"
_STATES = ("Good state", "Bad state")


@dataclass(frozen=True, slots=True)
class Access:
    """One direction of the access link at one port.

    Attributes:
        enabled: Whether it is.
        values: By key: "Bandwidth", "Background Utilization", "MTU Limit", "Frame Overhead" and so on.
    """

    enabled: bool
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """A path as it is shown.

    Attributes:
        path: Its name.
        access: By port and side.
        conditions: By source and destination port, then by key: "Loss", "Delay", "Network outage" and so on.
    """

    path: str
    access: Mapping[tuple[str, Side], Access]
    conditions: Mapping[tuple[str, str], Mapping[str, str]]


def read_show(text: str) -> Shown:
    """Read the answer.

    Raises:
        ValueError: No title, no section of conditions, or a line that is none.
    """
    title, *sections = _BETWEEN_SECTIONS.split(text.strip("\n"))
    _, colon, path = title.strip().partition(": ")
    if not colon:
        raise ValueError(f"{title[:80]!r} is not the title of a path")
    access: dict[tuple[str, Side], Access] = {}
    conditions: dict[tuple[str, str], Mapping[str, str]] = {}
    for section in sections:
        heading, *lines = (line.strip() for line in section.strip("\n").split("\n"))
        if found := _ACCESS.match(heading):
            side: Side = "in" if found["side"] == "in" else "out"
            access[found["port"], side] = _read_access(heading, lines)
        elif found := _CONDITIONS.match(heading):
            conditions[found["source"], found["destination"]] = _read_values(_joined(lines))
        else:
            raise ValueError(f"{heading[:80]!r} is not the heading of a section")
    if not conditions:
        raise ValueError("no section 'WAN Conditions'")
    return Shown(path.strip(), access, conditions)


def _read_access(heading: str, lines: Sequence[str]) -> Access:
    if _NOT_ENABLED in heading or (lines and _NOT_ENABLED in lines[0]):
        return Access(enabled=False)
    kind, *values = lines or ("",)
    return Access(enabled=True, values={"Link Type": kind.removeprefix("Link Type: "), **_read_values(values)})


def _joined(lines: Sequence[str]) -> list[str]:
    """Return the lines with the two states of Gilbert-Elliott put behind its name."""
    joined: list[str] = []
    for line in lines:
        if line.startswith(_STATES) and joined:
            joined[-1] = f"{joined[-1]} {line}"
        else:
            joined.append(line)
    return joined


def _read_values(lines: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in filter(None, lines):
        key, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"{line[:80]!r} is not a key and a value")
        values[key.strip()] = value.strip()
    return values
