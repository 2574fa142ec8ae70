"""What each command programs, in terms of the model."""

from collections.abc import Callable
from decimal import Decimal
from math import sqrt

import pytest

from impairlab.drivers.model import (
    AccumulateBurst,
    BitErrorLoss,
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    Even,
    EvenLoss,
    GilbertElliottLoss,
    LinkState,
    Outage,
    Random,
    RandomBurstLoss,
    RandomLoss,
    RateLimit,
    Reorder,
    Schedule,
    SingleBurst,
    SingleBurstLoss,
    Spaced,
    SpacedLoss,
)

from .conftest import Terminal

DROP, MISORDER, LATENCY, DUPLICATION, CORRUPTION = range(5)

LOSSES = [
    ("PED_FIXED [0,0] 2500", EvenLoss(rate=Decimal("0.0025"))),
    ("PED_RANDOM [0,0] 1", RandomLoss(rate=Decimal("1e-6"))),
    ("PED_RANDOM [0,0] 1000000", Outage()),
    ("PED_RANDOM [0,0] 0", None),
    ("PED_FIXED [0,0] 0", None),
    ("PED_BER [0,0] 3 -9", BitErrorLoss(ber=Decimal("3e-9"))),
    ("PED_FIXEDBURST [0,0] 16383", SingleBurstLoss(packets=16383)),
    ("PED_RANDOMBURST [0,0] 2 10 500", RandomBurstLoss(rate=Decimal("0.0005"), shortest=2, longest=10)),
    ("PED_RANDOMBURST [0,0] 0 4 1000", RandomBurstLoss(rate=Decimal("0.0008"), shortest=1, longest=4)),
    ("PED_RANDOMBURST [0,0] 0 0 1000", None),
    (
        "PED_GE [0,0] 10 2000 500000 300000",
        GilbertElliottLoss(
            good_loss=Decimal("0.00001"), to_bad=Decimal("0.002"), bad_loss=Decimal("0.5"), to_good=Decimal("0.3")
        ),
    ),
    ("PED_UNI [0,0] 10 30", SpacedLoss(law="uniform", mean=Decimal(20), spread=Decimal(10))),
    ("PED_GAUSS [0,0] 100 20", SpacedLoss(law="normal", mean=Decimal(100), spread=Decimal(20))),
    ("PED_POISSON [0,0] 100", SpacedLoss(law="poisson", mean=Decimal(100))),
    ("PED_GAMMA [0,0] 4 25", SpacedLoss(law="gamma", mean=Decimal(100), spread=Decimal(50))),
]

DELAYS = [
    ("PED_CONST [0,2] 40000000", {"mean": "40 ms"}),
    ("PED_UNI [0,2] 10000000 30000000", {"distribution": "uniform", "mean": "20 ms", "spread": "10 ms"}),
    ("PED_UNI [0,2] 5000 5000", {"mean": "5 us"}),
    ("PED_GAUSS [0,2] 40000000 8000000", {"distribution": "normal", "mean": "40 ms", "spread": "8 ms"}),
    ("PED_GAUSS [0,2] 40000000 0", {"mean": "40 ms"}),
    ("PED_POISSON [0,2] 40000000", {"distribution": "poisson", "mean": "40 ms", "spread": "100 ns"}),
    ("PED_GAMMA [0,2] 16 1000000", {"distribution": "gamma", "mean": "16 ms", "spread": "4 ms"}),
    ("PED_STEP [0,2] 10000000 12000000", {"distribution": "step", "mean": "11 ms", "spread": "1 ms"}),
]


@pytest.mark.parametrize(("line", "loss"), LOSSES, ids=[line for line, _ in LOSSES])
def test_losses(terminal: Terminal, active: Callable[..., Conditions], line: str, loss: object) -> None:
    terminal.ok(f"0/0 {line}")
    assert active().is_neutral
    terminal.ok("0/0 PED_ENABLE [0,0] ON")
    assert active().loss == loss
    terminal.ok("0/0 PED_ENABLE [0,0] OFF")
    assert active().is_neutral


@pytest.mark.parametrize(("line", "delay"), DELAYS, ids=[line for line, _ in DELAYS])
def test_delays(terminal: Terminal, active: Callable[..., Conditions], line: str, delay: dict[str, str]) -> None:
    terminal.ok(f"0/0 {line}", "0/0 PED_ENABLE [0,2] ON")
    assert active() == Conditions(delay=Delay.model_validate(delay))


