"""The text of the CLI: a command as a line, the lines that come back as answers, and what an error says.

One line a command: a set is answered by <OK>, a query by the command line with its values, as often with two spaces
between words as with one, and an error by a word in angle brackets, or by a caret under the line and a remark that
begins with "#" (docs.xenanetworks.com, the CLI of XOA; words and numbers of the errors: tdl-xoa-driver 1.11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from impairlab.drivers.model.errors import (
    AuthError,
    ImpairlabError,
    InstrumentCommandError,
    InstrumentDeviceError,
    InstrumentError,
    InstrumentExecutionError,
    SessionLimit,
)
from impairlab.drivers.xena.commands import COMMANDS, Argument, Command

OK = "OK"
NOT_LOGGED_ON = "NOTLOGGEDON"
NOT_RESERVED = "NOTRESERVED"
NOT_VALID = "NOTVALID"
NOT_SUPPORTED = "NOTSUPPORTED"
PENDING = "PENDING"

STATUS_NUMBERS: Mapping[str, int] = {
    "NOCONNECTIONS": 1, NOT_LOGGED_ON: 2, NOT_RESERVED: 3, "NOTWRITABLE": 4, "NOTREADABLE": 5, NOT_VALID: 6,
    "BADHEADER": 7, "BADCOMMAND": 8, "BADPARAMETER": 9, "BADMODULE": 10, "BADPORT": 11, "BADINDEX": 12, "BADSIZE": 13,
    "BADVALUE": 14, "FAILED": 15, "MEMORYFAILURE": 16, "NOLICPE": 17, "NOLICPORT": 18, NOT_SUPPORTED: 19, PENDING: 20,
}  # fmt: skip
"""The numbers that the binary protocol gives the same errors."""

_UNREADABLE = {"BADHEADER", "BADCOMMAND", "BADPARAMETER", "BADMODULE", "BADPORT", "BADINDEX"}
_BROKEN = {"FAILED", "MEMORYFAILURE"}
_ENDLESS = "INFINITE"

_STATUS = re.compile(r"<([A-Z0-9_]+)>")
_CARET = re.compile(r"[-\s]*\^\s*")
_ECHO = re.compile(
    r"(?:(?P<place>\d+(?:/\d+)?)\s+)?(?P<name>[A-Z][A-Z0-9_]*)\s*(?:\[(?P<indices>[\d,\s]*)\])?(?:\s+(?P<values>.*))?"
)
_WORDS = re.compile(r'"[^"]*"|\S+')

Value = int | str
"""A number, address or mask, or a word or text."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command with everything that it needs, or the query of one.

    Attributes:
        command: What.
        place: Module, or module and port, as they are written; empty for the chassis.
        indices: What stands between the brackets.
        values: The arguments; None asks.
        tolerated: Errors that are as good as success here.
    """

    command: Command
    place: str = ""
    indices: tuple[int, ...] = ()
    values: tuple[Value, ...] | None = None
    tolerated: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Return the line that is sent."""
        indices = f"[{','.join(map(str, self.indices))}]" if self.indices else ""
        values = ["?"] if self.values is None else _written(self.command.sets or (), self.values)
        return " ".join(word for word in (self.place, self.command.name, indices, *values) if word)


def asking(name: str, place: str = "", *indices: int) -> Line:
    """Return a query."""
    return Line(COMMANDS[name], place, indices)


def setting(name: str, place: str, indices: tuple[int, ...], *values: Value, but: frozenset[str] = frozenset()) -> Line:
    """Return a command that sets."""
    return Line(COMMANDS[name], place, indices, values, but)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one line.

    Attributes:
        line: What was sent.
        text: All of it.
        error: The word of the error, or the remark after a caret; empty where there is none.
        values: What a query answered.
    """

    line: Line
    text: str
    error: str = ""
    values: tuple[Value, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the line did not do what it should."""
        return bool(self.error) and self.error not in self.line.tolerated


def read_answers(lines: Sequence[Line], replies: Sequence[str]) -> list[Answer]:
    """Return the answer to each line.

    Raises:
        ValueError: As many answers as lines did not come, or one does not fit its line.
    """
    texts = list(_joined(replies))
    if len(texts) != len(lines):
        raise ValueError(f"{len(texts)} answers to {len(lines)} lines")
    return [_answer(line, text) for line, text in zip(lines, texts, strict=True)]


