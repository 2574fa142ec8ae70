"""Which signals end a run, wherever it was started from."""

import signal

import pytest

from impairlab.controller.cli.run import ending_as_by_ctrl_c
from impairlab.controller.sequencer.restore import interrupts_held

pytestmark = pytest.mark.usefixtures("foreground")


def run_and_get(number: int) -> None:
    with ending_as_by_ctrl_c():
        signal.raise_signal(number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("interrupt", [signal.default_int_handler, signal.SIG_IGN], ids=["foreground", "background"])
def test_it_ends_as_by_ctrl_c(number, interrupt):
    signal.signal(signal.SIGINT, interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_and_get(number)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_under_nohup_it_outlives_its_terminal():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    run_and_get(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_it_waits_until_everything_is_put_right():
    reached = []

    def put_right() -> None:
        with ending_as_by_ctrl_c(), interrupts_held():
            signal.raise_signal(signal.SIGTERM)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        put_right()
    assert reached == ["the end"]
