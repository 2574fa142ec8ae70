"""The command line of the Netropy: a prompt, an echo, and commands of words.

Source of the commands: com.apposite.api in Neotys-Partner-Solutions/Netropy @c25bca2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from threading import RLock

from impairlab.drivers.model import Direction
from impairlab.sim_hardware.netropy import house
from impairlab.sim_hardware.netropy.box import BoxError, NetropyBox
from impairlab.sim_hardware.netropy.forms import CONDITIONS, BadArgument, Condition
from impairlab.sim_hardware.netropy.shown import PORTS, path_page, statistics_page
from impairlab.sim_hardware.transports.ssh import LineEditor

UNITS = {"bps": 1, "Kbps": 10**3, "Mbps": 10**6, "Gbps": 10**9}
STATISTICS = ("total", "interval", "cumulative", "reset")
_LEAVE = frozenset({"exit", "quit", "logout"})
_MORE, _MORE_GONE = "--More--", "\r        \r"
_GREEN, _PLAIN = "\x1b[32m", "\x1b[0m"
_BANDWIDTH_FORM = "fixed <number> (bps|Kbps|Mbps|Gbps) port <1|2> (in|out)"


class Usage(Exception):  # noqa: N818 - what the shell says
    """Words that are no command, and what would be one."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a shell behaves beyond its answers.

    Attributes:
        page_lines: Lines after which it waits for a key; None never.
        ansi: Whether it colours the prompt.
    """

    page_lines: int | None = None
    ansi: bool = False


class ShellConversation:
    """One session. See `Conversation`.

    Args:
        box: What is talked to.
        guard: Held meanwhile.
        manners: How it behaves.
    """

    idle_close_ns = None

    def __init__(self, box: NetropyBox, guard: RLock, manners: Manners) -> None:
        self._box = box
        self._guard = guard
        self._manners = manners
        self._keys = LineEditor()
        self._pages: list[str] = []
        self.is_over = False

    def greet(self) -> bytes:
        """Say who it is."""
        return f"{house.BANNER}\r\n\r\n{self._prompt()}".encode()

    def close(self) -> None:
        """Do nothing: a session holds nothing."""

    def receive(self, data: bytes) -> Iterator[bytes]:
        """Answer keys: each reply is an echo, and the answer to a command where the line is whole."""
        while data and self._pages:
            key, data = data[:1], data[1:]
            yield from self._turn_page(key)
        for typed in self._keys.feed(data):
            if typed.ended:
                self.is_over = True
            answer = "" if typed.line is None else self._answer(typed.line)
            yield typed.echo + answer.encode()
            if self.is_over:
                return

    def _prompt(self) -> str:
        return f"{_GREEN}{house.PROMPT}{_PLAIN}" if self._manners.ansi else house.PROMPT

    def _answer(self, line: str) -> str:
        words = line.split()
        if len(words) == 1 and words[0] in _LEAVE:
            self.is_over = True
            return ""
        with self._guard:
            text = self._said(words) if words else ""
        lines = text.split("\n") if text else []
        most = self._manners.page_lines or max(len(lines), 1)
        self._pages = ["\r\n".join(lines[at : at + most]) for at in range(0, len(lines), most)]
        return self._next_page()

    def _next_page(self) -> str:
        page = self._pages.pop(0) + "\r\n" if self._pages else ""
        return page + (_MORE if self._pages else self._prompt())

    def _turn_page(self, key: bytes) -> Iterator[bytes]:
        if key in b"qQ\x03":
            self._pages.clear()
            yield f"{_MORE_GONE}{self._prompt()}".encode()
        elif key in b" \r\n":
            yield f"{_MORE_GONE}{self._next_page()}".encode()

    def _said(self, words: Sequence[str]) -> str:
        try:
            return Commands(self._box).run(words)
        except (BadArgument, BoxError) as error:
            return f"*** Error: {error}"
        except Usage as usage:
            return f"Usage: {usage}"


class Commands:
    """What the words of a command do.

    Args:
        box: To which.
    """

    def __init__(self, box: NetropyBox) -> None:
        self._box = box

    def run(self, words: Sequence[str]) -> str:
        """Carry out a command and return what it prints. Raises `BadArgument`, `BoxError` or `Usage`."""
        match words:
            case ["?"]:
                return "engine\nexit"
            case ["engine", "?"]:
                return "1"
            case ["engine", number, *rest]:
                if number != "1":
                    raise BoxError(f"there is no engine {number!r}; there is 1")
                return self._engine(rest)
            case _:
                raise Usage("engine 1 (emulation|path|statistics) ...")

    def _engine(self, words: Sequence[str]) -> str:
        match words:
            case ["?"]:
                return "emulation\npath\nstatistics"
            case ["emulation", "on" | "off" as state]:
                self._box.emulate(on=state == "on")
                return ""
            case ["emulation", *_]:
                return _listed(words[1:], ["on", "off"], "engine 1 emulation (on|off)")
            case ["statistics", kind] if kind in STATISTICS:
                return self._statistics(kind)
            case ["statistics", *_]:
                return _listed(words[1:], STATISTICS, f"engine 1 statistics ({'|'.join(STATISTICS)})")
            case ["path", "?"]:
                return "\n".join(str(number + 1) for number in range(len(self._box.names)))
            case ["path", number, *rest]:
                return self._path(_numbered(number), rest)
            case _:
                raise Usage("engine 1 (emulation|path|statistics) ...")

    def _statistics(self, kind: str) -> str:
        if kind != "reset":
            return statistics_page(self._box, kind)
        self._box.reset_statistics()
        return ""

    def _path(self, number: int, words: Sequence[str]) -> str:
        self._box.path(number)
        match words:
            case ["?"]:
                return "show\nset"
            case ["show"]:
                return path_page(self._box, number)
            case ["set", "?"]:
                return "\n".join([*CONDITIONS, "bw"])
            case ["set", "bw", *rest]:
                return self._bandwidth(number, rest)
            case ["set", word, *rest] if word in CONDITIONS:
                return self._condition(number, CONDITIONS[word], rest)
            case _:
                raise Usage(f"engine 1 path {number} (show|set ({'|'.join(CONDITIONS)}|bw) ...)")

    def _bandwidth(self, number: int, words: Sequence[str]) -> str:
        match words:
            case ["?"]:
                return _BANDWIDTH_FORM
            case ["fixed", rate, unit, "port", "1" | "2" as port, "in" | "out" as way] if unit in UNITS:
                bits = self._box.clamped("bw", _number(rate)) * UNITS[unit]
                if bits != bits.to_integral_value():
                    raise BadArgument(f"{rate} {unit} is no whole number of bps")
                self._box.set_bandwidth(number, (int(port), way), int(bits))
                return ""
            case _:
                raise BadArgument(f"write it like: bw {_BANDWIDTH_FORM}")

    def _condition(self, number: int, condition: Condition, words: Sequence[str]) -> str:
        if words == ["?"]:
            return "\n".join(f"{each} port <from> to port <to>" for each in condition.help())
        at = max((at for at, word in enumerate(words) if word == "port"), default=0) - 3
        direction = _direction(words[at:]) if at >= 0 else None
        if direction is None:
            raise BadArgument(f"say from where to where: set {condition.word} ... port 1 to port 2")
        arguments = [self._as_clamped(condition.word, word) for word in words[:at]]
        self._box.set_condition(number, direction, condition.word, condition.read(arguments))
        return ""

    def _as_clamped(self, header: str, word: str) -> str:
        try:
            return str(self._box.clamped(header, Decimal(word)))
        except InvalidOperation:
            return word


def _listed(words: Sequence[str], legal: Sequence[str], usage: str) -> str:
    if list(words) == ["?"]:
        return "\n".join(legal)
    raise Usage(usage)


def _numbered(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise BadArgument(f"{text!r} is no number of a path")
    return int(text)


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise BadArgument(f"{text!r} is not a number") from error
    if not value.is_finite() or value < 0:
        raise BadArgument(f"{text!r} is not a bandwidth")
    return value


def _direction(words: Sequence[str]) -> Direction | None:
    for direction, (one, other) in PORTS.items():
        if list(words) == ["port", str(one), "to", "port", str(other)]:
            return direction
    return None
