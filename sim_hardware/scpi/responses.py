"""Response data: Python values as IEEE 488.2 section 8.7 sends them."""

import struct
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum

from impairlab.sim_hardware.scpi.numbers import show_exact, show_real


class Word(str):
    """Text that is sent as it stands, without quotes: character data, or a reply that was formatted already."""

    __slots__ = ()


Reply = bool | int | Decimal | float | str | bytes | Sequence["Reply"]
"""What a query handler may answer; a sequence is joined with commas."""


class ByteOrder(Enum):
    """FORMat:BORDer: NORMal is most significant byte first, SWAPped is least significant first."""

    NORMAL = ">"
    SWAPPED = "<"


def show(value: Reply) -> str:
    """Return `value` as response data: 1 or 0, a number, a quoted string, a block, or several with commas."""
    if isinstance(value, Word):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return show_exact(value)
    if isinstance(value, float):
        return show_real(value)
    if isinstance(value, str):
        return show_string(value)
    if isinstance(value, bytes):
        return show_block(value)
    return ",".join(map(show, value))


def show_string(text: str) -> str:
    """Return `text` in double quotes, quotes in it doubled (8.7.8); what is not 7-bit ASCII becomes `?`."""
    ascii_text = text.encode("ascii", "replace").decode("ascii")
    return f'"{ascii_text.replace(chr(34), chr(34) * 2)}"'


def show_block(content: bytes) -> str:
    """Return a definite length block, `#<n><length><content>` (8.7.9)."""
    length = str(len(content))
    return f"#{len(length)}{length}{content.decode('latin-1')}"


def show_array(values: Sequence[int] | Sequence[float], element: str, order: ByteOrder) -> str:
    """Return numbers as a block of fixed-size elements.

    Args:
        values: What to send; each must fit the element.
        element: A `struct` letter: b B h H i I q Q for integers, f d for IEEE 754 reals.
        order: Which byte comes first.
    """
    return show_block(struct.pack(f"{order.value}{len(values)}{element}", *values))