def test_accumulate_and_burst_once_and_again(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/0 PED_ACCBURST [0,2] 50000000", "0/0 PED_ENABLE [0,2] ON")
    assert active().delay == AccumulateBurst(hold="50 ms", schedule=Schedule(on="50 ms"))
    terminal.ok("0/0 PED_SCHEDULE [0,2] 1 20")
    assert active().delay == AccumulateBurst(hold="50 ms", schedule=Schedule(on="50 ms", period="200 ms"))
    terminal.ok("0/0 PED_SCHEDULE [0,2] 1 3")
    assert active().delay == AccumulateBurst(hold="50 ms", schedule=Schedule(on="30 ms", period="30 ms"))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("1 0", None),
        ("5 0", None),
        ("5 20", Schedule(on="50 ms", period="200 ms")),
        ("20 20", Schedule(on="200 ms", period="200 ms")),
    ],
)
def test_schedules_of_shares(
    terminal: Terminal, active: Callable[..., Conditions], schedule: str, expected: Schedule | None
) -> None:
    terminal.ok("0/0 PED_RANDOM [0,0] 500000", f"0/0 PED_SCHEDULE [0,0] {schedule}", "0/0 PED_ENABLE [0,0] ON")
    assert active().loss == RandomLoss(rate=Decimal("0.5"), schedule=expected)


