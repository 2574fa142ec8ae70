"""What the published forms do to packets, how `show` tells them, and what is refused."""

from decimal import Decimal

import pytest

from impairlab.drivers.model import (
    AccumulateBurst,
    BitErrorLoss,
    Conditions,
    Delay,
    Duplicate,
    GilbertElliottLoss,
    LinkState,
    PeriodicLoss,
    RandomBurstLoss,
    RandomFlap,
    RandomLoss,
    RateLimit,
)

ON = "engine 1 emulation on"
SET = "engine 1 path 1 set"
FORTH = "port 1 to port 2"

GE_SHOWN = (
    "Loss: Gilbert-Elliott:\n"
    "  Good state: Loss probability: 0.01%, Change probability: 0.1%\n"
    "  Bad state: Loss probability: 0.2%, Change probability: 0.1%"
)
MEANINGS = [
    ("delay constant 25", Delay(mean="25 ms"), "Delay: Constant 25ms"),
    ("delay constant 0.0001", Delay(mean="100 ns"), "Delay: Constant 0.0001ms"),
    ("delay uniform 5 10 reordering enabled",
     Delay(mean="7.5 ms", spread="2.5 ms", distribution="uniform", keep_order=False),
     "Delay: Uniform 5ms 10ms, reordering enabled"),
    ("delay uniform 5 10 reordering disabled",
     Delay(mean="7.5 ms", spread="2.5 ms", distribution="uniform"), "Delay: Uniform 5ms 10ms"),
    ("delay uniform 5 5", Delay(mean="5 ms"), "Delay: Uniform 5ms 5ms"),
    ("delay normal 50 2", Delay(mean="50 ms", spread="2 ms", distribution="normal"), "Delay: Normal 50ms 2ms"),
    ("delay exponential 5 10",
     Delay(mean="7.5 ms", spread="2.5 ms", distribution="exponential"), "Delay: Exponential 5ms 10ms"),
    ("delay accumulate-and-burst 5 extra-delay 10 timeout 20",
     AccumulateBurst(hold="20 ms", packets=5, mean="10 ms"),
     "Delay: Accumulate and Burst 5, extra delay 10ms, timeout 20ms"),
    ("delay none", None, "Delay: None"),
    ("delay constant 0", None, "Delay: Constant 0ms"),
    ("loss random 0.05", RandomLoss(rate="0.05 %"), "Loss: Random 0.05%"),
    ("loss random 0", None, "Loss: Random 0%"),
    ("loss burst 0.01 min 5 max 10", RandomBurstLoss(rate="0.01 %", shortest=5, longest=10),
     "Loss: Burst 0.01%, min 5, max 10"),
    ("loss periodic 10 burst 5", PeriodicLoss(every=10, burst=5), "Loss: Periodic 10, burst 5"),
    ("loss ber 1e-18", BitErrorLoss(ber=Decimal("1e-18")), "Loss: BER 1E-18"),
    ("loss ber 9.999999e-1", BitErrorLoss(ber=Decimal("0.9999999")), "Loss: BER 0.9999999"),
    ("loss gilbert-elliott good-state loss 0.01 change 0.1 bad-state loss 0.2 change 0.1",
     GilbertElliottLoss(to_bad="0.1 %", to_good="0.1 %", bad_loss="0.2 %", good_loss="0.01 %"),
     GE_SHOWN),
    ("network-outage periodic interval 5-10 duration 10-15",
     RandomFlap(up="5 s", up_most="10 s", down="10 s", down_most="15 s"),
     "Network outage: Periodic, interval 5-10s, duration 10-15s"),
    ("network-outage periodic interval 5 duration 1", LinkState(state="flap", down="1 s", period="6 s"),
     "Network outage: Periodic, interval 5s, duration 1s"),
    ("network-outage none", None, "Network outage: None"),
    ("duplication random 0.05", Duplicate(rate="0.05 %"), "Duplication: Random 0.05%"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "meaning", "shown"), MEANINGS, ids=[each[0] for each in MEANINGS])
def test_what_a_form_does_and_how_it_is_shown(netropy, words, meaning, shown) -> None:
    *silent, page = netropy.type(ON, f"{SET} {words} {FORTH}", "engine 1 path 1 show")
    assert silent == ["", ""]
    assert netropy.suffered() == (Conditions() if meaning is None else Conditions.of(meaning))
    assert netropy.suffered("b-a").is_neutral
    assert shown in page.split("WAN Conditions: Port 2 to Port 1:")[0]


