"""The driver of LANforge-ICE against scripted command lines: what it sends, and what it makes of odd answers."""

import re
from contextlib import contextmanager

import pytest

from impairlab.drivers import (
    CapabilityError,
    Conditions,
    ConnectError,
    IdentityMismatch,
    InstrumentExecutionError,
    MalformedResponse,
    SessionLimit,
    connect,
    delay,
    duplicate,
    loss,
)
from impairlab.drivers.lanforge import LanforgeIce
from impairlab.drivers.model import Corrupt, Delay, Outage, RandomBurstLoss, RateLimit, Reorder
from impairlab.drivers.options import Options
from impairlab.drivers.testing.peers import Wire, tcp_peer

PROMPT = b"default@btbits>> "
TOTALS = ("Rx Pkts", "Rx Bytes", "Tx OOO Pkts", "Rx Dropped Pkts", "Tx Duplicate Pkts", "Tx Pkts", "Tx Bytes")
FIELDS = ("MaxTxRate", "Latency", "MaxJitter", "ReorderFreq", "ExtraBuf", "DropFreq", "DupFreq", "", "JitterFreq",
          "MinDropAmt", "MaxDropAmt", "", "")  # fmt: skip
UNITS = {"MaxTxRate": "bps", "Latency": "ms", "MaxJitter": "ms", "ExtraBuf": "KB"}