def test_a_repeated_burst(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/0 PED_FIXEDBURST [0,0] 7", "0/0 PED_SCHEDULE [0,0] 1 100", "0/0 PED_ENABLE [0,0] ON")
    assert active().loss == SingleBurstLoss(packets=7, schedule=Schedule(on="1 s", period="1 s"))


def test_misordering(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/0 PE_MISORDER [0] 4", "0/0 PED_FIXED [0,1] 1000", "0/0 PED_ENABLE [0,1] ON")
    assert active().reorder == Reorder(pattern=Even(rate=Decimal("0.001")), depth=4, hold="1 s")
    terminal.ok("0/0 PED_FIXEDBURST [0,1] 50")
    assert active().reorder == Reorder(pattern=SingleBurst(packets=1), depth=4, hold="1 s")
    assert terminal.ask("0/0 PED_FIXEDBURST [0,1] ?") == "0/0  PED_FIXEDBURST  [0,1]  1"


def test_duplication(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/0 PED_RANDOM [0,3] 1000", "0/0 PED_ENABLE [0,3] ON")
    assert active().duplicate == Duplicate(rate=Decimal("0.001"))
    terminal.ok("0/0 PED_UNI [0,3] 1 3")
    assert active().duplicate == Duplicate(pattern=Spaced(law="uniform", mean=Decimal(2), spread=Decimal(1)))


@pytest.mark.parametrize(
    ("word", "damages"), [("ETH", "ethernet"), ("IP", "ip"), ("UDP", "udp"), ("TCP", "tcp"), ("BER", "payload")]
)
def test_corruption(terminal: Terminal, active: Callable[..., Conditions], word: str, damages: str) -> None:
    terminal.ok("0/0 PEF_ENABLE [1,0] ON", "0/0 PEF_APPLY [1]", "0/0 PED_RANDOM [1,4] 1000", "0/0 PED_ENABLE [1,4] ON")
    assert active(flow=1).corrupt is None
    terminal.ok(f"0/0 PE_CORRUPT [1] {word}")
    assert active(flow=1).corrupt == Corrupt.model_validate({"rate": "0.1 %", "damages": damages})
    terminal.ok("0/0 PE_CORRUPT [1] OFF")
    assert active(flow=1).corrupt is None


@pytest.mark.parametrize("word", ["IP", "UDP", "TCP"])
def test_corruption_of_ip_and_above_is_not_for_flow_0(terminal: Terminal, word: str) -> None:
    assert terminal.ask(f"0/0 PE_CORRUPT [0] {word}") == "<NOTSUPPORTED>"
    terminal.ok("0/0 PE_CORRUPT [0] ETH", "0/0 PE_CORRUPT [0] BER")


def test_policer_and_shaper(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    assert terminal.ask("0/0 PE_BANDPOLICER [0] ?") == "0/0  PE_BANDPOLICER  [0]  OFF L2 0 0"
    terminal.ok("0/0 PE_BANDPOLICER [0] ON L1 1000 4194304")
    assert active().rate == RateLimit(rate="100 Mbit/s", mode="policer", burst=4194304, queue=0, layer="l1")
    assert terminal.ask("0/0 PE_BANDSHAPER [0] ON L2 500 2000 3000") == "<NOTSUPPORTED>"
    terminal.ok("0/0 PE_BANDPOLICER [0] OFF L1 1000 4194304", "0/0 PE_BANDSHAPER [0] ON L2 500 2000 3000")
    assert active().rate == RateLimit(rate="50 Mbit/s", mode="shaper", burst=2000, queue=3000, layer="l2")
    assert terminal.ask("0/0 PE_BANDSHAPER [0] ON L2 0 2000 3000") == "<NOTSUPPORTED>"
    assert terminal.ask("0/0 PE_BANDSHAPER [0] ?") == "0/0  PE_BANDSHAPER  [0]  ON L2 500 2000 3000"


def test_a_flap_takes_both_directions_down(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/1 PP_LINKFLAP_PARAMS 200 2000 5", "0/1 PP_LINKFLAP_ENABLE ON")
    flap = LinkState(state="flap", down="200 ms", period="2 s", repetitions=5)
    assert (active("a-b").link, active("b-a").link) == (flap, flap)
    assert terminal.ask("0/1 PP_LINKFLAP_PARAMS 100 1000 0") == "<NOTVALID>"
    assert terminal.ask("0/0 PP_LINKFLAP_ENABLE ON") == "<NOTSUPPORTED>"
    terminal.ok("0/1 PP_LINKFLAP_ENABLE OFF")
    assert active("a-b").is_neutral


def test_a_flap_without_duration_is_down_for_good(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/0 PP_LINKFLAP_PARAMS 0 1000 INFINITE", "0/0 PP_LINKFLAP_ENABLE ON")
    assert active("b-a").link == LinkState(state="down")
    assert terminal.ask("0/1 P_RECEIVESYNC ?") == "0/1  P_RECEIVESYNC  NO_SYNC"


def test_a_transmitter_that_is_off_cuts_what_leaves_there(
    terminal: Terminal, active: Callable[..., Conditions]
) -> None:
    terminal.ok("0/1 P_TXENABLE OFF")
    assert active("a-b").link == LinkState(state="down")
    assert active("b-a").is_neutral


def test_custom_distances_and_latencies(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    distances = " ".join(str(10 + 10 * (number % 2)) for number in range(512))
    latencies = " ".join(str(1_000_000 * (1 + number % 4)) for number in range(1024))
    terminal.ok(f"0/0 PEC_VAL [1] OFF OFF 512 {distances}", f"0/0 PEC_VAL [40] ON OFF 1024 {latencies}",
                "0/0 PED_CUST [0,0] 1", "0/0 PED_ENABLE [0,0] ON", "0/0 PED_CUST [0,2] 40",
                "0/0 PED_ENABLE [0,2] ON")  # fmt: skip
    loss, delay = active().loss, active().delay
    assert isinstance(loss, SpacedLoss)
    assert (loss.law, loss.mean, {loss.mean + each for each in loss.table}) == ("table", 15, {10, 20})
    assert isinstance(delay, Delay)
    assert {delay.mean + int(each) for each in delay.table} == {1_000_000, 2_000_000, 3_000_000, 4_000_000}
    assert terminal.ask("0/0 PEC_INDICES ?") == "0/0  PEC_INDICES  1 40"
    assert terminal.ask("0/0 PEC_DISTTYPE [40] ?") == "0/0  PEC_DISTTYPE  [40]  LATENCY_DISTRIBUTION"
    assert terminal.ask("0/0 PEC_DELETE [40]") == "<NOTVALID>"
    terminal.ok("0/0 PED_OFF [0,2]", "0/0 PEC_DELETE [40]", f"0/0 PEC_VAL [1] OFF OFF 512 {' '.join(['7'] * 512)}")
    loss = active().loss
    assert isinstance(loss, SpacedLoss)
    assert loss.mean == 7


def test_reset_takes_everything_back(terminal: Terminal, active: Callable[..., Conditions]) -> None:
    terminal.ok("0/0 PED_CONST [0,2] 1000000", "0/0 PED_ENABLE [0,2] ON", "0/0 PE_MISORDER [3] 9", "0/0 P_RESET")
    assert active().is_neutral
    assert terminal.ask("0/0 PE_MISORDER [3] ?") == "0/0  PE_MISORDER  [3]  1"
    assert terminal.ask("0/0 P_EMULATE ?") == "0/0  P_EMULATE  OFF"
    assert terminal.ask("0/0 P_RESERVATION ?").endswith("RESERVED_BY_YOU")


def test_the_deviation_of_a_gamma_latency_is_that_of_its_shape_and_scale(
    terminal: Terminal, active: Callable[..., Conditions]
) -> None:
    terminal.ok("0/0 PED_GAMMA [0,2] 3 1000000", "0/0 PED_ENABLE [0,2] ON")
    delay = active().delay
    assert isinstance(delay, Delay)
    assert delay.spread == round(sqrt(3) * 1_000_000)


def test_random_is_a_pattern_of_its_own(active: Callable[..., Conditions], terminal: Terminal) -> None:
    terminal.ok("0/0 PE_CORRUPT [0] ETH", "0/0 PED_FIXED [0,4] 10", "0/0 PED_ENABLE [0,4] ON")
    corrupt = active().corrupt
    assert corrupt is not None
    assert not isinstance(corrupt.pattern, Random)
    assert corrupt.pattern == Even(rate=Decimal("0.00001"))
