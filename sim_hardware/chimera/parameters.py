"""The values of a command, each with its type: how it is written in a line, how in a message, and what is legal.

Sources: xoa-cli reference, "Command Syntax", for text; PyPI tdl-xoa-driver 1.11.0 for the sizes in messages: big-endian
and without padding between values.
"""

import string
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from struct import Struct
from typing import TypeVar

from impairlab.sim_hardware.chimera import house_answers as house
from impairlab.sim_hardware.chimera.status import Status, StatusError

Value = int | str | bytes | tuple[int, ...]
Values = tuple[Value, ...]

_SIZES = {1: Struct("!B"), 4: Struct("!i"), 8: Struct("!q")}
INT_LOW, INT_HIGH = -(2**31), 2**31 - 1
LONG_HIGH = 2**63 - 1
MOST_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a line, and the column in which it begins, counted from 1."""

    text: str
    column: int


class SyntaxProblem(Exception):  # noqa: N818 - it is answered, and part of the dialogue
    """A line that does not follow the grammar.

    Attributes:
        column: Where, counted from 1.
        kind: "Syntax" or "Index".
    """

    def __init__(self, column: int, kind: str = "Syntax") -> None:
        super().__init__(f"#{kind} error in column {column}")
        self.column = column
        self.kind = kind


class Parameter(ABC):
    """One value, or one list that takes all the rest.

    Attributes:
        name: As the reference has it.
        takes_rest: Whether it takes everything that follows.
    """

    takes_rest = False

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def read(self, tokens: Sequence[Token]) -> Value:
        """Return the value that tokens write, one unless it takes the rest. Raises SyntaxProblem or StatusError."""

    @abstractmethod
    def show(self, value: Value) -> str:
        """Return the value as text."""

    @abstractmethod
    def unpack(self, data: bytes) -> tuple[Value, bytes]:
        """Return the value at the start of data, and what follows it. Raises StatusError."""

    @abstractmethod
    def pack(self, value: Value) -> bytes:
        """Return the value as bytes."""


class Integer(Parameter):
    """A whole number.

    Args:
        name: See `Parameter`.
        low: Least legal value.
        high: Greatest legal value.
        size: Bytes in a message: 1, 4 or 8.
        words: Words that stand for values, `INFINITE` for 0; a value that has one is shown as it.
    """

    def __init__(
        self, name: str, low: int, high: int, *, size: int = 4, words: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(name)
        self.low, self.high, self.size = low, high, size
        self._struct = _SIZES[size]
        self.words = dict(words or {})
        self._shown = {value: word for word, value in self.words.items()}

    def read(self, tokens: Sequence[Token]) -> int:
        """Return the number."""
        (token,) = tokens
        if (word := self.words.get(token.text.upper())) is not None:
            return word
        digits = token.text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise SyntaxProblem(token.column)
        if len(digits) > len(str(LONG_HIGH)):
            raise StatusError(Status.BADVALUE)
        return self._checked(int(token.text))

    def show(self, value: Value) -> str:
        """Return the number, or its word."""
        number = _as(int, value)
        return self._shown.get(number, str(number))

    def unpack(self, data: bytes) -> tuple[int, bytes]:
        """Return the number."""
        head, rest = _split(data, self._struct.size)
        number: int = self._struct.unpack(head)[0]
        return self._checked(number), rest

    def pack(self, value: Value) -> bytes:
        """Return the number."""
        return self._struct.pack(_as(int, value))

    def _checked(self, number: int) -> int:
        if not self.low <= number <= self.high:
            raise StatusError(Status.BADVALUE)
        return number


class Coded(Parameter):
    """A word that is a number in messages.

    Args:
        name: See `Parameter`.
        words: The words and their numbers.
        size: Bytes in a message.
    """

    def __init__(self, name: str, words: Mapping[str, int], *, size: int = 1) -> None:
        super().__init__(name)
        self.words = dict(words)
        self.size = size
        self._struct = _SIZES[size]
        self._shown = {value: word for word, value in self.words.items()}

    def read(self, tokens: Sequence[Token]) -> int:
        """Return the number of the word; the number itself is legal too."""
        (token,) = tokens
        if (number := self.words.get(token.text.upper())) is not None:
            return number
        if not (token.text.isascii() and token.text.isdigit()):
            raise SyntaxProblem(token.column)
        if len(token.text) > 4 or int(token.text) not in self._shown:
            raise StatusError(Status.BADVALUE)
        return int(token.text)

    def show(self, value: Value) -> str:
        """Return the word."""
        return self._shown[_as(int, value)]

    def unpack(self, data: bytes) -> tuple[int, bytes]:
        """Return the number."""
        head, rest = _split(data, self._struct.size)
        number: int = self._struct.unpack(head)[0]
        if number not in self._shown:
            raise StatusError(Status.BADVALUE)
        return number, rest

    def pack(self, value: Value) -> bytes:
        """Return the number."""
        return self._struct.pack(_as(int, value))


class HexBytes(Parameter):
    """Bytes, written as 0xF700AB.

    Args:
        name: See `Parameter`.
        size: How many; None takes the rest, up to `most`.
        most: Most bytes where `size` is None.
    """

    def __init__(self, name: str, size: int | None, *, most: int = 128) -> None:
        super().__init__(name)
        self.size, self.most = size, most
        self.takes_rest = size is None

    def read(self, tokens: Sequence[Token]) -> bytes:
        """Return the bytes; several groups that each begin with 0x follow each other."""
        return self._checked(b"".join(_hex(token) for token in tokens))

    def show(self, value: Value) -> str:
        """Return them in one group."""
        return f"0x{_as(bytes, value).hex().upper()}"

    def unpack(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the bytes."""
        head, rest = _split(data, len(data) if self.size is None else self.size)
        return self._checked(head), rest

    def pack(self, value: Value) -> bytes:
        """Return the bytes."""
        return _as(bytes, value)

    def _checked(self, value: bytes) -> bytes:
        if len(value) > self.most or self.size not in {None, len(value)}:
            raise StatusError(Status.BADSIZE)
        return value


