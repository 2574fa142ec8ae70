"""Impairments to the words of `set`, and what `show` may say of them back: literal examples, and every legal value."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impairlab.drivers.apposite.numbers import bit_rate, rate_in
from impairlab.drivers.apposite.show import read_show
from impairlab.drivers.apposite.statistics import NoStatisticsYetError, read_statistics
from impairlab.drivers.apposite.words import (
    NotInOurWordsError,
    delay_words,
    duplication_words,
    loss_words,
    outage_words,
    read_delay,
    read_duplication,
    read_loss,
    read_outage,
)
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.delays import AccumulateBurst, Delay
from impairlab.drivers.model.impairments import Duplicate, LinkState, RandomFlap
from impairlab.drivers.model.losses import (
    BitErrorLoss,
    GilbertElliottLoss,
    Outage,
    PeriodicLoss,
    RandomBurstLoss,
    RandomLoss,
)


def delay(**fields) -> Delay:
    return Delay.model_validate(fields)


@pytest.mark.parametrize(
    ("impairment", "words"),
    [
        (None, "none"),
        (delay(mean="25 ms"), "constant 25"),
        (delay(distribution="uniform", mean="7.5 ms", spread="2.5 ms"), "uniform 5 10 reordering disabled"),
        (delay(distribution="normal", mean="50 ms", spread="2 ms", keep_order=False),
         "normal 50 2 reordering enabled"),
        (delay(distribution="exponential", mean="7.5 ms", spread="2.5 ms"), "exponential 5 10 reordering disabled"),
        (AccumulateBurst.model_validate({"packets": 5, "mean": "10 ms", "hold": "20 ms"}),
         "accumulate-and-burst 5 extra-delay 10 timeout 20"),
    ],
)  # fmt: skip
def test_published_delays(impairment, words: str) -> None:
    assert delay_words(impairment) == words
    assert read_delay(words) == impairment


@pytest.mark.parametrize(
    ("impairment", "words"),
    [
        (None, "none"),
        (RandomLoss(rate=Decimal("0.0005")), "random 0.05"),
        (Outage(), "random 100"),
        (RandomBurstLoss(rate=Decimal("0.0001"), shortest=5, longest=10), "burst 0.01 min 5 max 10"),
        (PeriodicLoss(every=10, burst=5), "periodic 10 burst 5"),
        (BitErrorLoss(ber=Decimal("1e-18")), "ber 1e-18"),
        (BitErrorLoss(ber=Decimal("9.999999e-1")), "ber 9.999999e-1"),
        (GilbertElliottLoss(good_loss=Decimal("0.0001"), to_bad=Decimal("0.001"), bad_loss=Decimal("0.002"),
                            to_good=Decimal("0.001")),
         "gilbert-elliott good-state loss 0.01 change 0.1 bad-state loss 0.2 change 0.1"),
    ],
)  # fmt: skip
def test_published_losses(impairment, words: str) -> None:
    assert loss_words(impairment) == words
    assert read_loss(words) == impairment


@pytest.mark.parametrize(
    ("impairment", "words"),
    [
        (None, "none"),
        (RandomFlap.model_validate({"up": "5 s", "up_most": "10 s", "down": "10 s", "down_most": "15 s"}),
         "periodic interval 5-10 duration 10-15"),
        (LinkState.model_validate({"state": "flap", "down": "10 s", "period": "15 s"}),
         "periodic interval 5 duration 10"),
    ],
)  # fmt: skip
def test_published_outages(impairment, words: str) -> None:
    assert outage_words(impairment) == words
    assert read_outage(words) == impairment


def test_published_duplication() -> None:
    assert duplication_words(Duplicate(rate=Decimal("0.0005"))) == "random 0.05"
    assert read_duplication("Random 0.05%") == Duplicate(rate=Decimal("0.0005"))
    assert duplication_words(None) == "none"


@pytest.mark.parametrize("text", ["10 Gbps", "1 Mbps", "1500 Kbps", "999999999 bps"])
def test_published_units_of_bandwidth(text: str) -> None:
    assert bit_rate(rate_in(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "Constant, 25 ms",
        "Constant: 25.0 ms",
        "constant 25ms",
        "Constant (25 ms)",
        "CONSTANT 0.025 s",
        "Constant 25000 us",
    ],
)
def test_wording_of_a_constant_delay_does_not_matter(text: str) -> None:
    assert read_delay(text) == delay(mean="25 ms")


@pytest.mark.parametrize(
    "text",
    [
        "Accumulate and Burst: 5 packets, Extra delay: 10 ms, Timeout: 20 ms",
        "Accumulate-and-burst, 5 packets, timeout 20 ms, extra-delay 10 ms",
    ],
)
def test_wording_of_an_accumulation_does_not_matter(text: str) -> None:
    assert read_delay(text) == AccumulateBurst.model_validate({"packets": 5, "mean": "10 ms", "hold": "20 ms"})


def test_what_no_value_says_is_named_and_what_cannot_be_read_is_no_guess() -> None:
    for read, text in ((read_delay, "Recorded: a.csv"), (read_loss, "recorded"), (read_loss, "periodic 5 burst 10"),
                       (read_delay, "accumulate-and-burst 5")):  # fmt: skip
        with pytest.raises(NotInOurWordsError):
            read(text)
    for read, text in ((read_delay, "Constant"), (read_delay, "Gamma 1 2"), (read_delay, "constant 5 furlongs 3"),
                       (read_loss, "random"), (read_loss, "Burst 1%"), (read_outage, "periodic 5"),
                       (read_duplication, "twice")):  # fmt: skip
        with pytest.raises(ValueError, match="cannot be read"):
            read(text)


TENTHS = st.integers(0, 100_000)
SHARES = st.integers(0, 999_999).map(lambda millionths: Decimal(millionths) / 10**6)
COUNTS = st.integers(1, 1000)
SECONDS = st.integers(1, 100_000)


def scattered(distribution: str, least: int, wide: int, keep_order: bool) -> Delay:
    wide += 1
    return delay(distribution=distribution, mean=f"{least * 100 + wide * 50} us", spread=f"{wide * 50} us",
                 keep_order=keep_order)  # fmt: skip


DELAYS = st.one_of(
    st.none(),
    TENTHS.map(lambda tenths: delay(mean=f"{tenths * 100} us")),
    st.builds(scattered, st.sampled_from(["uniform", "exponential", "normal"]), TENTHS, TENTHS, st.booleans()),
    st.builds(
        lambda packets, extra, wait: AccumulateBurst.model_validate(
            {"packets": packets, "mean": f"{extra * 100} us", "hold": f"{wait * 100} us"}
        ),
        COUNTS, TENTHS, SECONDS,
    ),
)  # fmt: skip
LOSSES = st.one_of(
    st.none(),
    st.just(Outage()),
    st.builds(RandomLoss, rate=SHARES),
    st.builds(
        lambda rate, a, b: RandomBurstLoss(rate=rate, shortest=min(a, b), longest=max(a, b)), SHARES, COUNTS, COUNTS
    ),
    st.builds(lambda a, b: PeriodicLoss(every=max(a, b), burst=min(a, b)), COUNTS, COUNTS),
    st.builds(GilbertElliottLoss, to_bad=SHARES, to_good=SHARES, bad_loss=SHARES, good_loss=SHARES),
    st.builds(lambda m, e: BitErrorLoss(ber=Decimal(m).scaleb(-e)), COUNTS, st.integers(4, 18)),
)
LINKS = st.one_of(
    st.none(),
    st.builds(
        lambda a, b, c, d: RandomFlap.model_validate(
            {"up": f"{a} s", "up_most": f"{a + b} s", "down": f"{c} s", "down_most": f"{c + d} s"}
        ),
        SECONDS, SECONDS, SECONDS, SECONDS,
    ),
    st.builds(lambda a, b: LinkState.model_validate({"state": "flap", "down": f"{a} s", "period": f"{a + b} s"}),
              SECONDS, SECONDS),
)  # fmt: skip
WORDINGS = st.sampled_from([str, str.title, lambda words: re.sub(r"(?<=\d) ", ", ", words), lambda words: f"{words} "])


@given(DELAYS, LOSSES, LINKS, WORDINGS)
def test_every_legal_value_is_read_back_from_its_words(a, b, c, worded) -> None:
    assert read_delay(worded(delay_words(a))) == a
    assert read_loss(worded(loss_words(b))) == b
    assert read_outage(worded(outage_words(c))) == c


KEYS = st.sampled_from(["Loss", "Corruption", "Delay", "Reordering", "Duplication", "Network outage"])
VALUES = st.text("abcdefgh 0123456789,.%-", min_size=1, max_size=20).map(str.strip).filter(bool)


@given(st.dictionaries(KEYS, VALUES), st.integers(3, 6), st.sampled_from(["  ", "\t", ""]), st.booleans())
def test_any_path_is_read_as_it_is_shown(values: dict[str, str], gap: int, indent: str, enabled: bool) -> None:
    lines = [f"{indent}{key}: {value}" for key, value in values.items()]
    access = "outbound\n\tFixed\n\tBandwidth: 10 Mbps" if enabled else "outbound: not enabled"
    text = ("\n" * gap).join(["Path: WAN: west", f"WAN Access: Port 1, {access}",
                              "\n".join(["WAN Conditions: Port 1 to Port 2:", *lines])])  # fmt: skip
    shown = read_show(text + "\n\n")
    assert shown.path == "WAN: west"
    assert shown.access["1", "out"].enabled == enabled
    assert shown.conditions["1", "2"] == values


def test_gilbert_elliott_takes_three_lines() -> None:
    """As com/apposite/api/PathConfigToJson.java shows it."""
    text = (
        "Path 1: lan\n\n\nWAN Conditions: Port 1 to Port 2:\n\tLoss: Gilbert-Elliott:\n"
        "  Good state: Loss probability: 0.01%, Change probability: 0.1%\n"
        "  Bad state: Loss probability: 0.2%, Change probability: 0.3%\n\tDelay: None"
    )
    values = read_show(text).conditions["1", "2"]
    assert values["Delay"] == "None"
    assert read_loss(values["Loss"]) == GilbertElliottLoss(
        good_loss=Decimal("0.0001"), to_bad=Decimal("0.001"), bad_loss=Decimal("0.002"), to_good=Decimal("0.003")
    )


@pytest.mark.parametrize("text", ["", "Path 1", "Path: 1\n\n\nWAN Access: Port 1, out", "Path: 1\n\n\nsomething else"])
def test_what_is_no_path_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"title|heading|no section"):
        read_show(text)


AB, BA = "Port 1 to Port 2", "Port 2 to Port 1"
STATISTICS = f""",lan,lan,lan,lan,lan,lan,lan,lan
,{AB},{AB},{AB},{AB},{BA},{BA},{BA},{BA}
time,tx_rate,tx_bytes,tx_frames,drops,tx_rate,tx_bytes,tx_frames,drops
1,800,100,2,1,8,1,1,0
2,1600,200,4,2,16,2,2,0
"""


def test_statistics_are_read_by_path_direction_and_kind() -> None:
    rows = read_statistics(STATISTICS)
    assert [row.time for row in rows] == ["1", "2"]
    assert rows[-1].of("lan", "1", "2") == {"tx_rate": 1600, "tx_bytes": 200, "tx_frames": 4, "drops": 2}
    assert rows[-1].of("lan", "2", "1")["tx_frames"] == 2
    assert rows[-1].of("wan", "1", "2") == {}
    for text in ("ERROR", STATISTICS.replace("1,800,100,2,1,8,1,1,0", "ERROR: no data")):
        with pytest.raises(NoStatisticsYetError):
            read_statistics(text)
    for text in ("", "a\nb\nc", STATISTICS.replace("1600", "fast")):
        with pytest.raises(ValueError, match=r"no statistics|are no statistics|not a row"):
            read_statistics(text)


def test_words_are_for_conditions_that_the_model_calls_neutral_too() -> None:
    assert [delay_words(Conditions().delay), loss_words(None), outage_words(None)] == ["none"] * 3
