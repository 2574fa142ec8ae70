"""Telnet as RFC 2217 uses it: data, options (RFC 854, RFC 855) and what is agreed upon within one."""

from collections.abc import Iterator
from dataclasses import dataclass

IAC, SE, SB, WILL, WONT, DO, DONT = 255, 240, 250, 251, 252, 253, 254
BINARY, SUPPRESS_GO_AHEAD, COM_PORT = 0, 3, 44
_LONGEST = 64
"""Bytes of a subnegotiation after which the rest is passed over; RFC 2217 has none longer but for signatures."""


@dataclass(frozen=True, slots=True)
class Option:
    """WILL, WONT, DO or DONT, and for which option."""

    verb: int
    option: int


@dataclass(frozen=True, slots=True)
class Subnegotiation:
    """What stands between SB and SE: the option, and its parameters."""

    content: bytes


def escaped(data: bytes) -> bytes:
    """Return data as it is sent: IAC doubled."""
    return data.replace(b"\xff", b"\xff\xff")


def subnegotiation(*content: int | bytes) -> bytes:
    """Return a subnegotiation as it is sent."""
    joined = b"".join(bytes((each,)) if isinstance(each, int) else each for each in content)
    return bytes((IAC, SB)) + escaped(joined) + bytes((IAC, SE))


class TelnetReader:
    """Takes a stream apart, however it is cut."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._verb = 0
        self._escaping = False
        self._within: bytearray | None = None

    def feed(self, stream: bytes) -> Iterator[bytes | Option | Subnegotiation]:
        """Yield data, options and subnegotiations in their order."""
        for byte in stream:
            if self._verb:
                option, self._verb = Option(self._verb, byte), 0
                yield from self._flushed()
                yield option
            elif self._escaping:
                self._escaping = False
                yield from self._command(byte)
            elif byte == IAC:
                self._escaping = True
            else:
                self._take(byte)
        yield from self._flushed()

    def _command(self, byte: int) -> Iterator[bytes | Subnegotiation]:
        if byte == IAC:
            self._take(byte)
        elif byte in {WILL, WONT, DO, DONT}:
            self._verb = byte
        elif byte == SB:
            yield from self._flushed()
            self._within = bytearray()
        elif byte == SE and self._within is not None:
            content, self._within = bytes(self._within), None
            yield Subnegotiation(content)

    def _take(self, byte: int) -> None:
        if self._within is None:
            self._data.append(byte)
        elif len(self._within) < _LONGEST:
            self._within.append(byte)

    def _flushed(self) -> Iterator[bytes]:
        if self._data:
            data, self._data = bytes(self._data), bytearray()
            yield data
