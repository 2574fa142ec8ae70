"""What the base class promises for every driver, on an appliance that is a dictionary."""

from decimal import Decimal

import pytest

from impairlab.drivers import (
    NEUTRAL,
    Appliance,
    CapabilityError,
    Commit,
    Conditions,
    DriverError,
    Filter,
    FlowEntry,
    Identity,
    IdentityMismatch,
    Statistics,
    Target,
    TransportError,
    VerifyMismatch,
    connect,
    delay,
    driver_names,
    loss,
    outage,
)
from impairlab.drivers.model import Capabilities, Feature, Provenance, Range

AB = Target(path="1", direction="a-b")
BA = Target(path="1", direction="b-a")
FLOW = Target(path="1", direction="a-b", flow=1)
DOCUMENTED = Provenance(basis="documented", detail="this test")


def time_range(step: int) -> Range:
    return Range(dimension="time", low=Decimal(0), high=Decimal(10) ** 9, step=Decimal(step))


CAPABILITIES = Capabilities(
    paths=("1",),
    flows=1,
    filter_fields=frozenset({"dscp"}),
    features={
        "delay.constant": Feature(
            name="delay.constant",
            ranges={"mean": time_range(100)},
            choices={"keep_order": (True, False)},
            provenance=DOCUMENTED,
        ),
        "loss.outage": Feature(name="loss.outage", provenance=DOCUMENTED),
    },
)


class Box(Appliance):
    """Keeps what it is told, unless a test makes it clamp or fail."""

    identity = Identity(manufacturer="Acme", model="Box", serial="S1", firmware="1")
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        super().__init__("box")
        self.conditions = dict.fromkeys(self.targets(), NEUTRAL)
        self.filters: dict[Target, Filter | None] = {}
        self.commits = 0
        self.clamp: Conditions | None = None
        self.broken = False

    def read_many(self, targets):
        return [FlowEntry(target=t, filter=self.filters.get(t), conditions=self.conditions[t]) for t in targets]

    def _write(self, settings):
        if self.broken:
            raise TransportError("gone", appliance=self.name)
        self.commits += 1
        for target, conditions in settings.items():
            self.conditions[target] = conditions if self.clamp is None else self.clamp
        return Commit(1, 2)

    def _write_filter(self, target, selector):
        self.filters[target] = selector

    def statistics(self, target):
        return Statistics(at_ns=0)

    def clear_statistics(self, target): ...

    def lock(self): ...

    def unlock(self): ...

    def close(self): ...


def test_every_violation_of_every_flow_is_told_at_once_and_nothing_is_sent() -> None:
    box = Box()
    settings = {
        AB: Conditions.of(delay("2 s"), loss("1 %")),
        BA: Conditions.of(delay("150 ns")),
        Target(path="7", direction="a-b"): NEUTRAL,
    }
    with pytest.raises(CapabilityError) as raised:
        box.apply_many(settings)
    assert [(v.where, v.field) for v in raised.value.violations] == [
        ("path 1 a-b", "delay.mean"),
        ("path 1 a-b", "loss"),
        ("path 1 b-a", "delay.mean"),
        ("path 7 a-b", "path"),
    ]
    assert box.commits == 0


def test_nearest_moves_values_to_the_step_and_records_it() -> None:
    records = Box().apply(AB, Conditions.of(delay("170 ns")), on_mismatch="nearest")
    mean = next(record for record in records if record.field == "delay.mean")
    assert (mean.asked, mean.sent, mean.read_back, mean.quantised) == ("170 ns", "200 ns", "200 ns", True)
    assert (mean.sent_ns, mean.acknowledged_ns) == (1, 2)
    assert not next(record for record in records if record.field == "delay.distribution").quantised


def test_what_was_set_before_and_is_not_mentioned_is_recorded_as_cleared() -> None:
    box = Box()
    box.apply(AB, Conditions.of(delay("1 ms"), outage()))
    records = {record.field: record for record in box.apply(AB, Conditions.of(outage()))}
    assert (records["delay"].asked, records["delay"].sent, records["delay"].read_back) == ("-", "-", "-")
    assert records["loss.model"].sent == "outage"


def test_every_flow_has_a_record_even_when_nothing_changes() -> None:
    assert [r.target for r in Box().apply_many({AB: NEUTRAL, BA: NEUTRAL})] == [AB, BA]


def test_several_flows_are_one_commit() -> None:
    box = Box()
    box.apply_many({AB: Conditions.of(outage()), BA: Conditions.of(outage())})
    assert box.commits == 1


