"""Attributes of netlink: type, length and value, padded to four bytes (netlink(7); linux/netlink.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

NESTED = 0x8000
"""NLA_F_NESTED, which newer kernels put into the type of an attribute that holds attributes."""

_HEADER = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF
LONGEST = 0xFFFF - _HEADER.size
"""Bytes that fit into one attribute."""


class WireError(ValueError):
    """Bytes that are not what the kernel's headers say they are, or a value that does not fit into them."""


def pack(kind: int, value: bytes) -> bytes:
    """Return one attribute, padded.

    Raises:
        WireError: The value is longer than 65 531 bytes.
    """
    if len(value) > LONGEST:
        raise WireError(f"attribute {kind} of {len(value)} bytes; the longest is {LONGEST}")
    return _HEADER.pack(_HEADER.size + len(value), kind) + value + bytes(-len(value) % 4)


def pack_text(kind: int, text: str) -> bytes:
    """Return an attribute that holds text, with the zero that ends it."""
    return pack(kind, text.encode() + b"\0")


def pack_u32(kind: int, value: int) -> bytes:
    """Return an attribute that holds a number of 32 bits in the machine's order."""
    return pack(kind, struct.pack("=I", value))


def nest(kind: int, attributes: Iterable[bytes]) -> bytes:
    """Return an attribute that holds attributes."""
    return pack(kind, b"".join(attributes))


def pairs(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and value of each attribute.

    Raises:
        WireError: A length that cannot be.
    """
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= length <= len(data) - at:
            raise WireError(f"an attribute of {length} bytes in {len(data) - at}")
        yield kind & _TYPE_MASK, data[at + _HEADER.size : at + length]
        at += length + -length % 4


def unpack(data: bytes) -> dict[int, bytes]:
    """Return value by type; of two of one type the last."""
    return dict(pairs(data))


def fields(layout: struct.Struct, data: bytes, what: str) -> tuple[int, ...]:
    """Return the numbers at the head of `data`.

    Raises:
        WireError: It is too short.
    """
    if len(data) < layout.size:
        raise WireError(f"{what} of {len(data)} bytes; it takes {layout.size}")
    return layout.unpack_from(data)


def text_of(data: bytes) -> str:
    """Return text up to the zero that ends it."""
    return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
