"""What an entry of the CMW's network impairments is in terms of the model."""

from decimal import Decimal
from statistics import fmean, pstdev

import pytest

from impairlab.drivers.model import Filter
from impairlab.sim_hardware.cmw.entries import PARETO_NORMAL, Entry
from impairlab.sim_hardware.scpi import ScpiError

TEN, FOUR = Decimal(10), Decimal(4)


def test_an_entry_is_neutral_and_takes_everything_at_first():
    assert Entry().conditions().is_neutral
    assert Entry().takes_everything
    assert list(Entry().filters("a-b")) == [Filter()]


def test_a_delay_without_jitter_is_constant_whatever_the_distribution():
    delay = Entry(delay=TEN, distribution="pareto").conditions().delay
    assert (delay.mean, delay.spread, delay.distribution) == (10_000_000, 0, "constant")


@pytest.mark.parametrize(
    ("word", "law"), [("normal", "normal"), ("pareto", "pareto"), ("uniform", "uniform"), ("pnormal", "table")]
)
def test_each_word_is_a_law_under_which_packets_may_overtake(word, law):
    delay = Entry(delay=TEN, jitter=FOUR, distribution=word).conditions().delay
    assert (delay.mean, delay.spread, delay.distribution) == (10_000_000, 4_000_000, law)
    assert not delay.keep_order


def test_the_table_of_pareto_and_normal_rises_and_is_skewed_as_a_pareto_law_is():
    table = [float(each) for each in PARETO_NORMAL]
    assert table == sorted(table)
    assert fmean(table) == pytest.approx(0, abs=0.02)
    assert 0.8 < pstdev(table) < 1.0
    assert table[-1] > -2 * table[0]


def test_percents_are_shares():
    made = Entry(
        loss=Decimal("0.3"), corruption=Decimal(1), duplication=Decimal(2), reordering=Decimal("0.0000001")
    ).conditions()
    rates = (made.loss.rate, made.corrupt.rate, made.duplicate.rate, made.reorder.rate)
    assert rates == (Decimal("0.003"), Decimal("0.01"), Decimal("0.02"), Decimal("1E-9"))


def test_a_uniform_jitter_above_the_delay_is_a_conflict():
    with pytest.raises(ScpiError, match="must not exceed its mean") as refused:
        Entry(delay=FOUR, jitter=TEN, distribution="uniform").conditions()
    assert refused.value.code == -221


@pytest.mark.parametrize(("direction", "end"), [("a-b", "destination"), ("b-a", "source")])
def test_address_and_ports_are_those_of_side_b(direction, end):
    made = list(Entry(address="10.0.0.1", ports=(80, 81)).filters(direction))
    told = [
        {end: "10.0.0.1", "protocol": protocol, f"{end}_port": port} for port in (80, 81) for protocol in ("tcp", "udp")
    ]
    assert made == [Filter.model_validate(each) for each in told]


def test_more_ports_than_the_plane_tells_apart_are_a_conflict():
    assert len(list(Entry(ports=(1, 64)).filters("a-b"))) == 128
    with pytest.raises(ScpiError, match="65 ports, at most 64 or all from 0 to 65535") as refused:
        list(Entry(ports=(1, 65)).filters("a-b"))
    assert refused.value.code == -221
