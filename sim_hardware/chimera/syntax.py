"""The grammar of a line: where it is addressed, which command, indices, and a question mark or values.

Sources: xoa-cli reference, "Command Syntax", "Defaults and Wildcarding", "Status Messages".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from impairlab.sim_hardware.chimera.parameters import SyntaxProblem, Token

Place = int | Literal["*", "-"] | None
"""A module or port: its number, `*` for each, `-` for none, None where it is not named."""

_TOKEN = re.compile(r'\s*(?:(?P<list>\[[^\]]*\])|(?P<word>(?:"[^"]*"|[^\s"\[\]])+)|(?P<bad>.))')
_PLACES = re.compile(r"(?P<first>\d{1,9}|[*-])(?:/(?P<second>\d{1,9}|[*-]))?")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_INDEX = re.compile(r"\s*(\d{1,9})\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line, taken apart.

    Attributes:
        places: The one or two numbers in front of the command.
        name: The command in capitals; empty where the line is only places.
        name_column: Where the command stands.
        indices: What stands in brackets.
        index_column: Where the brackets, or the place for them, begin.
        is_query: Whether a question mark ends it.
        values: The words behind.
        end_column: Where the line ends.
    """

    places: tuple[Place, ...]
    name: str
    name_column: int
    indices: tuple[int, ...]
    index_column: int
    is_query: bool
    values: tuple[Token, ...]
    end_column: int


def parse(text: str) -> Line:
    """Take a line apart. Raises SyntaxProblem."""
    tokens = list(_tokens(text))
    end_column = len(text) + 1
    places: tuple[Place, ...] = ()
    if tokens and (match := _PLACES.fullmatch(tokens[0].text)) is not None:
        places = tuple(_place(part) for part in match.groups() if part is not None)
        tokens.pop(0)
    if not tokens:
        return Line(places, "", end_column, (), end_column, is_query=False, values=(), end_column=end_column)
    name = tokens.pop(0)
    if name.text == "?" and not tokens:
        return Line(places, "", name.column, (), name.column, is_query=True, values=(), end_column=end_column)
    if _NAME.fullmatch(name.text) is None:
        raise SyntaxProblem(name.column)
    index_column = tokens[0].column if tokens else end_column
    indices: tuple[int, ...] = ()
    if tokens and tokens[0].text.startswith("["):
        indices = tuple(_indices(tokens.pop(0)))
    is_query = len(tokens) == 1 and tokens[0].text == "?"
    if not is_query and (strange := next((each for each in tokens if each.text[0] in "[?"), None)):
        raise SyntaxProblem(strange.column)
    values = () if is_query else tuple(tokens)
    return Line(places, name.text.upper(), name.column, indices, index_column, is_query, values, end_column)


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None or match.lastgroup == "bad":
            column = at + 1 if match is None else match.start("bad") + 1
            raise SyntaxProblem(column)
        yield Token(match.group(match.lastgroup), match.start(match.lastgroup) + 1)
        at = match.end()


def _place(text: str) -> Place:
    if text == "*":
        return "*"
    return "-" if text == "-" else int(text)


def _indices(token: Token) -> Iterator[int]:
    inside, at = token.text[1:-1], 0
    while at < len(inside):
        match = _INDEX.match(inside, at)
        if match is None:
            raise SyntaxProblem(token.column + 1 + at)
        yield int(match.group(1))
        at = match.end()
