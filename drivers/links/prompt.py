"""A TCP link to a command line: each answer is the lines up to the next prompt, which has no end of line behind it."""

from __future__ import annotations

from time import monotonic_ns
from typing import Unpack

from impairlab.drivers.links.line_link import Channel
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.tcp import TcpLink
from impairlab.drivers.model.errors import (
    ConnectError,
    ImpairlabError,
    MalformedResponse,
    SessionLimit,
    UnexpectedOutput,
)


class PromptLink(TcpLink):
    """A `Link` whose messages are lines and whose answers end with a prompt; an answer's lines are joined by LF.

    A new connection is of use as soon as the peer has shown its prompt; what it says before that is dropped. The wire
    log has an answer in one record, line feeds and prompt as they came.

    Args:
        host: Name or address.
        port: TCP port.
        prompt: What ends every answer, e.g. "btbits>> "; a name before it, on its line, is dropped.
        options: See `LineLink`. `longest_line` bounds a whole answer.

    Raises:
        ConnectError: See `TcpLink`; or no prompt within the time for connecting.
        SessionLimit: The connection is closed before the prompt.
    """

    def __init__(self, host: str, port: int, *, prompt: str, **options: Unpack[LinkOptions]) -> None:
        self._prompt = prompt.encode("ascii")
        super().__init__(host, port, **options)

    def _open(self, timeout_ns: int) -> Channel:
        channel = super()._open(timeout_ns)
        until_ns = monotonic_ns() + timeout_ns
        try:
            self._await_prompt(channel, until_ns)
        except ImpairlabError:
            channel.close()
            raise
        return channel

    def _await_prompt(self, channel: Channel, until_ns: int) -> None:
        seen = b""
        while not seen.endswith(self._prompt) and len(seen) <= self._longest_line:
            try:
                content = channel.receive(until_ns)
            except OSError as error:
                raise ConnectError(f"went away: {error}", appliance=self.name, retryable=True) from error
            if content is None:
                problem = f"did not show its prompt {self._prompt.decode()!r}"
                raise ConnectError(problem, appliance=self.name, seen=seen[:4096], retryable=True)
            if not content:
                raise SessionLimit(
                    "accepted the connection and closed it without a prompt: all its sessions may be taken",
                    appliance=self.name, seen=seen[:4096], retryable=True,
                )  # fmt: skip
            seen += content
        self._record("received", seen)

    def _receive_line(self, channel: Channel, until_ns: int, command: str, *, harmless: bool) -> str:
        """Return the answer up to the prompt."""
        seen = b""
        while not seen.endswith(self._prompt) and len(seen) <= self._longest_line:
            try:
                content = channel.receive(until_ns)
            except OSError as error:
                raise self._lost(str(error), command, seen, harmless=harmless) from error
            if content is None:
                raise self._late(seen, command, harmless=harmless)
            if not content:
                raise self._lost("the peer closed the connection", command, seen, harmless=harmless)
            seen += content
        return self._whole_answer(seen, command, harmless=harmless)

    def _whole_answer(self, seen: bytes, command: str, *, harmless: bool) -> str:
        self._record("received", seen)
        problem: tuple[type[MalformedResponse | UnexpectedOutput], str] | None = None
        if not seen.endswith(self._prompt):
            problem = MalformedResponse, f"answered more than {self._longest_line} bytes without its prompt"
        elif not seen.isascii():
            problem = MalformedResponse, f"answered what is not ASCII: {self._redaction.hide_bytes(seen[:80])!r}"
        elif seen.count(self._prompt) > 1:
            problem = UnexpectedOutput, "showed more than one prompt"
        if problem is not None:
            kind, words = problem
            raise kind(
                words, appliance=self.name, command=self._redaction.hide(command),
                seen=self._redaction.hide_bytes(seen[:4096]), state_known=harmless, retryable=harmless,
            )  # fmt: skip
        lines = seen.decode("ascii").split("\n")
        return "\n".join(line.removesuffix("\r") for line in lines[:-1])
