"""The driver, under the contract of every driver, against a stand-in for the box that runs in the test."""

import time
from contextlib import contextmanager
from threading import Lock

import pytest
from acme import AcmeAppliance

from impairlab.drivers import NEUTRAL, Conditions, VerifyMismatch, delay
from impairlab.drivers.testing.bench import NotOffered
from impairlab.drivers.testing.drivers import DriverContract
from impairlab.drivers.testing.peers import tcp_peer


class Box:
    """What the manual says, in a few lines, and the bench it stands on. A deaf one says ok and does nothing."""

    secret = None

    def __init__(self) -> None:
        self.delays = {"a-b": "0", "b-a": "0"}
        self.deaf = False
        self.late_s = 0.0
        self.wires = []
        self.power = Lock()
        self.address = ""

    def serve(self, _number, wire) -> None:
        self.wires.append(wire)
        while (line := wire.read_line()) is not None:
            with self.power:
                if wire not in self.wires:  # what came before a restart is lost with it
                    return
                reply = self.answer(line)
            late_s, self.late_s = self.late_s, 0.0
            time.sleep(late_s)
            wire.send(f"{reply}\n".encode())

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

    def conditions(self, target):
        delay_us = int(self.delays[target.direction])
        return Conditions.of(delay(f"{delay_us} us")) if delay_us else NEUTRAL

    def answer_late(self, after_ns) -> None:
        self.late_s = after_ns / 1e9

    def restart(self) -> None:
        with self.power:
            self.delays = {"a-b": "0", "b-a": "0"}
            for wire in self.wires:
                wire.hang_up()
            self.wires.clear()

    def reserve(self, holder) -> None:
        raise NotOffered("it has no lock")

    def free(self) -> None:
        """Nobody ever holds it."""


@contextmanager
def switched_on():
    box = Box()
    with tcp_peer(box.serve) as (host, port):
        box.address = f"tcp://{host}:{port}"
        yield box


class TestAcmeAppliance(DriverContract):
    driver = AcmeAppliance

    def serve(self):
        return switched_on()


def test_a_box_that_does_not_do_what_it_says_is_found_out():
    with switched_on() as box, AcmeAppliance(box.address) as acme:
        box.deaf = True
        with pytest.raises(VerifyMismatch, match=r"delay: wanted .*, read -"):
            acme.path("1").apply(delay("40 ms"))