class Box:
    """Endpoints as LANforge/Endpoint.pm has them, and every line that came."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.runs = True
        self.refuses = ""
        first = ["1000000000", "0", "0", "0", "64", "0", "0", "", "0", "0", "0", "", ""]
        self.endpoints = {f"t1-{side}": dict(zip(FIELDS, first, strict=True)) for side in "AB"}

    def show(self, name: str) -> str:
        fields = self.endpoints[name]
        pairs = [f"{key}: {value if value.endswith('us') else value + UNITS.get(key, '')}"
                 for key, value in fields.items() if key]  # fmt: skip
        totals = [f"       {total}:   Total: {number}   Time: 60s   Cur: 0" for number, total in enumerate(TOTALS)]
        head = f"WanLink [{name}] ({'RUNNING' if self.runs else 'NOT_RUNNING'})"
        return "\n".join([head, "     " + "  ".join(pairs), *totals, ""])

    def answer(self, line: str) -> str:
        self.sent.append(line)
        command, *words = line.split() or [""]
        body, code = "", 0
        if self.refuses and self.refuses in line:
            body, code = "no, thank you\n", 7
        elif command == "nc_show_endpoint":
            body = self.show(words[0])
        elif command == "set_wanlink_info":
            for key, word in zip(FIELDS, words[1:], strict=False):
                if word != "NA":
                    self.endpoints[words[0]][key] = word
        elif command == "set_cx_state":
            self.runs = words[2] == "RUNNING"
        return f"{body} >>RSLT: {code}  Cmd: {line}\n"

    def serve(self, _: int, wire: Wire) -> None:
        wire.send(b"LANforge\n\n" + PROMPT)
        while (line := wire.read_line()) is not None:
            wire.send(self.answer(line).encode() + PROMPT)


@pytest.fixture
def box() -> Box:
    return Box()


@contextmanager
def driven(box: Box, settings: str = "paths=t1&line=1Gbps"):
    with tcp_peer(box.serve) as (host, port), connect(f"tcp://{host}:{port}?{settings}", "lanforge-ice") as driver:
        box.sent.clear()
        yield driver


def changes(box: Box) -> list[str]:
    return [line for line in box.sent if not line.startswith("nc_show")]


SENT = [
    (delay("35 ms"), "1000000000 35 0 0 -1 0 0 NA 0 1 1 1 10"),
    (delay("1.5 ms"), "1000000000 1500us 0 0 -1 0 0 NA 0 1 1 1 10"),
    (Delay(mean="35 ms", spread="5 ms", distribution="uniform"), "1000000000 30 10 0 -1 0 0 NA 1000000 1 1 1 10"),
    (loss("1 %"), "1000000000 0 0 0 -1 10000 0 NA 0 1 1 1 10"),
    (Outage(), "1000000000 0 0 0 -1 1000000 0 NA 0 1 1 1 10"),
    (RandomBurstLoss(rate="1 %", shortest=2, longest=5), "1000000000 0 0 0 -1 10000 0 NA 0 2 5 1 10"),
    (duplicate("0.5 %"), "1000000000 0 0 0 -1 0 5000 NA 0 1 1 1 10"),
    (Reorder(rate="1 %", depth=3, depth_most=7), "1000000000 0 0 10000 -1 0 0 NA 0 1 1 3 7"),
    (Reorder(rate="1 %", depth=3), "1000000000 0 0 10000 -1 0 0 NA 0 1 1 3 3"),
    (RateLimit(rate="256 kbit/s", mode="link", queue=65_536), "256000 0 0 0 64 0 0 NA 0 1 1 1 10"),
]


@pytest.mark.parametrize(("impairment", "words"), SENT)
def test_what_is_sent_for_an_impairment(box: Box, impairment, words) -> None:
    wanted = Conditions.of(impairment)
    with driven(box) as driver:
        target = driver.path("t1").a_to_b.target
        driver.apply(target, wanted)
        assert changes(box) == [f"set_wanlink_info t1-A {words}", "set_wl_corruption t1-A 0 0 0 0 0 0"]
        assert driver.read(target).conditions == wanted


def test_without_a_line_the_speed_is_left_alone(box: Box) -> None:
    with driven(box, "paths=t1") as driver:
        assert "rate.link" not in driver.capabilities.features
        driver.path("t1").b_to_a.apply(delay("35 ms"))
        assert changes(box)[0] == "set_wanlink_info t1-B NA 35 0 0 NA 0 0 NA 0 1 1 1 10"


def test_a_corruption_is_one_rule_and_sent_when_it_changes(box: Box) -> None:
    corrupt = Corrupt(rate="0.5 %", how="transpose", first_byte=20, last_byte=40, checksums="fixed")
    with driven(box) as driver:
        path = driver.path("t1").a_to_b
        path.apply(corrupt)
        assert changes(box)[1] == "set_wl_corruption t1-A 0 40 0 20 40 5000"
        assert path.read() == Conditions.of(corrupt)
        box.sent.clear()
        path.apply(corrupt, delay("5 ms"))
        assert len(changes(box)) == 1


def test_a_wanlink_that_does_not_run_is_started_when_something_is_to_be_impaired(box: Box) -> None:
    box.runs = False
    with driven(box) as driver:
        driver.neutral()
        assert not box.runs
        driver.path("t1").a_to_b.apply(delay("5 ms"))
        assert box.sent.count("set_cx_state all t1 RUNNING") == 1
    box.runs = False
    with driven(box, "paths=t1&start=no") as driver:
        driver.path("t1").a_to_b.apply(delay("6 ms"))
        assert not box.runs


def test_the_counters_are_those_of_the_endpoint(box: Box) -> None:
    with driven(box) as driver:
        target = driver.path("t1").b_to_a.target
        counted = driver.statistics(target)
        assert (counted.received_packets, counted.reordered, counted.dropped_total) == (0, 2, 3)
        assert counted.forwarded_bytes == 6
        driver.clear_statistics(target)
        assert box.sent[-1] == "clear_endp_counters t1-B"


def test_a_refusal_is_told_in_the_words_of_the_box_and_undone(box: Box) -> None:
    with driven(box) as driver:
        path = driver.path("t1").a_to_b
        path.apply(delay("35 ms"))
        box.refuses = "set_wanlink_info t1-B"
        with pytest.raises(InstrumentExecutionError, match="7 no, thank you") as raised:
            driver.apply_many(
                {path.target: Conditions.of(delay("5 ms")), driver.path("t1").b_to_a.target: Conditions.of(loss("1 %"))}
            )
        assert raised.value.state_known is True or raised.value.__notes__
        assert path.read() == Conditions.of(delay("35 ms"))


STRANGE = [
    ({"MaxJitter": "10", "JitterFreq": "1000"}, "JitterFreq 1000"),
    ({"MaxJitter": "1us", "JitterFreq": "1000000"}, "no whole number of microseconds"),
    ({"ReorderFreq": "5"}, "as many packets as it does not show"),
]


@pytest.mark.parametrize(("fields", "problem"), STRANGE)
def test_what_conditions_have_no_place_for_is_said_and_can_be_cleared(box: Box, fields, problem) -> None:
    with driven(box) as driver:
        target = driver.path("t1").a_to_b.target
        box.endpoints["t1-A"].update(fields)
        with pytest.raises(CapabilityError, match=problem):
            driver.read(target)


def test_what_no_answer_of_a_lanforge_is_is_malformed(box: Box) -> None:
    with driven(box) as driver:
        target = driver.path("t1").a_to_b.target
        shown = box.show
        box.show = lambda name: f"WanLink [not {name}] (RUNNING)\n"
        with pytest.raises(MalformedResponse, match=re.escape("no WanLink [t1-A]")):
            driver.read(target)
        box.show = lambda name: shown(name).replace("MaxTxRate: ", "MaxTxRate ")
        with pytest.raises(MalformedResponse, match="no MaxTxRate"):
            driver.read(target)
        box.show = lambda name: shown(name).replace("Rx Pkts", "Rx Pakete")
        with pytest.raises(MalformedResponse, match="no counter Rx Pkts"):
            driver.statistics(target)


def test_what_is_no_lanforge_is_refused() -> None:
    def full(_: int, wire: Wire) -> None:
        del wire

    def brief(_: int, wire: Wire) -> None:
        wire.send(PROMPT)
        while wire.read_line() is not None:
            wire.send(PROMPT)

    with tcp_peer(full) as (host, port), pytest.raises(SessionLimit):
        connect(f"tcp://{host}:{port}?paths=t1", "lanforge-ice")
    with tcp_peer(brief) as (host, port), pytest.raises(MalformedResponse, match="tells no results"):
        connect(f"tcp://{host}:{port}?paths=t1", "lanforge-ice")


def test_an_address_that_cannot_be_read_says_what_would_be_legal() -> None:
    for settings, problem in (
        ("", "at least one WanLink"), ("paths=t 1", "is neither t1 nor"), ("paths=t1,t1", "there twice"),
        ("paths=t1:x/x", "endpoints of its own"), ("paths=t1&line=fast", "line=fast"),
        ("paths=t1&line=1bps", "above 1"),
        ("paths=t1&start=maybe", "it is yes or no"), ("path=t1", "unknown setting"),
    ):  # fmt: skip
        with pytest.raises(ConnectError, match=problem):
            connect(f"tcp://127.0.0.1:9?{settings}", "lanforge-ice")
    with pytest.raises(IdentityMismatch, match="no serial number"):
        LanforgeIce("tcp://127.0.0.1:9?paths=t1", Options(serial="1"))


def test_names_of_endpoints_may_be_given(box: Box) -> None:
    box.endpoints = {"left": box.endpoints["t1-A"], "right": box.endpoints["t1-B"]}
    with driven(box, "paths=t1:left/right") as driver:
        driver.path("t1").b_to_a.apply(delay("5 ms"))
        assert changes(box)[0].startswith("set_wanlink_info right ")
