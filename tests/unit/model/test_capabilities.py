"""Capabilities: all that an appliance cannot do is told at once, and steps move a value no farther than they must."""

import math
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from impairlab.drivers.model import (
    NEUTRAL,
    Capabilities,
    Conditions,
    Delay,
    Feature,
    GilbertElliottLoss,
    LinkState,
    Mtu,
    PfcPause,
    Provenance,
    RandomLoss,
    Range,
    RateLimit,
    Rule,
    Target,
    Violation,
    fields_of,
    format_value,
)
from impairlab.drivers.model.units import format_time

quickly = settings(max_examples=80, deadline=None)

SOURCE = Provenance(basis="documented", detail="the manual")
MS = 1_000_000


def time_range(low: int, high: int, step: int) -> Range:
    return Range(dimension="time", low=Decimal(low), high=Decimal(high), step=Decimal(step))


def share_range(step: str) -> Range:
    return Range(dimension="probability", low=Decimal(0), high=Decimal("0.5"), step=Decimal(step))


def feature(name: str, ranges=None, choices=None) -> Feature:
    return Feature(name=name, ranges=ranges or {}, choices=choices or {}, provenance=SOURCE)


FEATURES = {
    each.name: each
    for each in (
        feature("delay.constant", {"mean": time_range(0, 100 * MS, 1000)}, {"keep_order": (True,)}),
        feature(
            "delay.normal", {"mean": time_range(MS, 100 * MS, 1000), "spread": time_range(0, 10 * MS, 1000)},
            {"keep_order": (True, False)},
        ),
        feature(
            "delay.table",
            {"mean": time_range(0, 100 * MS, 1), "spread": time_range(0, 10 * MS, 1),
             "table": Range(dimension="count", low=Decimal(-3), high=Decimal(3), step=Decimal("0.5"))},
        ),
        feature("loss.random", {"rate": share_range("1e-4")}),
        feature(
            "loss.gilbert-elliott", {"to_bad": share_range("1e-4"), "to_good": share_range("1e-4")},
        ),
        feature(
            "rate.shaper", {"rate": Range(dimension="rate", low=Decimal(1000), high=Decimal(10**9), step=Decimal(8))},
            {"layer": ("l2",)},
        ),
        feature("mtu", {"size": Range(dimension="size", low=Decimal(68), high=Decimal(1500), step=Decimal(4))}),
        feature("link.down"),
    )
}  # fmt: skip
BOX = Capabilities(
    paths=("1", "2"),
    features=FEATURES,
    flows=4,
    exclusive=(frozenset({"rate", "mtu"}), frozenset({"delay.normal", "loss", "link"})),
    rules=(
        Rule("delay.mean", "an MTU needs a delay below 50 ms", lambda c: not (c.mtu and c.delay) or c.delay.mean < 5e7),
    ),
)


def ranges() -> st.SearchStrategy[Range]:
    steps = st.decimals("1e-9", 1000, places=9).filter(bool)
    bounds = st.tuples(st.decimals(-(10**6), 10**6, places=9), st.decimals(0, 10**6, places=9))
    return st.builds(
        lambda step, bounds: Range(dimension="count", low=bounds[0], high=bounds[0] + bounds[1], step=step),
        steps,
        bounds,
    )


@quickly
@given(ranges(), st.data())
def test_a_step_moves_a_value_by_half_a_step_at_most_and_once(legal: Range, data) -> None:
    value = data.draw(st.decimals(legal.low, legal.high, places=12))
    nearest = legal.nearest(value)
    assert abs(nearest - value) <= legal.step / 2
    assert legal.low <= nearest <= legal.high
    assert nearest % legal.step == 0 or nearest in {legal.low, legal.high}
    assert legal.nearest(nearest) == nearest


@quickly
@given(ranges(), st.data())
def test_a_value_on_its_step_stays_what_it_is_to_the_digit(legal: Range, data) -> None:
    first, last = math.ceil(legal.low / legal.step), math.floor(legal.high / legal.step)
    assume(first <= last)
    value = data.draw(st.integers(first, last)) * legal.step
    written = Decimal(f"{value:.12f}")
    assert str(legal.nearest(written)) == str(written)


