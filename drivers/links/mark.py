"""Marks: where in a stream the answers to what is asked from now on begin.

A new connection begins empty on most links. On a serial line it does not: an answer that was given up may still come,
however late, and would be taken for the next one's. So a question is asked whose answer can be no other's, and all that
comes before that answer is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import randrange
from time import monotonic_ns
from typing import Protocol

from impairlab.drivers.links.wire_log import WireDirection

MOST_DROPPED = 1 << 16
"""Bytes after which a peer is one that does not stop talking."""


class Stream(Protocol):
    """What is used of a `Channel`."""

    def send(self, content: bytes, until_ns: int) -> bool:
        """Send everything; False when the moment `until_ns` came first."""

    def receive(self, until_ns: int) -> bytes | None:
        """Return what arrives next; b"" at the end of the stream, None when the moment `until_ns` came first."""


class Marker(Protocol):
    """Asks, in an appliance's own words, what changes nothing and has an answer that no other question has."""

    def question(self) -> str:
        """Return a question, another one than those before."""

    def is_answer(self, line: str) -> bool:
        """Say whether a line answers the question that was returned last."""


class Ieee488Marker:
    """A marker for IEEE 488.2 instruments: some *ESE? and one *IDN? in one message.

    The answer is as many numbers and an identity. None of our drivers asks that otherwise, and how many numbers they
    are differs from one of 16 questions to the next. Nothing is changed, and no register is cleared by reading it.
    """

    _FEWEST, _CHOICES = 2, 16

    def __init__(self) -> None:
        self._turn = randrange(self._CHOICES)

    @property
    def _count(self) -> int:
        return self._FEWEST + self._turn

    def question(self) -> str:
        """Return a question; *IDN? comes last (IEEE 488.2 10.14)."""
        self._turn = (self._turn + 1) % self._CHOICES
        return "*ESE?;" * self._count + "*IDN?"

    def is_answer(self, line: str) -> bool:
        """Say whether it is that many numbers and an identity."""
        return re.fullmatch(rf"(?:[+]?\d{{1,3}};){{{self._count}}}[^,;]*(?:,[^,]*){{3}}", line) is not None


class MarkNotFoundError(Exception):
    """The peer did not give the answer in time.

    Attributes:
        question: What was asked last.
        echoed: Whether the question itself came back.
    """

    def __init__(self, question: str, *, echoed: bool) -> None:
        super().__init__(question)
        self.question = question
        self.echoed = echoed


def find_mark(
    stream: Stream, marker: Marker, patience_ns: int, until_ns: int, record: Callable[[WireDirection, bytes], None]
) -> None:
    """Ask until the answer has come, and drop all that comes before it.

    What gets no answer is asked anew, each time with twice the patience: the question may have met a peer that boots,
    or noise. Answers come in the order of the questions, so that to the last one is the last.

    Args:
        stream: Where to ask.
        marker: What to ask.
        patience_ns: How long to wait before the question is asked anew for the first time.
        until_ns: When to give up (monotonic).
        record: Told of each line, "sent" or "received".

    Raises:
        MarkNotFoundError: It has not come until then, or not among very much else.
        OSError: The stream has ended.
    """
    unfinished, dropped, echoed = b"", 0, False
    while True:
        question = marker.question()
        again_ns = min(monotonic_ns() + patience_ns, until_ns)
        patience_ns *= 2
        record("sent", question.encode())
        if not stream.send(question.encode() + b"\n", until_ns):
            raise MarkNotFoundError(question, echoed=echoed)
        while (content := stream.receive(again_ns)) is not None:
            if not content:
                raise OSError("the peer closed the connection")
            *lines, unfinished = (unfinished + content).split(b"\n")
            for line in lines:
                record("received", line)
                echoed = echoed or line.rstrip(b"\r") == question.encode()
            if lines and not unfinished and marker.is_answer(_text(lines[-1])):
                return
            dropped += len(content)
            if dropped > MOST_DROPPED:
                raise MarkNotFoundError(question, echoed=echoed)
        if monotonic_ns() >= until_ns:
            raise MarkNotFoundError(question, echoed=echoed)


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("ascii", "replace")