def test_show_has_the_sections_that_the_sample_takes_apart(netropy) -> None:
    netropy.type(f"{SET} bw fixed 10 Gbps port 1 out", f"{SET} bw fixed 2 Mbps port 2 in")
    (page,) = netropy.type("engine 1 path 1 show")
    title, *sections = page.split("\n\n\n")
    assert title == "Engine 1 path 1: 1"
    heads = [section.split("\n")[0] for section in sections]
    assert heads == [
        "WAN Access: Port 1, out:", "WAN Access: Port 1, in: not enabled", "WAN Access: Port 2, out: not enabled",
        "WAN Access: Port 2, in:", "WAN Conditions: Port 1 to Port 2:", "WAN Conditions: Port 2 to Port 1:",
    ]  # fmt: skip
    assert [line.strip().partition(": ")[0] for line in sections[0].split("\n")[1:]] == [
        "Ethernet", "Bandwidth", "Background Utilization", "Queue", "Queue Type", "MTU Limit", "Frame Overhead",
    ]  # fmt: skip
    assert "Bandwidth: Fixed 10 Gbps" in sections[0]
    assert "Bandwidth: Fixed 2 Mbps" in sections[3]


def test_the_slower_access_link_on_the_way_acts_and_one_as_quick_as_the_line_does_not(netropy) -> None:
    netropy.type(ON, f"{SET} bw fixed 10 Gbps port 1 out")
    assert netropy.suffered().is_neutral
    netropy.type(f"{SET} bw fixed 5 Mbps port 1 out", f"{SET} bw fixed 800.5 Kbps port 2 in")
    assert netropy.suffered() == Conditions.of(RateLimit(rate=800_500, mode="link", queue=25_015, layer="l1"))
    assert netropy.suffered("b-a").is_neutral
    netropy.type(f"{SET} bw fixed 300 bps port 2 out")
    assert netropy.suffered("b-a").rate.rate == 300


def test_conditions_act_while_emulation_is_on(netropy) -> None:
    netropy.type(f"{SET} delay constant 25 {FORTH}")
    assert netropy.suffered().is_neutral
    netropy.type(ON)
    assert netropy.suffered() == Conditions.of(Delay(mean="25 ms"))
    netropy.type("engine 1 emulation off")
    assert netropy.suffered().is_neutral


REFUSED = [
    f"{SET} delay constant abc {FORTH}",
    f"{SET} delay constant -1 {FORTH}",
    f"{SET} delay constant 10000.1 {FORTH}",
    f"{SET} delay constant nan {FORTH}",
    f"{SET} delay constant {FORTH}",
    f"{SET} delay constant 5 6 {FORTH}",
    f"{SET} delay constant 5 reordering enabled {FORTH}",
    f"{SET} delay uniform 10 5 {FORTH}",
    f"{SET} delay uniform 5 10 reordering perhaps {FORTH}",
    f"{SET} delay sometimes 5 {FORTH}",
    f"{SET} delay recorded {FORTH}",
    f"{SET} delay constant 5",
    f"{SET} delay constant 5 port 1 to port 1",
    f"{SET} delay constant 5 port 1 to port 3",
    f"{SET} delay accumulate-and-burst 0 extra-delay 1 timeout 1 {FORTH}",
    f"{SET} delay accumulate-and-burst 2 extra-delay 1 timeout 0 {FORTH}",
    f"{SET} loss random 100.1 {FORTH}",
    f"{SET} loss burst 1 min 5 max 4 {FORTH}",
    f"{SET} loss periodic 5 burst 10 {FORTH}",
    f"{SET} loss ber 1e-19 {FORTH}",
    f"{SET} loss gilbert-elliott good-state loss 1 change 1 {FORTH}",
    f"{SET} network-outage periodic interval 10-5 duration 1 {FORTH}",
    f"{SET} network-outage period interval 5-10 duration 10-15 {FORTH}",
    f"{SET} bw fixed 11 Gbps port 1 out",
    f"{SET} bw fixed 299 bps port 1 out",
    f"{SET} bw fixed 1 furlong port 1 out",
    f"{SET} bw fixed 1 Mbps port 3 out",
    "engine 2 emulation on",
    "engine 1 path 3 show",
    "engine 1 path x show",
]


def test_what_is_refused_changes_nothing(netropy) -> None:
    netropy.type(ON, f"{SET} delay constant 25 {FORTH}")
    for answer in netropy.type(*REFUSED):
        assert answer.startswith("*** Error: ")
    assert netropy.suffered() == Conditions.of(Delay(mean="25 ms"))


def test_what_is_no_command_is_answered_with_usage(netropy) -> None:
    for answer in netropy.type(
        "bogus", "engine", "engine 1", "engine 1 path 1 set corruption 1", "engine 1 emulation maybe"
    ):
        assert answer.startswith("Usage: ")


def test_a_question_mark_lists_what_may_follow(netropy) -> None:
    answers = netropy.type("?", "engine 1 ?", "engine 1 path ?", f"{SET} ?", f"{SET} delay ?", f"{SET} bw ?")
    assert answers[2] == "1\n2"
    assert answers[3].split("\n") == ["delay", "loss", "network-outage", "duplication", "bw"]
    assert "constant <number> (0 - 10000) port <from> to port <to>" in answers[4].split("\n")
    assert answers[5].startswith("fixed ")
