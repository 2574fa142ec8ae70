"""ShellLink: the link contract over an interactive shell: prompt learned, echo removed, pages turned, all bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import monotonic_ns
from typing import Unpack

from impairlab.drivers.links.line_link import Channel, LineLink
from impairlab.drivers.links.link import LinkOptions
from impairlab.drivers.links.ssh.channel import SshChannel
from impairlab.drivers.links.ssh.connection import SshConnection
from impairlab.drivers.links.ssh.endpoint import SshEndpoint
from impairlab.drivers.links.ssh.host_keys import HostKey
from impairlab.drivers.links.ssh.terminal import answer_of, is_idle_talk, last_line, render, without_echo
from impairlab.drivers.model.errors import (
    ExchangeTimeout,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    SessionLimit,
    UnexpectedOutput,
)

_QUIET_NS = 100_000_000
"""So long nothing may come before the last line is taken for a prompt, when nobody has said what one looks like."""

_SILENT_NS = 1_000_000_000
"""A shell that has written nothing for so long after the login may be waiting for the Enter key."""

_MOST_SEEN = 4_096
_MOST_KEPT = 1 << 16
_ENTER = b"\n"


@dataclass(frozen=True, slots=True)
class Manners:
    """How a shell behaves.

    Attributes:
        prompt: What its prompt looks like, as a whole line; None where that is not known. It is learned either way.
        pager: What stands on the last line when the shell waits for a key before it goes on.
        page_key: What turns the page.
        most_pages: Pages after which an answer is given up.
    """

    prompt: re.Pattern[str] | None = None
    pager: re.Pattern[str] = re.compile(r"(?i)-+ ?\(?more\b.*|.*press any key.*|lines \d+-\d+.*|<space> .*")
    page_key: bytes = b" "
    most_pages: int = 1_000

    def may_be_prompt(self, line: str) -> bool:
        """Whether a last line looks like a prompt."""
        if not line.strip() or self.pager.fullmatch(line.strip()):
            return False
        return self.prompt is None or self.prompt.fullmatch(line) is not None


class ShellLink(LineLink):
    """A `Link` to an interactive shell on a terminal. An answer is the lines between the echo and the next prompt.

    The prompt is learned on every new connection: Enter is pressed until the same line has come twice in a row. It
    ends an answer where it stands on a line of its own, and not before the command's echo has come; an echo alone is no
    response. Answers may have any number of lines, separated by LF, without control sequences and blanks at their ends;
    they are UTF-8 and `longest_line` bytes at most.

    Args:
        endpoint: Where, who, and by what the host is recognised.
        manners: How the shell behaves.
        options: See `LineLink`.

    Raises:
        TransportError, ExchangeTimeout, UnexpectedOutput: As `SshConnection`.
        SessionLimit: Also when the shell ends before it has shown a prompt.
        NoResponse, PartialResponse: Also when no prompt was found.
    """

    def __init__(self, endpoint: SshEndpoint, manners: Manners | None = None, **options: Unpack[LinkOptions]) -> None:
        self._endpoint = endpoint
        self._manners = manners or Manners()
        self._prompt = ""
        self._host_key: HostKey | None = None
        super().__init__(str(endpoint), **options)

    @property
    def host_key(self) -> HostKey | None:
        """The key by which the host proved last who it is."""
        return self._host_key

    @property
    def prompt(self) -> str:
        """The prompt as it was learned last."""
        return self._prompt

    def write(self, command: str, timeout_ns: int | None = None) -> int:
        """Send a command that is answered by nothing but the next prompt; return when its first byte left.

        Raises:
            UnexpectedOutput: It was answered.
        """
        done = self.exchange(command, timeout_ns)
        if done.reply.strip():
            raise UnexpectedOutput(
                f"answered {self._redaction.hide(done.reply[:80])!r}", appliance=self.name,
                command=self._redaction.hide(command), seen=self._redaction.hide_bytes(done.reply.encode()),
                state_known=False,
            )  # fmt: skip
        return done.sent_ns

    def _open(self, timeout_ns: int) -> Channel:
        until_ns = monotonic_ns() + timeout_ns
        connection = SshConnection(self._endpoint, name=self.name, timeout_ns=timeout_ns)
        self._host_key = connection.host_key
        try:
            channel = connection.open_shell(until_ns - monotonic_ns(), connection.close)
            self._prompt = _Acquaintance(channel, self._manners, self.name, until_ns).learn_prompt()
        except BaseException:
            connection.close()
            raise
        return _Prompted(channel, self._prompt)

    def _receive_line(self, channel: Channel, until_ns: int, command: str, *, harmless: bool) -> str:
        """Return the answer, which ends at the prompt; turn pages until then."""
        seen, pages = b"", 0
        while True:
            try:
                content = channel.receive(until_ns)
            except OSError as error:
                raise self._lost(str(error), command, without_echo(seen, command), harmless=harmless) from error
            if content is None:
                raise self._late(without_echo(seen, command), command, harmless=harmless)
            if not content:
                problem = "the peer closed the connection"
                raise self._lost(problem, command, without_echo(seen, command), harmless=harmless)
            seen += content
            if len(seen) > self._longest_line:
                raise self._unreadable(f"answered more than {self._longest_line} bytes", command, seen, harmless)
            tail = _text(seen[seen.rfind(b"\n") + 1 :])
            if self._manners.pager.fullmatch(last_line(tail).strip()):
                pages += 1
                if pages > self._manners.most_pages:
                    raise self._unreadable(f"answered more than {pages - 1} pages", command, seen, harmless)
                seen = seen[: seen.rfind(b"\n") + 1]
                self._turn_page(channel, until_ns, command, harmless=harmless)
            elif last_line(tail) == self._prompt:
                answer = self._answer(seen, command, harmless=harmless)
                if answer is not None:
                    return answer

    def _turn_page(self, channel: Channel, until_ns: int, command: str, *, harmless: bool) -> None:
        try:
            channel.send(self._manners.page_key, until_ns)
        except OSError as error:
            raise self._lost(str(error), command, b"", harmless=harmless) from error

    def _answer(self, seen: bytes, command: str, *, harmless: bool) -> str | None:
        try:
            answer = answer_of(seen.decode(), command, self._prompt)
        except UnicodeDecodeError as error:
            problem = f"answered what is not UTF-8: {self._redaction.hide_bytes(seen[:80])!r}"
            raise self._unreadable(problem, command, seen, harmless) from error
        except ValueError as error:
            self._record("received", seen)
            raise UnexpectedOutput(
                self._redaction.hide(str(error)), appliance=self.name, command=self._redaction.hide(command),
                seen=self._redaction.hide_bytes(seen[:_MOST_SEEN]), state_known=harmless, retryable=harmless,
            ) from error  # fmt: skip
        if answer is not None:
            self._record("received", answer.encode())
        return answer

    def _unreadable(self, problem: str, command: str, seen: bytes, harmless: bool) -> MalformedResponse:  # noqa: FBT001
        self._record("received", seen[:_MOST_SEEN])
        return MalformedResponse(
            problem, appliance=self.name, command=self._redaction.hide(command),
            seen=self._redaction.hide_bytes(seen[:_MOST_SEEN]), state_known=harmless, retryable=harmless,
        )  # fmt: skip


class _Prompted:
    """A channel with a shell at its prompt. Another prompt is no surprise, nor are last words before the end."""

    def __init__(self, channel: SshChannel, prompt: str) -> None:
        self._prompt = prompt
        self._channel = channel
        self.send = channel.send
        self.receive = channel.receive
        self.close = channel.close

    def waiting(self) -> bytes | None:
        """Return what has arrived unasked; b"" at the end of the stream, None when there is nothing."""
        came = b""
        while content := self._channel.waiting():
            came += content
        if content == b"" or is_idle_talk(_text(came), self._prompt):
            return content
        return came


class _Acquaintance:
    """Getting to know a shell that has just been started."""

    def __init__(self, channel: SshChannel, manners: Manners, name: str, until_ns: int) -> None:
        self._channel = channel
        self._manners = manners
        self._name = name
        self._until_ns = until_ns
        self._seen = b""

    def learn_prompt(self) -> str:
        """Press Enter until the same prompt has come twice in a row.

        Raises:
            SessionLimit: The shell ended before that.
            NoResponse, PartialResponse: No prompt before the deadline.
        """
        self._read_until_quiet()
        before = None
        while True:
            prompt = self._answer_to_enter()
            if prompt == before:
                return prompt
            before = prompt

    def _answer_to_enter(self) -> str:
        """Press Enter and return the last line that comes, once it may be a prompt."""
        self._seen = b""
        self._press(_ENTER)
        while True:
            self._read_until_quiet()
            line = self._last_line()
            if b"\n" in self._seen and self._manners.may_be_prompt(line):
                return line
            if self._manners.pager.fullmatch(line.strip()):
                self._press(self._manners.page_key)
                self._seen = b"\n"

    def _press(self, key: bytes) -> None:
        try:
            taken = self._channel.send(key, self._until_ns)
        except OSError as error:
            raise self._ended(str(error)) from error
        if not taken:
            raise self._no_prompt()

    def _read_until_quiet(self) -> None:
        """Read what comes until it looks complete, and nothing more comes."""
        until_ns = monotonic_ns() + _SILENT_NS
        while (content := self._receive(min(until_ns, self._until_ns))) is not None:
            self._seen = (self._seen + content)[-_MOST_KEPT:]
            until_ns = monotonic_ns() + self._pause_ns()
        if monotonic_ns() >= self._until_ns:
            raise self._no_prompt()

    def _pause_ns(self) -> int:
        if self._manners.prompt is None:
            return _QUIET_NS
        return 0 if self._manners.may_be_prompt(self._last_line()) else _SILENT_NS

    def _receive(self, until_ns: int) -> bytes | None:
        try:
            content = self._channel.receive(until_ns)
        except OSError as error:
            raise self._ended(str(error)) from error
        if content == b"":
            raise self._ended("ended the session before it has shown a prompt")
        return content

    def _last_line(self) -> str:
        return last_line(_text(self._seen))

    def _ended(self, problem: str) -> SessionLimit:
        words = " ".join(render(_text(self._seen)).split())
        said = f", and said {words[-200:]!r}" if words else ""
        problem = f"{problem}{said}: all its sessions may be taken"
        return SessionLimit(problem, appliance=self._name, seen=self._seen[-_MOST_SEEN:], retryable=True)

    def _no_prompt(self) -> ExchangeTimeout:
        if not self._seen:
            return NoResponse("gave a shell that says nothing", appliance=self._name, retryable=True)
        problem = f"no prompt came twice in a row; the last line is {self._last_line()[:80]!r}"
        return PartialResponse(problem, appliance=self._name, seen=self._seen[-_MOST_SEEN:], retryable=True)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
