"""All means at once, and one entry for each address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from impairlab.drivers.discovery import mdns, serial_ports, usb, vxi11
from impairlab.drivers.discovery.found import Found, MeansUnavailable

_ASKED_AT_ONCE = 16
_LONGEST_SERIAL_NS = 1_000_000_000
"""At one rate: a device that knows *IDN? answers in a fraction of it, and there are several rates to try."""

Means = Callable[[], list[Found]]
"""Looks, and returns what there is, or raises MeansUnavailable."""


def discover(timeout_ns: int, serial_bauds: Sequence[int] = ()) -> tuple[list[Found], list[MeansUnavailable]]:
    """Look by all means at the same time.

    Who answers by VXI-11 alone is asked *IDN? over a VXI-11 link, which takes one of its sessions for that moment.

    Args:
        timeout_ns: How long the network is listened to, and how long each single question may take.
        serial_bauds: Rates at which serial ports are asked *IDN?, up to 1 s at each; none leaves them alone.

    Returns:
        What was found, and which means could not be used.
    """
    all_means: list[Means] = [
        lambda: mdns.find(timeout_ns),
        lambda: vxi11.find(timeout_ns),
        usb.find,
        serial_ports.find,
    ]
    found, unavailable = gathered(all_means)
    return asked(merged(found), timeout_ns, serial_bauds), unavailable


def gathered(all_means: Sequence[Means]) -> tuple[list[Found], list[MeansUnavailable]]:
    """Run each means on a thread of its own, and return what was found and which could not be used."""
    found: list[Found] = []
    unavailable: list[MeansUnavailable] = []
    with ThreadPoolExecutor(len(all_means)) as pool:
        for running in [pool.submit(means) for means in all_means]:
            try:
                found += running.result()
            except MeansUnavailable as error:
                unavailable.append(error)
    return found, unavailable


def asked(found: Iterable[Found], timeout_ns: int, serial_bauds: Sequence[int] = ()) -> list[Found]:
    """Ask who was found by VXI-11 or at a serial port who it is; many at a time: one that is silent takes seconds."""

    def ask(each: Found) -> Found:
        match each.means:
            case "vxi11":
                return vxi11.identified(each, timeout_ns)
            case "serial":
                return serial_ports.identified(each, serial_bauds, min(timeout_ns, _LONGEST_SERIAL_NS))
            case _:
                return each

    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return list(pool.map(ask, found))


def merged(found: Iterable[Found]) -> list[Found]:
    """Return each address once: the first that has an identity, else the first."""
    best: dict[str, Found] = {}
    unnamed = []
    for each in found:
        if not each.address:
            unnamed.append(each)
        elif each.address not in best or (each.identity and not best[each.address].identity):
            best[each.address] = each
    return [*best.values(), *unnamed]
