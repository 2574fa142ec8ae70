"""From a program message to its units: headers made absolute by the path rule, data as lexical elements.

Sources: IEEE 488.2, 7.3 (message units); SCPI-1999 volume 1, 6.2.4 (traversal of the header tree).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from impairlab.sim_hardware.scpi import lexer
from impairlab.sim_hardware.scpi.errors import ErrorEntry, ScpiError
from impairlab.sim_hardware.scpi.lexer import Datum, HeaderKind, HeaderToken

_CACHED_LENGTH = 256
_CACHED_MESSAGES = 2048


@dataclass(frozen=True, slots=True)
class Unit:
    """One program message unit: its absolute header in upper case (`:A:B?`, `*IDN?`) and its data."""

    header: str
    data: tuple[Datum, ...]


@dataclass(frozen=True, slots=True)
class SentUnit:
    """A program message unit as sent, before the path rule, and the position of what ends it."""

    header: HeaderToken
    data: tuple[Datum, ...]
    end: int


def absolute_header(base: str, sent: str) -> tuple[str, str]:
    """Apply the path rule to one header.

    Args:
        base: The path so far: empty for the root, else `:A:B`.
        sent: The header as sent, in any case.

    Returns:
        The absolute header and the base for the next unit. A leading colon starts from the root, a common command
        leaves the path alone, and the new base is all but the last mnemonic as sent.
    """
    header = sent.upper()
    if header.startswith("*"):
        return header, base
    absolute = header if header.startswith(":") else f"{base}:{header}"
    return absolute, absolute.rpartition(":")[0]


def read_unit(text: str, at: int = 0, longest_mnemonic: int = lexer.LONGEST_WORD) -> SentUnit:
    """Read the program message unit at `at` up to its `;`, new line or the end of the text.

    Raises:
        ScpiError: With the -1xx number of the first thing that cannot be.
    """
    token = lexer.header(text, lexer.white_space(text, at))
    if not token.complete:
        raise ScpiError(-102 if token.kind is HeaderKind.INCOMPLETE_COMPOUND else -113, token.lexeme)
    for mnemonic in token.lexeme.strip("*:?").split(":"):
        if len(mnemonic) > longest_mnemonic:
            raise ScpiError(-112, mnemonic)
    end = lexer.white_space(text, token.end)
    if end == len(text) or text[end] in ";\n":
        return SentUnit(token, (), end)
    if end == token.end:
        raise ScpiError(-111, token.lexeme + text[end])
    data, end = lexer.data(text, end)
    return SentUnit(token, data, end)


def parse_message(text: str) -> tuple[Unit | ErrorEntry, ...]:
    """Split a program message, ended by its new line, into units; a unit that cannot be read is its error.

    The path is the root again after an error. An empty message has no units.
    """
    return tuple(units_of(text))


def units_of(text: str, longest_mnemonic: int = lexer.LONGEST_WORD) -> Iterator[Unit | ErrorEntry]:
    """Yield the units of a program message as `parse_message` returns them; a long one is read as they are taken."""
    if len(text) <= _CACHED_LENGTH:
        return iter(_cached(text, longest_mnemonic))
    return _parse(text, longest_mnemonic)


def _parse(text: str, longest_mnemonic: int) -> Iterator[Unit | ErrorEntry]:
    base, at = "", 0
    while True:
        at = lexer.white_space(text, at)
        if at < len(text) and text[at] not in ";\n":
            try:
                sent = read_unit(text, at, longest_mnemonic)
            except ScpiError as error:
                yield error.entry
                base, at = "", _next_separator(text, at)
            else:
                header, base = absolute_header(base, sent.header.lexeme)
                yield Unit(header, sent.data)
                at = sent.end
        if at >= len(text) or text[at] != ";":
            return
        at += 1


def _next_separator(text: str, at: int) -> int:
    """Return where the next unit's `;` is after an error at `at`, passing over quoted ones."""
    quote = ""
    for position in range(at, len(text)):
        char = text[position]
        if quote:
            quote = "" if char == quote else quote
        elif char in {"'", '"'}:
            quote = char
        elif char == ";":
            return position
    return len(text)


@lru_cache(maxsize=_CACHED_MESSAGES)
def _cached(text: str, longest_mnemonic: int) -> tuple[Unit | ErrorEntry, ...]:
    return tuple(_parse(text, longest_mnemonic))
