"""Lexical elements of a program message: white space, headers and the kinds of data (IEEE 488.2, 7.4 to 7.7).

Text is the message decoded as latin-1, so that one character is one byte. Every function takes a position and answers
where its element ends, or raises `ScpiError` with the number that fits what it found.
"""

import re
from dataclasses import dataclass
from enum import Enum

from impairlab.sim_hardware.scpi.errors import ScpiError

LONGEST_WORD = 12
"""IEEE 488.2 7.6.1.4.1 and 7.7.1.4: a mnemonic or character datum has at most 12 characters."""

_SPACE = r"[\x00-\x09\x0b-\x20]*"
_WORD = r"[A-Za-z][A-Za-z0-9_]*"

_WHITE_SPACE = re.compile(_SPACE)
_CHARACTER = re.compile(_WORD)
_DECIMAL = re.compile(rf"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:{_SPACE}[Ee]{_SPACE}[+-]?[0-9]+)?")
_SUFFIX = re.compile(r"/?[A-Za-z]+(?:-?[0-9])?(?:[./][A-Za-z]+(?:-?[0-9])?)*")
_NONDECIMAL = re.compile(r"#(?:[Hh]([0-9A-Fa-f]+)|[Qq]([0-7]+)|[Bb]([01]+))")
_STRING = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_EXPRESSION = re.compile(r"\([^\"#'();\n\x80-\xff]*\)")
_HEADER = re.compile(rf"(?P<common>\*(?:{_WORD})?)|(?P<compound>:?(?:{_WORD}(?::{_WORD})*)?:?)")


class Kind(Enum):
    """What a data element is (IEEE 488.2, 7.7)."""

    CHARACTER = "character"
    DECIMAL = "decimal numeric"
    HEXADECIMAL = "hexadecimal numeric"
    OCTAL = "octal numeric"
    BINARY = "binary numeric"
    STRING = "string"
    BLOCK = "block"
    EXPRESSION = "expression"


class HeaderKind(Enum):
    """Whether a header is common (`*CMD`), compound (`A:B`) or broken off."""

    COMMON = "common"
    COMPOUND = "compound"
    INCOMPLETE_COMMON = "incomplete common"
    INCOMPLETE_COMPOUND = "incomplete compound"


@dataclass(frozen=True, slots=True)
class Datum:
    """One data element: its kind, its content without marks (`#H`, block length) and its suffix, and where it ends.

    A string keeps its quotes, because only they say which quote is doubled.
    """

    kind: Kind
    lexeme: str
    end: int
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class HeaderToken:
    """A program header as sent, with its question mark, and where it ends."""

    kind: HeaderKind
    lexeme: str
    end: int

    @property
    def complete(self) -> bool:
        """Whether a mnemonic stands wherever one must."""
        return self.kind in {HeaderKind.COMMON, HeaderKind.COMPOUND}


def white_space(text: str, at: int = 0) -> int:
    """Return the position after the white space at `at`: codes 0 to 9 and 11 to 32 (IEEE 488.2 7.4.1.2)."""
    match = _WHITE_SPACE.match(text, at)
    return match.end() if match else at


def header(text: str, at: int = 0) -> HeaderToken:
    """Read a program header (IEEE 488.2 7.6.1). Raises -101 where no header can begin."""
    match = _HEADER.match(text, at)
    if match is None or match.end() == at:
        raise ScpiError(-101, text[at : at + 1])
    lexeme, end = match.group(), match.end()
    if match["common"]:
        kind = HeaderKind.COMMON if len(lexeme) > 1 else HeaderKind.INCOMPLETE_COMMON
    else:
        kind = HeaderKind.INCOMPLETE_COMPOUND if lexeme.endswith(":") else HeaderKind.COMPOUND
    if text.startswith("?", end) and kind in {HeaderKind.COMMON, HeaderKind.COMPOUND}:
        lexeme, end = lexeme + "?", end + 1
    return HeaderToken(kind, lexeme, end)


def character(text: str, at: int = 0) -> Datum:
    """Read character data (7.7.1). Raises -141 when it is none, -144 when it is longer than 12 characters."""
    match = _CHARACTER.match(text, at)
    if match is None:
        raise ScpiError(-141, text[at : at + 1])
    if len(match.group()) > LONGEST_WORD:
        raise ScpiError(-144, match.group())
    return Datum(Kind.CHARACTER, match.group(), match.end())


