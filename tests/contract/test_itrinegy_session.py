"""The driver of the NE-ONE against a scripted box: sessions, modules of others, and answers that are cut short."""

import re
import shlex
from contextlib import contextmanager

import pytest

from impairlab.drivers import (
    AuthError,
    CapabilityError,
    Conditions,
    ConnectionLost,
    InstrumentExecutionError,
    MalformedResponse,
    Target,
    UnexpectedOutput,
    VerifyMismatch,
    WireLog,
    delay,
    duplicate,
    loss,
)
from impairlab.drivers.itrinegy import NeOneAppliance, session
from impairlab.drivers.itrinegy.emulations import Emulation, Port
from impairlab.drivers.itrinegy.modules import Module
from impairlab.drivers.itrinegy.text import options_in, quoted
from impairlab.drivers.model import RateLimit
from impairlab.drivers.options import Options
from impairlab.drivers.testing.peers import Wire, tcp_peer


def line(speed: int, queue: int, overhead: int, *, kind: str = "Manual", congested: str = "0.0") -> str:
    return (
        f"Default:Linkspeed_and_FIFO_Queue_Bytes;70;Link_Type;{kind};Link_Speed;{speed};Queue_Length;{queue};"
        f"Overhead;{overhead};Congestion_PCT;{congested};TTL_Cost;3;"
    )


FRESH = (
    "Default:Debug;10;Dump_Packet;0;Bytes_to_Dump;80;",
    "Default:Generic_Filter;20;",
    "Default:Random_Drop_with_Burst;30;Loss_Percent;0.0;Minimum_Packets_to_Drop;1;Maximum_Packets_to_Drop;1;",
    "Default:Random_Packet_Corrupt;40;Packet_Corruption_Percent;0.0;",
    "Default:Step_Delay_Packet_Nanoseconds;50;Min_Delay;0;Max_Delay;0;Step_Delay;0;",
    "Default:Fragment_MTU;55;MTU_Limit;1400;Dont_Fragment_Flag_Option;Fragment Anyway;",
    "Default:IPv4_Routing;60;Routes[0].Port_Out;WAN Link: a --> b;Port_In;;Port_Out;;",
    "Default:Packet_Move_and_Duplicate;62;Selection_Percent;0.0;Duplicate_Packet;0;Minimum_Move;0;Maximum_Move;0;",
    "Default:Random_Packet_Move_Offset;65;Move_Percent;0.0;Minimum_Move;1;Maximum_Move;1;",
    line(0, 128000, 18),
    "Default:;80;",
)
"""The modules of which the published client makes a virtual interface, with a limit and a cost of somebody's."""

PLAIN = {
    "--emulationId 4 --getVIsForEmulation": '--VIsForEmulation "2;11;12;"',
    "--emulationId 4 --addVi": "--id 13",
    "--emulationId 4 --st": "--ok",
    "--addEmulation": "--emulationId 5",
    "--getemulations": '--emulations "1;4;lab;1;a note;0;lab;12:00;12:01;"',
    "--getAllPorts": '--ports "2;1;0;-1;x;Hardware;;2;10.0.0.1;1;x;Hardware_IPv4_Routing;IPv4;"',
    "--portModule": "--id 3",
    "--delPortModule": "--ok",
}

PASSWORD = "pa55word"  # noqa: S105 - of a box that the test makes
A_B = Target(path="wan", direction="a-b")
B_A = Target(path="wan", direction="b-a")