class Ipv4(HexBytes):
    """An IPv4 address, written with dots."""

    def __init__(self, name: str) -> None:
        super().__init__(name, 4)

    def read(self, tokens: Sequence[Token]) -> bytes:
        """Return its bytes."""
        (token,) = tokens
        try:
            return IPv4Address(token.text).packed
        except AddressValueError:
            raise SyntaxProblem(token.column) from None

    def show(self, value: Value) -> str:
        """Return it with dots."""
        return str(IPv4Address(_as(bytes, value)))


class Ipv6(HexBytes):
    """An IPv6 address, written as 16 bytes in hexadecimal; colons are understood too."""

    def __init__(self, name: str) -> None:
        super().__init__(name, 16)

    def read(self, tokens: Sequence[Token]) -> bytes:
        """Return its bytes."""
        (token,) = tokens
        if ":" not in token.text:
            return super().read(tokens)
        try:
            return IPv6Address(token.text).packed
        except AddressValueError:
            raise SyntaxProblem(token.column) from None


class Text(Parameter):
    """A string in quotation marks; other characters by their number, outside of them, separated by commas.

    Args:
        name: See `Parameter`.
        most: Most characters.
    """

    takes_rest = True

    def __init__(self, name: str, most: int = MOST_TEXT) -> None:
        super().__init__(name)
        self.most = most

    def read(self, tokens: Sequence[Token]) -> str:
        """Return the string; an owner may stand without quotation marks."""
        if len(tokens) != 1:
            raise house.WRONG_COUNT.error()
        (token,) = tokens
        return self._checked("".join(_text_parts(token)))

    def show(self, value: Value) -> str:
        """Return it in quotation marks."""
        parts: list[str] = []
        for character in _as(str, value):
            if character == '"' or character not in _QUOTABLE:
                parts.append(str(ord(character)))
            elif parts and parts[-1].startswith('"'):
                parts[-1] = f'{parts[-1][:-1]}{character}"'
            else:
                parts.append(f'"{character}"')
        return ",".join(parts) or '""'

    def unpack(self, data: bytes) -> tuple[str, bytes]:
        """Return the string up to its first NUL."""
        return self._checked(data.partition(b"\0")[0].decode("latin-1")), b""

    def pack(self, value: Value) -> bytes:
        """Return the string."""
        return _as(str, value).encode("latin-1")

    def _checked(self, value: str) -> str:
        if len(value) > self.most:
            raise StatusError(Status.BADSIZE)
        return value


class Many(Parameter):
    """All that follows, each a number or word.

    Args:
        name: See `Parameter`.
        item: The type of each.
        most: How many at most.
    """

    takes_rest = True

    def __init__(self, name: str, item: Integer | Coded, most: int) -> None:
        super().__init__(name)
        self.item, self.most = item, most

    def read(self, tokens: Sequence[Token]) -> tuple[int, ...]:
        """Return the numbers."""
        if len(tokens) > self.most:
            raise StatusError(Status.BADSIZE)
        return tuple(self.item.read([token]) for token in tokens)

    def show(self, value: Value) -> str:
        """Return them with spaces between."""
        return " ".join(self.item.show(number) for number in _as(tuple, value))

    def unpack(self, data: bytes) -> tuple[tuple[int, ...], bytes]:
        """Return the numbers."""
        count, left = divmod(len(data), self.item.size)
        if left or count > self.most:
            raise StatusError(Status.BADSIZE)
        numbers = []
        while data:
            number, data = self.item.unpack(data)
            numbers.append(number)
        return tuple(numbers), b""

    def pack(self, value: Value) -> bytes:
        """Return the numbers."""
        return b"".join(self.item.pack(number) for number in _as(tuple, value))


_QUOTABLE = frozenset(chr(code) for code in range(32, 127))
_HEX_DIGITS = frozenset(string.hexdigits)


K = TypeVar("K", int, str, bytes, tuple[int, ...])


def _as(kind: type[K], value: Value) -> K:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _split(data: bytes, size: int) -> tuple[bytes, bytes]:
    if len(data) < size:
        raise StatusError(Status.BADSIZE)
    return data[:size], data[size:]


def _hex(token: Token) -> bytes:
    digits = token.text[2:]
    if token.text[:2].lower() != "0x" or not digits or not _HEX_DIGITS.issuperset(digits):
        raise SyntaxProblem(token.column)
    if len(digits) % 2:
        raise StatusError(Status.BADSIZE)
    return bytes.fromhex(digits)


def _text_parts(token: Token) -> Iterator[str]:
    """Yield the pieces of a string: quoted ones, and characters by their number."""
    text, at = token.text, 0
    if not text.startswith('"') and not text[:1].isdigit():
        yield text
        return
    while at < len(text):
        if text[at] == '"':
            end = text.find('"', at + 1)
            if end < 0:
                raise SyntaxProblem(token.column + at)
            yield text[at + 1 : end]
            end += 1
        else:
            end = text.find(",", at) if "," in text[at:] else len(text)
            number = text[at:end]
            if not (number.isascii() and number.isdigit() and len(number) <= 3 and int(number) < 256):
                raise SyntaxProblem(token.column + at)
            yield chr(int(number))
        if end < len(text) and text[end] != ",":
            raise SyntaxProblem(token.column + end)
        at = end + 1
