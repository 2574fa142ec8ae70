"""Conditions and impairments: values that survive any file, refuse what makes no sense, and never change."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from impairlab.drivers.model import (
    NEUTRAL,
    BitErrorLoss,
    BurstLoss,
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    EcnMark,
    GilbertElliottLoss,
    LinkState,
    Loss,
    Mtu,
    Outage,
    PeriodicLoss,
    PfcPause,
    RandomLoss,
    RateLimit,
    Reorder,
    feature_name,
)
from impairlab.drivers.model.factories import (
    bit_errors,
    corrupt,
    delay,
    duplicate,
    gilbert_elliott,
    link_down,
    link_flap,
    loss,
    outage,
    periodic_loss,
    rate,
    reorder,
)
from impairlab.drivers.model.units import format_rate, format_size, format_time

quickly = settings(max_examples=60, deadline=None)

shares = st.decimals(0, 1, places=9)
counts = st.integers(1, 10**6)


def times(low: int = 0, high: int = 10**13) -> st.SearchStrategy[str]:
    """Text, because a bare number is seconds."""
    return st.integers(low, high).map(format_time)


@st.composite
def delays(draw: st.DrawFn) -> Delay:
    law = draw(st.sampled_from(["constant", "uniform", "normal", "pareto", "gamma", "exponential", "table"]))
    mean = draw(st.integers(1, 10**13))
    spread = 0 if law == "constant" else draw(st.integers(1, mean))
    table = draw(st.lists(st.decimals(-1000, 1000, places=6), min_size=1, max_size=4)) if law == "table" else ()
    return Delay(
        mean=format_time(mean),
        spread=format_time(spread),
        distribution=law,
        keep_order=draw(st.booleans()),
        table=table,
    )


@st.composite
def burst_losses(draw: st.DrawFn) -> BurstLoss:
    burst = draw(st.decimals(1, 1000, places=3))
    return BurstLoss(rate=draw(st.decimals(0, Decimal("0.49"), places=9)), burst=burst)


@st.composite
def periodic_losses(draw: st.DrawFn) -> PeriodicLoss:
    every = draw(counts)
    return PeriodicLoss(every=every, burst=draw(st.integers(1, every)))


@st.composite
def links(draw: st.DrawFn) -> LinkState:
    state = draw(st.sampled_from(["up", "down", "flap"]))
    if state != "flap":
        return LinkState(state=state)
    period = draw(st.integers(2, 10**13))
    return LinkState(state=state, period=format_time(period), down=format_time(draw(st.integers(1, period - 1))))


@st.composite
def pauses(draw: st.DrawFn) -> PfcPause:
    period = draw(st.integers(1, 10**10))
    priorities = tuple(draw(st.lists(st.integers(0, 7), min_size=1, max_size=8)))
    duration = draw(st.integers(1, period))
    return PfcPause(priorities=priorities, duration=format_time(duration), period=format_time(period))


sizes = st.integers(0, 10**9).map(format_size)
losses = st.one_of(
    st.builds(RandomLoss, rate=shares), periodic_losses(), burst_losses(), st.builds(BitErrorLoss, ber=shares),
    st.builds(GilbertElliottLoss, to_bad=shares, to_good=shares, bad_loss=shares, good_loss=shares),
    st.just(Outage()),
)  # fmt: skip
limits = st.builds(
    RateLimit, rate=st.integers(1, 10**12).map(format_rate), mode=st.sampled_from(["shaper", "policer", "link"]),
    burst=sizes, queue=sizes, layer=st.sampled_from(["l1", "l2"]),
)  # fmt: skip
KINDS = {
    "delay": delays(),
    "loss": losses,
    "reorder": st.builds(Reorder, rate=shares, depth=counts, hold=times()),
    "duplicate": st.builds(Duplicate, rate=shares, copies=counts),
    "corrupt": st.builds(Corrupt, rate=shares, bits=counts),
    "rate": limits,
    "link": links(),
    "ecn": st.builds(EcnMark, rate=shares),
    "pfc": pauses(),
    "mtu": st.builds(Mtu, size=st.integers(68, 65535)),
}
impairments = st.one_of(*KINDS.values())
conditions = st.fixed_dictionaries({}, optional=KINDS).map(lambda slots: Conditions(**slots))


def test_every_kind_is_drawn() -> None:
    assert list(KINDS) == list(Conditions.model_fields)


@quickly
@given(conditions)
def test_conditions_survive_json_of_python_and_of_files(wanted: Conditions) -> None:
    whole, sparse = wanted.model_dump_json(), wanted.model_dump_json(exclude_none=True)
    for text in (whole, sparse):
        assert Conditions.model_validate_json(text) == wanted
        assert Conditions.model_validate(json.loads(text), context={"units": "required"}) == wanted
    assert Conditions.model_validate_json(whole).model_dump_json() == whole


@quickly
@given(conditions)
def test_conditions_survive_python(wanted: Conditions) -> None:
    assert Conditions.of(*wanted) == wanted
    assert Conditions.model_validate(wanted) == wanted
    assert hash(Conditions.of(*reversed(list(wanted)))) == hash(wanted)


@quickly
@given(conditions)
def test_text_names_every_impairment_and_nothing_else(wanted: Conditions) -> None:
    words = [str(each) for each in wanted]
    assert str(wanted) == (", ".join(words) or "neutral")
    assert wanted.is_neutral == (not words) == (wanted == NEUTRAL)
    assert all("\n" not in word and len(word) < 200 for word in words)


@quickly
@given(delays(), losses)
def test_text_shows_the_numbers_asked_for(slow: Delay, lossy) -> None:
    assert format_time(slow.mean) in str(slow)
    assert (f"± {format_time(slow.spread)} {slow.distribution}" in str(slow)) == bool(slow.spread)
    assert ("may overtake" in str(slow)) != slow.keep_order
    assert str(lossy).startswith(("loss ", "outage"))


def test_texts_are_short_and_plain() -> None:
    everything = Conditions.of(
        delay("40 ms", jitter="8 ms"), loss("1 %", burst=4), reorder("2 %", depth=3), duplicate("50 ppm"),
        corrupt("1 ppm"), rate("20 Mbit/s"), link_flap("200 ms", "5 s"), EcnMark(rate="2 %"),
        PfcPause(priorities=(3,), duration="50 us", period="1 ms"), Mtu(size=1280),
    )  # fmt: skip
    assert str(everything) == (
        "delay 40 ms ± 8 ms normal, loss 1 % in bursts of 4, reorder 2 % by 3, duplicate 50 ppm, corrupt 1 ppm, "
        "shaper 20 Mbit/s, link flap 200 ms every 5 s, mark 2 %, pause 50 us every 1 ms, mtu 1.28 kB"
    )
    assert [str(each) for each in (periodic_loss(50, burst=2), gilbert_elliott("0.1 %", 0.25), bit_errors(1e-9))] == [
        "loss 2 in 50", "loss Gilbert-Elliott p 0.1 % r 25 %", "loss by bit errors 1e-9",
    ]  # fmt: skip
    assert (str(outage()), str(link_down()), str(NEUTRAL)) == ("outage", "link down", "neutral")


@quickly
@given(impairments, st.data())
def test_frozen_values_cannot_be_changed(impairment, data) -> None:
    field = data.draw(st.sampled_from(sorted(type(impairment).model_fields)))
    before = impairment.model_dump()
    for change in (
        lambda: setattr(impairment, field, getattr(impairment, field)),
        lambda: delattr(impairment, field),
        lambda: setattr(Conditions.of(impairment), impairment.kind, None),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            change()
    assert impairment.model_dump() == before
    hash(impairment)


@quickly
@given(impairments, impairments, conditions)
def test_conditions_hold_one_of_each_kind(first, second, wanted: Conditions) -> None:
    if first.kind == second.kind:
        with pytest.raises(ValueError, match=f"two {first.kind} impairments"):
            Conditions.of(first, second)
    else:
        assert set(Conditions.of(first, second)) == {first, second}
    merged = wanted.merged(Conditions.of(first))
    assert getattr(merged, first.kind) == first
    assert merged.without(first.kind) == wanted.without(first.kind)
    assert first.kind not in {each.kind for each in wanted.without(first.kind)}


@quickly
@given(burst_losses())
def test_bursts_are_a_chain_that_loses_as_much(bursts: BurstLoss) -> None:
    chain = bursts.as_gilbert_elliott()
    lost = chain.to_bad / (chain.to_bad + chain.to_good) if chain.to_bad else Decimal(0)
    assert abs(lost - bursts.rate) < Decimal("1e-12")
    assert abs(1 / chain.to_good - bursts.burst) < Decimal("1e-12")


SHORTHAND = [
    ({"delay": "45 ms"}, delay("45 ms")),
    ({"delay": 0.045}, delay("45 ms")),
    ({"delay": {"mean": "40 ms", "jitter": "8 ms"}}, delay("40 ms", jitter="8 ms")),
    ({"delay": {"mean": "40 ms", "spread": "8 ms"}}, delay("40 ms", jitter="8 ms")),
    ({"loss": "0.3 %"}, loss("0.3 %")),
    ({"loss": "outage"}, outage()),
    ({"loss": {"rate": "1 %", "burst": 4}}, loss("1 %", burst=4)),
    ({"loss": {"every": 50, "burst": 2}}, periodic_loss(50, burst=2)),
    ({"loss": {"to_bad": "1 %", "to_good": "50 %"}}, gilbert_elliott("1 %", "50 %")),
    ({"loss": {"ber": 1e-9}}, bit_errors(Decimal("1e-9"))),
    ({"rate": "10 Mbit/s"}, rate("10 Mbit/s")),
    ({"link": "down"}, link_down()),
    ({"mtu": "68 B"}, Mtu(size=68)),
    ({"duplicate": "1 %"}, duplicate("1 %")),
    ({"corrupt": "1 %"}, corrupt("1 %")),
    ({"reorder": "1 %"}, reorder("1 %")),
    ({"ecn": "1 %"}, EcnMark(rate="1 %")),
]


@pytest.mark.parametrize(("written", "meant"), SHORTHAND, ids=lambda each: str(each) if isinstance(each, dict) else "")
def test_shorthand_means_what_it_says(written: dict, meant) -> None:
    assert Conditions.model_validate(written) == Conditions.of(meant)


IMPOSSIBLE = [
    ({"delay": "-1 ms"}, "greater than or equal to 0"),
    ({"delay": {"mean": "1 ms", "spread": "1 ms", "distribution": "constant"}}, "no spread"),
    ({"delay": {"mean": "1 ms", "distribution": "normal"}}, "needs a spread above 0"),
    ({"delay": {"mean": "1 ms", "spread": "2 ms", "distribution": "uniform"}}, "must not exceed its mean"),
    ({"delay": {"mean": "1 ms", "spread": "2 ms", "distribution": "exponential"}}, "must not exceed its mean"),
    ({"delay": {"mean": "0 s", "spread": "2 ms", "distribution": "gamma"}}, "mean above 0"),
    ({"delay": {"mean": "1 s", "spread": "2 ms", "distribution": "table"}}, "'table' needs one"),
    ({"delay": {"mean": "1 s", "spread": "2 ms", "distribution": "normal", "table": [1]}}, "belongs to distribution"),
    ({"delay": {"mean": "1 s", "wobble": "2 ms"}}, "Extra inputs are not permitted"),
    ({"loss": "101 %"}, r"outside 0 % \.\. 100 %"),
    ({"loss": {"rate": "80 %", "burst": 4}}, "cannot lose 80 % or more"),
    ({"loss": {"rate": "1 %", "burst": 0.5}}, "greater than or equal to 1"),
    ({"loss": {"every": 2, "burst": 3}}, "cannot hit 3 packets out of every 2"),
    ({"loss": {"model": "solar", "rate": "1 %"}}, "'random', 'periodic', 'burst'"),
    ({"rate": "0 bit/s"}, "greater than 0"),
    ({"link": {"state": "flap"}}, "'flap' needs a period"),
    ({"link": {"state": "down", "period": "1 s"}}, "belong to 'flap'"),
    ({"link": {"state": "up", "down": "1 s"}}, "belong to 'flap'"),
    ({"link": {"state": "flap", "down": "5 s", "period": "5 s"}}, "0 < down < period"),
    ({"pfc": {"priorities": [8], "duration": "1 us", "period": "1 us"}}, "less than or equal to 7"),
    ({"pfc": {"priorities": [], "duration": "1 us", "period": "1 us"}}, "at least 1 item"),
    ({"pfc": {"priorities": [1], "duration": "2 us", "period": "1 us"}}, "longer than its period"),
    ({"mtu": "67 B"}, "greater than or equal to 68"),
    ({"gravity": "9.81 m/s2"}, "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("written", "complaint"), IMPOSSIBLE, ids=str)
def test_what_makes_no_sense_is_refused_with_the_reason(written: dict, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Conditions.model_validate(written)


def test_the_edges_of_what_makes_sense_are_taken() -> None:
    assert Delay(mean="1 ms", spread="1 ms", distribution="uniform").spread == 1_000_000
    assert loss(Decimal("0.799999999"), burst=4).burst == 4
    assert periodic_loss(3, burst=3).burst == 3
    assert link_flap("1 ns", "2 ns").period == 2
    assert PfcPause(priorities=(0, 7), duration="1 us", period="1 us").duration == 1000


def test_bare_numbers_are_refused_in_files() -> None:
    for written in ({"delay": 0.045}, {"loss": 0.01}, {"rate": 1000}, {"mtu": 68}, {"reorder": {"rate": 0.1}}):
        with pytest.raises(ValidationError, match="has no unit; write it like"):
            Conditions.model_validate(written, context={"units": "required"})
        Conditions.model_validate(written)


@quickly
@given(losses)
def test_a_loss_is_read_as_the_model_it_is(lossy) -> None:
    adapter = TypeAdapter(Loss)
    assert adapter.validate_json(adapter.dump_json(lossy)) == lossy
    assert feature_name(lossy) == f"loss.{lossy.model}"
