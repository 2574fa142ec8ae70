"""The simulated NE-ONE on a socket, one command a connection, with the public commands and no client of ours."""

import shlex
import socket
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

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
)
from impairlab.sim_hardware.faults import (
    IdleDatapath,
    LinksDown,
    ReservedByOther,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StaleInUse,
)
from impairlab.sim_hardware.itrinegy import SimulatedNeOne
from impairlab.sim_hardware.itrinegy.house import TABLE
from impairlab.sim_hardware.itrinegy.modules import MANDATORY
from impairlab.sim_hardware.planes import NullPlane

SECOND = 1_000_000_000
SPEED = "Linkspeed_and_FIFO_Queue_Bytes;70;Link_Type;Manual;Link_Speed;{};Queue_Length;{};Overhead;{};{};"
CALM = "Congestion_PCT;0.0;TTL_Cost;0"


class NeOne:
    def __init__(self) -> None:
        self.now_ns = 0
        self.sim = SimulatedNeOne(
            NullPlane(paths=("1", "2")), session_ns=60 * SECOND, clock=lambda: self.now_ns, passwords={"lab": "x"}
        )
        self.session = self.raw('--login "lab;x"')

    def raw(self, line: str) -> str:
        with socket.create_connection(self.sim.endpoint, 10) as sock, sock.makefile("rb") as answers:
            sock.sendall(f"{line}\n".encode())
            return answers.readline().decode().rstrip("\n")

    def say(self, line: str) -> str:
        return self.raw(f"{self.session} {line}")

    def set(self, *modules: str) -> str:
        return self.say(" ".join(["--Id 1", *(f'--procModule "Default:{module}"' for module in modules)]))

    def suffered(self, direction: str = "a-b") -> Conditions:
        return self.sim.state.conditions("1", direction)


@pytest.fixture
def box() -> Iterator[NeOne]:
    made = NeOne()
    yield made
    made.sim.close()


MEANINGS = [
    ("Random_Delay;50;Min_Delay;10.0;Max_Delay;10.1;", Delay(mean="10.05 ms", spread="50 us", distribution="uniform")),
    ("Random_Delay;50;Min_Delay;10;Max_Delay;10;", Delay(mean="10 ms")),
    ("Random_Delay;50;Min_Delay;0;Max_Delay;0;", None),
    ("Step_Delay_Packet_Nanoseconds;50;Min_Delay;1500;Max_Delay;1500;Step_Delay;0;", Delay(mean="1.5 us")),
    ("Random_Drop;30;Loss_Percent;0.5;", RandomLoss(rate="0.5 %")),
    ("Random_Drop_with_Burst;30;Loss_Percent;0.5;Minimum_Packets_to_Drop;1;Maximum_Packets_to_Drop;1;",
     RandomLoss(rate="0.5 %")),
    ("Random_Drop_with_Burst;30;Loss_Percent;0.5;Minimum_Packets_to_Drop;2;Maximum_Packets_to_Drop;5;",
     RandomBurstLoss(rate="0.5 %", shortest=2, longest=5)),
    ("Random_Packet_Corrupt;40;Packet_Corruption_Percent;2.5;", Corrupt(rate="2.5 %")),
    ("Packet_Move_and_Duplicate;62;Selection_Percent;3;Duplicate_Packet;2;Minimum_Move;0;Maximum_Move;0;",
     Duplicate(rate="3 %", copies=2)),
    ("Random_Packet_Move_Offset;65;Move_Percent;4;Minimum_Move;1;Maximum_Move;7;",
     Reorder(rate="4 %", depth=1, depth_most=7)),
    (SPEED.format(256_000, 64_000, 14, CALM), RateLimit(rate=256_000, mode="link", queue=64_000, layer="l2")),
    (SPEED.format(256_000, 64_000, 38, CALM), RateLimit(rate=256_000, mode="link", queue=64_000, layer="l1")),
    (SPEED.format(0, 64_000, 18, CALM), None),
]  # fmt: skip


@pytest.mark.parametrize(("module", "meaning"), MEANINGS)
def test_what_a_module_does_to_packets_and_how_it_is_shown(box: NeOne, module: str, meaning) -> None:
    assert box.set(module) == "--ok"
    assert box.suffered() == (Conditions() if meaning is None else Conditions.of(meaning))
    assert box.suffered("b-a").is_neutral
    words = shlex.split(box.say("--Id 1 --getVISettings"))
    assert words[:4] == ["--id", "1", "--name", "1 a-b"]
    told = [value for key, value in pairwise(words) if key == "--procModule"]
    assert f"Default:{module}" in told
    assert len(told) == len(MANDATORY)


def test_a_module_takes_the_place_of_its_number_and_several_fit_in_one_command(box: NeOne) -> None:
    assert box.set("Random_Drop;30;Loss_Percent;1;", "Random_Delay;50;Min_Delay;5;Max_Delay;5;") == "--ok"
    assert box.suffered() == Conditions.of(Delay(mean="5 ms"), RandomLoss(rate="1 %"))
    assert box.set("Step_Delay_Packet_Nanoseconds;50;Min_Delay;0;Max_Delay;0;Step_Delay;0;") == "--ok"
    assert box.suffered() == Conditions.of(RandomLoss(rate="1 %"))


