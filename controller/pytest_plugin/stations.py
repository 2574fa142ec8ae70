"""Stations: the places that a test's traffic starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stations:
    """The stations of a rack.

    Attributes:
        prefixes: By name, what to put before a command so that it runs there.
        addresses: By name, the IPv4 address on the first path, where the rack knows it.
    """

    prefixes: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, str] = field(default_factory=dict)

    def command_in(self, station: str, argv: Sequence[str]) -> list[str]:
        """Return the command that runs `argv` at a station, for subprocess.

        Raises:
            LookupError: There is no such station.
        """
        if station not in self.prefixes:
            raise LookupError(f"no station {station!r}; there are {', '.join(self.prefixes) or 'none'}")
        return [*self.prefixes[station], *argv]

    def address(self, station: str) -> str:
        """Return the address that other stations reach it at.

        Raises:
            LookupError: There is no such station, or nobody knows its address.
        """
        if station not in self.addresses:
            raise LookupError(f"no known address of {station!r}; known: {', '.join(self.addresses) or 'none'}")
        return self.addresses[station]