@quickly
@given(ranges(), st.decimals(-(10**9), 10**9, places=3))
def test_out_of_range_goes_to_the_bound_that_is_near(legal: Range, value: Decimal) -> None:
    if value > legal.high + legal.step:
        assert legal.nearest(value) == legal.high
    if value < legal.low - legal.step:
        assert legal.nearest(value) == legal.low


def test_halves_go_to_the_even_step() -> None:
    legal = time_range(0, 1000, 100)
    assert [legal.nearest(Decimal(n)) for n in (49, 50, 51, 150, 250, 149, 1000)] == [0, 0, 100, 200, 200, 100, 1000]


@quickly
@given(
    st.integers(MS, 100 * MS), st.integers(1000, 10 * MS), st.decimals(0, Decimal("0.5"), places=9),
    st.integers(1000, 10**9),
)  # fmt: skip
def test_the_nearest_conditions_are_legal_and_near(mean: int, spread: int, share: Decimal, limit: int) -> None:
    free = replace(BOX, exclusive=(), rules=())
    slow = Delay(mean=format_time(mean), spread=format_time(spread), distribution="normal")
    wanted = Conditions.of(slow, RandomLoss(rate=share), RateLimit(rate=limit))
    assert free.check(wanted, on_step=False) == ()
    moved = free.nearest(wanted)
    assert free.check(moved) == ()
    assert free.nearest(moved) == moved
    assert abs(moved.delay.mean - mean) <= 500
    assert abs(moved.loss.rate - share) <= Decimal("0.5e-4")
    assert type(moved.rate.rate) is int
    assert moved.delay.keep_order is True
    assert (free.check(wanted) == ()) == (moved == wanted)


@quickly
@given(st.integers(0, 200 * MS))
def test_a_value_is_legal_in_range_and_on_step_and_only_there(mean: int) -> None:
    violations = BOX.check(Conditions.of(Delay(mean=format_time(mean))))
    assert (violations == ()) == (mean <= 100 * MS and mean % 1000 == 0)
    assert all(format_time(mean) in each.problem for each in violations)


def test_all_violations_are_told_at_once() -> None:
    wanted = Conditions.of(
        Delay(mean="100.0001 ms", spread="10.4 us", distribution="normal"),
        GilbertElliottLoss(to_bad="60 %", to_good=Decimal("0.00015"), good_loss="1 %"),
        RateLimit(rate=999, burst=1, layer="l1"),
        LinkState(state="up"),
        PfcPause(priorities=(1,), duration="1 us", period="1 ms"),
        Mtu(size=69),
    )
    found = BOX.check(wanted, "here")
    assert [(each.field, each.problem) for each in found] == [
        ("delay.mean", "100.0001 ms is out of range"),
        ("delay.spread", "10.4 us is off step, nearest is 10 us"),
        ("loss.to_bad", "60 % is out of range"),
        ("loss.to_good", "0.015 % is off step, nearest is 0.02 %"),
        ("loss.good_loss", "cannot be set on this appliance"),
        ("rate.rate", "999 bit/s is out of range"),
        ("rate.burst", "cannot be set on this appliance"),
        ("rate.layer", "l1 is not offered"),
        ("link", "'up' not offered"),
        ("pfc", "not offered by this appliance"),
        ("mtu.size", "69 B is off step, nearest is 68 B"),
        ("mtu", "cannot be combined with rate"),
        ("delay.normal", "cannot be combined with link, loss"),
        ("delay.mean", "cross-field rule broken"),
    ]
    assert {each.where for each in found} == {"here"}
    assert [each.legal for each in found] == [
        "1 ms .. 100 ms in steps of 1 us", "0 s .. 10 ms in steps of 1 us", "0 % .. 50 % in steps of 0.01 %",
        "0 % .. 50 % in steps of 0.01 %", "leave it out", "1 kbit/s .. 1 Gbit/s in steps of 8 bit/s", "leave it out",
        "l2", "down", "delay, link, loss, mtu, rate", "68 B .. 1.5 kB in steps of 4 B", "one of mtu, rate",
        "one of delay.normal, link, loss", "an MTU needs a delay below 50 ms",
    ]  # fmt: skip
    assert str(found[0]) == "here delay.mean: 100.0001 ms is out of range; legal: 1 ms .. 100 ms in steps of 1 us"
    off_step = {"delay.spread", "loss.to_good", "mtu.size"}
    assert [each for each in found if each.field not in off_step] == list(BOX.check(wanted, "here", on_step=False))


