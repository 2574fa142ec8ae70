"""Lines that are right, lines that are wrong, and what each is answered."""

from collections.abc import Callable

import pytest

from impairlab.sim_hardware.chimera import HouseOptions, SimulatedChimera
from impairlab.sim_hardware.planes.null import NullPlane

from .conftest import Terminal


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0/0 PED_RANDON [0,0] 1", "#Syntax error in column 5"),
        ("0/0 !", "#Syntax error in column 5"),
        ("0/0 PED_RANDOM [0,0] 1.5", "#Syntax error in column 22"),
        ("0/0 PED_RANDOM [0,x] 1", "#Syntax error in column 19"),
        ("0/0 PED_RANDOM [0,0 1", "#Syntax error in column 16"),
        ("0/0 PED_ENABLE [0,0] MAYBE", "#Syntax error in column 22"),
        ("0/0 PED_RANDOM [0,0] ? 1", "#Syntax error in column 22"),
        ("0/0 PEF_ETHSRCADDR [1,0] ON 0xZZ 0xFF", "#Syntax error in column 29"),
        ("0/0 PEF_IPV4SRCADDR [1,0] ON 10.0.0.300 0xFFFFFFFF", "#Syntax error in column 30"),
        ('0/0 P_COMMENT "open', "#Syntax error in column 15"),
        ("0/0 PED_RANDOM [0] 1", "#Index error in column 16"),
        ("0/0 PED_RANDOM 1", "#Index error in column 16"),
        ("0/0 PED_RANDOM [0,0,0] 1", "#Index error in column 16"),
        ("0/0 P_EMULATE [0] ON", "#Index error in column 15"),
        ("PED_RANDOM [0,0] 1", "#Index error in column 1"),
        ("0/0 C_TIMEOUT ?", "#Index error in column 1"),
        ("0/0 M_EMULBYPASS ?", "#Index error in column 1"),
        ("0/- PED_RANDOM [0,0] 1", "#Index error in column 1"),
        ("*/*", "#Index error in column 1"),
        ("SYNC MAYBE", "#Syntax error in column 6"),
    ],
)
def test_lines_that_the_parser_points_at(terminal: Terminal, line: str, message: str) -> None:
    pointer, said = terminal.lines(line)
    assert said == message
    assert pointer.index("^") == int(message.rpartition(" ")[2]) - 1


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("0/9 PED_RANDOM [0,0] 1", "<BADPORT>"),
        ("1/0 PED_RANDOM [0,0] 1", "<BADMODULE>"),
        ("1 M_EMULBYPASS ?", "<BADMODULE>"),
        ("0/0 PED_RANDOM [8,0] 1", "<BADINDEX>"),
        ("0/0 PED_RANDOM [0,5] 1", "<BADINDEX>"),
        ("0/0 PEF_VLANTAG [1,0,2] OFF 0 0x0FFF", "<BADINDEX>"),
        ("0/0 PEF_INIT [0]", "<BADINDEX>"),
        ("0/0 PED_RANDOM [0,0]", "<BADSIZE>"),
        ("0/0 PED_RANDOM [0,0] 1 2", "<BADSIZE>"),
        ("0/0 PEF_ETHSRCADDR [1,0] ON 0xFF 0xFFFFFFFFFFFF", "<BADSIZE>"),
        ("0/0 PED_RANDOM [0,0] -1", "<BADVALUE>"),
        (f"0/0 PED_CONST [0,2] {10**40}", "<BADVALUE>"),
        ("0/0 PED_OFF [0,0] ?", "<NOTREADABLE>"),
        ("0/0 PE_LATENCYRANGE [0] 1 2", "<NOTWRITABLE>"),
        ("0/0 PE_DROPTOTAL 1", "<NOTWRITABLE>"),
        ("0/0 PEF_ENABLE [1,1] ON", "<NOTWRITABLE>"),
        ("0/2 PED_RANDOM [0,0] 1", "<NOTRESERVED>"),
        ("0 M_EMULBYPASS ON", "<NOTRESERVED>"),
        ("0/0 PED_RANDOM [0,0] ?", "<NOTVALID>"),
    ],
)
def test_commands_that_are_refused(terminal: Terminal, line: str, answer: str) -> None:
    assert terminal.ask(line) == answer


