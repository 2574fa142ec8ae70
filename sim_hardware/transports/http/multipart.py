"""The parts of a form with files (RFC 7578)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))', re.IGNORECASE)
_PARAMETER = re.compile(r'(?<![\w*])(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FIRST_LINE = re.compile(rb"--([^\r\n]{1,70})\r\n")
_MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form.

    Attributes:
        name: Of the field.
        filename: What the client calls the file; None for a plain field.
        content: As it came.
    """

    name: str
    filename: str | None
    content: bytes


def read_form(headers: Mapping[str, str], body: bytes) -> list[Part] | None:
    """Return the parts of a form; None when the body is none.

    The boundary is that of the content type. A body that begins with a delimiter is taken for a form whatever its
    content type says: requests keeps a session's "application/json" when it sends files.
    """
    boundary = _boundary(headers.get("content-type", ""), body)
    if boundary is None:
        return None
    delimiter = b"\r\n--" + boundary
    sections = (b"\r\n" + body).split(delimiter)
    if len(sections) < 3 or len(sections) > _MOST_PARTS or not sections[-1].startswith(b"--"):
        return None
    parts = [_part(section) for section in sections[1:-1]]
    return [part for part in parts if part is not None]


def _boundary(content_type: str, body: bytes) -> bytes | None:
    named = _BOUNDARY.search(content_type) if content_type.lower().startswith("multipart/") else None
    if named is not None:
        return (named[1] or named[2]).encode("latin-1", "replace")
    seen = _FIRST_LINE.match(body)
    return None if seen is None else seen[1]


def _part(section: bytes) -> Part | None:
    head, separator, content = section.partition(b"\r\n\r\n")
    if not separator:
        return None
    found: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        if line.lower().startswith("content-disposition:"):
            found = {key.lower(): re.sub(r"\\(.)", r"\1", value) for key, value in _PARAMETER.findall(line)}
    return Part(found["name"], found.get("filename"), content) if "name" in found else None
