"""The driver on the simulated Chimera: two readings of the same public texts, by two hands, must agree."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Appliance,
    CapabilityError,
    Conditions,
    ConnectionLost,
    Filter,
    ImpairlabError,
    LockedByOther,
    MalformedResponse,
    NoResponse,
    PartialResponse,
    Target,
    VerifyMismatch,
    connect,
    delay,
    loss,
)
from impairlab.drivers.model import Outage
from impairlab.drivers.model.losses import EvenLoss
from impairlab.sim_hardware.chimera import HouseOptions, SimulatedChimera
from impairlab.sim_hardware.faults import (
    CloseMidReply,
    Garbage,
    IdleDatapath,
    LateReply,
    ModeReset,
    PartialReply,
    Pending,
    Reboot,
    ReservedByOther,
    SessionExpired,
    SilentClamp,
)
from impairlab.sim_hardware.planes import NullPlane

MS = 1_000_000

AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")
FLOW = Target(path="1", direction="b-a", flow=7)
SECOND = Target(path="2", direction="b-a", flow=3)

DIFFERENT_WORDS = {
    "delay.poisson": "public texts do not settle the quantum: the driver reads 1 ns in them, the simulator 100 ns",
    "delay.table": "the same 1024 delays in another unit",
    "loss.outage": "PED_FIXED 1000000 is an even loss of 100 % to the simulator",
    "reorder.even": "how long packets wait for others is not public, and not the driver's to set",
    "reorder.single-burst": "how long packets wait for others is not public, and not the driver's to set",
    "rate.policer": "a policer has no queue: the driver leaves the model's default, the simulator says 0",
}


@pytest.fixture(params=[HouseOptions(), HouseOptions(spacing="single", shadow_dirty="in-sync")], ids=["house", "other"])
def sim(request) -> Iterator[SimulatedChimera]:
    plane = NullPlane(("1", "2"))
    with SimulatedChimera(plane, latency_range_ns=(1_900, 1_000_000_000), options=request.param) as sim:
        yield sim


@pytest.fixture
def box(sim: SimulatedChimera) -> Iterator[Appliance]:
    with connect(f"{sim.address}?ports=0-1,2-3", "xena-chimera", timeout_ns=10_000 * MS) as box:
        yield box


@pytest.fixture
def hasty(sim: SimulatedChimera) -> Iterator[Appliance]:
    with connect(f"{sim.address}?ports=0-1,2-3", "xena-chimera", timeout_ns=400 * MS) as box:
        yield box


def _truth(sim: SimulatedChimera, target: Target) -> Conditions:
    return sim.state.conditions(target.path, target.direction, target.flow)


def _values(conditions: Conditions) -> list:
    """What the words mean, where they differ: the delays of a table, packets that are all lost, ..."""
    (impairment,) = conditions
    if isinstance(impairment, Outage):
        impairment = EvenLoss(rate=1, schedule=impairment.schedule)
    fields = impairment.model_dump(exclude={"spread", "table", "hold", "queue"})
    if table := getattr(impairment, "table", ()):
        return sorted(impairment.mean + impairment.spread * each for each in table)
    return sorted(map(str, fields.items()))


def test_every_feature_is_what_the_simulator_does(sim, box, example) -> None:
    different = set()
    box.set_filter(FLOW, Filter(source="0.0.0.0/0"))
    for name, conditions in example.items():
        target = FLOW if conditions.corrupt is not None else BA
        box.apply(target, conditions)
        truth = _truth(sim, target)
        if truth != conditions:
            different.add(name)
            assert _values(truth) == _values(conditions), name
        box.apply(target, NEUTRAL)
        assert _truth(sim, target) == NEUTRAL, name
    assert different == set(DIFFERENT_WORDS)


def test_schedules_mean_the_same(sim, box) -> None:
    for schedule in ({"on": "50 ms", "period": "200 ms"}, {"on": "10 ms", "period": "655350 ms"}):
        conditions = Conditions.model_validate({"loss": {"rate": "1 %", "schedule": schedule}})
        box.apply(AB, conditions)
        assert _truth(sim, AB) == conditions
    burst = {"model": "single-burst", "packets": 3, "schedule": {"on": "1 s", "period": "1 s"}}
    conditions = Conditions.model_validate({"loss": burst})
    box.apply(AB, conditions)
    assert _truth(sim, AB) == conditions


@pytest.mark.parametrize(
    "selector",
    [
        Filter(),
        Filter(vlan=100),
        Filter(source="10.0.0.0/8", destination="10.1.2.3/32", dscp=46),
        Filter(source="0.0.0.0/0", protocol="tcp", source_port=80, destination_port=8080),
        Filter(destination="2001:db8::/33", dscp=63, protocol="udp"),
    ],
)
def test_filters_mean_the_same(sim, box, selector) -> None:
    box.set_filter(SECOND, selector)
    (found,) = (entry.filter for entry in sim.state.entries if entry.target == SECOND)
    assert found == selector
    box.set_filter(SECOND, None)
    assert box.read(SECOND).filter is None


def test_all_flows_of_both_paths_are_snapshot_neutralised_and_restored(sim, box) -> None:
    box.set_filter(SECOND, Filter(vlan=5))
    box.apply_many({SECOND: Conditions.of(delay("1 ms")), AB: Conditions.of(loss("1 %"))})
    before = box.snapshot()
    assert len(before.entries) == 2 * 2 * 8
    box.neutral()
    assert sim.state.conditions("2", "b-a", 3) == NEUTRAL
    box.restore(before)
    assert box.snapshot().entries == before.entries


def test_counters_are_those_of_the_flow(box) -> None:
    box.clear_statistics(SECOND)
    found = box.statistics(SECOND)
    assert (found.dropped_total, found.reordered, found.received_packets) == (0, 0, None)


def test_two_drivers_do_not_take_from_each_other(sim, box) -> None:
    box.lock()
    with connect(f"{sim.address}?owner=bob", "xena-chimera") as other:
        with pytest.raises(LockedByOther, match="impair"):
            other.apply(AB, Conditions.of(loss("1 %")))
        other.take_over()
        with pytest.raises(LockedByOther, match="bob"):
            box.apply(AB, Conditions.of(loss("1 %")))
    box.apply(AB, Conditions.of(loss("1 %")))


def test_pending_expired_session_and_changed_mode_are_lived_with(sim, box) -> None:
    sim.inject(Pending(), 3)
    box.apply(AB, Conditions.of(loss("1 %")))
    sim.inject(SessionExpired())
    assert box.read(AB).conditions == Conditions.of(loss("1 %"))
    box.apply(AB, Conditions.of(delay("1 ms")))
    sim.inject(ModeReset())
    box.read(AB)
    assert box.capabilities.features["delay.constant"].ranges["mean"].high == 10_000_000_000
    assert box.read(AB).conditions == NEUTRAL


def test_reservation_that_is_taken_away_names_the_holder(sim, box) -> None:
    box.lock()
    sim.inject(ReservedByOther("mallory"))
    with pytest.raises(LockedByOther, match="mallory"):
        box.apply(AB, Conditions.of(loss("1 %")))


def test_success_without_effect_is_found_by_reading_back(sim, box) -> None:
    sim.inject(SilentClamp("PED_CONST", Decimal(5_000_000)))
    with pytest.raises(VerifyMismatch):
        box.apply(AB, Conditions.of(delay("900 ms")))


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        (LateReply(1_000 * MS), (PartialResponse, NoResponse)),
        (PartialReply(keep=4), (PartialResponse, MalformedResponse)),
        (CloseMidReply(keep=4), (ConnectionLost,)),
        (Garbage(), (MalformedResponse,)),
        (Garbage(b"<NONSENSE\n"), (MalformedResponse,)),
    ],
)
def test_lost_answers_have_their_error_and_what_is_read_afterwards_is_true(sim, hasty, fault, errors) -> None:
    hasty.apply(AB, Conditions.of(delay("1 ms")))
    sim.inject(fault)
    with pytest.raises(errors):
        hasty.apply(AB, Conditions.of(delay("2 ms")))
    sim.clear_faults()
    assert hasty.read(AB).conditions == _truth(sim, AB)
    hasty.apply(AB, Conditions.of(delay("3 ms")))
    assert _truth(sim, AB) == Conditions.of(delay("3 ms"))


def test_reboot_loses_everything_and_the_driver_goes_on(sim, box) -> None:
    box.apply(AB, Conditions.of(delay("1 ms")))
    sim.inject(Reboot())
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if box.read(AB).conditions == NEUTRAL:
                break
        except ImpairlabError:
            continue
    else:
        pytest.fail("the reboot was not survived")
    box.apply(AB, Conditions.of(delay("2 ms")))
    assert _truth(sim, AB) == Conditions.of(delay("2 ms"))


def test_flows_are_set_from_four_threads_at_once(sim, box) -> None:
    targets = [Target(path=path, direction=direction) for path in "12" for direction in ("a-b", "b-a")]

    def set_several(target: Target) -> Conditions:
        for ms in range(1, 6):
            box.apply(target, Conditions.of(delay(f"{ms} ms")))
        return box.read(target).conditions

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(set_several, targets))
    assert found == [Conditions.of(delay("5 ms"))] * 4
    assert [_truth(sim, target) for target in targets] == found


def test_silence_of_130_s_costs_a_new_session_and_nothing_else() -> None:
    now_ns = [0]
    with SimulatedChimera(NullPlane(), clock=lambda: now_ns[0]) as sim, connect(sim.address, "xena-chimera") as box:
        box.lock()
        box.apply(AB, Conditions.of(delay("1 ms")))
        now_ns[0] += 131_000 * MS
        sim.wake()
        channel = box._chassis._link._channel
        deadline = time.monotonic() + 20
        while channel.waiting() is None:
            assert time.monotonic() < deadline, "the chassis closes what is idle"
        box.apply(AB, Conditions.of(delay("2 ms")))
        assert box._chassis._link._channel is not channel
        with pytest.raises(LockedByOther), connect(f"{sim.address}?owner=bob", "xena-chimera") as other:
            other.lock()


def test_what_is_illegal_is_refused_before_anything_is_sent(sim, box) -> None:
    with pytest.raises(CapabilityError):
        box.apply(AB, Conditions.of(delay("2 s")))
    assert _truth(sim, AB) == NEUTRAL


def test_idle_datapath_is_not_to_be_seen_from_the_text_interface(sim, box) -> None:
    """The appliance says what was set: only packets can tell. Kept here so that nobody believes the driver can."""
    sim.inject(IdleDatapath())
    box.apply(AB, Conditions.of(loss("1 %")))
    assert box.read(AB).conditions == Conditions.of(loss("1 %"))
