"""What is programmed on a Chimera: its module, ports and flows, as frozen values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from impairlab.sim_hardware.chimera.distributions import Impairing, Kind
from impairlab.sim_hardware.chimera.filters import Registers

FLOWS = 8
"""Flows of a port; 0 is the default one."""

CORRUPT_OFF, CORRUPT_ETHERNET, CORRUPT_IP, CORRUPT_UDP, CORRUPT_TCP, CORRUPT_BER = range(6)


@dataclass(frozen=True, slots=True)
class Limit:
    """A policer or a shaper.

    Attributes:
        on: Whether it acts.
        layer2: Whether preamble and gap are left out.
        rate: In units of 100 kbit/s.
        burst: Bytes.
        queue: Bytes; 0 for a policer.
    """

    on: bool = False
    layer2: bool = True
    rate: int = 0
    burst: int = 0
    queue: int = 0


@dataclass(frozen=True, slots=True)
class Custom:
    """A custom distribution of a port."""

    linear: bool = False
    values: tuple[int, ...] = (0,) * 512
    comment: str = ""


@dataclass(frozen=True, slots=True)
class FlowState:
    """One flow of a port."""

    impairing: tuple[Impairing, ...] = (Impairing(),) * len(Kind)
    depth: int = 1
    corruption: int = CORRUPT_OFF
    policer: Limit = Limit()
    shaper: Limit = Limit()
    comment: str = ""
    shadow: Registers = field(default_factory=lambda: MappingProxyType({}))
    working: Registers = field(default_factory=lambda: MappingProxyType({}))

    def with_impairing(self, kind: Kind, impairing: Impairing) -> "FlowState":
        """Return the flow with one impairment changed."""
        return replace(self, impairing=(*self.impairing[:kind], impairing, *self.impairing[kind + 1 :]))


@dataclass(frozen=True, slots=True)
class Pulses:
    """A link flap, or PMA error pulses: for `duration` out of every `period` milliseconds, so often; 0 is for ever."""

    duration: int
    period: int
    repetitions: int = 0
    on: bool = False


@dataclass(frozen=True, slots=True)
class PortState:
    """One port: its flows impair what it receives."""

    flows: tuple[FlowState, ...] = (FlowState(),) * FLOWS
    customs: Mapping[int, Custom] = field(default_factory=lambda: MappingProxyType({}))
    emulates: bool = False
    transmits: bool = True
    flap: Pulses = Pulses(100, 1000)
    errors: Pulses = Pulses(100, 1000)
    error_rate: tuple[int, int] = (100, -4)
    drops_fcs_errors: bool = False
    micro_payload: bool = False
    comment: str = ""

    def with_flow(self, number: int, change: Callable[[FlowState], FlowState]) -> "PortState":
        """Return the port with one flow changed."""
        flows = list(self.flows)
        flows[number] = change(flows[number])
        return replace(self, flows=tuple(flows))


@dataclass(frozen=True, slots=True)
class ModuleState:
    """The module with its ports; ports 2k and 2k+1 are a pair.

    Attributes:
        ports: By number.
        extended: The latency mode.
        bypass: Whether the emulator is bypassed as a whole.
        links_down: Whether the links have not come up since the start.
        comment: Of the user.
    """

    ports: tuple[PortState, ...]
    extended: bool = False
    bypass: bool = False
    links_down: frozenset[int] = frozenset()
    comment: str = ""

    def with_port(self, number: int, change: Callable[[PortState], PortState]) -> "ModuleState":
        """Return the module with one port changed."""
        ports = list(self.ports)
        ports[number] = change(ports[number])
        return replace(self, ports=tuple(ports))


def without_latencies(module: ModuleState, *, extended: bool) -> ModuleState:
    """Return the module in a latency mode, which resets all latencies."""
    ports = tuple(
        replace(port, flows=tuple(flow.with_impairing(Kind.LATENCY, Impairing()) for flow in port.flows))
        for port in module.ports
    )
    return replace(module, ports=ports, extended=extended)
