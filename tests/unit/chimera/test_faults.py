"""What goes wrong with real boxes, on demand."""

import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from impairlab.drivers.model import Conditions, LinkState, Violation
from impairlab.drivers.model.errors import CapabilityError, ImpairlabError
from impairlab.sim_hardware.chimera import SimulatedChimera
from impairlab.sim_hardware.faults import (
    CloseMidReply,
    Garbage,
    IdleClose,
    IdleDatapath,
    LateReply,
    LinksDown,
    ModeReset,
    Mute,
    PartialReply,
    Pending,
    Reboot,
    Refuse,
    ReservedByOther,
    SessionExpired,
    SilentClamp,
    SilentlyIgnored,
    StaleInUse,
)
from impairlab.sim_hardware.planes.null import NullPlane
from impairlab.sim_hardware.simulator import Simulator

from .conftest import Clock, Terminal

MS, SECOND = 1_000_000, 1_000_000_000
Active = Callable[..., Conditions]
Connect = Callable[[SimulatedChimera], Terminal]


def test_somebody_else_takes_the_ports_away(chimera: SimulatedChimera, terminal: Terminal) -> None:
    chimera.inject(ReservedByOther("alexk"))
    assert terminal.ask("0/0 P_RESERVATION ?") == "0/0  P_RESERVATION  RESERVED_BY_OTHER"
    assert terminal.ask("0/0 P_RESERVEDBY ?") == '0/0  P_RESERVEDBY  "alexk"'
    assert terminal.ask("0/0 PED_RANDOM [0,0] 1") == "<NOTRESERVED>"
    assert terminal.ask("0/0 P_RESERVATION RESERVE") == "<NOTVALID>"
    chimera.clear_faults()
    terminal.ok("0/0 P_RESERVATION RESERVE")


def test_pending_commands_are_not_carried_out(chimera: SimulatedChimera, terminal: Terminal) -> None:
    chimera.inject(Pending(), count=2)
    assert terminal.ask("0/0 PED_RANDOM [0,0] 1") == "<PENDING>"
    assert terminal.ask("0/0 PED_RANDOM [0,0] ?") == "<NOTVALID>"
    assert terminal.ask("0/0 PED_RANDOM [0,0] 1") == "<PENDING>"
    terminal.ok("0/0 PED_RANDOM [0,0] 1")


def test_a_silent_clamp_and_a_setting_that_is_ignored(chimera: SimulatedChimera, terminal: Terminal) -> None:
    chimera.inject(SilentClamp("PED_RANDOM", Decimal(500)))
    terminal.ok("0/0 PED_FIXED [1,0] 1000", "0/0 PED_RANDOM [0,0] 1000")
    assert terminal.ask("0/0 PED_RANDOM [0,0] ?").endswith("  500")
    assert terminal.ask("0/0 PED_FIXED [1,0] ?").endswith("  1000")
    chimera.inject(SilentlyIgnored())
    terminal.ok("0/0 PED_RANDOM [0,0] 7")
    assert terminal.ask("0/0 PED_RANDOM [0,0] ?").endswith("  500")


def test_an_idle_datapath_answers_with_success(chimera: SimulatedChimera, terminal: Terminal, active: Active) -> None:
    terminal.ok("0/0 PED_RANDOM [0,0] 1000")
    chimera.inject(IdleDatapath())
    terminal.ok("0/0 PED_ENABLE [0,0] ON")
    assert terminal.ask("0/0 PED_ENABLE [0,0] ?").endswith("ON")
    assert active().is_neutral


def test_somebody_changes_the_latency_mode(chimera: SimulatedChimera, terminal: Terminal, active: Active) -> None:
    terminal.ok("0/0 PED_CONST [0,2] 1000000", "0/0 PED_ENABLE [0,2] ON")
    chimera.inject(ModeReset())
    assert active().is_neutral
    assert terminal.ask("0 M_LATENCYMODE ?") == "0  M_LATENCYMODE  EXTENDED"


def test_links_are_down_until_somebody_takes_them_up(
    chimera: SimulatedChimera, terminal: Terminal, active: Active
) -> None:
    chimera.inject(LinksDown())
    assert active("a-b").link == active("b-a").link == LinkState(state="down")
    assert terminal.ask("0/0 P_RECEIVESYNC ?").endswith("NO_SYNC")
    terminal.ok("0/0 P_TXENABLE ON")
    assert terminal.ask("0/1 P_RECEIVESYNC ?").endswith("IN_SYNC")
    assert active().is_neutral
    assert chimera.state.conditions("2", "a-b").link == LinkState(state="down")
    chimera.clear_faults()
    assert chimera.state.entries == ()


def test_links_may_be_down_from_the_start(connect: Connect) -> None:
    with SimulatedChimera(NullPlane(), links_down=True) as chimera:
        assert connect(chimera).log_on().ask("0/0 P_RECEIVESYNC ?").endswith("NO_SYNC")
        assert chimera.state.conditions("1", "b-a").link == LinkState(state="down")


