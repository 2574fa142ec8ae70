"""Every declared capability: set at its low end, its high end and one step above the low, and read back the same."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from netem_lab import ADDRESS, make_lab, remove_lab

from impairlab.drivers import Appliance, CapabilityError, Conditions, Target, connect
from impairlab.drivers.model import Capabilities, Feature

AB = Target(path="wan", direction="a-b")
BA = Target(path="wan", direction="b-a")

REQUIRED = {
    "delay": {"mean": 20_000_000, "spread": 5_000_000, "table": [-1, 0, 1]},
    "loss": {"rate": "1 %", "burst": 2, "to_bad": "1 %", "to_good": "50 %", "bad_loss": "90 %", "good_loss": "0.1 %"},
    "rate": {"rate": 8_000_000, "queue": 1514 * 100, "burst": 3028},
    "reorder": {"rate": "10 %", "depth": 0, "hold": 5_000_000},
    "corrupt": {"rate": "1 %"},
    "duplicate": {"rate": "1 %"},
    "ecn": {"rate": "1 %"},
    "link": {},
}
SELECTORS = {"delay": "distribution", "loss": "model", "rate": "mode", "link": "state"}


@pytest.fixture(scope="module", params=["separate", "single"])
def box(request: pytest.FixtureRequest) -> Iterator[Appliance]:
    make_lab()
    try:
        with connect(f"{ADDRESS}&chain={request.param}", driver="netem") as box:
            yield box
            box.neutral()
    finally:
        remove_lab()


def conditions_with(feature: Feature, field: str, value: object) -> Conditions:
    kind, _, form = feature.name.partition(".")
    fields = {name: REQUIRED[kind][name] for name in REQUIRED[kind] if name in feature.ranges}
    if "table" in feature.ranges:
        fields["table"] = [str(value)] if field == "table" else [-1, 0, 1]
    if form:
        fields[SELECTORS[kind]] = form
    if field and field != "table":
        fields[field] = value
    if kind == "ecn":
        return Conditions.model_validate({"ecn": fields, "loss": {"rate": fields["rate"]}})
    for name in ("mean", "spread", "hold"):
        if isinstance(fields.get(name), int):
            fields[name] = f"{fields[name]} ns"
    return Conditions.model_validate({kind: fields})


def cases(capabilities: Capabilities) -> Iterator[Conditions]:
    for feature in capabilities.features.values():
        yield conditions_with(feature, "", None)
        for field, legal in feature.ranges.items():
            for value in (legal.low, legal.high, min(legal.low + legal.step, legal.high)):
                number = int(value) if value == int(value) and legal.dimension != "probability" else Decimal(value)
                try:
                    yield conditions_with(feature, field, number)
                except ValueError:
                    continue  # no such conditions: a spread above the mean, a burst that cannot lose so much
        for field, choices in feature.choices.items():
            for value in choices:
                yield conditions_with(feature, field, value)


def test_everything_declared_is_read_back_as_set(box: Appliance) -> None:
    """`apply` compares every attribute with what the kernel tells, and raises where one differs."""
    tried = 0
    for conditions in cases(box.capabilities):
        if any(violation.field in {"ecn", "loss.burst", "rate.burst"} for violation in box.check({AB: conditions})):
            continue  # a cross-field rule: marks without loss, a chance finer than the kernel's
        box.apply(AB, conditions)
        assert box.read(AB).conditions == conditions
        tried += 1
    assert tried > 60


def test_the_kernel_tells_the_same_to_a_driver_that_did_not_write_it(box: Appliance) -> None:
    """Without memory of what was written: all but the table's law and the burst's name are in the kernel."""
    for conditions in (
        Conditions(delay="20 ms", loss="1 %", corrupt="0.5 %"),
        Conditions(loss={"to_bad": "1 %", "to_good": "25 %", "bad_loss": "80 %", "good_loss": "1 ppm"}),
        Conditions(loss="outage", delay={"mean": "1 ns", "keep_order": False}),
        Conditions(rate={"rate": "10 Mbit/s", "burst": 3028}),
        Conditions(link="down"),
        Conditions(ecn="2 %", loss="2 %"),
    ):
        box.apply(BA, conditions)
        box._written.clear()
        assert box.read(BA).conditions == conditions


def test_nothing_of_a_rich_state_sticks(box: Appliance) -> None:
    rich = Conditions(
        delay={"mean": "20 ms", "spread": "5 ms", "distribution": "pareto"}, loss={"rate": "1 %", "burst": 3},
        corrupt="1 %", rate={"rate": "10 Mbit/s"},
    )  # fmt: skip
    box.apply(AB, rich)
    box.neutral()
    box._written.clear()
    assert box.read(AB).conditions.is_neutral


def test_what_cannot_be_done_is_refused_offline(box: Appliance) -> None:
    wrong = {
        "loss": Conditions(loss={"every": 10}),
        "delay": Conditions(delay={"distribution": "gamma", "mean": "10 ms", "spread": "2 ms"}),
        "reorder.depth": Conditions(reorder={"rate": "1 %", "depth": 3}),
        "ecn": Conditions(ecn="1 %"),
        "corrupt.bits": Conditions(corrupt={"rate": "1 %", "bits": 2}),
        "mtu": Conditions(mtu="576 B"),
    }
    for field, conditions in wrong.items():
        violations = box.check({AB: conditions})
        assert field.partition(".")[0] in {each.field.partition(".")[0] for each in violations}, field
        with pytest.raises(CapabilityError):
            box.apply(AB, conditions)


def test_duplication_is_offered_where_the_tree_allows_it(box: Appliance) -> None:
    """Debian's 6.1 refuses it beside another netem, so it is there in a single chain and not in a separate one."""
    separate = box._topology.separate
    assert ("duplicate" in box.capabilities.features) == (not separate)
    if not separate:
        box.apply(AB, Conditions(duplicate="10 %"))
        assert box.read(AB).conditions == Conditions(duplicate="10 %")
        box.neutral()


def test_what_is_stated_is_said_to_have_been_tried(box: Appliance) -> None:
    for feature in box.capabilities.features.values():
        assert feature.provenance.basis == "verified"
        assert "kernel 6." in feature.provenance.detail
