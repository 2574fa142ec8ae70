"""The wire log: every line that crossed a link, with its time, as JSON lines that can be read back and replayed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal, Self

WireDirection = Literal["sent", "received", "event"]

_DIRECTIONS: dict[str, WireDirection] = {"sent": "sent", "received": "received", "event": "event"}
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class WireRecord:
    """One line of a wire log.

    Attributes:
        ns: time.monotonic_ns() of the moment.
        direction: sent and received are lines without terminator; event is the link's own (connected, dropped).
        text: The line; bytes outside ASCII are shown as backslash escapes.
    """

    ns: int
    direction: WireDirection
    text: str

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps({"ns": self.ns, "direction": self.direction, "text": self.text})

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read one line.

        Raises:
            ValueError: When it is not a line of a wire log.
        """
        try:
            fields = json.loads(line)
            return cls(int(fields["ns"]), _DIRECTIONS[fields["direction"]], str(fields["text"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a line of a wire log: {line[:100]!r}") from error


class Redaction:
    """Replaces secrets by `***` in whatever is shown, logged or raised.

    Args:
        secrets: Texts never to be shown; empty ones are ignored.
        pattern: Matches what is a secret wherever it stands, for those that the appliance makes up.
    """

    def __init__(self, secrets: Iterable[str] = (), pattern: re.Pattern[str] | None = None) -> None:
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._pattern = pattern

    def hide(self, text: str) -> str:
        """Return the text without the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text if self._pattern is None else self._pattern.sub(_HIDDEN, text)

    def hide_bytes(self, content: bytes) -> bytes:
        """Return the bytes without the secrets."""
        for secret in self._secrets:
            content = content.replace(secret.encode(), _HIDDEN.encode())
        if self._pattern is None:
            return content
        return self._pattern.sub(_HIDDEN, content.decode("latin-1")).encode("latin-1")


class WireLog:
    """Appends records to a file, each complete on disk before the call returns to the link.

    Links redact before they record. Several links may share one log.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def record(self, record: WireRecord) -> None:
        """Append one record; nothing once the log is closed."""
        with self._lock:
            if not self._file.closed:
                self._file.write(record.to_json() + "\n")

    def close(self) -> None:
        """Close the file. A second call does nothing."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_wire_log(path: Path) -> Iterator[WireRecord]:
    """Yield the records of a log. A last line that a crash cut short is left out.

    Raises:
        ValueError: When any other line is not a record.
    """
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield WireRecord.from_json(line)