def test_silence_is_cut_short(chimera: SimulatedChimera, terminal: Terminal, clock: Clock) -> None:
    chimera.inject(IdleClose(5 * SECOND))
    clock.now_ns += 5 * SECOND
    chimera.wake()
    assert terminal.socket.recv(1) == b""


def test_sessions_end_on_their_own(chimera: SimulatedChimera, terminal: Terminal) -> None:
    chimera.inject(SessionExpired())
    assert terminal.socket.recv(1) == b""


def test_replies_that_come_late_in_part_or_as_garbage(chimera: SimulatedChimera, terminal: Terminal) -> None:
    chimera.inject(Garbage(b"\x00#!\n"))
    chimera.inject(PartialReply(2))
    terminal.send("0/0 P_EMULATE ?\n0/0 P_EMULATE ?\n0/0 P_EMULATE ?")
    assert terminal.read() == "\x00#!"
    assert terminal.read() == "0/0/0  P_EMULATE  ON"
    chimera.inject(LateReply(30 * MS))
    begun_ns = time.monotonic_ns()
    terminal.send("0/0 P_EMULATE ?")
    assert terminal.read() == "0/0  P_EMULATE  ON"
    assert time.monotonic_ns() - begun_ns >= 30 * MS
    chimera.inject(CloseMidReply(4))
    terminal.send("0/0 P_EMULATE ?")
    assert terminal.read() == "0/0 "


def test_mute(chimera: SimulatedChimera, terminal: Terminal) -> None:
    chimera.inject(Mute())
    terminal.send("0/0 P_EMULATE ?")
    terminal.socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        terminal.read()


def test_refuse(chimera: SimulatedChimera, connect: Connect) -> None:
    chimera.inject(Refuse())
    with pytest.raises(ConnectionRefusedError):
        connect(chimera)
    chimera.clear_faults()
    connect(chimera).log_on()


def reconnected(chimera: SimulatedChimera, connect: Connect) -> Terminal:
    """Return a new terminal as soon as connections are taken again."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return connect(chimera)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline


def test_a_reboot_loses_everything(chimera: SimulatedChimera, terminal: Terminal, connect: Connect) -> None:
    terminal.ok("0/0 PED_RANDOM [0,0] 1000", "0/0 PED_ENABLE [0,0] ON")
    chimera.inject(Reboot())
    with pytest.raises(ConnectionResetError):
        terminal.socket.recv(1)
    assert chimera.state.entries == ()
    after = reconnected(chimera, connect)
    assert after.ask("0/0 P_EMULATE ?") == "<NOTLOGGEDON>"
    assert after.log_on().ask("0/0 P_RESERVATION ?").endswith("RELEASED")


def test_a_fault_without_words_in_this_dialect(chimera: SimulatedChimera) -> None:
    with pytest.raises(ValueError, match="no words"):
        chimera.inject(StaleInUse())


def test_a_data_plane_that_fails(chimera: SimulatedChimera, terminal: Terminal, plane: NullPlane) -> None:
    terminal.ok("0/0 PED_RANDOM [0,0] 1000")
    plane.failure = ImpairlabError("gone")
    assert terminal.ask("0/0 PED_ENABLE [0,0] ON") == "<FAILED>"
    plane.failure = None
    assert terminal.ask("0/0 PED_ENABLE [0,0] ?").endswith("OFF")


def test_a_reboot_with_a_data_plane_that_fails(
    chimera: SimulatedChimera, terminal: Terminal, plane: NullPlane, connect: Connect
) -> None:
    terminal.ok("0/0 PED_RANDOM [0,0] 1000", "0/0 PED_ENABLE [0,0] ON")
    plane.failure = ImpairlabError("gone")
    chimera.inject(Reboot())
    assert reconnected(chimera, connect).log_on().ask("0/0 PED_ENABLE [0,0] ?").endswith("OFF")


def test_it_offers_what_every_simulator_does(chimera: SimulatedChimera) -> None:
    assert [name for name in vars(Simulator) if not name.startswith("_") and not hasattr(chimera, name)] == []


def test_what_the_data_plane_cannot_do_is_refused_and_nothing_has_changed(
    chimera: SimulatedChimera, terminal: Terminal, plane: NullPlane
) -> None:
    terminal.ok("0/0 PED_RANDOM [0,0] 1000")
    plane.failure = CapabilityError([Violation(where="path 1", field="loss", problem="cannot", legal="delay")])
    assert terminal.ask("0/0 PED_ENABLE [0,0] ON") == "<NOTSUPPORTED>"
    assert terminal.ask("0/0 PED_ENABLE [0,0] ?").endswith("OFF")
    assert chimera.state.entries == ()
