"""The simulated LANforge on a socket, with the command lines that are public, and no client of ours."""

import socket
from collections.abc import Iterator
from decimal import Decimal

import pytest

from impairlab.drivers.model import (
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    LinkState,
    RandomBurstLoss,
    RandomLoss,
    RateLimit,
    Reorder,
    Statistics,
    Target,
)
from impairlab.sim_hardware.faults import (
    IdleDatapath,
    LinksDown,
    ReservedByOther,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
)
from impairlab.sim_hardware.lanforge import SimulatedLanforge
from impairlab.sim_hardware.lanforge.house import TABLE
from impairlab.sim_hardware.planes import NullPlane

PROMPT = b"default@btbits>> "


class Cli:
    """A connection, and the simulation behind it."""

    def __init__(self) -> None:
        self.plane = NullPlane(paths=("1", "2"))
        self.sim = SimulatedLanforge(self.plane)
        self.connect()

    def connect(self) -> None:
        self.sock = socket.create_connection(self.sim.endpoint, 10)
        self.welcome = self.until_prompt()

    def until_prompt(self) -> str:
        seen = b""
        while not seen.endswith(PROMPT):
            content = self.sock.recv(65_536)
            if not content:
                raise ConnectionError(seen)
            seen += content
        return seen.removesuffix(PROMPT).decode()

    def say(self, line: str) -> str:
        self.sock.sendall(f"{line}\n".encode())
        return self.until_prompt()

    def done(self, *lines: str) -> None:
        for line in lines:
            assert self.say(line) == f" >>RSLT: 0  Cmd: {line}\n"

    def refused(self, line: str) -> int:
        words, _, result = self.say(line).partition("\n")
        assert words
        assert result.endswith(f"  Cmd: {line}\n")
        return int(result.removeprefix(" >>RSLT: ").split()[0])

    def suffered(self, direction: str = "a-b") -> Conditions:
        return self.sim.state.conditions("1", direction)


@pytest.fixture
def cli() -> Iterator[Cli]:
    made = Cli()
    made.say("set_flag brief 0")
    yield made
    made.sock.close()
    made.sim.close()


MEANINGS = [
    ("NA 35", Conditions.of(Delay(mean="35 ms"))),
    ("NA 1500us", Conditions.of(Delay(mean="1.5 ms"))),
    ("NA 30 10 NA NA NA NA NA 1000000",
     Conditions.of(Delay(mean="35 ms", spread="5 ms", distribution="uniform"))),
    ("NA 30 10", Conditions.of(Delay(mean="30 ms"))),
    ("256000", Conditions.of(RateLimit(rate=256_000, mode="link", queue=256_000))),
    ("256000 NA NA NA 64", Conditions.of(RateLimit(rate=256_000, mode="link", queue=65_536))),
    ("1000000000", Conditions()),
    ("NA NA NA NA NA 1000000", Conditions.of(RandomLoss(rate=1))),
    ("NA NA NA NA NA 100", Conditions.of(RandomLoss(rate="100 ppm"))),
    ("NA NA NA NA NA 100 NA NA NA 2 5", Conditions.of(RandomBurstLoss(rate="100 ppm", shortest=2, longest=5))),
    ("NA NA NA NA NA NA 2500", Conditions.of(Duplicate(rate="0.25 %"))),
    ("NA NA NA 10000", Conditions.of(Reorder(rate="1 %", depth=1, depth_most=10))),
    ("NA NA NA 10000 NA NA NA NA NA NA NA 3 3", Conditions.of(Reorder(rate="1 %", depth=3))),
]  # fmt: skip


@pytest.mark.parametrize(("words", "suffered"), MEANINGS, ids=[each[0] for each in MEANINGS])
def test_what_set_wanlink_info_does_to_packets(cli: Cli, words: str, suffered: Conditions) -> None:
    cli.done(f"set_wanlink_info wl1-A {words}")
    assert cli.suffered() == suffered
    assert cli.suffered("b-a").is_neutral


def test_na_keeps_what_is_there(cli: Cli) -> None:
    """The published vector: all packets are dropped, and other fields stay."""
    cli.done("set_wanlink_info wl1-A 256000 35 NA NA 64", "set_wanlink_info wl1-A NA NA NA NA NA 1000000")
    assert cli.suffered() == Conditions.of(
        Delay(mean="35 ms"), RandomLoss(rate=1), RateLimit(rate=256_000, mode="link", queue=65_536)
    )


CORRUPTIONS = [
    ("0 4 0 14 100 5000", Corrupt(rate="0.5 %", how="flip", first_byte=14, last_byte=100)),
    ("5 0x21 0 0 9 5000", Corrupt(rate="0.5 %", how="random", first_byte=0, last_byte=9, checksums="fixed")),
    ("1 8 0 0 9 1000000", Corrupt(rate=1, how="transpose", first_byte=0, last_byte=9)),
    ("1 8 0 0 9 0", None),
]


@pytest.mark.parametrize(("words", "suffered"), CORRUPTIONS)
def test_what_set_wl_corruption_does_to_packets(cli: Cli, words: str, suffered: Corrupt | None) -> None:
    cli.done(f"set_wl_corruption wl1-A {words}")
    assert list(cli.suffered()) == ([] if suffered is None else [suffered])


