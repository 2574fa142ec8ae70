"""What a `RelayPlane` and its process tell each other at the start."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """Where a path leads."""

    path: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class RelaySetup:
    """What the process needs to know; see `RelayPlane`."""

    services: tuple[Service, ...]
    host: str
    seed: int


@dataclass(frozen=True, slots=True)
class RelayReady:
    """The port on which each path listens."""

    ports: Mapping[str, int]
