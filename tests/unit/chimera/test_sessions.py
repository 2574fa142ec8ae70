"""Sessions: logon, silence, reservations and what becomes of them."""

from collections.abc import Callable

import pytest

from impairlab.sim_hardware.chimera import SimulatedChimera
from impairlab.sim_hardware.planes.null import NullPlane

from .conftest import Clock, Terminal

SECOND = 1_000_000_000
Connect = Callable[[SimulatedChimera], Terminal]


def test_a_wrong_password(stranger: Terminal) -> None:
    assert stranger.ask('C_LOGON "wrong"') == "<BADVALUE>"
    assert stranger.ask("C_OWNER ?") == "<NOTLOGGEDON>"


def test_the_owner_comes_before_a_reservation_and_has_eight_characters(stranger: Terminal) -> None:
    stranger.ok('C_LOGON "xena"')
    assert stranger.ask("0/0 P_RESERVATION RESERVE") == "<NOTVALID>"
    assert stranger.ask('C_OWNER "ninechars"') == "<BADSIZE>"
    stranger.ok('C_OWNER "eightchr"', "0/0 P_RESERVATION RESERVE")
    assert stranger.ask("C_OWNER ?") == 'C_OWNER  "eightchr"'


def test_a_session_times_out_after_130_s_of_silence(
    chimera: SimulatedChimera, stranger: Terminal, clock: Clock
) -> None:
    stranger.log_on()
    assert stranger.ask("C_TIMEOUT ?") == "C_TIMEOUT  130"
    clock.now_ns += 129 * SECOND
    assert stranger.lines("") == []
    clock.now_ns += 129 * SECOND
    chimera.wake()
    stranger.ok("C_TIMEOUT 20")
    clock.now_ns += 20 * SECOND
    chimera.wake()
    assert stranger.read() == ""


def test_a_session_too_many(connect: Connect) -> None:
    with SimulatedChimera(NullPlane(), max_sessions=1) as chimera:
        first, second = connect(chimera).log_on(), connect(chimera)
        assert second.ask('C_LOGON "xena"') == "<NOCONNECTIONS>"
        assert second.ask("C_OWNER ?") == "<NOTLOGGEDON>"
        first.ok('C_LOGON "xena"')
        first.send("C_LOGOFF")
        assert first.read() == "<OK>"
        second.log_on()


def test_log_off_ends_the_connection(stranger: Terminal) -> None:
    stranger.send("C_LOGOFF")
    assert stranger.read() == "<OK>"
    assert stranger.socket.recv(1) == b""


def test_the_end_of_a_session_releases_what_it_holds_and_leaves_packets_impaired(
    chimera: SimulatedChimera, terminal: Terminal, connect: Connect
) -> None:
    terminal.ok("0/0 PED_RANDOM [0,0] 1000", "0/0 PED_ENABLE [0,0] ON")
    terminal.send("C_LOGOFF")
    assert terminal.read() == "<OK>"
    assert terminal.socket.recv(1) == b""
    other = connect(chimera).log_on("other")
    assert other.ask("0/0 P_RESERVATION ?").endswith("RELEASED")
    assert str(chimera.state.conditions("1", "a-b")) == "loss 0.1 %"


def test_what_another_session_holds(chimera: SimulatedChimera, terminal: Terminal, connect: Connect) -> None:
    other = connect(chimera).log_on("other")
    for line in ("0/0 P_RESERVATION RESERVE", "0 M_RESERVATION RESERVE", "C_RESERVATION RESERVE"):
        assert other.ask(line) == "<NOTVALID>"
    assert other.ask("0/0 P_RESERVATION RELEASE") == "<NOTRESERVED>"
    terminal.ok("0/0 P_RESERVATION RELEASE", "0/1 P_RESERVATION RELEASE")
    other.ok("0 M_RESERVATION RESERVE")
    assert other.ask("0 M_RESERVATION ?") == "0  M_RESERVATION  RESERVED_BY_YOU"
    assert terminal.ask("0 M_RESERVEDBY ?") == '0  M_RESERVEDBY  "other"'
    assert terminal.ask("0/0 P_RESERVATION RESERVE") == "<NOTVALID>"
    assert other.ask("C_RESERVATION RESERVE") == "<NOTVALID>"
    other.ok(*(f"0/{port} P_RESERVATION RESERVE" for port in range(4)), "C_RESERVATION RESERVE")
    terminal.ok("0 M_RESERVATION RELINQUISH", "C_RESERVATION RELINQUISH", "0/2 P_RESERVATION RELINQUISH")
    terminal.ok("0/2 P_RESERVATION RESERVE", "0/2 P_RESERVATION RESERVE", "0/3 P_RESERVATION RELINQUISH",
                "0/3 P_RESERVATION RELINQUISH")  # fmt: skip


@pytest.mark.parametrize(
    "line", ["C_KEEPALIVE ?", "C_INDICES ?", "C_SERIALNO ?", "0 M_REVISION ?", "0/0 P_CAPABILITIES ?"]
)
def test_facts_about_the_box(stranger: Terminal, line: str) -> None:
    stranger.log_on()
    answer = stranger.ask(line)
    assert answer.startswith(line.removesuffix("?").strip().replace(" ", "  "))
    assert stranger.ask(line) == answer
