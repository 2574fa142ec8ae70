"""Effects: equal for conditions that do the same to packets, and for no others."""

from decimal import Decimal

import pytest

from impairlab.drivers.model import (
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    Even,
    EvenLoss,
    Outage,
    RandomBurstLoss,
    RandomLoss,
    Schedule,
    SpacedLoss,
)
from impairlab.drivers.model.effects import effects

SCHEDULE = Schedule(on="1 s", period="2 s")
NOTHING = [
    Delay(mean=0),
    RandomLoss(rate=0),
    EvenLoss(rate=0),
    RandomBurstLoss(rate=0, shortest=2, longest=3),
    Duplicate(rate=0, copies=3),
    Corrupt(pattern=Even(rate=0)),
]
ALIKE = [
    (Outage(), RandomLoss(rate=1)),
    (Outage(schedule=SCHEDULE), EvenLoss(rate=1, schedule=SCHEDULE)),
    (
        Delay(mean="10 ms", spread="1 ms", distribution="table", table=(-2, 0, 2)),
        Delay(mean="8 ms", spread="2 ms", distribution="table", table=(2, 1, 0)),
    ),
    (
        SpacedLoss(law="table", mean=10, spread=1, table=(-1, 3)),
        SpacedLoss(law="table", mean=9, spread=2, table=(0, 2)),
    ),
]
DIFFERENT = [
    (Delay(mean="1 ms"), Delay(mean="2 ms")),
    (Delay(mean="1 ms", schedule=SCHEDULE), Delay(mean="1 ms")),
    (RandomLoss(rate="1 %"), EvenLoss(rate="1 %")),
    (RandomLoss(rate="1 %"), RandomLoss(rate="2 %")),
    (Outage(schedule=SCHEDULE), Outage()),
    (Duplicate(rate="1 %"), Duplicate(rate="1 %", copies=2)),
    (Duplicate(rate="1 %"), Duplicate(pattern=Even(rate="1 %"))),
    (Corrupt(rate=1, damages="tcp"), Corrupt(rate=1, damages="udp")),
    (RandomBurstLoss(rate=1, shortest=1, longest=1), RandomBurstLoss(rate=1, shortest=1, longest=2)),
    (
        Delay(mean="10 ms", spread="1 ms", distribution="table", table=(-2, 2)),
        Delay(mean="10 ms", spread="1 ms", distribution="table", table=(-2, 2), keep_order=False),
    ),
    (SpacedLoss(mean=10, spread=Decimal(2)), SpacedLoss(mean=10, spread=Decimal(3))),
]


@pytest.mark.parametrize("impairment", NOTHING, ids=str)
def test_what_hits_no_packet_is_nothing(impairment) -> None:
    assert effects(Conditions.of(impairment)) == effects(Conditions()) == {}


@pytest.mark.parametrize(("one", "other"), ALIKE, ids=str)
def test_other_words_for_the_same(one, other) -> None:
    assert effects(Conditions.of(one)) == effects(Conditions.of(other)) != {}


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=str)
def test_what_is_not_the_same_differs(one, other) -> None:
    assert effects(Conditions.of(one)) != effects(Conditions.of(other))
