"""Several lines in one exchange, for dialects that answer each with any number of lines and have a mark for the end."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic_ns
from typing import NamedTuple, Unpack

from impairlab.drivers.links.line_link import Channel, encoded
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.tcp import TcpLink
from impairlab.drivers.model.errors import ConnectionLost, MalformedResponse, UnexpectedOutput


class EndMark(NamedTuple):
    """What is asked last in every batch, and the line that answers it and nothing else."""

    question: str
    answer: str


class Batch(NamedTuple):
    """Several lines and all lines of their answers, without the mark. The times are those of `Exchange`."""

    replies: list[str]
    sent_ns: int
    acknowledged_ns: int


class BatchLink(TcpLink):
    """A TCP link that can also send several lines at once. The contract of `Link` holds for a batch as for a line.

    Args:
        host: Name or address.
        port: TCP port.
        end: The mark.
        options: See `LineLink`. `longest_line` also bounds the answers of a batch together.

    Raises:
        ConnectError: See `TcpLink`.
    """

    def __init__(self, host: str, port: int, *, end: EndMark, **options: Unpack[LinkOptions]) -> None:
        self._end = end
        super().__init__(host, port, **options)

    def query_batch(self, messages: Sequence[str], timeout_ns: int | None = None) -> list[str]:
        """Ask several things that change nothing; see `Link.query`."""
        with self._lock:
            self._make_ready()
            return self._batch(messages, timeout_ns, harmless=True).replies

    def exchange_batch(self, messages: Sequence[str], timeout_ns: int | None = None) -> Batch:
        """Send several messages that may change something; see `Link.exchange`. There is one deadline for all."""
        with self._lock:
            self._make_ready()
            return self._batch(messages, timeout_ns, harmless=False)

    def _batch(self, messages: Sequence[str], timeout_ns: int | None, *, harmless: bool) -> Batch:
        content = b"".join(encoded(message) for message in (*messages, self._end.question))
        command = messages[0] if len(messages) == 1 else f"{messages[0]} and {len(messages) - 1} more"
        channel = self._channel
        if channel is None:
            raise ConnectionLost("the connection was dropped", appliance=self.name)
        try:
            sent_ns, until_ns = self._send(channel, content, command, timeout_ns, harmless=harmless)
            replies = self._receive_lines(channel, until_ns, command, harmless=harmless)
            acknowledged_ns = monotonic_ns()
        except BaseException:
            self._drop("an exchange did not end")
            raise
        self._unanswered = ""
        self._idle_since_ns = acknowledged_ns
        return Batch(replies, sent_ns, acknowledged_ns)

    def _receive_lines(self, channel: Channel, until_ns: int, command: str, *, harmless: bool) -> list[str]:
        """Return the lines up to the mark, which must be the last."""
        seen = b""
        while not self._is_over(seen):
            try:
                content = channel.receive(until_ns)
            except OSError as error:
                raise self._lost(str(error), command, seen, harmless=harmless) from error
            if content is None:
                raise self._late(seen, command, harmless=harmless)
            if not content:
                raise self._lost("the peer closed the connection", command, seen, harmless=harmless)
            seen += content
        return self._whole_lines(seen, command, harmless=harmless)

    def _is_over(self, seen: bytes) -> bool:
        """Say whether the mark has come, or nothing more is waited for."""
        mark = f"\n{self._end.answer}\n".encode()
        return mark in b"\n" + seen.replace(b"\r\n", b"\n") or len(seen) > self._longest_line

    def _whole_lines(self, seen: bytes, command: str, *, harmless: bool) -> list[str]:
        lines = [line.removesuffix(b"\r") for line in seen.split(b"\n")]
        if self._wire_log is not None:
            for line in lines[:-1]:
                self._record("received", line)
        mark = self._end.answer.encode()
        problem: tuple[type[MalformedResponse | UnexpectedOutput], str] | None = None
        if len(seen) > self._longest_line:
            problem = MalformedResponse, f"answered more than {self._longest_line} bytes without {self._end.answer}"
        elif not seen.isascii():
            problem = MalformedResponse, f"answered what is not ASCII: {self._redaction.hide_bytes(seen[:80])!r}"
        elif lines.index(mark) != len(lines) - 2:
            problem = UnexpectedOutput, f"answered more behind {self._end.answer}"
        if problem is not None:
            kind, words = problem
            raise kind(
                words, appliance=self.name, command=self._redaction.hide(command),
                seen=self._redaction.hide_bytes(seen[:4096]), state_known=harmless, retryable=harmless,
            )  # fmt: skip
        return [line.decode("ascii") for line in lines[:-2]]
