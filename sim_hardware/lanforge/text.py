"""The command line on TCP port 4001: a prompt, a line for each command, an answer for each line.

Sources: LANforge/Utils.pm in greearb/lanforge-scripts @0175c2c for the prompt, the blank line that brings a fresh one,
` >>RSLT:` and `set_flag brief`; fmt_cmd there for the quotes around words with blanks.
"""

import shlex
from collections.abc import Iterator, Sequence
from threading import RLock

from impairlab.sim_hardware.lanforge.box import LanforgeBox
from impairlab.sim_hardware.lanforge.commands import run
from impairlab.sim_hardware.lanforge.house import Code, Refused
from impairlab.sim_hardware.transports.lines import LineCutter

PROMPT = "default@btbits>> "
_LEAVE = frozenset({"exit", "quit"})


class TextConversation:
    """One session. See `Conversation`.

    Args:
        box: What is talked to.
        guard: Held meanwhile.
    """

    idle_close_ns = None

    def __init__(self, box: LanforgeBox, guard: RLock) -> None:
        self._box = box
        self._guard = guard
        self._lines = LineCutter()
        self._is_brief = True
        self.is_over = False

    def greet(self) -> bytes:
        """Say that it is ready."""
        return PROMPT.encode()

    def close(self) -> None:
        """Do nothing: a session holds nothing."""

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Answer each line that is whole."""
        for line in self._lines.feed(data):
            yield "\r\n".join(self._answer(line)).encode("latin-1")
            if self.is_over:
                return

    def _answer(self, line: str | None) -> Iterator[str]:
        words, code, shown = self._carried_out(line)
        yield ""
        yield from shown
        if words and not self._is_brief:
            yield f" >>RSLT: {code:d}  Cmd: {' '.join(words)}"
            yield ""
        yield "" if self.is_over else PROMPT

    def _carried_out(self, line: str | None) -> tuple[Sequence[str], Code, Sequence[str]]:
        if line is None:
            return ["..."], Code.BAD_ARGUMENT, ["the line is too long"]
        try:
            words = shlex.split(line)
        except ValueError as error:
            return line.split(), Code.BAD_ARGUMENT, [str(error)]
        if not words:
            return words, Code.OK, ()
        try:
            with self._guard:
                return words, Code.OK, self._said(words)
        except Refused as refused:
            return words, refused.code, [str(refused)]

    def _said(self, words: Sequence[str]) -> Sequence[str]:
        if words[0] in _LEAVE:
            self.is_over = True
            return ()
        if words[0] == "set_flag":
            return self._set_flag(words[1:])
        return run(self._box, words)

    def _set_flag(self, words: Sequence[str]) -> Sequence[str]:
        match words:
            case ["brief", "0" | "1" as value]:
                self._is_brief = value == "1"
                return ()
        raise Refused(Code.BAD_ARGUMENT, "set_flag brief 0|1")