def test_the_published_way_to_make_an_emulation(box: NeOne) -> None:
    assert box.say('--addEmulation "lab net"') == "--emulationId 2"
    assert box.say('--emulationId 2 --addVi "Internet Link: a --> b"') == "--id 5"
    modules = " ".join(f'--procModule "{module}"' for module in MANDATORY)
    drawn = (
        '--vitype "lineobject" --groupname "g" --xpos 1 --ypos 2 --width 3 --height 4 --objdir 1 --image "i" --notes ""'
    )
    assert box.say(f'--id 5 {modules} --procModule "Default:;80;" {drawn}') == "--ok"
    assert box.say("--emulationId 2 --start") == "--ok"
    assert box.say("--getemulations") == '--emulations "2;1;impairlab;1;;0;lab;;;2;lab net;1;;0;lab;;"'
    assert box.say("--emulationId 2 --getVIsForEmulation") == '--VIsForEmulation "1;5;"'
    shown = shlex.split(box.say("--Id 5 --getVISettings"))
    assert shown[shown.index("--name") + 1] == "Internet Link: a --> b"
    assert shown[shown.index("--vitype") + 1] == "lineobject"
    assert box.say("--getAllPorts").startswith('--ports "2;1;')


def test_an_emulation_that_is_stopped_lets_nothing_through(box: NeOne) -> None:
    assert box.say("--emulationId 1 --stop") == "--ok"
    assert box.suffered() == Conditions.of(LinkState(state="down"))
    assert box.say("--emulationId 1 --start") == "--ok"
    assert box.suffered().is_neutral


def test_a_stale_session_is_told_in_the_published_words(box: NeOne) -> None:
    assert "Unable to find user session" in box.raw('--sessionId "stale" --getemulations')
    assert "Unable to find user session" in box.raw("--getemulations")
    box.now_ns += 59 * SECOND
    assert box.say("--getemulations").startswith("--emulations")
    box.now_ns += 61 * SECOND
    assert box.say("--getemulations").startswith('--error "Unable to find user session')
    assert box.raw('--login "lab;wrong"').startswith("--error")


REFUSED = [
    "Random_Delay;50;Min_Delay;10;Max_Delay;9;",
    "Random_Delay;50;Min_Delay;10;Max_Delay;10001;",
    "Random_Delay;50;Min_Delay;x;Max_Delay;10;",
    "Random_Delay;50;Min_Delay;1;",
    "Random_Delay;x;Min_Delay;1;Max_Delay;2;",
    "Random_Delay;50;Min_Delay;1;Max_Delay;2",
    "Step_Delay_Packet_Nanoseconds;50;Min_Delay;1;Max_Delay;2;Step_Delay;1;",
    "Random_Drop;30;Loss_Percent;100.1;",
    "Random_Drop;30;Loss_Percent;-1;",
    "Random_Drop_with_Burst;30;Loss_Percent;1;Minimum_Packets_to_Drop;5;Maximum_Packets_to_Drop;2;",
    "Fragment_MTU;55;MTU_Limit;576;Dont_Fragment_Flag_Option;Fragment Anyway;",
    "Packet_Move_and_Duplicate;62;Selection_Percent;1;Duplicate_Packet;1;Minimum_Move;0;Maximum_Move;3;",
    "Random_Packet_Move_Offset;65;Move_Percent;1;Minimum_Move;5;Maximum_Move;2;",
    SPEED.format(256_000, 64_000, 18, CALM),
    SPEED.format(256_000, 64_000, 14, "Congestion_PCT;5;TTL_Cost;0"),
    "Quantum_Delay;50;Min_Delay;1;",
]


@pytest.mark.parametrize("module", REFUSED)
def test_what_is_refused_changes_nothing(box: NeOne, module: str) -> None:
    assert box.set("Random_Delay;50;Min_Delay;5;Max_Delay;5;") == "--ok"
    assert box.set("Random_Drop;30;Loss_Percent;1;", module).startswith('--error "')
    assert box.suffered() == Conditions.of(Delay(mean="5 ms"))


@pytest.mark.parametrize("line", [
    "--Id 99 --getVISettings", "--Id x --getVISettings", "--getVISettings", "--emulationId 9 --start", "--fly",
    "fly", '--Id 1 --procModule "unclosed', "--Id 1 --procModule", '--addEmulation "impairlab"',
    '--portModule "Default:Hardware_VLAN_Routing;0;"', "--delPortModule 1",
])  # fmt: skip
def test_what_is_no_command_is_an_error(box: NeOne, line: str) -> None:
    assert box.say(line).startswith('--error "')


def test_faults_of_the_box(box: NeOne) -> None:
    sim, delay = box.sim, "Random_Delay;50;Min_Delay;30;Max_Delay;30;"
    sim.inject(SilentlyIgnored())
    assert box.set(delay) == "--ok"
    assert box.suffered().is_neutral
    sim.inject(SilentClamp("Random_Delay/Max_Delay", Decimal(40)))
    assert box.set("Random_Delay;50;Min_Delay;20;Max_Delay;60;") == "--ok"
    assert box.suffered() == Conditions.of(Delay(mean="30 ms", spread="10 ms", distribution="uniform"))
    sim.inject(IdleDatapath())
    assert box.set("Random_Delay;50;Min_Delay;0;Max_Delay;0;") == "--ok"
    assert not box.suffered().is_neutral
    sim.inject(StaleInUse(for_ns=2 * SECOND))
    assert "already in use" in box.set(delay)
    box.now_ns += SECOND
    assert "already in use" in box.set(delay)
    box.now_ns += SECOND
    assert box.set(delay) == "--ok"
    sim.inject(SessionExpired())
    assert "Unable to find user session" in box.set(delay)
    with pytest.raises(ValueError, match="no fault ReservedByOther; it has"):
        sim.inject(ReservedByOther())
    sim.inject(LinksDown())
    assert box.suffered() == Conditions.of(LinkState(state="down"))


def test_every_house_answer_has_a_reason() -> None:
    assert all(each.question and each.answer and each.reason for each in TABLE)
    assert len({each.question for each in TABLE}) == len(TABLE)
