"""Simulated appliances by the name of the driver that speaks with them; each is imported when it is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType

from impairlab.sim_hardware.planes import Plane
from impairlab.sim_hardware.simulator import Simulator

SIMULATORS: Mapping[str, str] = MappingProxyType(
    {
        "apposite-netropy": "impairlab.sim_hardware.netropy:SimulatedNetropy",
        "calnex-attero100g": "impairlab.sim_hardware.attero:SimulatedAttero",
        "calnex-sne": "impairlab.sim_hardware.sne:SimulatedSne",
        "itrinegy-ne1": "impairlab.sim_hardware.itrinegy:SimulatedNeOne",
        "lanforge-ice": "impairlab.sim_hardware.lanforge:SimulatedLanforge",
        "rs-cmw": "impairlab.sim_hardware.cmw:SimulatedCmw",
        "xena-chimera": "impairlab.sim_hardware.chimera:SimulatedChimera",
    }
)
"""Where each is; the reference dialect, which is served in more ways than one, is not among them."""


def serve_dialect(dialect: str, plane: Plane, host: str, port: int) -> Simulator:
    """Serve a simulated appliance with its ordinary options.

    Args:
        dialect: One of `SIMULATORS`.
        plane: What happens to packets; closed with the simulator.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.

    Raises:
        KeyError: No such dialect.
        OSError: The address cannot be had.
    """
    module, _, attribute = SIMULATORS[dialect].partition(":")
    make: Callable[[Plane, str, int], Simulator] = getattr(import_module(module), attribute)
    return make(plane, host, port)