def test_a_witness_is_told_of_every_acknowledged_write_and_of_no_failed_one() -> None:
    box, told = Box(), []
    box.add_witness(lambda settings, commit: told.append((dict(settings), commit)))
    with box.path("1").impaired(delay("1 ms"), direction="a-b"):
        pass
    box.broken = True
    with pytest.raises(TransportError):
        box.apply(AB, Conditions.of(outage()))
    assert told == [({AB: Conditions.of(delay("1 ms"))}, Commit(1, 2)), ({AB: NEUTRAL}, Commit(1, 2))]


def test_a_silent_clamp_is_a_mismatch() -> None:
    box = Box()
    box.clamp = Conditions.of(delay("1 us"))
    with pytest.raises(VerifyMismatch, match="1 us"):
        box.apply(AB, Conditions.of(delay("5 us")))


def test_impaired_restores_what_was_there() -> None:
    box = Box()
    box.apply(BA, Conditions.of(delay("1 us")))
    with box.path("1").impaired(outage()) as applied:
        assert {record.target for record in applied} == {AB, BA}
        assert box.conditions[BA] == Conditions.of(outage())
    assert box.conditions[AB] == NEUTRAL
    assert box.conditions[BA] == Conditions.of(delay("1 us"))


def test_impaired_in_one_direction_leaves_the_other_alone() -> None:
    box = Box()
    with box.path("1").impaired(outage(), direction="b-a"):
        assert box.conditions[AB] == NEUTRAL
        assert box.path("1").b_to_a.read() == Conditions.of(outage())
    with box.path("1").a_to_b.impaired(outage()):
        assert box.conditions[BA] == NEUTRAL


@pytest.mark.parametrize("failure", [ValueError("mine"), KeyboardInterrupt()])
def test_impaired_restores_after_an_exception(failure: BaseException) -> None:
    box = Box()
    with pytest.raises(type(failure)), box.path("1").impaired(outage()):
        raise failure
    assert box.conditions[AB] == NEUTRAL


def test_both_failures_are_told_when_the_restoration_fails_too() -> None:
    box = Box()

    def break_it() -> None:
        box.broken = True
        raise ValueError("mine")

    with pytest.raises(ExceptionGroup) as raised, box.path("1").impaired(outage()):
        break_it()
    assert [type(each) for each in raised.value.exceptions] == [ValueError, TransportError]


def test_a_restoration_that_does_not_read_back_is_an_error() -> None:
    box = Box()
    with pytest.raises(VerifyMismatch, match="not restored"), box.path("1").impaired(outage()):
        box.clamp = Conditions.of(outage())


def test_illegal_impairments_touch_nothing() -> None:
    box = Box()
    with pytest.raises(CapabilityError), box.path("1").impaired(loss("1 %")):
        raise AssertionError
    assert box.commits == 0


def test_snapshot_of_another_box_is_refused() -> None:
    box, other = Box(), Box()
    other.identity = Identity(manufacturer="Acme", model="Box", serial="S2", firmware="1")
    with pytest.raises(IdentityMismatch, match="S2"):
        box.restore(other.snapshot())
    assert box.commits == 0


def test_restore_brings_filters_back() -> None:
    box = Box()
    box.set_filter(FLOW, Filter(dscp=46))
    before = box.snapshot()
    box.set_filter(FLOW, None)
    box.restore(before)
    assert box.read(FLOW).filter == Filter(dscp=46)


def test_neutral_clears_every_flow_and_keeps_the_filters() -> None:
    box = Box()
    box.set_filter(FLOW, Filter(dscp=46))
    box.apply_many({AB: Conditions.of(outage()), FLOW: Conditions.of(delay("1 us"))})
    box.neutral()
    assert set(box.conditions.values()) == {NEUTRAL}
    assert box.filters[FLOW] == Filter(dscp=46)


def test_filter_that_cannot_be_matched_is_refused() -> None:
    for target, selector in ((FLOW, Filter(vlan=7)), (AB, Filter(dscp=1))):
        with pytest.raises(CapabilityError):
            Box().set_filter(target, selector)


def test_unknown_path_is_refused_with_what_there_is() -> None:
    with pytest.raises(CapabilityError, match="legal: 1"):
        Box().path("2")


def test_unknown_driver_is_told_with_what_there_is() -> None:
    assert "scpi" in driver_names()
    with pytest.raises(DriverError, match="scpi"):
        connect("tcp://127.0.0.1:1", "no-such-driver")