def test_the_published_way_to_make_a_wanlink(cli: Cli) -> None:
    cli.done(
        "add_wl_endp t1-A 1 1 eth1 35 256000 NA NA NA", "add_wl_endp t1-B 1 1 eth2 35 256000 NA NA NA",
        "add_cx t1 default_tm t1-A t1-B", "set_cx_state all t1 SWITCH",
    )  # fmt: skip
    assert (
        cli.suffered()
        == Conditions.of(Delay(mean="35 ms"), RateLimit(rate=256_000, mode="link", queue=256_000))
        == cli.suffered("b-a")
    )
    cli.done("set_cx_state all t1 STOPPED")
    assert cli.suffered() == Conditions.of(LinkState(state="down"))
    cli.done("set_cx_state all t1 DELETED", "set_cx_state all wl1 RUNNING")
    assert cli.suffered().is_neutral


def test_an_endpoint_shows_its_settings_and_counters_as_published(cli: Cli) -> None:
    cli.done("set_wanlink_info wl1-A 56000 35 10 1 64 2 3 NA 1000000 4 5")
    at = Target(path="1", direction="a-b")
    cli.plane.counters = {at: Statistics(at_ns=1, received_packets=7, dropped_total=2)}
    lines = [line.strip() for line in cli.say("nc_show_endpoint wl1-A").split("\n")]
    assert lines[0] == "WanLink [wl1-A] (RUNNING)"
    for line in (
        "MaxTxRate: 56000bps  Latency: 35ms  MaxJitter: 10ms",
        "DropFreq: 2  DupFreq: 3  ReorderFreq: 1  ExtraBuf: 64KB",
        "MinDropAmt: 4  MaxDropAmt: 5",
        "Rx Pkts:           Total: 7           Time: 60s   Cur: 0",
        "Rx Dropped Pkts:   Total: 2           Time: 60s   Cur: 0",
        "Tx Bytes:          Total: 0           Time: 60s   Cur: 0",
    ):
        assert line in lines
    cli.done("clear_endp_counters wl1-A")
    assert at in cli.plane.cleared
    cli.done("set_cx_state all wl1 QUIESCE")
    assert "(NOT_RUNNING)" in cli.say("nc_show_endpoint wl1-A")


REFUSED = {
    "set_wanlink_info nobody-A NA 5": 1,
    "nc_show_endpoint nobody-A": 1,
    "set_cx_state all nobody RUNNING": 1,
    "set_wanlink_info wl1-A NA 1000001": 2,
    "set_wanlink_info wl1-A NA -5": 2,
    "set_wanlink_info wl1-A 0": 2,
    "set_wanlink_info wl1-A NA NA NA NA NA 1000001": 2,
    "set_wanlink_info wl1-A NA NA NA NA NA 10 NA NA NA 6 5": 2,
    "set_wanlink_info wl1-A NA NA NA NA NA NA NA NA NA 1001": 2,
    "set_wanlink_info wl1-A x": 2,
    "set_wanlink_info": 2,
    "set_wl_corruption wl1-A 6 1 0 0 9 5": 2,
    "set_wl_corruption wl1-A 0 1 0 9 0 5": 2,
    "set_cx_state all wl1 SLEEPING": 2,
    "set_wanlink_info wl1-A NA 30 10 NA NA NA NA NA 1000": 3,
    "set_wanlink_info wl1-A NA NA NA NA NA NA NA file": 3,
    "set_wl_corruption wl1-A 0 2 65 0 9 5": 3,
    "set_wl_corruption wl1-A 0 0x11 0 0 9 5": 3,
    "add_wanpath wl1-A x": 3,
    "fly": 4,
    "add_wl_endp wl1-A 1 1 eth1": 5,
    "add_cx wl1 default_tm wl1-A wl1-B": 5,
    "set_flag colour 1": 2,
}


@pytest.mark.parametrize(("line", "code"), REFUSED.items())
def test_what_is_refused_changes_nothing(cli: Cli, line: str, code: int) -> None:
    before = cli.suffered()
    assert cli.refused(line) == code
    assert cli.suffered() == before


def test_results_are_told_when_brief_is_off_and_a_blank_line_brings_a_prompt(cli: Cli) -> None:
    assert cli.say("") == ""
    assert cli.say("set_flag brief 1") == ""
    assert cli.say("nc_show_endpoint wl1-A").startswith("WanLink [wl1-A]")
    assert ">>RSLT" not in cli.say("fly")


def test_faults_of_the_box(cli: Cli) -> None:
    sim, delay = cli.sim, "set_wanlink_info wl1-A NA 35"
    sim.inject(SilentlyIgnored())
    cli.done(delay)
    assert cli.suffered().is_neutral
    sim.inject(SilentClamp("latency", Decimal(20_000_000)))
    cli.done(delay)
    assert cli.suffered() == Conditions.of(Delay(mean="20 ms"))
    sim.inject(IdleDatapath())
    cli.done("set_wanlink_info wl1-A NA 0")
    assert cli.suffered() == Conditions.of(Delay(mean="20 ms"))
    with pytest.raises(ValueError, match="no fault ReservedByOther; it has"):
        sim.inject(ReservedByOther())
    sim.inject(SessionExpired())
    with pytest.raises(ConnectionError):
        cli.say("")
    cli.sock.close()
    sim.inject(LinksDown())
    sim.clear_faults()
    cli.connect()
    assert cli.suffered() == Conditions.of(LinkState(state="down"))
    cli.say("set_cx_state all wl1 RUNNING")
    assert cli.suffered().is_neutral


def test_every_house_answer_has_a_reason() -> None:
    assert all(each.question and each.answer and each.reason for each in TABLE)
    assert len({each.question for each in TABLE}) == len(TABLE)