def refusal(answers: Sequence[Answer], *, appliance: str, state_known: bool) -> ImpairlabError:
    """Return the error that the first of some failed answers stands for."""
    first = answers[0]
    command = str(first.line)
    match first.error:
        case _ if first.error == NOT_LOGGED_ON:
            return AuthError("not logged on", appliance=appliance, command=command, state_known=state_known)
        case "NOCONNECTIONS":
            return SessionLimit("has no free session", appliance=appliance, command=command, retryable=True)
    kind: type[InstrumentError] = InstrumentExecutionError
    if first.error in _UNREADABLE or first.error.startswith(("#Syntax", "#Index")):
        kind = InstrumentCommandError
    elif first.error in _BROKEN or first.error.startswith("#"):
        kind = InstrumentDeviceError
    errors = [(STATUS_NUMBERS.get(answer.error, 0), answer.text) for answer in answers]
    return kind(errors, appliance=appliance, command=command, state_known=state_known)


def quoted(text: str) -> str:
    """Return a text between quotes. Raises ValueError for one that holds a quote: there is no way to write it."""
    if '"' in text or not text.isprintable() or not text.isascii():
        raise ValueError(f"a text is printable ASCII without quotes, not {text!r}")
    return f'"{text}"'


def _joined(replies: Sequence[str]) -> Iterator[str]:
    """Yield one text for each answer: a caret belongs to the remark that follows it; empty lines answer nothing."""
    for reply in replies:
        text = reply.strip()
        if text and not _CARET.fullmatch(text):
            yield text


def _answer(line: Line, text: str) -> Answer:
    if text.startswith("#"):
        return Answer(line, text, error=text)
    if status := _STATUS.fullmatch(text):
        word = status.group(1)
        if word == OK and line.values is None:
            raise ValueError(f"{line} is answered {text}")
        return Answer(line, text, error="" if word == OK else word)
    if line.values is not None:
        raise ValueError(f"{line} is answered {text!r}")
    return Answer(line, text, values=_read_echo(line, text))


def _read_echo(line: Line, text: str) -> tuple[Value, ...]:
    echo = _ECHO.fullmatch(text)
    if echo is None:
        raise ValueError(f"{line} is answered {text!r}")
    indices = tuple(int(index) for index in (echo["indices"] or "").replace(",", " ").split())
    if (echo["place"] or "", echo["name"], indices) != (line.place, line.command.name, line.indices):
        raise ValueError(f"{line} is answered {text!r}, to another question")
    words = _WORDS.findall(echo["values"] or "")
    return tuple(_read(argument, word) for argument, word in _paired(line.command, words))


def _paired(command: Command, words: Sequence[str]) -> Iterator[tuple[Argument, str]]:
    arguments = list(command.gets or ())
    if arguments and arguments[-1].form == "numbers":
        arguments += [arguments.pop()] * (len(words) - len(arguments))
    if len(words) != len(arguments):
        raise ValueError(f"{command.name} has {len(arguments)} values, not {len(words)}: {' '.join(words)[:80]}")
    return zip(arguments, words, strict=True)


def _read(argument: Argument, word: str) -> Value:
    match argument.form:
        case "text":
            return word.strip('"')
        case "word":
            return _read_word(argument, word)
        case "ipv4" | "ipv6" if not word.lower().startswith("0x"):
            return _read_address(word)
        case _ if word == _ENDLESS:
            return 0
        case _:
            return int(word, 16) if word.lower().startswith("0x") else int(word)


def _read_word(argument: Argument, word: str) -> str:
    if word in argument.words:
        return word
    if word.isdecimal() and int(word) < len(argument.words):
        return argument.words[int(word)]
    raise ValueError(f"{argument.name} is one of {', '.join(argument.words)}, not {word}")


def _read_address(word: str) -> int:
    try:
        return int(IPv6Address(word)) if ":" in word else int(IPv4Address(word))
    except AddressValueError as error:
        raise ValueError(f"{word} is not an address: {error}") from error


def _written(arguments: Sequence[Argument], values: Sequence[Value]) -> Iterator[str]:
    forms = list(arguments)
    if forms and forms[-1].form == "numbers":
        forms += [forms.pop()] * (len(values) - len(forms))
    for argument, value in zip(forms, values, strict=True):
        yield _word(argument, value)


def _word(argument: Argument, value: Value) -> str:
    if isinstance(value, str):
        return quoted(value) if argument.form == "text" else value
    match argument.form:
        case "ipv4":
            return str(IPv4Address(value))
        case "ipv6":
            return f"0x{value:032X}"
        case _:
            return str(value)
