"""Both event loops, the service's and the generator's, wait to the microsecond and still see their events."""

import os
import selectors
import time

import pytest

from impairlab.controller.traffic.clock import MicrosecondSelector
from impairlab.sim_hardware.inference.driver import PreciseSelector


@pytest.mark.parametrize("kind", [MicrosecondSelector, PreciseSelector])
def test_a_short_wait_is_neither_rounded_up_nor_cut_short(kind: type[selectors.EpollSelector]) -> None:
    waits = []
    with kind() as selector:
        for _ in range(50):
            begun = time.monotonic()
            assert selector.select(0.0003) == []
            waits.append(time.monotonic() - begun)
    assert min(waits) >= 0.0003
    assert min(waits) < 0.0009  # epoll alone would take a millisecond at the least


@pytest.mark.parametrize("kind", [MicrosecondSelector, PreciseSelector])
def test_an_event_ends_the_wait(kind: type[selectors.EpollSelector]) -> None:
    reader, writer = os.pipe()
    try:
        with kind() as selector:
            selector.register(reader, selectors.EVENT_READ)
            os.write(writer, b"x")
            for timeout in (10.0, 0.0, None):
                assert [key.fd for key, _ in selector.select(timeout)] == [reader]
    finally:
        os.close(reader)
        os.close(writer)
