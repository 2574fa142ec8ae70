"""Where an impairment acts: path, direction, flow.

A path is a port pair with two directions, `a-b` and `b-a`. A direction holds ordered flows; a packet belongs to the
first flow whose filter it matches, and to the flow "everything else" when it matches none.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, IPvAnyNetwork, model_validator

from impairlab.drivers.model.frozen import Frozen

Direction = Literal["a-b", "b-a"]
DIRECTIONS: tuple[Direction, Direction] = ("a-b", "b-a")

Port = Annotated[int, Field(ge=0, le=65535)]

EVERYTHING_ELSE = 0
"""The flow number of packets that match no filter. Flows with a filter are numbered from 1."""


class Filter(Frozen):
    """What a flow selects; a field left None matches everything. An all-None filter matches every packet."""

    vlan: Annotated[int, Field(ge=0, le=4095)] | None = None
    dscp: Annotated[int, Field(ge=0, le=63)] | None = None
    protocol: Literal["tcp", "udp", "icmp"] | None = None
    source: IPvAnyNetwork | None = None
    destination: IPvAnyNetwork | None = None
    source_port: Port | None = None
    destination_port: Port | None = None

    @model_validator(mode="after")
    def _ports_need_a_protocol(self) -> Self:
        has_port = self.source_port is not None or self.destination_port is not None
        if has_port and self.protocol not in {"tcp", "udp"}:
            raise ValueError("ports need protocol tcp or udp")
        return self


class Target(Frozen):
    """One flow of one direction of one path.

    Attributes:
        path: The path's name on the appliance, e.g. "1".
        direction: a-b or b-a.
        flow: 0 is everything else; 1.. are the filtered flows in their order of precedence.
    """

    path: str
    direction: Direction
    flow: int = Field(default=EVERYTHING_ELSE, ge=0)

    def __str__(self) -> str:
        """Return e.g. "path 1 a-b" or "path 1 a-b flow 3"."""
        return f"path {self.path} {self.direction}" + (f" flow {self.flow}" if self.flow else "")
