"""XDR, the data representation of ONC RPC: 4-byte units, big-endian (RFC 4506)."""

_UNIT = 4
_SIGN = 0x8000_0000
_WRAP = 0x1_0000_0000


class XdrError(ValueError):
    """The bytes are not what was to be read."""


class TooLongError(XdrError):
    """Variable-length data announces more bytes than are allowed; none of them was looked at."""


class Reader:
    """Reads values off the front of `data`. Every method raises `XdrError` when the bytes do not hold its type."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def unsigned(self) -> int:
        """Read an unsigned integer of 32 bits."""
        return int.from_bytes(self._take(_UNIT), "big")

    def signed(self) -> int:
        """Read an integer of 32 bits."""
        value = self.unsigned()
        return value - _WRAP if value & _SIGN else value

    def boolean(self) -> bool:
        """Read a boolean."""
        value = self.unsigned()
        if value > 1:
            raise XdrError(f"{value} is no boolean")
        return bool(value)

    def opaque(self, most: int) -> bytes:
        """Read variable-length opaque data. Raises `TooLongError` when it announces more than `most` bytes."""
        length = self.unsigned()
        if length > most:
            raise TooLongError(f"{length} bytes announced, at most {most} are allowed")
        data = self._take(length)
        self._take(-length % _UNIT)
        return data

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise XdrError(f"{count} bytes wanted at {self._at}, {len(taken)} are left")
        self._at += count
        return taken


def unsigned(*values: int) -> bytes:
    """Return each of `values`, 0 to 2**32 - 1, as an unsigned integer."""
    return b"".join(value.to_bytes(_UNIT, "big") for value in values)


def opaque(data: bytes) -> bytes:
    """Return `data` as variable-length opaque data."""
    return unsigned(len(data)) + data + bytes(-len(data) % _UNIT)
