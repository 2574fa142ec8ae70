"""What a `NetnsPlane` and its process tell each other at the start, and the addresses that both know."""

from dataclasses import dataclass
from ipaddress import IPv4Interface

A_SIDE, B_SIDE = 1, 2


@dataclass(frozen=True, slots=True)
class NetnsSetup:
    """What the process needs to know; see `NetnsPlane`."""

    paths: tuple[str, ...]
    seed: int
    spin_ns: int
    realtime_priority: int


@dataclass(frozen=True, slots=True)
class NetnsReady:
    """Descriptors in the process that name the two network namespaces."""

    client: int
    server: int
    rootless: bool


def interface_of(path_index: int, side: int) -> IPv4Interface:
    """Return the address of one end of a path."""
    return IPv4Interface(f"10.207.{path_index}.{side}/24")