class Box:
    """An emulation with two virtual interfaces, and every command that came, without its session."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.connections: list[int] = []
        self.logins = 0
        self.session = "none"
        self.answers: dict[str, bytes] = {}
        self.interfaces = {number: list(FRESH) for number in ("11", "12")}

    def answer(self, command: str) -> str:
        self.sent.append(command)
        match shlex.split(command):
            case ["--Id", "11" | "12" as number, "--getVISettings"]:
                modules = " ".join(f'--procModule "{module}"' for module in self.interfaces[number])
                return f'--id {number} --name "WAN Link: a --> b" --notes "" --xpos -5 {modules}'
            case ["--Id", "11" | "12" as number, *pairs]:
                assert set(pairs[::2]) == {"--procModule"}
                self.interfaces[number] += pairs[1::2]  # nothing is taken away: the later of one number holds
                return "--ok"
        return next((said for words, said in PLAIN.items() if words in command), '--error "what?"')

    def reply(self, text: str) -> bytes:
        if text == f'--login "lab;{PASSWORD}"':
            self.sent.append(text)
            self.logins += 1
            self.session = f"s3ss-{self.logins}"
            return f'--sessionId "{self.session}"\n'.encode()
        prefix = f'--sessionId "{self.session}" '
        if not text.startswith(prefix):
            return b'--error "Unable to find user session"\n'
        command = text.removeprefix(prefix)
        for words, answer in self.answers.items():
            if words in command:
                self.sent.append(command)
                return answer
        return self.answer(command).encode() + b"\n"

    def serve(self, number: int, wire: Wire) -> None:
        if (text := wire.read_line()) is not None:
            self.connections.append(number)
            wire.send(self.reply(text))

    def changes(self) -> list[str]:
        return [each for each in self.sent if "--procModule" in each]


@contextmanager
def driven(box: Box, **options):
    with tcp_peer(box.serve) as (host, port):
        address = f"tcp://lab@{host}:{port}?emulation=4&paths=wan:11/12"
        with NeOneAppliance(address, Options(**{"name": "ne-1", "secret": PASSWORD, **options})) as appliance:
            yield appliance


def test_a_connection_carries_one_command_and_one_session_carries_all():
    box = Box()
    with driven(box) as ne:
        ne.apply(A_B, Conditions.of(delay("5 ms")))
    assert box.connections == [*range(1, len(box.sent) + 1)]
    assert box.sent[0] == '--login "lab;pa55word"'
    assert box.logins == 1


def test_only_what_changes_is_sent_and_all_of_it_in_one_command():
    box = Box()
    with driven(box) as ne:
        ne.apply(B_A, Conditions.of(delay("5 ms"), loss("1 %"), duplicate("1 %")))
        [command] = box.changes()
        assert re.findall(r'"Default:\w+;(\d+)', command) == ["30", "50", "62"]
        ne.apply(B_A, Conditions.of(delay("5 ms"), loss("2 %"), duplicate("1 %")))
        assert box.changes()[1:] == ['--Id 12 --procModule "Default:Random_Drop;30;Loss_Percent;2;"']
        ne.apply(B_A, Conditions.of(delay("5 ms"), loss("2 %"), duplicate("1 %")))
        assert len(box.changes()) == 2


def test_what_others_have_set_beside_the_impairments_stays_and_a_change_of_it_is_told():
    box = Box()
    with driven(box) as ne:
        assert [each.number for each in ne.beside(A_B)] == [10, 20, 55, 60, 80]
        assert ne.read(A_B).conditions.is_neutral
        snapshot = ne.snapshot()
        ne.apply(A_B, Conditions.of(RateLimit(rate="2 Mbit/s", mode="link", queue="32 kB")))
        assert box.changes() == [f'--Id 11 --procModule "{line(2_000_000, 32000, 14)}"'], "and the cost stays"
        ne.restore(snapshot)
        assert set(re.findall(r'"Default:\w*;(\d+)', " ".join(box.changes()))) == {"70"}
        box.interfaces["11"].append("Default:Fragment_MTU;55;MTU_Limit;0;")
        with pytest.raises(VerifyMismatch, match=r"beyond what can be set here: .*MTU_Limit;1400.* is .*MTU_Limit;0"):
            ne.restore(snapshot)


@pytest.mark.parametrize(
    "module",
    [
        line(9, 9, 14, kind="T1"),
        line(0, 9, 14, congested="7.0"),
        "Default:Random_Packet_Move_Offset;65;Move_Percent;1;Minimum_Move;5;Maximum_Move;2;",
    ],
)
def test_what_no_value_says_is_not_read_as_another_and_not_overwritten(module):
    box = Box()
    box.interfaces["11"].append(module)
    with driven(box) as ne:
        with pytest.raises(CapabilityError, match="set on the appliance is what no value here says"):
            ne.read(A_B)
        with pytest.raises(CapabilityError):
            ne.apply(A_B, Conditions.of(delay("5 ms")))
    assert box.changes() == []


def test_a_session_that_ends_while_a_port_is_in_use_is_begun_again(monkeypatch):
    box = Box()
    with driven(box) as ne:
        box.answers["--procModule"] = b'--error "Cannot Open a connection to Input port (x) - likely it\'s in use"\n'

        def wait(_: float) -> None:
            box.answers.clear()
            box.session = "ended meanwhile"

        monkeypatch.setattr(session, "sleep", wait)
        ne.apply(A_B, Conditions.of(delay("5 ms")))
        assert box.logins == 2
        assert ne.read(A_B).conditions == Conditions.of(delay("5 ms"))


def test_a_session_that_ends_at_once_is_an_error_and_no_endless_loop():
    box = Box()
    with driven(box) as ne:
        box.answers["--getVISettings"] = b'--error "Unable to find user session"\n'
        with pytest.raises(AuthError, match="ends as soon as it has begun"):
            ne.read(A_B)
    assert box.logins == 2


def test_password_and_session_are_hidden_in_log_and_errors(tmp_path):
    box = Box()
    with WireLog(tmp_path / "wire") as log, driven(box, wire_log=log) as ne:
        ne.read(A_B)
        box.answers["--getVISettings"] = b""
        with pytest.raises(ConnectionLost) as raised:
            ne.read(A_B)
    text = (tmp_path / "wire").read_text()
    for shown in (text, str(raised.value), raised.value.command):
        assert PASSWORD not in shown
        assert "s3ss" not in shown
    assert '--sessionId \\"***\\" --Id 11 --getVISettings' in text
    assert '--login \\"lab;***\\"' in text


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b'--id 11 --procModule "Default:Random_Drop;30;Loss_Percent;9.0;"', ConnectionLost),
        (b"", ConnectionLost),
        (b"--id 11\n--id 12\n", UnexpectedOutput),
        (b'--id 11 --procModule "Default:Random_Drop\n', MalformedResponse),
        (b"good morning\n", MalformedResponse),
        (b"--id 11\n", MalformedResponse),
    ],
)
def test_an_answer_that_is_cut_short_or_makes_no_sense_is_not_taken_for_an_interface_without_modules(answer, error):
    box = Box()
    with driven(box) as ne:
        box.answers["--getVISettings"] = answer
        with pytest.raises(error):
            ne.read(A_B)
        box.answers.clear()
        assert ne.read(A_B).conditions.is_neutral


def test_a_refused_write_is_undone_in_the_words_in_which_it_was_there():
    box = Box()
    with driven(box) as ne:
        box.interfaces["11"] = [each for each in FRESH if ";30;" not in each]
        box.answers["--Id 12 --procModule"] = b'--error "[WAN - Default:Random_Drop]: too much"\n'
        limited = Conditions.of(loss("1 %"), RateLimit(rate="2 Mbit/s", mode="link"))
        with pytest.raises(InstrumentExecutionError, match="too much") as raised:
            ne.apply_many({A_B: limited, B_A: Conditions.of(loss("2 %"))})
        assert raised.value.state_known
        assert raised.value.__notes__ == ["what was programmed before is programmed again"]
        assert ne.read(A_B).conditions.is_neutral
        assert box.interfaces["11"][-1] == line(0, 128000, 18)


def test_a_write_that_is_not_acknowledged_by_ok_is_found_out():
    box = Box()
    with driven(box) as ne:
        box.answers["--procModule"] = b"--maybe\n"
        with pytest.raises(MalformedResponse, match="not acknowledged by --ok") as raised:
            ne.apply(A_B, Conditions.of(delay("5 ms")))
        assert raised.value.__notes__ == ["read back on a new connection: it had not taken effect"]


def test_emulations_and_ports_in_the_words_of_the_published_client():
    box = Box()
    with driven(box) as ne:
        assert ne.emulations.all() == [Emulation(4, "lab", True, "a note", "lab", "12:00")]
        assert ne.emulations.interfaces(4) == [11, 12]
        assert ne.emulations.ports() == [
            Port(1, "0", None, "Hardware", ""), Port(2, "10.0.0.1", 1, "Hardware_IPv4_Routing", "IPv4"),
        ]  # fmt: skip
        del box.sent[:]
        assert ne.emulations.add("n") == 5
        assert ne.emulations.add_interface(4, 'v "1"') == 13
        ne.emulations.stop(4)
        ne.emulations.start(4)
        values = {"VLAN_Interfaces[0].Interface_Name": "0.7", "VLAN_Interfaces[0].VLAN_Id": "7"}
        port = Module("Hardware_VLAN_Routing", 0, values)
        ne.emulations.set_port(port)
        ne.emulations.delete_port(3)
    assert box.sent == [
        '--addEmulation "n"',
        '--emulationId 4 --addVi "v \\"1\\""',
        "--emulationId 4 --stop",
        "--emulationId 4 --start",
        f'--portModule "{port}"',
        "--delPortModule 3",
    ]


@pytest.mark.parametrize("answer", [b'--emulations "1;4;lab"\n', b'--emulations "x"\n', b"--ok\n", b"--emulations '\n"])
def test_a_list_that_cannot_be_read_is_told(answer):
    box = Box()
    with driven(box) as ne:
        box.answers["--getemulations"] = answer
        with pytest.raises(MalformedResponse, match="emulations cannot be read"):
            ne.emulations.all()


@pytest.mark.parametrize("text", ["", "a b", 'a "b" c', "a\\b", "--x", "it's"])
def test_a_quoted_text_is_read_as_it_was(text):
    assert options_in(f"--name {quoted(text)} --notes {quoted(text)}") == [("name", text), ("notes", text)]
