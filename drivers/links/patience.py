"""Patience: making a connection again and again while an appliance refuses or stays mute."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns, sleep

from impairlab.drivers.model.errors import ExchangeTimeout, TransportError

_SECOND_NS = 1_000_000_000
_FIRST_RETRY_NS = 10_000_000
_LONGEST_RETRY_NS = _SECOND_NS


def patiently(connect: Callable[[], object], within_ns: int) -> None:
    """Connect, and try again in ever longer intervals of at most 1 s until `within_ns` have passed.

    Raises:
        TransportError, ExchangeTimeout: Of the last trial.
        ImpairlabError: Of any other kind at once: more trials would not help.
    """
    until_ns = monotonic_ns() + within_ns
    pause_ns = _FIRST_RETRY_NS
    while True:
        try:
            connect()
        except (TransportError, ExchangeTimeout):
            if monotonic_ns() + pause_ns >= until_ns:
                raise
        else:
            return
        sleep(pause_ns / _SECOND_NS)
        pause_ns = min(2 * pause_ns, _LONGEST_RETRY_NS)