def decimal(text: str, at: int = 0) -> Datum:
    """Read a decimal number without its suffix (7.7.2). Raises -120 where there is none, -121 for a stray character."""
    match = _DECIMAL.match(text, at)
    if match is None:
        after_sign = at + (text[at : at + 1] in {"+", "-"})
        raise ScpiError(-120 if text[after_sign : after_sign + 1] == "." else -121, text[at : at + 2].strip())
    return Datum(Kind.DECIMAL, match.group(), match.end())


def suffix(text: str, at: int = 0) -> str:
    """Read a suffix (7.7.3) such as `MS` or `KOHM.M/S-2`; empty where there is none. Raises -134 when too long."""
    match = _SUFFIX.match(text, at)
    if match is None:
        return ""
    if len(match.group()) > LONGEST_WORD:
        raise ScpiError(-134, match.group())
    return match.group()


def number(text: str, at: int = 0) -> Datum:
    """Read a decimal number with its suffix (7.7.2, 7.7.3)."""
    bare = decimal(text, at)
    begin = white_space(text, bare.end)
    unit = suffix(text, begin)
    if not unit:
        if text[begin : begin + 1] in {'"', "'"}:
            raise ScpiError(-131, text[begin : begin + 1])
        return bare
    return Datum(Kind.DECIMAL, bare.lexeme, begin + len(unit), unit)


def nondecimal(text: str, at: int = 0) -> Datum:
    """Read `#H`, `#Q` or `#B` data (7.7.4). Raises -121 where no digit of the base follows."""
    match = _NONDECIMAL.match(text, at)
    if match is None or match.lastindex is None:
        raise ScpiError(-121, text[at : at + 3].strip())
    kind = (Kind.HEXADECIMAL, Kind.OCTAL, Kind.BINARY)[match.lastindex - 1]
    return Datum(kind, match[match.lastindex], match.end())


def string(text: str, at: int = 0) -> Datum:
    """Read a quoted string (7.7.5). Raises -151 when unterminated, -101 for a character outside 7-bit ASCII."""
    match = _STRING.match(text, at)
    if match is None:
        raise ScpiError(-151)
    if not match.group().isascii():
        raise ScpiError(-101)
    return Datum(Kind.STRING, match.group(), match.end())


def block(text: str, at: int = 0) -> Datum:
    """Read an arbitrary block (7.7.6). Raises -161 when it is short or its length is no number.

    An indefinite block, `#0`, runs to the new line that ends the message.
    """
    if text.startswith("#0", at):
        if not text.endswith("\n"):
            raise ScpiError(-161)
        return Datum(Kind.BLOCK, text[at + 2 : -1], len(text) - 1)
    digits = text[at + 1 : at + 2]
    length = text[at + 2 : at + 2 + int(digits)] if digits.isdecimal() else ""
    if not length.isdecimal() or len(length) < int(digits):
        raise ScpiError(-161)
    begin = at + 2 + len(length)
    content = text[begin : begin + int(length)]
    if len(content) < int(length):
        raise ScpiError(-161)
    return Datum(Kind.BLOCK, content, begin + len(content))


def expression(text: str, at: int = 0) -> Datum:
    """Read an expression in parentheses (7.7.7). Raises -171 when it does not close or holds a forbidden character."""
    match = _EXPRESSION.match(text, at)
    if match is None:
        raise ScpiError(-171)
    return Datum(Kind.EXPRESSION, match.group(), match.end())


def datum(text: str, at: int = 0) -> Datum:
    """Read any data element, told apart by its first character (7.7)."""
    first = text[at : at + 1]
    if first == "#":
        return nondecimal(text, at) if text[at + 1 : at + 2] in set("HhQqBb") else block(text, at)
    if first in {"'", '"'}:
        return string(text, at)
    if first == "(":
        return expression(text, at)
    if first and first in "+-.0123456789":
        return number(text, at)
    if first.isascii() and first.isalpha():
        return character(text, at)
    raise ScpiError(-102 if first in {"", ",", ";", "\n"} else -101, first.strip())


def data(text: str, at: int = 0) -> tuple[tuple[Datum, ...], int]:
    """Read a comma-separated list of data elements and the position after it, white space included (7.5)."""
    found = []
    while True:
        element = datum(text, white_space(text, at))
        found.append(element)
        at = white_space(text, element.end)
        if not text.startswith(",", at):
            break
        at += 1
    if at < len(text) and text[at] not in ";\n":
        raise ScpiError(_junk_after(element, text[at]), text[at])
    return tuple(found), at


def _junk_after(element: Datum, char: str) -> int:
    if not (char.isascii() and char.isalpha()):
        return -103
    return {Kind.CHARACTER: -141, Kind.DECIMAL: -131}.get(element.kind, -138)
