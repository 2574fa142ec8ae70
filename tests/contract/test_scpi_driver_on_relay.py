"""An appliance on a relay says over SCPI what a relay can do, so that everything else is refused before it is sent."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from impairlab.controller.plan.check import check
from impairlab.controller.plan.rack import PathRef
from impairlab.controller.plan.scenario_file import parse_scenario
from impairlab.controller.plan.timeline import build_timeline
from impairlab.drivers import (
    Appliance,
    CapabilityError,
    Conditions,
    InstrumentExecutionError,
    Target,
    WireLog,
    connect,
    delay,
    loss,
)
from impairlab.drivers.model import RateLimit
from impairlab.drivers.model.factories import link_down, link_flap, rate
from impairlab.sim_hardware.appliance import SimulatedAppliance
from impairlab.sim_hardware.planes.relay import RelayPlane

AB = Target(path="1", direction="a-b")

SCENARIO = """scenario: s
needs: {wan: [delay, loss.burst]}
phases:
  - slow: {for: 1 s, wan: {b-a: {delay: {mean: 40 ms, jitter: 8 ms}}}}
  - lossy: {for: 1 s, wan: {a-b: {loss: {rate: 1 %, burst: 4}}}}
  - outage: {for: 600 ms, wan: {both: {loss: outage}}}
  - stalled: {for: 600 ms, wan: {both: {link: down}}}
"""


@pytest.fixture
def service() -> Iterator[tuple[str, int]]:
    """Echoes, one connection after another."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    while data := connection.recv(65536):
                        connection.sendall(data)

        serving = threading.Thread(target=serve)
        serving.start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)
        serving.join()


@pytest.fixture
def plane(service: tuple[str, int]) -> RelayPlane:
    return RelayPlane({"1": service})


@pytest.fixture
def sim(plane: RelayPlane) -> Iterator[SimulatedAppliance]:
    with SimulatedAppliance(plane) as sim:
        yield sim


@pytest.fixture
def wire(tmp_path: Path) -> Path:
    return tmp_path / "wire.jsonl"


@pytest.fixture
def box(sim: SimulatedAppliance, wire: Path) -> Iterator[Appliance]:
    host, port = sim.serve_scpi()
    with WireLog(wire) as log, connect(f"tcp://{host}:{port}", wire_log=log) as box:
        yield box


def test_only_what_a_relay_does_is_announced(box: Appliance) -> None:
    assert {name.partition(".")[0] for name in box.capabilities.features} == {"delay", "rate", "link"}
    assert box.capabilities.flows == 0
    assert not box.capabilities.filter_fields


def test_a_scenario_with_loss_is_refused_before_a_byte_is_sent(box: Appliance, wire: Path) -> None:
    sent = wire.read_bytes()
    assert sent
    scenario = parse_scenario(SCENARIO)
    binding = {"wan": PathRef("box", "1")}
    faults = check(scenario, build_timeline(scenario, binding), binding, {"box": box.capabilities})
    assert [fault.place.line for fault in faults] == [2, 5, 6]
    with pytest.raises(CapabilityError, match="loss: not offered by this appliance"):
        box.apply(AB, Conditions.of(loss("1 %")))
    assert wire.read_bytes() == sent


def test_loss_that_is_programmed_all_the_same_is_an_option_that_is_missing(sim: SimulatedAppliance) -> None:
    with (
        socket.create_connection(sim.serve_scpi(), timeout=10) as connection,
        connection.makefile("rw", newline="\n") as scpi,
    ):
        scpi.write(':PATH1:AB:LOSS:STAT ON;:PATH1:AB:COND "LOSS:STAT 1";:SYST:ERR:ALL?;*OPT?\n')
        scpi.flush()
        assert scpi.readline() == '-241,"Hardware missing;LOSS",-241,"Hardware missing;LOSS";DELAY,RATE,LINK\n'
    assert sim.state.entries == ()


@pytest.mark.parametrize(
    ("impairment", "field"),
    [
        (delay("10 ms", jitter="2 ms", keep_order=False), "delay.keep_order"),
        (RateLimit(rate="1 Mbit/s", mode="policer"), "rate.mode"),
        (RateLimit(rate="1 Mbit/s", layer="l1"), "rate.layer"),
    ],
)
def test_a_form_that_a_stream_cannot_suffer_is_refused_by_name_and_changes_nothing(
    sim: SimulatedAppliance, box: Appliance, impairment: object, field: str
) -> None:
    box.apply(AB, Conditions.of(delay("5 ms")))
    with pytest.raises(InstrumentExecutionError, match=field) as caught:
        box.apply(AB, Conditions.of(impairment))
    assert caught.value.code == -241
    assert caught.value.state_known
    assert sim.state.conditions("1", "a-b") == Conditions.of(delay("5 ms"))
    assert sim.state.unsaved == frozenset()


def test_what_a_relay_does_is_read_back_as_it_was_set(sim: SimulatedAppliance, box: Appliance) -> None:
    for wanted in (
        Conditions.of(delay("40 ms", jitter="8 ms"), rate("20 Mbit/s")),
        Conditions.of(link_down()),
        Conditions.of(link_flap("200 ms", "5 s"), rate("20 Mbit/s", mode="link")),
    ):
        box.apply(AB, wanted)
        assert sim.state.conditions("1", "a-b") == wanted == box.read(AB).conditions
    box.neutral()
    assert sim.state.entries == ()


def test_a_delay_set_by_the_driver_delays_bytes_which_are_counted(plane: RelayPlane, box: Appliance) -> None:
    waits = []
    with (
        box.path("1").impaired(delay("15 ms"), direction="a-b"),
        socket.create_connection(plane.address("1"), timeout=10) as connection,
    ):
        for _ in range(15):
            begin = time.monotonic_ns()
            connection.sendall(b"ping")
            assert connection.recv(4) == b"ping"
            waits.append((time.monotonic_ns() - begin) / 1e6)
    assert 15 <= min(waits) < 20
    counted = box.statistics(AB)
    assert (counted.received_bytes, counted.forwarded_bytes, counted.received_packets) == (60, 60, None)