@pytest.mark.parametrize(
    "line",
    ["0/0  PED_RANDOM\t[ 0 , 0 ]   1000 ", "0/0 ped_random [0,0] 1000", "0/0 PED_RANDOM [0,0] 1000\r",
     "0/0 P_EMULATE on", "0/0 P_EMULATE 1", "0/0 PEF_ENABLE [1] ON", '0/0 PE_COMMENT [1] "a [b] ?"',
     "0/0 PEF_ETHSRCADDR [1,0] ON 0xaabbccddeeff 0xFFFFFFFFFFFF",
     "0/0 PEF_IPV6SRCADDR [1,0] ON 2001:db8::1 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"],
)  # fmt: skip
def test_lines_that_are_right(terminal: Terminal, line: str) -> None:
    assert terminal.ask(line) == "<OK>"


def test_strings(terminal: Terminal) -> None:
    terminal.ok('0/0 P_COMMENT "A line",13,10," and ",34,"the",34," next"')
    assert terminal.ask("0/0 P_COMMENT ?") == '0/0  P_COMMENT  "A line",13,10," and ",34,"the",34," next"'
    assert terminal.ask(f'0/0 P_COMMENT "{"x" * 5000}"') == "<BADSIZE>"


def test_wildcards(terminal: Terminal) -> None:
    assert terminal.lines("0/* P_EMULATE OFF") == ["<OK>", "<OK>", "<NOTRESERVED>", "<NOTRESERVED>"]
    assert terminal.lines("*/* P_EMULATE ?") == [f"0/{port}  P_EMULATE  OFF" for port in range(4)]
    terminal.ok("0/-")
    assert terminal.lines("* P_EMULATE ?") == [f"{port}  P_EMULATE  OFF" for port in range(4)]


def test_defaults(terminal: Terminal) -> None:
    assert terminal.ask("?") == "-/-"
    terminal.ok("0/1")
    assert terminal.ask("?") == "0/1"
    assert terminal.ask("P_EMULATE ?") == "P_EMULATE  ON"
    assert terminal.ask("3 P_EMULATE ?") == "3  P_EMULATE  OFF"
    assert terminal.ask("M_EMULBYPASS ?") == "M_EMULBYPASS  OFF"
    terminal.ok("2", "-")
    assert terminal.ask("?") == "0/-"


def test_queries_of_several(terminal: Terminal) -> None:
    settings = terminal.lines("0/0 P_CONFIG ?")
    assert "0/0  P_EMULATE  ON" in settings
    assert "0/0  PP_LINKFLAP_PARAMS  100 1000 INFINITE" in settings
    assert not any("P_RECEIVESYNC" in line for line in settings)
    assert "0/0  P_RECEIVESYNC  IN_SYNC" in terminal.lines("0/0 P_INFO ?")
    assert "C_TIMEOUT  130" in terminal.lines("C_CONFIG ?")


def test_sync_after_each_command(terminal: Terminal) -> None:
    terminal.send("SYNC ON\n0/0 P_EMULATE ?\nSYNC OFF\nSYNC")
    expected = ["<OK>", "<SYNC>", "0/0  P_EMULATE  ON", "<SYNC>", "<OK>", "<SYNC>"]
    assert [terminal.read() for _ in expected] == expected


def test_empty_lines_and_comments_keep_alive_and_are_not_answered(
    terminal: Terminal, connect: Callable[[SimulatedChimera], Terminal]
) -> None:
    assert terminal.lines("\n; Logon and Reserve\n   ") == []
    with SimulatedChimera(NullPlane(), options=HouseOptions(empty_line="empty-line", spacing="single")) as other:
        talker = connect(other).log_on()
        assert talker.lines("; comment") == [""]
        assert talker.ask("0/0 P_EMULATE ?") == "0/0 P_EMULATE OFF"


def test_a_line_without_end_is_refused_once(terminal: Terminal) -> None:
    assert terminal.ask("x" * 100_000) == "<BADSIZE>"
    assert terminal.ask("0/0 P_EMULATE ?") == "0/0  P_EMULATE  ON"


def test_the_dirty_flag_may_mean_the_reverse(connect: Callable[[SimulatedChimera], Terminal]) -> None:
    with SimulatedChimera(NullPlane(), options=HouseOptions(shadow_dirty="in-sync")) as chimera:
        terminal = connect(chimera).log_on().reserve(0)
        assert terminal.ask("0/0 PEF_ISSHADOWDIRTY [1] ?").endswith("YES")
        terminal.ok("0/0 PEF_ENABLE [1,0] ON")
        assert terminal.ask("0/0 PEF_ISSHADOWDIRTY [1] ?").endswith("NO")
