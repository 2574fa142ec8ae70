"""An appliance on a plane without packets, on model time, and a way to talk to it."""

import pytest

from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes import NullPlane


class Clock:
    """Model time: stands still until a test moves `now`."""

    now = 1_000

    def __call__(self):
        return self.now


class Talker:
    """One session: send a message, return what is answered at once."""

    def __init__(self, appliance, name="talker"):
        self.session = appliance.instrument.open_session(name)

    def __call__(self, message=""):
        data = f"{message}\n".encode() if message else b""
        return self.session.feed(data).decode().removesuffix("\n")

    def code(self):
        return int(self("SYST:ERR:CODE?"))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def plane(clock):
    return NullPlane(("1", "2", "3", "4"), clock=clock)


@pytest.fixture
def settle_ns():
    """How long after a commit the data plane switches."""
    return 0


@pytest.fixture
def appliance(plane, clock, settle_ns):
    with SimulatedAppliance(plane, clock=clock, settle_ns=settle_ns) as appliance:
        yield appliance


@pytest.fixture
def talk(appliance):
    return Talker(appliance)