def test_each_number_of_a_table_is_looked_at() -> None:
    table = (Decimal(-4), Decimal("0.5"), Decimal("0.3"), Decimal(0))
    wanted = Conditions.of(Delay(mean="1 ms", spread="1 us", distribution="table", table=table))
    assert [each.problem for each in BOX.check(wanted)] == [
        "-4 is out of range",
        "0.3 is off step, nearest is 0.5",
    ]
    near = wanted.merged(Conditions.of(wanted.delay.model_copy(update={"table": table[1:]})))
    assert BOX.nearest(near).delay.table == (Decimal("0.5"), Decimal("0.5"), Decimal(0))


def test_what_is_not_offered_names_what_is() -> None:
    (unoffered,) = BOX.check(Conditions.of(Delay(mean="1 ms", spread="1 us", distribution="gamma")))
    assert (unoffered.problem, unoffered.legal) == ("'gamma' not offered", "constant, normal, table")
    (reordering,) = BOX.check(Conditions.of(Delay(mean="1 ms", keep_order=False)))
    assert (reordering.field, reordering.problem, reordering.legal) == (
        "delay.keep_order", "false is not offered", "true",
    )  # fmt: skip
    nothing = Capabilities(paths=(), features={})
    assert nothing.check(Conditions.of(Mtu(size=68)))[0].legal == "nothing"
    assert nothing.check(NEUTRAL) == ()


def test_needs_are_met_by_kind_and_by_form() -> None:
    assert all(BOX.supports(need) for need in ("delay", "delay.normal", "mtu", "loss.random", "link"))
    assert not any(BOX.supports(need) for need in ("delay.gamma", "loss.burst", "ecn", "del", ""))


@pytest.mark.parametrize(
    ("target", "problems"),
    [
        (Target(path="1", direction="a-b", flow=4), []),
        (Target(path="3", direction="a-b", flow=4), [("path", "no path '3'", "1, 2")]),
        (Target(path="2", direction="b-a", flow=5), [("flow", "no flow 5", "0 .. 4")]),
        (Target(path="0", direction="b-a", flow=9), [("path", "no path '0'", "1, 2"), ("flow", "no flow 9", "0 .. 4")]),
    ],
)
def test_targets_that_are_not_there_are_named(target: Target, problems) -> None:
    assert [(each.field, each.problem, each.legal) for each in BOX.check_target(target)] == problems


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (True, None, "true"),
        ("l1", None, "l1"),
        (45 * MS, "time", "45 ms"),
        (Decimal(1000), "rate", "1 kbit/s"),
        (1500, "size", "1.5 kB"),
        (Decimal("0.003"), "probability", "0.3 %"),
        (Decimal("1e3"), "count", "1000"),
        (7, "count", "7"),
        ((1, 2), "count", "(1, 2)"),
    ],
)
def test_values_are_shown_with_their_unit(value, dimension, text: str) -> None:
    assert format_value(value, dimension) == text


def test_fields_of_an_impairment_leave_out_its_form() -> None:
    assert dict(fields_of(Delay(mean="1 ms"))) == {"mean": MS, "spread": 0, "keep_order": True, "table": ()}
    assert list(fields_of(LinkState(state="down"))) == [("down", 0), ("period", 0), ("repetitions", 0)]


def test_statements_cannot_be_changed_or_be_senseless() -> None:
    with pytest.raises(FrozenInstanceError):
        BOX.flows = 9
    with pytest.raises(FrozenInstanceError):
        BOX.rules[0].text = "anything goes"
    for statement in (
        SOURCE,
        FEATURES["mtu"],
        FEATURES["mtu"].ranges["size"],
        Violation(field="", problem="", legal=""),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(statement, next(iter(type(statement).model_fields)), None)
    with pytest.raises(ValidationError, match="greater than 0"):
        time_range(0, 1, 0)
    with pytest.raises(ValidationError, match="'documented', 'inferred' or 'verified'"):
        Provenance(basis="rumoured")
