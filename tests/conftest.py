"""What all tests share."""

import signal
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("impairlab.drivers.testing")


@pytest.fixture
def foreground() -> Iterator[None]:
    """Signals as a shell leaves them to what it runs in the foreground: a background job ignores some of them."""
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)
