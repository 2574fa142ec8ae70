"""Drivers by name: the built-in ones, and those that other distributions offer as entry points `impairlab.drivers`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from impairlab.drivers.appliance import Appliance
from impairlab.drivers.links.line_link import DEFAULT_TIMEOUT_NS
from impairlab.drivers.links.wire_log import WireLog
from impairlab.drivers.model.capabilities import Capabilities
from impairlab.drivers.model.errors import ImpairlabError
from impairlab.drivers.options import Options

GROUP = "impairlab.drivers"

_BUILT_IN = {
    "apposite-netropy": "impairlab.drivers.apposite:NetropyAppliance",
    "calnex-attero100g": "impairlab.drivers.calnex.attero:AtteroAppliance",
    "calnex-sne": "impairlab.drivers.calnex.sne:SneAppliance",
    "itrinegy-ne1": "impairlab.drivers.itrinegy:NeOneAppliance",
    "lanforge-ice": "impairlab.drivers.lanforge:LanforgeIce",
    "netem": "impairlab.drivers.netem:NetemAppliance",
    "rs-cmw": "impairlab.drivers.cmw:CmwAppliance",
    "scpi": "impairlab.drivers.scpi:ScpiAppliance",
    "xena-chimera": "impairlab.drivers.xena:XenaChimera",
}


Driver = Callable[[str, Options], Appliance]
"""What an entry point names: called with an address and options, it returns a connected appliance."""


class DriverError(ImpairlabError):
    """There is no such driver, or it cannot be loaded."""


def driver_names() -> tuple[str, ...]:
    """Return the names that `connect` takes, in alphabetical order. Loads no driver."""
    return tuple(sorted({*_BUILT_IN, *_offered()}))


def load_driver(name: str) -> Driver:
    """Return a driver. A built-in name cannot be taken over by an entry point.

    Raises:
        DriverError: No such driver, or loading it failed.
    """
    offered = _offered()
    if name not in _BUILT_IN and name not in offered:
        raise DriverError(f"no driver {name!r}; there are {', '.join(driver_names())}")
    value = _BUILT_IN[name] if name in _BUILT_IN else offered[name].value
    module, _, attribute = value.partition(":")
    try:
        driver: Driver = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise DriverError(f"driver {name!r} ({value}) cannot be loaded: {error}") from error
    return driver


def stated_capabilities(name: str) -> Capabilities | None:
    """Return what a driver says of every box that it drives, without a connection; None where a box must be asked.

    Those are drivers that have `capabilities` as an attribute of their class.

    Raises:
        DriverError: No such driver, or loading it failed.
    """
    stated = getattr(load_driver(name), "capabilities", None)
    return stated if isinstance(stated, Capabilities) else None


def connect(
    address: str,
    driver: str = "scpi",
    *,
    name: str | None = None,
    serial: str | None = None,
    wire_log: WireLog | None = None,
    secret: str | None = None,
    timeout_ns: int = DEFAULT_TIMEOUT_NS,
    gap_ns: int = 0,
) -> Appliance:
    """Connect to an appliance.

    Args:
        address: Where, e.g. "tcp://192.0.2.1:5025".
        driver: One of `driver_names()`.
        name: See `Options`, as all that follow.
        serial: See `Options`.
        wire_log: See `Options`.
        secret: See `Options`.
        timeout_ns: See `Options`.
        gap_ns: See `Options`.

    Raises:
        DriverError: No such driver.
        TransportError: No way to the appliance.
        IdentityMismatch: Another serial number answers.
    """
    options = Options(name=name, serial=serial, wire_log=wire_log, secret=secret, timeout_ns=timeout_ns, gap_ns=gap_ns)
    return load_driver(driver)(address, options)


def _offered() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
