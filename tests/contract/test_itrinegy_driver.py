"""The driver of iTrinegy's NE-ONE against scripted boxes: what it sends, and what it makes of odd answers."""

from contextlib import contextmanager

import pytest

from impairlab.drivers import (
    AuthError,
    CapabilityError,
    Conditions,
    ConnectError,
    IdentityMismatch,
    InstrumentExecutionError,
    MalformedResponse,
    WireLog,
    connect,
    delay,
    duplicate,
    loss,
)
from impairlab.drivers.itrinegy import NeOneAppliance, session
from impairlab.drivers.model import Corrupt, Delay, Outage, RandomBurstLoss, RateLimit, Reorder
from impairlab.drivers.options import Options
from impairlab.drivers.testing.peers import Wire, tcp_peer

FIRST = {
    20: "Default:Generic_Filter;20;",
    30: "Default:Random_Drop_with_Burst;30;Loss_Percent;0.0;Minimum_Packets_to_Drop;1;Maximum_Packets_to_Drop;1;",
    50: "Default:Step_Delay_Packet_Nanoseconds;50;Min_Delay;0;Max_Delay;0;Step_Delay;0;",
    80: "Default:;80;",
}


class Box:
    """Interfaces 11 and 12 as the published client makes them, and every line that came."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.modules = {"11": dict(FIRST), "12": dict(FIRST)}
        self.sessions = 0
        self.refusals: list[str] = []
        self.running = "0"
        self.ends_lines = True

    def answer(self, line: str) -> str:
        self.sent.append(line)
        if line.startswith("--login"):
            self.sessions += 1
            return f'--sessionId "s{self.sessions}"' if line == '--login "lab;x"' else '--error "go away"'
        session, _, command = line.partition(" --")
        if session != f'--sessionId "s{self.sessions}"':
            return f'--error "Unable to find user session [{session}]"'
        if "procModule" in command and self.refusals:
            return f'--error "{self.refusals.pop(0)}"'
        if command == "getemulations":
            return f'--emulations "2;3;other;1;;0;lab;;;7;net;{self.running};;0;lab;;"'
        if command == "emulationId 7 --getVIsForEmulation":
            return '--VIsForEmulation "2;11;12;"'
        if command == "emulationId 7 --start":
            self.running = "1"
            return "--ok"
        number = command.split()[1]
        if number not in self.modules:
            return f'--error "there is no VI [{number}]"'
        if command.endswith("--getVISettings"):
            told = "".join(f' --procModule "{module}"' for module in self.modules[number].values())
            return f'--id {number} --name "a --> b" --xpos 5{told}'
        for module in line.split('"')[3::2]:
            self.modules[number][int(module.split(";")[1])] = module
        return "--ok"

    def serve(self, _: int, wire: Wire) -> None:
        line = wire.read_line()
        if line is not None:
            wire.send(self.answer(line).encode() + (b"\n" if self.ends_lines else b""))


@pytest.fixture
def box() -> Box:
    return Box()


@contextmanager
def driven(box: Box, settings: str = "paths=wan:11/12", secret: str = "x"):  # noqa: S107 - of a scripted box
    with (
        tcp_peer(box.serve) as (host, port),
        connect(f"tcp://lab@{host}:{port}?{settings}", "itrinegy-ne1", secret=secret) as driver,
    ):
        box.sent.clear()
        yield driver


def modules(box: Box, number: str = "11") -> dict[str, str]:
    return {module.split(";")[0].removeprefix("Default:"): module for module in box.modules[number].values()}


SPEED = (
    "Linkspeed_and_FIFO_Queue_Bytes;70;Link_Type;Manual;Link_Speed;256000;Queue_Length;64000;Overhead;38;"
    "Congestion_PCT;0.0;TTL_Cost;0;"
)
SENT = [
    (delay("35 ms"), "Step_Delay_Packet_Nanoseconds;50;Min_Delay;35000000;Max_Delay;35000000;Step_Delay;0;"),
    (Delay(mean="10.05 ms", spread="50 us", distribution="uniform"), "Random_Delay;50;Min_Delay;10;Max_Delay;10.1;"),
    (loss("0.5 %"), "Random_Drop;30;Loss_Percent;0.5;"),
    (Outage(), "Random_Drop;30;Loss_Percent;100;"),
    (RandomBurstLoss(rate="1 %", shortest=2, longest=5),
     "Random_Drop_with_Burst;30;Loss_Percent;1;Minimum_Packets_to_Drop;2;Maximum_Packets_to_Drop;5;"),
    (Corrupt(rate="2.5 %"), "Random_Packet_Corrupt;40;Packet_Corruption_Percent;2.5;"),
    (duplicate("3 %"),
     "Packet_Move_and_Duplicate;62;Selection_Percent;3;Duplicate_Packet;1;Minimum_Move;0;Maximum_Move;0;"),
    (Reorder(rate="4 %", depth=3), "Random_Packet_Move_Offset;65;Move_Percent;4;Minimum_Move;3;Maximum_Move;3;"),
    (Reorder(rate="4 %", depth=3, depth_most=7),
     "Random_Packet_Move_Offset;65;Move_Percent;4;Minimum_Move;3;Maximum_Move;7;"),
    (RateLimit(rate="256 kbit/s", mode="link", queue=64_000, layer="l1"),
     SPEED),
]  # fmt: skip


@pytest.mark.parametrize(("impairment", "module"), SENT)
def test_what_is_sent_for_an_impairment(box: Box, impairment, module) -> None:
    with driven(box) as driver:
        target = driver.path("wan").a_to_b.target
        driver.apply(target, Conditions.of(impairment))
        assert f"Default:{module}" in box.modules["11"].values()
        assert box.modules["11"][20] == FIRST[20], "what does not impair is left alone"
        assert len([line for line in box.sent if "procModule" in line]) == 1
        assert driver.read(target).conditions == Conditions.of(impairment)
        driver.path("wan").clear()
        assert driver.read(target).conditions.is_neutral


def test_link_speeds_are_in_the_unit_of_the_address(box: Box) -> None:
    with driven(box, "paths=wan:11/12&speed_unit=kbps") as driver:
        driver.path("wan").b_to_a.apply(RateLimit(rate="256 kbit/s", mode="link"))
        assert ";Link_Speed;256;" in modules(box, "12")["Linkspeed_and_FIFO_Queue_Bytes"]
        with pytest.raises(CapabilityError, match="off step"):
            driver.path("wan").b_to_a.apply(RateLimit(rate=256_500, mode="link"))


def test_an_answer_may_end_with_the_connection(box: Box) -> None:
    box.ends_lines = False
    with driven(box) as driver:
        driver.path("wan").a_to_b.apply(delay("35 ms"))
        assert driver.path("wan").a_to_b.read() == Conditions.of(delay("35 ms"))


def test_a_session_that_has_expired_is_made_anew_and_nothing_is_lost(box: Box) -> None:
    with driven(box) as driver:
        for step in ("35 ms", "36 ms"):
            box.sessions += 10
            driver.path("wan").a_to_b.apply(delay(step))
            assert driver.path("wan").a_to_b.read() == Conditions.of(delay(step))
            assert sum(line.startswith("--login") for line in box.sent) == 1
            box.sent.clear()


def test_an_emulation_that_does_not_run_is_started_when_something_is_to_be_impaired(box: Box) -> None:
    with driven(box, "paths=wan:11/12&emulation=7") as driver:
        driver.neutral()
        assert box.running == "0"
        driver.path("wan").a_to_b.apply(delay("35 ms"))
        assert box.running == "1"
        box.sent.clear()
        driver.path("wan").a_to_b.apply(delay("36 ms"))
        assert not any("--start" in line for line in box.sent)
    box.running = "0"
    for settings, problem in (
        ("12&emulation=8", "no emulation 8; there is 3, 7"),
        ("13&emulation=7", "emulation 7, 13"),
    ):
        with pytest.raises(InstrumentExecutionError, match=problem), driven(box, f"paths=wan:11/{settings}"):
            pass


def test_a_port_that_is_said_to_be_in_use_is_asked_for_again(box: Box, monkeypatch) -> None:
    waited = []
    monkeypatch.setattr(session, "sleep", waited.append)
    busy = "Cannot Open a connection to Input port (10.0.0.1) - likely it's already in use"
    with driven(box) as driver:
        box.refusals = [busy, busy]
        driver.path("wan").a_to_b.apply(delay("35 ms"))
        assert waited == [2.0, 2.0]
        box.refusals = [busy] * 4
        with pytest.raises(InstrumentExecutionError, match="already in use"):
            driver.path("wan").a_to_b.apply(delay("36 ms"))
        assert driver.path("wan").a_to_b.read() == Conditions.of(delay("35 ms"))


def test_a_refusal_is_told_in_the_words_of_the_box_and_undone(box: Box) -> None:
    with driven(box) as driver:
        driver.path("wan").a_to_b.apply(delay("35 ms"))
        box.refusals = ["no, thank you"]
        with pytest.raises(InstrumentExecutionError, match="no, thank you") as raised:
            driver.path("wan").a_to_b.apply(delay("36 ms"))
        assert raised.value.__notes__ == ["what was programmed before is programmed again"]
        assert driver.path("wan").a_to_b.read() == Conditions.of(delay("35 ms"))


STRANGE = [
    ("Default:Step_Delay_Packet_Nanoseconds;50;Min_Delay;1;Max_Delay;9;Step_Delay;1;", "in steps"),
    ("Default:Normal_Delay;50;Mean;1;", "the module Normal_Delay"),
    ("Default:Packet_Move_and_Duplicate;62;Selection_Percent;1;Duplicate_Packet;1;Minimum_Move;0;Maximum_Move;2;",
     "moved when they are sent again"),
    ("Default:" + SPEED.replace("Overhead;38", "Overhead;18"), "counts 18 bytes more"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "problem"), STRANGE)
def test_what_conditions_have_no_place_for_is_said_and_can_be_cleared(box: Box, module, problem) -> None:
    with driven(box) as driver:
        target = driver.path("wan").a_to_b.target
        box.modules["11"][int(module.split(";")[1])] = module
        with pytest.raises(CapabilityError, match=problem):
            driver.read(target)


MALFORMED = [
    "Default:Random_Delay;50;Min_Delay;x;Max_Delay;9;", "Default:Random_Delay;50;Min_Delay;5;Max_Delay;4;",
    "Default:Random_Delay;50;Min_Delay;5;", "Default:Random_Drop;30;Loss_Percent;101;", "Default:Random_Drop;30",
    "Default:Random_Packet_Move_Offset;65;Move_Percent;1;Minimum_Move;1.5;Maximum_Move;2;",
]  # fmt: skip


@pytest.mark.parametrize("module", MALFORMED)
def test_what_cannot_be_read_is_malformed(box: Box, module) -> None:
    with driven(box) as driver:
        box.modules["11"][int(module.split(";")[1])] = module
        with pytest.raises(MalformedResponse):
            driver.path("wan").a_to_b.read()


def test_who_is_not_let_in_and_who_is_not_there(box: Box) -> None:
    with pytest.raises(AuthError, match="go away"), driven(box, secret="wrong"):  # noqa: S106
        pass
    with pytest.raises(InstrumentExecutionError, match="no VI"), driven(box, "paths=wan:11/13"):
        pass
    with pytest.raises(AuthError, match="cannot be sent"):
        NeOneAppliance("tcp://lab@127.0.0.1:9?paths=wan:11/12", Options(secret='a";b'))  # noqa: S106
    with pytest.raises(IdentityMismatch, match="no serial number"):
        NeOneAppliance("tcp://lab@127.0.0.1:9?paths=wan:11/12", Options(serial="1"))


def test_an_address_that_cannot_be_read_says_what_would_be_legal() -> None:
    for address, problem in (
        ("tcp://lab@127.0.0.1:9", "at least one"), ("tcp://lab@127.0.0.1?paths=a:1/2", "give it"),
        ("tcp://127.0.0.1:9?paths=a:1/2", "names no user"), ("tcp://lab@127.0.0.1:9?paths=a:1", "is not a name"),
        ("tcp://lab@127.0.0.1:9?paths=a:1/1", "of its own"),
        ("tcp://lab@127.0.0.1:9?paths=a:1/2,a:3/4", "is not a name"),
        ("tcp://lab@127.0.0.1:9?paths=a:1/2&emulation=x", "is a number"),
        ("tcp://lab@127.0.0.1:9?paths=a:1/2&speed_unit=furlongs", "one of bps"),
    ):  # fmt: skip
        with pytest.raises(ConnectError, match=problem):
            connect(address, "itrinegy-ne1")


def test_the_password_is_in_no_log(box: Box, tmp_path) -> None:
    with (
        tcp_peer(box.serve) as (host, port),
        WireLog(tmp_path / "wire") as log,
        connect(f"tcp://lab@{host}:{port}?paths=wan:11/12", "itrinegy-ne1", secret="x", wire_log=log),  # noqa: S106
    ):
        assert "lab;***" in (tmp_path / "wire").read_text()
