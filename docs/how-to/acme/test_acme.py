"""The driver, against a stand-in for the box that runs in the test."""

import pytest
from acme import AcmeAppliance

from impairlab.drivers import CapabilityError, VerifyMismatch, delay, loss
from impairlab.drivers.testing.peers import answering, tcp_peer


class Box:
    """What the manual says, in a few lines. A deaf one says ok and does nothing."""

    def __init__(self) -> None:
        self.delays = {"a-b": "0", "b-a": "0"}
        self.deaf = False

    def answer(self, line: str) -> str:
        match line.split():
            case ["id"]:
                return "Acme,Delay-o-Matic,77,1.0"
            case ["get"]:
                return " ".join(f"{way}={us}" for way, us in self.delays.items())
            case ["set", *pairs]:
                if not self.deaf:
                    self.delays |= dict(pair.split("=") for pair in pairs)
                return "ok"
        return "what?"


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def acme(box):
    with tcp_peer(answering(box.answer)) as (host, port), AcmeAppliance(f"tcp://{host}:{port}") as appliance:
        yield appliance


def test_a_delay_is_set_for_as_long_as_the_block_lasts(acme, box):
    box.delays["a-b"] = "7"
    with acme.path("1").impaired(delay("40 ms"), direction="a-b") as [form, mean]:
        assert box.delays == {"a-b": "40000", "b-a": "0"}
        assert (form.field, form.read_back) == ("delay.distribution", "constant")
        assert (mean.field, mean.asked, mean.read_back) == ("delay.mean", "40 ms", "40 ms")
    assert box.delays == {"a-b": "7", "b-a": "0"}


def test_what_it_cannot_do_is_refused_before_anything_is_sent(acme, box):
    with pytest.raises(CapabilityError, match="loss: not offered by this appliance"):
        acme.path("1").apply(loss("1 %"))
    with pytest.raises(CapabilityError, match=r"1\.5 us is off step"):
        acme.path("1").apply(delay("1500 ns"))
    assert box.delays == {"a-b": "0", "b-a": "0"}


def test_a_box_that_does_not_do_what_it_says_is_found_out(acme, box):
    box.deaf = True
    with pytest.raises(VerifyMismatch, match=r"delay: wanted .*, read -"):
        acme.path("1").apply(delay("40 ms"))
